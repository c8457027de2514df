//! What virsh accepts and what it refuses: that these hypervisors are as real ones.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::{
    certificates::{Authority, Called, HERE, client_place},
    hypervisor::{Hypervisor, TCP_PORT, TLS_PORT},
    network::{Cut, attempts, inside},
    passwords::WRONG,
    peer::{Manner, Peer},
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
fn virsh_comes_in_by_a_peer_that_has_become_libvirtd() {
    let hypervisor = Hypervisor::open();
    let pki = hypervisor.pki.display();
    let tried = attempts(&hypervisor.libvirtd);
    for (transport, port, complaint) in [
        // Which is "HTTP".
        ("tcp", TCP_PORT, "packet 1213486156 bytes received from server too large"),
        ("tls", TLS_PORT, "An unexpected TLS packet was received"),
    ] {
        let peer = Peer::listen(&hypervisor.libvirtd, port, Manner::Http);
        let uri = format!("qemu+{transport}://{}/system?pkipath={pki}", peer.host());
        let found = hypervisor.virsh(&uri).unwrap_err();
        assert!(found.contains(complaint), "{found}");
        peer.become_a(Manner::Relay);
        assert_eq!(hypervisor.virsh(&uri), Ok(()));
    }
    // Of which the last one of each came from the peer itself.
    assert_eq!(attempts(&hypervisor.libvirtd) - tried, 6);
}

#[test]
fn a_cut_loses_what_is_sent() {
    let hypervisor = Hypervisor::open();
    let knock = || {
        inside(&hypervisor.libvirtd, || {
            let address = SocketAddr::from(([127, 0, 0, 1], TCP_PORT));
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).map(drop)
        })
    };
    knock().unwrap();
    let cut = Cut::new(&hypervisor.libvirtd);
    assert_eq!(knock().unwrap_err().kind(), ErrorKind::TimedOut);
    drop(cut);
    knock().unwrap();
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
    for place in [client_place(authority.certificate(), None), client_place(&both, Some(&client))] {
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
    let hypervisor =
        Hypervisor::with_certificate(|authority| authority.server(Called::CommonName("localhost")));
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
