//! The daemon's end of a connection: packets, as they come and go.

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::Duration,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const OK: u32 = 0;
pub(crate) const ERROR: u32 = 1;

const REMOTE: u32 = 0x2000_8086;
pub(crate) const KEEPALIVE: u32 = 0x6b65_6570;
const REPLY: u32 = 1;
const MESSAGE: u32 = 2;

/// The daemon's end of a connection.
pub(crate) struct Peer {
    stream: Box<dyn Stream>,
}

/// Whatever carries the packets.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A call, as it arrived.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) program: u32,
    pub(crate) procedure: u32,
    pub(crate) serial: u32,
    pub(crate) payload: Vec<u8>,
}

impl Peer {
    pub(crate) fn of(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream) }
    }

    /// The next call; `None` where the client has gone.
    pub(crate) async fn called(&mut self) -> Option<Called> {
        let len = self.stream.read_u32().await.ok()?;
        let mut packet = vec![0; len as usize - 4];
        self.stream.read_exact(&mut packet).await.ok()?;
        let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
        let (program, procedure, serial) = (word(0), word(8), word(16));
        Some(Called { program, procedure, serial, payload: packet[24..].to_vec() })
    }

    /// Answers the next call, which must be `procedure`.
    pub(crate) async fn answer(&mut self, procedure: u32, status: u32, payload: &[u8]) -> Called {
        let call = self.called().await.unwrap();
        assert_eq!(call.procedure, procedure, "{call:?}");
        self.reply(&call, status, payload).await;
        call
    }

    pub(crate) async fn reply(&mut self, to: &Called, status: u32, payload: &[u8]) {
        self.send(&packet(REMOTE, to.procedure, REPLY, to.serial, status, payload)).await;
    }

    /// Sends an event, with the serial 1 that libvirtd gives to every one.
    pub(crate) async fn event(&mut self, procedure: u32, payload: &[u8]) {
        self.send(&packet(REMOTE, procedure, MESSAGE, 1, OK, payload)).await;
    }

    pub(crate) async fn ping(&mut self) {
        self.send(&packet(KEEPALIVE, 1, MESSAGE, 0, OK, &[])).await;
    }

    pub(crate) async fn pong(&mut self) {
        self.send(&packet(KEEPALIVE, 2, MESSAGE, 0, OK, &[])).await;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Lets a client in that needs no authentication.
    pub(crate) async fn let_in(&mut self) {
        self.answer(66, OK, &[0, 0, 0, 1, 0, 0, 0, 0]).await;
        self.answer(60, OK, &[0, 0, 0, 1]).await;
        self.answer(1, OK, &[]).await;
    }
}

pub(crate) fn packet(
    program: u32,
    procedure: u32,
    kind: u32,
    serial: u32,
    status: u32,
    payload: &[u8],
) -> Vec<u8> {
    let len = u32::try_from(28 + payload.len()).unwrap();
    let words = [len, program, 1, procedure, kind, serial, status];
    let mut packet: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    packet.extend_from_slice(payload);
    packet
}

pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A `remote_error` with this code and message.
pub(crate) fn error(code: i32, message: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(7_u32.to_be_bytes());
    payload.extend(1_u32.to_be_bytes());
    payload.extend(string(message));
    // Level, no domain, no texts, two numbers, no network.
    payload.extend([0; 8 * 4]);
    payload
}
