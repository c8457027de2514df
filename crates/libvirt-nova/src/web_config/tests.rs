//! Which files are accepted, and what is said of those that are not.

use std::{fmt::Write, fs, path::PathBuf};

use expect_test::expect_file;
use tokio::time;

use super::*;

/// Where the files are, with the certificates that they name.
fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/web-config")
}

/// What a start with a file would say, in one line.
fn verdict(path: &Path) -> String {
    let loaded = read(path).and_then(|settings| {
        let settings = Rc::new(settings);
        if let Some(tls) = &settings.tls {
            Tls::load(tls, &settings)?;
        }
        Ok(settings)
    });
    match loaded {
        Ok(settings) if settings.warnings.is_empty() => "accepted".into(),
        Ok(settings) => format!("accepted, but {}", settings.warnings.join("; ")),
        Err(fault) => format!("refused: {fault}"),
    }
}

#[test]
fn each_file_has_its_verdict() {
    let dir = testdata();
    let mut names: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".yml").map(str::to_owned))
        .chain(["no_such_file".into()])
        .collect();
    names.sort();
    let mut verdicts = String::new();
    for name in names {
        let verdict = verdict(&dir.join(format!("{name}.yml")));
        assert!(!verdict.contains('\n'), "{name}: {verdict}");
        let verdict = verdict.replace(&format!("{}/", dir.display()), "");
        writeln!(verdicts, "{name:<32} {verdict}").unwrap();
    }
    expect_file!["../../testdata/web-config/verdicts.txt"].assert_eq(&verdicts);
}

fn settings(text: &str) -> Result<Settings, Fault> {
    Settings::read(text, Path::new("/etc/x"))
}

fn fault(text: &str) -> String {
    settings(text).unwrap_err().to_string()
}

#[test]
fn paths_are_relative_to_the_file() {
    let settings = settings(
        "tls_server_config: {cert_file: a.crt, key_file: /b.key, client_ca_file: c/d.crt, \
         client_auth_type: RequireAndVerifyClientCert}",
    );
    let settings = settings.unwrap();
    let files: Vec<_> = settings.tls.as_ref().unwrap().files().collect();
    assert_eq!(files, ["/etc/x/a.crt", "/b.key", "/etc/x/c/d.crt"].map(Path::new));
}

#[test]
fn nothing_makes_a_document_larger_than_a_person_writes() {
    let bomb: String = (0..40)
        .map(|level| match level {
            0 => "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(),
            level => {
                format!(
                    "a{level}: &a{level} [{}]\n",
                    vec![format!("*a{}", level - 1); 8].join(", ")
                )
            }
        })
        .collect();
    assert!(fault(&bomb).ends_with("the document is larger or deeper than a person writes"));
    assert!(fault(&("[".repeat(20) + &"]".repeat(20))).contains("larger or deeper"));
    // Here the scanner itself gives up.
    assert!(!fault(&"[".repeat(100_000)).is_empty());
    assert!(fault("a: &a [*a]").ends_with("an alias stands for what it is in"));
    let deep: String = (1..200).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [*a{}]\n", level - 1)
    });
    assert!(fault(&deep).contains("a0: no such key"), "{}", fault(&deep));
}

#[test]
fn a_name_is_text_whatever_it_looks_like() {
    let hash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    let users = format!("basic_auth_users: {{1: {hash}, on: {hash}, ünïcode: {hash}}}");
    assert!(!settings(&users).unwrap().users.is_empty());
    // A null is no key, and no hash.
    assert_eq!(
        fault(&format!("basic_auth_users: {{~: {hash}}}")),
        "line 1: a key is nothing, expected text"
    );
    assert!(fault("basic_auth_users: {alice: }").contains("no bcrypt hash"));
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_not_right_is_replaced_by_the_one_before_it_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let place = |from: &str, to: &str| {
        fs::copy(testdata().join(from), dir.path().join("new")).unwrap();
        fs::rename(dir.path().join("new"), dir.path().join(to)).unwrap();
    };
    for name in ["server.crt", "server.key"] {
        place(name, name);
    }
    place("verify_if_given.yml", "web.yml");
    let web = WebConfig::open(&dir.path().join("web.yml")).unwrap();
    web.tls().unwrap();
    for _ in 0..2 {
        place("next.crt", "server.crt");
        web.tls().unwrap();
        time::advance(REPLACING - Duration::from_millis(1)).await;
        web.tls().unwrap();
        time::advance(Duration::from_millis(1)).await;
        let fault = web.tls().unwrap_err().to_string();
        assert!(fault.contains("server.key is not the key of"), "{fault}");
        // Requests on connections that there are go on.
        web.settings().unwrap();
        place("next.key", "server.key");
        web.tls().unwrap();
        // The next time is a time of its own.
        fs::remove_file(dir.path().join("server.key")).unwrap();
        web.tls().unwrap();
        place("server.key", "server.key");
        place("server.crt", "server.crt");
        web.tls().unwrap();
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_made_anew() {
    let web = WebConfig::open(&testdata().join("verify_if_given.yml")).unwrap();
    let (first, second) = (web.tls().unwrap(), web.tls().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
}
