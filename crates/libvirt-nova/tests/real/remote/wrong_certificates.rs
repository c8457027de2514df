//! Certificates that virsh refuses are refused here, with the reason, until they are right.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use super::{
    certificates::{Authority, Called, HERE, client_place, identify},
    fault::Shut,
    hypervisor::Hypervisor,
};
use crate::wait::{PATIENCE, wait_until};

#[test]
fn a_server_of_an_unknown_authority_is_refused_until_it_is_known() {
    let hypervisor = Hypervisor::open();
    let foreign = Authority::new("another one");
    let place = client_place(foreign.certificate(), Some(&hypervisor.authority.client()));
    let uri = hypervisor.tls(&place);
    let ca = place.join("cacert.pem");
    let words = [SERVER, "is not to be trusted: no CA in", ca.to_str().unwrap()];
    let shut = Shut::out(&hypervisor, &uri, &[], &words);
    fs::write(place.join("cacert.pem"), hypervisor.authority.certificate()).unwrap();
    shut.comes_in();
}

#[test]
fn a_server_of_another_name_is_refused_until_it_has_its_own() {
    let hypervisor = Hypervisor::with_certificate(|authority| {
        authority.server(Called::Names(&["elsewhere.example"]))
    });
    let uri = hypervisor.tls(&hypervisor.pki);
    let words = [SERVER, "it is for elsewhere.example, expected 127.0.0.1"];
    let shut = Shut::out(&hypervisor, &uri, &[], &words);
    // Whoever wants no proof gets in.
    hypervisor.exporter(&format!("{uri}&no_verify=1"), &[]).connected();
    hypervisor.identify(&hypervisor.authority.server(HERE));
    hypervisor.restart();
    shut.comes_in();
}

#[test]
fn an_expired_server_is_refused_until_it_has_a_new_certificate() {
    // libvirtd does not start with one that has expired, and does not mind one that expires later.
    let end = SystemTime::now() + Duration::from_secs(10);
    let hypervisor = Hypervisor::with_certificate(|authority| authority.server_until(HERE, end));
    let uri = hypervisor.tls(&hypervisor.pki);
    wait_until(PATIENCE, "a certificate that has expired", || {
        (SystemTime::now() > end + Duration::from_secs(1)).then_some(())
    });
    let complaint = hypervisor.virsh(&uri).unwrap_err();
    assert!(complaint.contains("Failed to verify peer's certificate"), "{complaint}");
    let shut = Shut::out(&hypervisor, &uri, &[], &[SERVER, "it has expired"]);
    hypervisor.identify(&hypervisor.authority.server(HERE));
    hypervisor.restart();
    shut.comes_in();
}

#[test]
fn a_client_without_a_certificate_is_told_that_it_needs_one() {
    let hypervisor = Hypervisor::open();
    let place = client_place(hypervisor.authority.certificate(), None);
    let uri = hypervisor.tls(&place);
    let words = ["127.0.0.1:16514", "it wants a client certificate, and there is none"];
    let shut = Shut::out(&hypervisor, &uri, &[], &words);
    identify(&place, &hypervisor.authority.client());
    shut.comes_in();
}

#[test]
fn a_client_of_another_authority_is_told_that_it_is_not_taken() {
    let hypervisor = Hypervisor::open();
    let foreign = Authority::new("another one");
    // As a client that trusts both, or virsh would not even try.
    let trusted = format!("{}{}", hypervisor.authority.certificate(), foreign.certificate());
    let place = client_place(&trusted, Some(&foreign.client()));
    let uri = hypervisor.tls(&place);
    let certificate = place.join("clientcert.pem");
    let words = ["127.0.0.1:16514", "does not take the certificate", certificate.to_str().unwrap()];
    let shut = Shut::out(&hypervisor, &uri, &[], &words);
    identify(&place, &hypervisor.authority.client());
    shut.comes_in();
}

#[test]
fn a_server_that_has_but_a_common_name_is_taken_for_it() {
    let hypervisor =
        Hypervisor::with_certificate(|authority| authority.server(Called::CommonName("localhost")));
    let uri = hypervisor.tls(&hypervisor.pki);
    // As virsh does: an address is no name.
    let shut = Shut::out(&hypervisor, &uri, &[], &[SERVER, "expected 127.0.0.1"]);
    let by_name = uri.replace("127.0.0.1", "localhost");
    assert_eq!(hypervisor.virsh(&by_name), Ok(()));
    assert!(hypervisor.exporter(&by_name, &[]).connected().scrape().up());
    drop(shut);
}

/// Whose certificate it is that every line is about.
const SERVER: &str = "the certificate of 127.0.0.1:16514";
