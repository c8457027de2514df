//! The way to another host by TCP: names, ports, and who else may be there.

use std::net::TcpListener;

use libvirt_client::{Access, Address, Obstacle};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use crate::{
    daemon::{Daemon, PATIENCE, Refused, attempt, chain},
    peer::{Peer, SECOND},
};

#[tokio::test]
async fn a_host_is_reached_by_its_address_and_by_its_name() {
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]"] {
        let daemon = Daemon::on_tcp(host);
        let access = daemon.access();
        daemon.session_of(&access, PATIENCE, Peer::let_in).await;
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_says_so() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost"] {
        let line = format!("cannot connect to {host}:{port}: Connection refused (os error 111)");
        for transport in ["tcp", "tls"] {
            let uri = format!("qemu+{transport}://{host}:{port}/system?no_verify=1&pkipath=/none");
            let address: Address = uri.parse().unwrap();
            let refused = attempt(&address.into(), async {}).await;
            assert_eq!(refused, Refused::new(&line, Obstacle::Nobody, false));
        }
    }
}

/// `.invalid` is nobody's (RFC 6761), and a dot at the end keeps search domains away: no name server
/// is needed to know that.
#[tokio::test]
async fn a_name_that_has_no_address_is_refused() {
    let address: Address = "qemu+tcp://nowhere.invalid./system".parse().unwrap();
    let refused = attempt(&Access::from(address), async {}).await;
    let line = "cannot find the address of nowhere.invalid.:16509: no name server knows it";
    assert_eq!(refused, Refused::new(line, Obstacle::Name, true));
}

#[tokio::test(start_paused = true)]
async fn a_silent_port_costs_the_deadline_and_no_more() {
    let daemon = Daemon::on_tcp("127.0.0.1");
    let begun = Instant::now();
    let refused = daemon.refused(async {}).await;
    assert_eq!(begun.elapsed(), SECOND);
    let line = format!("libvirtd on {} says nothing within 1s", daemon.peer());
    assert_eq!(chain(&refused), line);
    assert_eq!((refused.obstacle(), refused.is_refusal()), (Obstacle::Silent, false));
}

/// What is on the port in the place of libvirtd.
#[tokio::test]
async fn whoever_does_not_speak_libvirts_protocol_is_known_by_it() {
    let daemon = Daemon::on_tcp("127.0.0.1");
    let begins = |opening| format!("what came is not libvirt's protocol, it begins \"{opening}\"");
    for (said, why) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..],
            "it is no libvirtd, it speaks HTTP".to_owned(),
        ),
        (
            b"\x15\x03\x03\x00\x02\x02\x46",
            "it speaks TLS, expected libvirt's protocol in the clear".to_owned(),
        ),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", begins("SSH-2.0-OpenSSH_")),
        (b"\x00\x00\x00\x07\x1b[2J\n", begins(r"\x00\x00\x00\x07\x1b[2J\n")),
        // More than anybody has to say who has not let us in: it would be kept as it comes.
        (b"\x00\x01\x00\x04", begins(r"\x00\x01\x00\x04")),
    ] {
        let serve = async {
            let mut stream = daemon.accept_raw().await;
            // Its question is read: with something unread the end would be a reset.
            let mut question = [0; 28];
            stream.read_exact(&mut question).await.unwrap();
            stream.write_all(said).await.unwrap();
        };
        let refused = attempt(&daemon.access(), serve).await;
        let line = format!("cannot connect to {}: {why}", daemon.peer());
        assert_eq!(refused, Refused::new(&line, Obstacle::HungUp, false));
    }
}

#[tokio::test]
async fn whoever_hangs_up_has_hung_up() {
    let daemon = Daemon::on_tcp("127.0.0.1");
    for reads in [28, 0] {
        let serve = async {
            let mut stream = daemon.accept_raw().await;
            stream.readable().await.unwrap();
            stream.read_exact(&mut vec![0; reads]).await.unwrap();
        };
        let refused = attempt(&daemon.access(), serve).await;
        let line = format!(
            "libvirtd on {} does not let us in: AuthList: libvirtd hung up before the reply",
            daemon.peer()
        );
        assert_eq!(refused, Refused::new(&line, Obstacle::HungUp, false));
    }
}
