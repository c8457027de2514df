//! Foreign judges of what is served: `curl` and `openssl s_client`; and the files that they need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::program::{Dir, Running};

/// The files of `testdata/web-config`, by their names.
pub(crate) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/web-config").join(name)
}

/// The program with one of those files.
pub(crate) fn start(name: &str) -> Running {
    Dir::new().command().arg("--web.config.file").arg(testdata(&format!("{name}.yml"))).start()
}

/// A directory for a configuration that changes.
pub(crate) struct Site(Dir);

impl Site {
    /// Copies files of `testdata/web-config` to other names.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let site = Self(Dir::new());
        for (from, to) in files {
            site.place(from, to);
        }
        site
    }

    pub(crate) fn start(&self) -> Running {
        self.0.command().arg("--web.config.file=web.yml").start()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Puts a file of `testdata/web-config` in the place of one here, at one stroke.
    pub(crate) fn place(&self, from: &str, to: &str) {
        fs::copy(testdata(from), self.path("new")).unwrap();
        fs::rename(self.path("new"), self.path(to)).unwrap();
    }
}

/// What `curl` said of one request: the status, 0 where there was none; headers and body; its complaint.
#[derive(Debug)]
pub(crate) struct Curl {
    pub(crate) status: u16,
    pub(crate) answer: String,
    pub(crate) complaint: String,
}

/// Asks with `curl`, which trusts our CA.
pub(crate) fn curl(url: &str, more: &[&str]) -> Curl {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "20", "--noproxy", "*"])
        .args(["--write-out", "\n%{http_code}", "--cacert"])
        .arg(testdata("ca.crt"))
        .args(more)
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (answer, status) = text.rsplit_once('\n').unwrap();
    Curl {
        status: status.parse().unwrap(),
        answer: answer.to_owned(),
        complaint: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The status of a request in TLS, with the certificate of a client where one is named.
pub(crate) fn status(running: &Running, path: &str, client: Option<&str>, more: &[&str]) -> u16 {
    let url = format!("https://{}{path}", running.address);
    let files = client.map(|name| [".crt", ".key"].map(|kind| testdata(&format!("{name}{kind}"))));
    let mut words = more.to_vec();
    if let Some([cert, key]) = &files {
        words.extend(["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]);
    }
    curl(&url, &words).status
}

/// What `openssl s_client` says of a handshake, all of it.
pub(crate) fn handshake(running: &Running, more: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &running.address.to_string(), "-brief", "-CAfile"])
        .arg(testdata("ca.crt"))
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
}
