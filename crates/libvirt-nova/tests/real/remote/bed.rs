//! What virsh accepts and what it refuses: that these hypervisors are as real ones.

use super::{
    certificates::{Authority, Called, HERE, client_place},
    hypervisor::Hypervisor,
    passwords::WRONG,
    sshd::Sshd,
};

#[test]
fn virsh_comes_in_by_every_way() {
    let hypervisor = Hypervisor::open();
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let socket = hypervisor.libvirtd.socket("libvirt-sock-ro");
    let by_ssh = format!("&command={}", sshd.knowing().display());
    for uri in [
        hypervisor.libvirtd.uri(),
        "qemu+tcp://127.0.0.1/system".to_owned(),
        hypervisor.tls(&hypervisor.pki),
        sshd.uri(&by_ssh),
        sshd.uri(&format!("{by_ssh}&netcat=nc.openbsd")),
        sshd.uri(&format!("{by_ssh}&socket={}", socket.display())),
    ] {
        assert_eq!(hypervisor.virsh(&uri), Ok(()), "{uri}");
    }
}

#[test]
fn virsh_knows_a_wrong_certificate() {
    let hypervisor = Hypervisor::open();
    let Hypervisor { authority, .. } = &hypervisor;
    let foreign = Authority::new("another one");
    let both = format!("{}{}", authority.certificate(), foreign.certificate());
    let client = foreign.client();
    // Its own certificate is of the authority that it trusts, or it would not even try.
    let stranger = client_place(foreign.certificate(), Some(&client));
    let complaint = hypervisor.virsh(&hypervisor.tls(&stranger)).unwrap_err();
    assert!(complaint.contains("hasn't got a known issuer"), "{complaint}");
    for place in
        [client_place(authority.certificate(), None), client_place(&both, Some(&client))]
    {
        let complaint = hypervisor.virsh(&hypervisor.tls(&place)).unwrap_err();
        assert!(complaint.contains("Unable to read TLS confirmation"), "{complaint}");
    }

    hypervisor.identify(&authority.server(Called::Names(&["elsewhere"])));
    hypervisor.restart();
    let uri = hypervisor.tls(&hypervisor.pki);
    let complaint = hypervisor.virsh(&uri).unwrap_err();
    assert!(complaint.contains("owner does not match the hostname"), "{complaint}");
    assert_eq!(hypervisor.virsh(&format!("{uri}&no_verify=1")), Ok(()));
    hypervisor.identify(&authority.server(HERE));
    hypervisor.restart();
    assert_eq!(hypervisor.virsh(&uri), Ok(()));
}

#[test]
fn virsh_takes_a_host_for_its_certificates_common_name() {
    let hypervisor = Hypervisor::with_certificate(|authority| {
        authority.server(Called::CommonName("localhost"))
    });
    let uri = hypervisor.tls(&hypervisor.pki);
    let complaint = hypervisor.virsh(&uri).unwrap_err();
    assert!(complaint.contains("owner does not match the hostname"), "{complaint}");
    assert_eq!(hypervisor.virsh(&uri.replace("127.0.0.1", "localhost")), Ok(()));
}

#[test]
fn virsh_comes_in_by_a_password() {
    for mechanism in ["scram-sha-256", "plain", "digest-md5"] {
        let hypervisor = Hypervisor::asking(mechanism);
        let tcp = "qemu+tcp://127.0.0.1/system";
        let over = [hypervisor.tls(&hypervisor.pki), hypervisor.libvirtd.uri()];
        for uri in &over {
            assert_eq!(hypervisor.virsh(uri), Ok(()), "{mechanism} {uri}");
        }
        // What has no security layer of its own is not offered where nothing else hides it.
        let has_layer = mechanism == "digest-md5";
        assert_eq!(hypervisor.virsh(tcp).is_ok(), has_layer, "{mechanism} over TCP");
        for uri in over.iter().map(String::as_str).chain([tcp]) {
            let complaint = hypervisor.virsh_with(uri, WRONG).unwrap_err();
            assert!(complaint.contains("authentication failed"), "{mechanism} {uri}: {complaint}");
        }
    }
}
