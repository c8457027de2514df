//! What changes while the program runs.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
};

use crate::judge::{Site, curl, handshake, status, testdata};

const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// Asserts that a text which is wrong refuses whoever comes, is told of once, and what follows.
#[test]
fn a_broken_file_lets_nobody_in_until_it_is_mended() {
    let site = Site::new(&[("users.yml", "web.yml")]);
    let running = site.start();
    let url = format!("http://{}/-/healthy", running.address);
    let asked = || curl(&url, &["--user", "alice:secret"]).status;
    assert_eq!(asked(), 200);
    let good = fs::read_to_string(site.path("web.yml")).unwrap();
    for (broken, told) in [
        (
            Some("basic_auth_users: {alice: x}\n"),
            "line 1: the user \\\"alice\\\" cannot be admitted",
        ),
        // Its writer has not written yet: without its users, everybody would be let in.
        (Some(""), "is empty"),
        (Some("rate_limit:\n"), "has no basic_auth_users any more, expected it until a restart"),
        (Some("{}"), "has no basic_auth_users any more"),
        (Some("rate_limit:\n  birst: 1\n"), "line 2: rate_limit birst: no such key"),
        (None, "cannot read the file web.yml"),
    ] {
        match broken {
            Some(text) => site.write("web.yml", text),
            None => fs::remove_file(site.path("web.yml")).unwrap(),
        }
        for _ in 0..3 {
            assert_eq!(asked(), 500, "{told}");
        }
        let line = running.logs("nobody is let in");
        assert!(line.contains(&told.replace('\\', "")), "{line}");
        site.write("web.yml", &good);
        assert_eq!(asked(), 200);
        // The next line of the log: what was wrong three times was told once.
        let line = running.logs("");
        assert!(line.contains("has changed, and is in force"), "{line}");
    }
}

#[test]
fn users_come_and_go() {
    let site = Site::new(&[("users.yml", "web.yml")]);
    let running = site.start();
    let url = format!("http://{}/-/healthy", running.address);
    let asked = |user| curl(&url, &["--user", user]).status;
    let all = fs::read_to_string(site.path("web.yml")).unwrap();
    assert_eq!([asked("alice:secret"), asked("bob:other")], [200, 200]);
    let without_alice: Vec<_> = all.lines().filter(|line| !line.contains("alice")).collect();
    site.write("web.yml", &without_alice.join("\n"));
    assert_eq!([asked("alice:secret"), asked("bob:other")], [401, 200]);
    site.write("web.yml", &all.replace("alice", "bob2"));
    assert_eq!([asked("bob2:secret"), asked("alice:secret")], [200, 401]);
}

#[test]
fn a_broken_file_ends_handshakes_and_a_mended_one_begins_them_again() {
    let site = Site::new(&[
        ("server.crt", "server.crt"),
        ("server.key", "server.key"),
        ("ca.crt", "ca.crt"),
    ]);
    site.write("web.yml", TLS);
    let running = site.start();
    let asked = |client| status(&running, "/-/healthy", client, &[]);
    assert_eq!(asked(None), 200);
    for broken in
        ["", "{}", "tls_server_config: {cert_fiel: x}", &format!("{TLS}  client_ca_file: ca.crt\n")]
    {
        site.write("web.yml", broken);
        assert_eq!([asked(None), asked(None)], [0, 0], "{broken}");
        let line = running.logs("nobody is let in");
        site.write("web.yml", TLS);
        assert_eq!(asked(None), 200, "{line}");
    }
    site.write("web.yml", &format!("{TLS}  max_version: TLS12\n"));
    assert!(handshake(&running, &[]).contains("Protocol version: TLSv1.2\n"));
    // A policy is in force with the next handshake.
    site.write(
        "web.yml",
        &format!("{TLS}  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"),
    );
    assert_eq!([asked(None), asked(Some("client"))], [0, 200]);
    site.place("other-ca.crt", "ca.crt");
    assert_eq!([asked(Some("client")), asked(Some("stranger"))], [0, 200]);
    // Nor is one taken back: half of a file would do that.
    site.write("web.yml", TLS);
    assert_eq!([asked(None), asked(Some("stranger"))], [0, 0]);
}

/// Certificate and key are replaced one after the other, again and again, in place and by a
/// rename, while scrapers connect anew each time.
#[test]
fn a_new_certificate_costs_no_scrape() {
    let site = Site::new(&[("server.crt", "server.crt"), ("server.key", "server.key")]);
    site.write("web.yml", TLS);
    let running = site.start();
    let subject = || {
        let said = handshake(&running, &[]);
        ["server", "next"]
            .into_iter()
            .find(|name| said.contains(&format!("Peer certificate: CN = {name}\n")))
            .map(str::to_owned)
    };
    let is_over = AtomicBool::new(false);
    let scrapes = AtomicUsize::new(0);
    thread::scope(|scope| {
        let scrapers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !is_over.load(Relaxed) {
                        let said = curl(&format!("https://{}/metrics", running.address), &[]);
                        if said.status != 200 {
                            return Some(said);
                        }
                        scrapes.fetch_add(1, Relaxed);
                    }
                    None
                })
            })
            .collect();
        // Between two steps somebody has scraped, so that each of them was met.
        let scraped = || {
            let before = scrapes.load(Relaxed);
            while scrapes.load(Relaxed) < before + 3
                && !scrapers.iter().any(thread::ScopedJoinHandle::is_finished)
            {
                thread::yield_now();
            }
        };
        for name in ["next", "server", "next"] {
            for kind in ["crt", "key"] {
                let (from, to) = (format!("{name}.{kind}"), format!("server.{kind}"));
                if name == "server" {
                    site.write(&to, &fs::read_to_string(testdata(&from)).unwrap());
                } else {
                    site.place(&from, &to);
                }
                scraped();
            }
            assert_eq!(subject().as_deref(), Some(name));
        }
        is_over.store(true, Relaxed);
        for scraper in scrapers {
            let failed = scraper.join().unwrap();
            assert!(failed.is_none(), "{failed:?}");
        }
    });
    running.logs("the one before it serves for 10 s");
}
