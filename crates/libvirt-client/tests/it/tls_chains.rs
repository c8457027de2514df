//! What the CAs above a server's certificate have to do with it.

use std::fs;

use rcgen::{CertificateParams, DnType, GeneralSubtree, NameConstraints, SanType};

use crate::{
    certificates::{Authority, Issued},
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

/// To names of `example`, where the host is `localhost`; or to none that is that one.
fn bound(params: &mut CertificateParams) {
    let of = |name: &str| vec![GeneralSubtree::DnsName(name.to_owned())];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: of("example"),
        excluded_subtrees: of("localhost"),
    });
}

/// A server's certificate that has this name, and in its subject alone.
fn of_subject(authority: &Authority) -> Issued {
    authority.server_with(&[], |params| {
        params.distinguished_name.push(DnType::CommonName, "localhost");
    })
}

/// Its name would be one that nobody has compared with theirs.
#[tokio::test]
async fn a_name_in_the_subject_is_none_below_a_ca_that_is_bound_to_names() {
    let (free, bound) = (Authority::new("free"), Authority::with("bound", bound));
    let between = free.below("between", self::bound);
    let why = "its name is in its subject alone, \
               and a CA above it is bound to names, expected an alternative name";
    for (authority, signer) in [
        (&bound, &bound),
        (&bound, &bound.below("lower", |_| {})),
        (&free, &between),
        (&free, &between.below("lower", |_| {})),
    ] {
        let pki = authority.pki(None);
        assert_eq!(refused("localhost", &of_subject(signer), &pki).await, untrusted(why));
    }
    // One that has nothing to do with the server binds nobody.
    let pki = free.pki(None);
    fs::write(pki.path().join("cacert.pem"), free.pem() + &bound.pem()).unwrap();
    for signer in [&free, &free.below("lower", |_| {})] {
        let server = of_subject(signer);
        comes_in(&Daemon::on_tls("localhost", server.serve(), &pki), "").await;
    }
}

#[tokio::test]
async fn a_name_in_the_subject_is_none_beside_another_there() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let why = "its subject has several common \
               names, expected one, or an alternative name";
    for (first, last) in [("localhost", "elsewhere"), ("elsewhere", "localhost")] {
        let server = authority.server_with(&[], |params| {
            params.distinguished_name.push(DnType::CommonName, first);
            params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), last);
        });
        assert_eq!(refused("localhost", &server, &pki).await, untrusted(why));
    }
}

#[tokio::test]
async fn a_name_in_the_subject_is_none_beside_alternative_names_of_any_kind() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let text = || "nova@localhost".try_into().unwrap();
    for other in [SanType::Rfc822Name(text()), SanType::URI(text())] {
        let server = authority.server_with(&[], |params| {
            params.distinguished_name.push(DnType::CommonName, "localhost");
            params.subject_alt_names = vec![other];
        });
        let expected = untrusted("it names no host, expected localhost");
        assert_eq!(refused("localhost", &server, &pki).await, expected);
    }
}
