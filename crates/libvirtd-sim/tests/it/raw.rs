//! A client that sees every byte.

use std::{ops::Deref, path::Path, time::Duration};

use libvirtd_sim::{Settings, Simulator};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time,
};

pub(crate) const OK: u32 = 0;
pub(crate) const ERROR: u32 = 1;
pub(crate) const REPLY: u32 = 1;
pub(crate) const MESSAGE: u32 = 2;
pub(crate) const REMOTE: u32 = 0x2000_8086;
pub(crate) const KEEPALIVE: u32 = 0x6b65_6570;

/// A simulator in a directory of its own.
pub(crate) struct Sim {
    // Before its directory goes, it does.
    simulator: Simulator,
    _dir: TempDir,
}

impl Sim {
    pub(crate) fn start(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(&dir.path().join("sock"), settings).unwrap();
        Self { simulator, _dir: dir }
    }

    pub(crate) fn with_domains(domains: u32) -> Self {
        Self::start(Settings { domains, ..Settings::default() })
    }

    /// Obeys each of the commands.
    pub(crate) fn commands(&self, commands: &[&str]) {
        for command in commands {
            self.command(command).unwrap();
        }
    }

    /// A client that has come in on the read-only socket.
    pub(crate) async fn client(&self) -> Raw {
        Raw::open(&self.read_only_socket()).await
    }
}

impl Deref for Sim {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

/// A packet, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) program: u32,
    pub(crate) procedure: u32,
    pub(crate) kind: u32,
    pub(crate) serial: u32,
    pub(crate) status: u32,
    pub(crate) payload: Vec<u8>,
}

impl Packet {
    /// The code of the error that this is.
    pub(crate) fn code(&self) -> u32 {
        assert_eq!(self.status, ERROR, "{self:?}");
        word(&self.payload, 0)
    }
}

pub(crate) struct Raw {
    stream: UnixStream,
    serial: u32,
}

impl Raw {
    pub(crate) async fn connect(socket: &Path) -> Self {
        Self { stream: UnixStream::connect(socket).await.unwrap(), serial: 0 }
    }

    pub(crate) async fn open(socket: &Path) -> Self {
        let mut client = Self::connect(socket).await;
        assert_eq!(client.call(66, &[]).await.payload, [0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(client.call(1, &open_arguments("qemu:///system")).await.status, OK);
        client
    }

    /// Makes a call and returns its reply; events before it are passed over.
    pub(crate) async fn call(&mut self, procedure: u32, payload: &[u8]) -> Packet {
        let serial = self.send(procedure, payload).await;
        loop {
            let packet = self.packet().await.expect("a reply");
            if packet.kind == REPLY {
                assert_eq!((packet.procedure, packet.serial), (procedure, serial));
                return packet;
            }
        }
    }

    /// Sends a call and returns its serial.
    pub(crate) async fn send(&mut self, procedure: u32, payload: &[u8]) -> u32 {
        self.serial += 1;
        self.send_packet(REMOTE, procedure, 0, self.serial, payload).await;
        self.serial
    }

    pub(crate) async fn send_packet(
        &mut self,
        program: u32,
        procedure: u32,
        kind: u32,
        serial: u32,
        payload: &[u8],
    ) {
        let len = u32::try_from(28 + payload.len()).unwrap();
        let words = [len, program, 1, procedure, kind, serial, 0];
        let mut packet: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        packet.extend_from_slice(payload);
        self.stream.write_all(&packet).await.unwrap();
    }

    /// The next packet; `None` where the connection has ended, or ends in it.
    pub(crate) async fn packet(&mut self) -> Option<Packet> {
        let head = self.bytes(4).await.ok()?;
        let rest = self.bytes(word(&head, 0) as usize - 4).await.ok()?;
        Some(Packet {
            program: word(&rest, 0),
            procedure: word(&rest, 8),
            kind: word(&rest, 12),
            serial: word(&rest, 16),
            status: word(&rest, 20),
            payload: rest[24..].to_vec(),
        })
    }

    /// So many bytes; where the connection ends before, those that came.
    pub(crate) async fn bytes(&mut self, len: usize) -> Result<Vec<u8>, Vec<u8>> {
        let mut bytes = Vec::new();
        let read = async {
            while bytes.len() < len {
                let mut limited = (&mut self.stream).take((len - bytes.len()) as u64);
                if !limited.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                    return false;
                }
            }
            true
        };
        let whole = time::timeout(PATIENCE, read).await.expect("something from the simulator");
        if whole { Ok(bytes) } else { Err(bytes) }
    }

    /// Waits until the other side ends the connection, and returns what came before.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        self.bytes(usize::MAX).await.unwrap_err()
    }

    /// Whether nothing comes, nor an end.
    pub(crate) async fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        time::timeout(Duration::from_millis(100), self.stream.read(&mut byte)).await.is_err()
    }
}

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = words(&[u32::try_from(text.len()).unwrap()]);
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// CONNECT_OPEN's arguments.
pub(crate) fn open_arguments(name: &str) -> Vec<u8> {
    [words(&[1]), string(name), words(&[0])].concat()
}

/// The domain with this number, as `testdata/record` names it.
pub(crate) fn domain(number: u8) -> Vec<u8> {
    let uuid = [0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33, 0x84, 0x44, 0, 0, 0, 0, 0, number];
    [string("recorded"), uuid.to_vec(), words(&[u32::MAX])].concat()
}

/// A domain and the words behind it.
pub(crate) fn about(number: u8, rest: &[u32]) -> Vec<u8> {
    [domain(number), words(rest)].concat()
}

pub(crate) const NOWAIT: u32 = 1 << 29 | 1;

/// 344 for some domains, all groups.
pub(crate) fn stats(numbers: &[u8], groups: u32, flags: u32) -> Vec<u8> {
    let mut arguments = words(&[u32::try_from(numbers.len()).unwrap()]);
    arguments.extend(numbers.iter().flat_map(|number| domain(*number)));
    arguments.extend(words(&[groups, flags]));
    arguments
}

/// 262 for the sum over all CPUs.
pub(crate) fn cpu_stats(number: u8) -> Vec<u8> {
    about(number, &[3, u32::MAX, 1, 0])
}

/// 265 for Nova's element.
pub(crate) fn metadata(number: u8) -> Vec<u8> {
    let namespace = string("http://openstack.org/xmlns/libvirt/nova/1.1");
    [about(number, &[2, 1]), namespace, words(&[0])].concat()
}
