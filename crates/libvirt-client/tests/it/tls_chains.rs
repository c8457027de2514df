//! What the CAs above a server's certificate have to do with it.

use std::fs;

use crate::{
    certificates::Authority,
    daemon::Daemon,
    tls::comes_in,
    tls_faults::{refused, untrusted},
};

#[tokio::test]
async fn a_server_below_a_ca_that_was_revoked_is_not_trusted() {
    let authority = Authority::new("one");
    let between = authority.below("between", |params| params.serial_number = Some(7.into()));
    let lowest = between.below("lowest", |_| {});
    let pki = authority.pki(None);
    for signer in [&between, &lowest] {
        let server = signer.server(&["localhost"]);
        // The CAs below have no list, so nothing of theirs is revoked.
        fs::write(pki.path().join("cacrl.pem"), authority.revoke(8)).unwrap();
        comes_in(&Daemon::on_tls("localhost", server.serve(), &pki), "").await;
        fs::write(pki.path().join("cacrl.pem"), authority.revoke(7)).unwrap();
        let expected = untrusted("its CA has revoked it, or that CA was revoked itself");
        assert_eq!(refused("localhost", &server, &pki).await, expected);
    }
}
