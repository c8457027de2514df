//! The same in TLS.

use std::path::{Path, PathBuf};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::*;

/// The files of `testdata/web-config`, by their names.
pub(super) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/web-config").join(name)
}

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A peer that has shaken hands.
fn connect(server: &Server) -> TlsStream {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(testdata("ca.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, server.connect());
    stream.conn.complete_io(&mut stream.sock).unwrap();
    assert!(!stream.conn.is_handshaking());
    stream
}

/// Reads until the server closes the connection, with or without a word.
fn read_to_end(peer: &mut TlsStream) -> Vec<u8> {
    let mut all = Vec::new();
    match peer.read_to_end(&mut all) {
        Ok(_) => all,
        Err(error)
            if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) =>
        {
            all
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_peer_that_does_not_finish_its_handshake_is_dropped() {
    let server = Server::start_tls(Limits { head: SHORT, ..PATIENT }, at_once);
    // Nothing, a record's first byte, its head, and the beginning of a ClientHello.
    for beginning in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut peer = server.connect();
        peer.write_all(beginning).unwrap();
        assert_eq!(super::read_to_end(&mut peer), b"");
    }
    // Whoever is done with it has yet to ask for something.
    assert_eq!(read_to_end(&mut connect(&server)), b"");
    server.stop();
}

#[test]
fn what_is_no_handshake_is_refused_at_once() {
    let server = Server::start_tls(PATIENT, at_once);
    for nonsense in [&b"\x00\x00\x00\x00\x00\x00\x00\x00"[..], b"\x16\x03\x01\xff\xff\x01\x00"] {
        let mut peer = server.connect();
        peer.write_all(nonsense).unwrap();
        // An alert, and no more.
        let alert = super::read_to_end(&mut peer);
        assert!(alert.is_empty() || alert.first() == Some(&0x15), "{alert:?}");
    }
    server.stop();
}

#[test]
fn a_response_of_many_records_is_whole_however_slowly_it_is_taken() {
    const LENGTH: usize = 8 << 20;
    let server = Server::start_tls(PATIENT, |_| future::ready("x".repeat(LENGTH)));
    let mut peer = connect(&server);
    peer.write_all(&GET.repeat(2)).unwrap();
    // What is tested is that the server has to wait for the peer.
    thread::sleep(SHORT);
    let mut all = vec![0; 2 * LENGTH];
    peer.read_exact(&mut all).unwrap();
    let head = all.iter().position(|&byte| byte == b'x').unwrap();
    assert_eq!(all.iter().filter(|&&byte| byte == b'H').count(), 2, "{head}");
    server.stop();
}

#[test]
fn a_peer_that_takes_no_response_is_dropped() {
    const LENGTH: usize = 64 << 20;
    let (events, happened) = mpsc::channel();
    let server = Server::start_tls(Limits { response: SHORT, ..PATIENT }, move |_| {
        events.send(()).unwrap();
        future::ready("x".repeat(LENGTH))
    });
    let mut peer = connect(&server);
    peer.write_all(GET).unwrap();
    happened.recv_timeout(Duration::from_secs(20)).unwrap();
    // What is tested is that nothing is taken for a while.
    thread::sleep(4 * SHORT);
    let length = read_to_end(&mut peer).len();
    assert!((1..LENGTH).contains(&length), "{length}");
    server.stop();
}

#[test]
fn a_peer_is_kept_between_requests() {
    let server = Server::start_tls(Limits { head: SHORT, ..PATIENT }, at_once);
    let mut peer = connect(&server);
    for _ in 0..3 {
        peer.write_all(GET).unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"up 1\n") {
            let mut byte = [0];
            peer.read_exact(&mut byte).unwrap();
            response.push(byte[0]);
        }
        // Longer than for a head, or a handshake.
        thread::sleep(2 * SHORT);
    }
    server.stop();
}
