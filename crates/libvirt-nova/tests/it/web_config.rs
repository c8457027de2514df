//! What the web configuration asks of whoever asks.

use std::fs;

use crate::{
    judge::{Site, curl, start, testdata},
    program::{Dir, Outcome},
};

/// Every route there is, and one that is not.
const TARGETS: [&str; 8] =
    ["/metrics", "/", "/-/live", "/-/healthy", "/-/ready", "/debug", "/-/instance/1b", "/x"];

#[test]
fn a_fault_stops_the_start_with_one_line() {
    let faults = fs::read_to_string(testdata("verdicts.txt")).unwrap();
    for name in ["unknown_key", "junk", "key_of_another", "user_without_hash", "no_such_file"] {
        let line = faults.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        let (_, fault) = line.split_once("refused: ").unwrap();
        let path = testdata(&format!("{name}.yml"));
        let command = Dir::new().command().args(["-log", "-", "--web.config.file"]).arg(&path);
        let Outcome { code, stdout, stderr } =
            command.arg("--web.listen-address=127.0.0.1:0").run();
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        let dir = format!("{}/", testdata("").parent().unwrap().display());
        let told: Vec<_> = stderr.lines().filter(|line| line.contains("cannot use")).collect();
        let [line] = told[..] else { panic!("{stderr}") };
        let what = format!("cannot use the web configuration {name}.yml: {fault}");
        assert!(line.replace(&dir, "").contains(&what), "{line}");
        assert!(!stderr.contains("listening"), "{stderr}");
    }
}

#[test]
fn whoever_asks_for_anything_has_to_say_who_he_is() {
    let running = start("users");
    for target in TARGETS {
        let url = format!("http://{}{target}", running.address);
        for (user, status) in [
            (&[][..], 401),
            (&["--user", "alice:secre"], 401),
            (&["--user", "alice:secret2"], 401),
            (&["--user", "bob:secret"], 401),
            (&["--user", "mallory:secret"], 401),
            (&["--head", "--user", "bob:secret"], 401),
            (&["--request", "POST", "--data", "x"], 401),
            (&["--oauth2-bearer", "secret"], 401),
        ] {
            let said = curl(&url, user);
            assert_eq!(said.status, status, "{target} {user:?}");
            let asked = "\r\nwww-authenticate: Basic realm=\"libvirt_nova\", charset=\"UTF-8\"\r\n";
            assert!(said.answer.contains(asked), "{said:?}");
        }
        // A stream has no end, and is asked only whether there is one.
        let status = match target {
            "/-/ready" => 503,
            "/-/instance/1b" | "/x" => 404,
            _ => 200,
        };
        for user in ["alice:secret", "bob:other"] {
            assert_eq!(curl(&url, &["--head", "--user", user]).status, status, "{target}");
        }
    }
}

#[test]
fn the_headers_are_on_every_response() {
    let users = fs::read_to_string(testdata("users.yml")).unwrap();
    let headers = fs::read_to_string(testdata("headers.yml")).unwrap();
    let site = Site::new(&[]);
    site.write("web.yml", &format!("{users}{headers}"));
    let running = site.start();
    for target in TARGETS {
        let url = format!("http://{}{target}", running.address);
        for user in [&[][..], &["--user", "alice:secret"], &["--user", "alice:secret", "-X", "PUT"]]
        {
            let said = curl(&url, &[user, &["--head"]].concat());
            for header in [
                "strict-transport-security: max-age=31536000; includeSubDomains",
                "x-frame-options: deny",
                "x-xss-protection: 1",
                "x-content-type-options: nosniff",
            ] {
                let times = said.answer.matches(&format!("\r\n{header}\r\n")).count();
                assert_eq!(times, 1, "{target} {user:?} {header}: {said:?}");
            }
            let policies = said.answer.matches("\r\ncontent-security-policy: ").count();
            assert_eq!(policies, 1, "{said:?}");
        }
    }
}

#[test]
fn requests_beyond_the_limit_are_turned_away_before_anybody_is_asked_who_he_is() {
    let users = fs::read_to_string(testdata("users.yml")).unwrap();
    let headers = fs::read_to_string(testdata("headers.yml")).unwrap();
    let site = Site::new(&[]);
    site.write("web.yml", &format!("{users}{headers}rate_limit: {{interval: 1h, burst: 2}}\n"));
    let running = site.start();
    let url = format!("http://{}/-/healthy", running.address);
    assert_eq!(curl(&url, &["--user", "alice:secret"]).status, 200);
    assert_eq!(curl(&url, &[]).status, 401);
    let said = curl(&url, &["--user", "alice:secret"]);
    assert_eq!(said.status, 429);
    assert!(said.answer.contains("\r\nx-frame-options: deny\r\n"), "{said:?}");

    let nothing = start("rate_limit_nothing");
    assert_eq!(curl(&format!("http://{}/", nothing.address), &[]).status, 429);
    let all = start("rate_limit_none");
    for _ in 0..5 {
        assert_eq!(curl(&format!("http://{}/", all.address), &[]).status, 200);
    }
}

#[test]
fn no_secret_is_shown_or_logged() {
    let site = Site::new(&[("inline.yml", "web.yml")]);
    let users = fs::read_to_string(testdata("users.yml")).unwrap();
    let inline = fs::read_to_string(testdata("inline.yml")).unwrap();
    site.write("web.yml", &format!("{inline}{users}"));
    let running = site.start();
    let url = format!("https://{}/debug", running.address);
    let said = curl(&url, &["--user", "alice:secret"]).answer;
    assert!(said.contains("--web.config.file                web.yml\n"), "{said}");
    // The fault is in the line below a secret, and the program goes on.
    site.write("web.yml", &format!("{inline}{users}  carol: topsecret\n"));
    assert_eq!(curl(&url, &["--user", "alice:secret"]).status, 0);
    running.signal("TERM");
    let (_, log) = running.wait();
    let all = format!("{said}{}", log.join("\n"));
    assert!(all.contains("carol"), "{all}");
    for secret in ["$2y$", "topsecret", "PRIVATE", "secret"] {
        assert!(!all.replace("alice:secret", "").contains(secret), "{secret}: {all}");
    }
}
