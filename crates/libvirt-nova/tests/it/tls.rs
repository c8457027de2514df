//! TLS, as `openssl` and `curl` see it.

use std::{fmt::Write as _, io::Write as _, net::TcpStream};

use expect_test::expect;

use crate::judge::{curl, handshake, start, status};

/// Asserts what each handshake ends with: a line that is there, or an alert.
fn agrees(name: &str, handshakes: &[(&str, &str)]) {
    let running = start(name);
    for (words, expected) in handshakes {
        let words: Vec<_> = words.split_whitespace().collect();
        let said = handshake(&running, &words);
        assert!(said.contains(expected), "{name} {words:?}: {said}");
    }
}

const TLS12: &str = "Protocol version: TLSv1.2\n";
const TLS13: &str = "Protocol version: TLSv1.3\n";
const NO_VERSION: &str = "alert protocol version";
const NOTHING_IN_COMMON: &str = "alert handshake failure";

#[test]
fn only_the_versions_that_were_chosen_are_spoken() {
    let both = [
        ("", TLS13),
        ("-tls1_2", TLS12),
        ("-tls1_1 -cipher ALL:@SECLEVEL=0", NO_VERSION),
        ("-tls1 -cipher ALL:@SECLEVEL=0", NO_VERSION),
    ];
    agrees("verify_if_given", &both);
    agrees("min_version_old", &both);
    agrees("version_13", &[("", TLS13), ("-tls1_2", NO_VERSION)]);
    agrees("version_12", &[("", TLS12), ("-tls1_3", NO_VERSION)]);
}

#[test]
fn only_the_suites_that_were_chosen_are_used() {
    agrees(
        "ciphers_some",
        &[
            ("-cipher ECDHE-RSA-AES128-GCM-SHA256", "Ciphersuite: ECDHE-RSA-AES128-GCM-SHA256\n"),
            ("-cipher ECDHE-RSA-AES256-GCM-SHA384", "Ciphersuite: ECDHE-RSA-AES256-GCM-SHA384\n"),
            ("-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305", NOTHING_IN_COMMON),
            ("-tls1_2 -cipher ECDHE-RSA-AES256-SHA", NOTHING_IN_COMMON),
            ("-tls1_2 -cipher AES128-GCM-SHA256", NOTHING_IN_COMMON),
        ],
    );
    // No list decides on TLS 1.3.
    agrees(
        "ciphers_all",
        &[
            (
                "-ciphersuites TLS_CHACHA20_POLY1305_SHA256",
                "Ciphersuite: TLS_CHACHA20_POLY1305_SHA256\n",
            ),
            (
                "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305",
                "Ciphersuite: ECDHE-RSA-CHACHA20-POLY1305\n",
            ),
        ],
    );
}

#[test]
fn the_order_of_suites_is_ours_unless_it_is_the_clients() {
    let offered = "-cipher ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
    agrees("ciphers_of_ours", &[(offered, "Ciphersuite: ECDHE-RSA-AES256-GCM-SHA384\n")]);
    agrees("ciphers_of_the_client", &[(offered, "Ciphersuite: ECDHE-RSA-AES128-GCM-SHA256\n")]);
}

#[test]
fn only_the_curves_that_were_chosen_are_used() {
    agrees(
        "curves_one",
        &[
            ("-groups P-384", "Server Temp Key: ECDH, secp384r1"),
            // Which the client did not guess, and is told.
            ("-groups X25519:P-384", "Server Temp Key: ECDH, secp384r1"),
            ("-groups X25519:P-256", NOTHING_IN_COMMON),
        ],
    );
    agrees(
        "curves_all",
        &[
            ("-groups P-256", "Server Temp Key: ECDH, prime256v1"),
            ("-groups P-384", "Server Temp Key: ECDH, secp384r1"),
            ("-groups X25519", "Server Temp Key: X25519"),
        ],
    );
}

#[test]
fn key_and_certificate_may_be_in_the_file_itself() {
    agrees("inline", &[("", "Verification: OK")]);
    agrees("aliases", &[("", "Verification: OK")]);
    agrees("cert_inline_and_file", &[("", "Verification: OK")]);
}

/// Which clients are let in, by each policy, in TLS 1.2 and 1.3.
#[test]
fn a_client_is_let_in_by_its_certificate() {
    let clients = [None, Some("client"), Some("stranger"), Some("self-signed"), Some("wrong-use")];
    let mut table = String::new();
    for name in [
        "no_client_cert",
        "request",
        "require_any",
        "require_any_old_name",
        "inline_key_and_ca",
        "verify_if_given",
        "verify_if_given_by_ca",
        "require_and_verify",
        "require_and_verify_self_signed",
        "client_ca_absent",
        "sans_dns",
        "sans_email",
        "sans_ip",
        "sans_ipv6",
        "sans_uri",
        "sans_without_the_clients",
    ] {
        let running = start(name);
        write!(table, "{name}:").unwrap();
        for client in clients {
            let [new, old] = ["1.3", "1.2"]
                .map(|version| status(&running, "/-/healthy", client, &["--tls-max", version]));
            assert_eq!(new, old, "{name} {client:?}");
            if new == 200 {
                write!(table, " {}", client.unwrap_or("none")).unwrap();
            }
        }
        table.push('\n');
    }
    expect![[r#""#]].assert_eq(&table);
}

#[test]
fn who_asks_in_http_is_told_that_https_is_spoken() {
    let running = start("verify_if_given");
    let said = curl(&format!("http://{}/metrics", running.address), &[]);
    assert_eq!(said.status, 400, "{said:?}");
    assert!(said.answer.ends_with("use https://\n"), "{said:?}");
    // And the other way round.
    let plain = start("users");
    assert_eq!(status(&plain, "/", None, &[]), 0);
}

#[test]
fn many_requests_go_over_one_connection_by_http_1_1() {
    let running = start("verify_if_given");
    let url = format!("https://{}/metrics", running.address);
    let count = [
        "--http2",
        "--write-out",
        "\n%{num_connects} %{http_version} %{http_code}",
        &url,
        "--include",
    ];
    let said = curl(&url, &count);
    assert_eq!(said.status, 200, "{said:?}");
    assert!(said.answer.contains("\n1 1.1 200"), "{said:?}");
}

/// A handshake that is not gone on with keeps nobody out; who is dropped, and when, is tested
/// beside the code.
#[test]
fn half_a_handshake_keeps_nobody_out() {
    let running = start("verify_if_given");
    let idle: Vec<_> = (0..200)
        .map(|number| {
            let mut peer = TcpStream::connect(running.address).unwrap();
            // The beginning of a ClientHello, or nothing. Some have been turned out already.
            let _ = peer.write_all(&b"\x16\x03\x01\x02\x00\x01"[..number % 7]);
            peer
        })
        .collect();
    assert_eq!(status(&running, "/-/healthy", None, &[]), 200);
    drop(idle);
}
