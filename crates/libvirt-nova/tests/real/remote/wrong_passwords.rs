//! Passwords, and what libvirtd asks instead of one.

use std::fs;

use super::{
    fault::Shut,
    hypervisor::Hypervisor,
    passwords::{PASSWORD, USER, WRONG, auth_file, write_auth},
};
use crate::fixture::new_dir;

#[test]
fn a_wrong_password_is_tried_until_it_is_right() {
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let hypervisor = Hypervisor::asking(mechanism);
        for uri in [hypervisor.tls(&hypervisor.pki), hypervisor.libvirtd.uri()] {
            let file = auth_file(WRONG);
            let flag = format!("--auth.file={}", file.display());
            let words =
                [&*format!("does not take the user {USER} with this password by {mechanism}")];
            let shut = Shut::out(&hypervisor, &uri, &[&flag], &words);
            write_auth(&file, PASSWORD);
            shut.comes_in();
        }
    }
}

#[test]
fn a_password_may_be_in_a_file_of_its_own() {
    let hypervisor = Hypervisor::asking("scram-sha-256");
    let file = new_dir("auth").join("password");
    fs::write(&file, format!("{WRONG}\n")).unwrap();
    let uri = hypervisor.tls(&hypervisor.pki);
    let flags =
        [format!("--auth.username={USER}"), format!("--auth.password-file={}", file.display())];
    let shut = Shut::out(&hypervisor, &uri, &flags.each_ref().map(|flag| &**flag), &[USER]);
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    shut.comes_in();
}

#[test]
fn whoever_knows_no_password_is_told_that_libvirtd_wants_one() {
    let hypervisor = Hypervisor::asking("scram-sha-256");
    let file = new_dir("auth").join("auth.conf");
    fs::write(&file, "").unwrap();
    let flag = format!("--auth.file={}", file.display());
    let uri = hypervisor.tls(&hypervisor.pki);
    let shut = Shut::out(
        &hypervisor,
        &uri,
        &[&flag],
        &["127.0.0.1:16514", "asks for a user and password"],
    );
    write_auth(&file, PASSWORD);
    shut.comes_in();
}

#[test]
fn what_bare_tcp_would_have_to_be_wrapped_in_is_named() {
    // The list of what libvirtd offers there is of such mechanisms alone, or empty.
    for (mechanisms, word) in [("digest-md5 scram-sha-256", "DIGEST-MD5"), ("scram-sha-256", "TLS")]
    {
        let hypervisor = Hypervisor::asking(mechanisms);
        let flag = format!("--auth.file={}", auth_file(PASSWORD).display());
        let words = ["127.0.0.1:16509", word];
        Shut::out(&hypervisor, "qemu+tcp://127.0.0.1/system", &[&flag], &words);
    }
}
