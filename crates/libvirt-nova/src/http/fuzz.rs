//! Any bytes from a peer.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what must not happen here is meant to panic"
)]

use std::{net::IpAddr, rc::Rc, time::Duration};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt, DuplexStream},
    runtime, time,
};

use super::{
    basic_auth::credentials::Credentials,
    connection::{self, Limits, Seat},
    dispatch::Dispatch,
    gzip::gzipped,
    wanted::Wanted,
};
use crate::flags::MetricsPath;

/// Serves a peer that sends any bytes: the connection ends, and what was answered is HTTP.
///
/// The first byte says how the peer behaves: its lowest five bits are the size of the pieces that
/// it sends, 0 for all at once; bit 5 makes it hang up after them, bit 6 makes it read nothing.
pub fn web_request(data: &[u8]) {
    let Some((behaviour, sent)) = data.split_first() else { return };
    let piece = match usize::from(behaviour & 0x1f) {
        0 => sent.len().max(1),
        piece => piece,
    };
    let (hangs_up, reads_nothing) = (behaviour & 0x20 != 0, behaviour & 0x40 != 0);
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let answer = runtime.expect("a runtime without a driver needs nothing").block_on(async {
        let path = "/metrics".parse::<MetricsPath>().expect("a path");
        let (peer, stream) = io::duplex(if reads_nothing { 64 } else { sent.len().max(64) });
        let scrape = async |_: Wanted| {
            time::sleep(SCRAPE).await;
            EXPOSITION.to_owned()
        };
        let dispatch =
            Dispatch::new(&path, Duration::from_secs(5), |deadline| Box::pin(scrape(deadline)));
        let seat = Rc::new(Seat::new(IpAddr::from([192, 0, 2, 1]).into()));
        let origin = seat.origin();
        let attended = connection::attend(stream, seat, Limits::default(), async |request| {
            dispatch.answer(request, origin).await
        });
        let answer = answer(peer, sent, piece, hangs_up, reads_nothing);
        // Nobody's time but ours: a request takes at least 16 bytes.
        let scrapes = u32::try_from(sent.len() / 16).unwrap_or(u32::MAX);
        let most = SCRAPE.saturating_mul(scrapes).saturating_add(LONGEST);
        let both = async { tokio::join!(attended, answer).1 };
        time::timeout(most, both).await.expect("a connection ends")
    });
    well_formed(&answer);
}

/// Reads any bytes as an `Authorization` header: what is credentials is so by a plainer reading, too.
pub fn authorization(data: &[u8]) {
    let read = Credentials::read(data).map(|read| (read.user, read.password));
    assert_eq!(read, plainly_read(data));
}

/// User and password, bit by bit.
fn plainly_read(data: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, token) = data.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") || token.len() % 4 != 0 {
        return None;
    }
    let padding = token.iter().rev().take_while(|&&byte| byte == b'=').count();
    let digits = token.get(..token.len().checked_sub(padding)?)?;
    let mut bits = String::new();
    for &digit in digits {
        let alphabet = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*b"+/");
        let value = alphabet.enumerate().find(|(_, one)| *one == digit)?.0;
        bits.push_str(&format!("{value:06b}"));
    }
    // What is left over is less than a byte, and says nothing.
    let left = bits.split_off(bits.len() & !7);
    if padding > 2 || left.len() > 4 || left.contains('1') {
        return None;
    }
    let bytes = bits
        .as_bytes()
        .chunks(8)
        .map(|byte| byte.iter().fold(0, |byte: u8, bit| byte << 1 | (bit & 1)));
    let bytes: Vec<_> = bytes.collect();
    let mut parts = bytes.splitn(2, |&byte| byte == b':');
    Some((parts.next()?.to_vec(), parts.next()?.to_vec()))
}

const EXPOSITION: &str = "libvirt_up 1\n";

/// How long a scrape takes.
const SCRAPE: Duration = Duration::from_millis(10);

/// For how long a peer can keep a connection with one request: its head, the response, and then
/// nothing.
const LONGEST: Duration = Duration::from_secs(10 + 30 + 330 + 1);

/// Sends in pieces; returns all that came back until the connection ended.
async fn answer(
    peer: DuplexStream,
    sent: &[u8],
    piece: usize,
    hangs_up: bool,
    reads_nothing: bool,
) -> Vec<u8> {
    let (mut reader, mut writer) = io::split(peer);
    let send = async {
        for piece in sent.chunks(piece) {
            // It is the server's right not to want any more.
            if writer.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        if hangs_up {
            let _ = writer.shutdown().await;
        }
    };
    let receive = async {
        let mut answer = Vec::new();
        if reads_nothing {
            // The server is to give up, not we: what it wrote can be read after that.
            time::sleep(LONGEST).await;
        }
        let _ = reader.read_to_end(&mut answer).await;
        answer
    };
    tokio::join!(send, receive).1
}

/// Asserts that bytes are responses, whole but for the last.
fn well_formed(answer: &[u8]) {
    let text = String::from_utf8_lossy(answer);
    let mut rest = answer;
    while let Some((head, after)) = split_head(rest) {
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        let code = status.strip_prefix("HTTP/1.1 ").or_else(|| status.strip_prefix("HTTP/1.0 "));
        let code = code.and_then(|code| code.get(..3)).unwrap_or_else(|| panic!("{text:?}"));
        assert!(
            ["100", "200", "400", "404", "405", "414", "431", "503"].contains(&code),
            "{text:?}"
        );
        let (mut length, mut is_chunked) = (None, false);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
            assert!(
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
                "{line:?}"
            );
            assert!(!value.contains(char::is_control), "{line:?}");
            is_chunked |= name.eq_ignore_ascii_case("transfer-encoding");
            if name.eq_ignore_ascii_case("content-length") {
                assert_eq!(length, None, "two lengths");
                length = Some(value.parse::<usize>().unwrap_or_else(|_| panic!("{line:?}")));
            }
        }
        // No body of ours begins like a response: such a one answers HEAD.
        if after.starts_with(b"HTTP/1.") || code == "100" {
            rest = after;
            continue;
        }
        if is_chunked {
            // A stream, which is the last of its connection.
            return;
        }
        let length = length.unwrap_or_else(|| panic!("no length: {text:?}"));
        let Some((body, next)) = after.split_at_checked(length) else { return };
        if code == "200" {
            let is_page = body.starts_with(b"<!DOCTYPE html>");
            let is_metrics =
                body == EXPOSITION.as_bytes() || body == gzipped([EXPOSITION.to_owned()]);
            let is_word = [&b"healthy\n"[..], b"ready\n", b""].contains(&body);
            assert!(is_metrics || is_page || is_word, "{body:?}");
        }
        rest = next;
    }
    assert!(!rest.contains(&b'\n') || rest.starts_with(b"HTTP/1."), "{text:?}");
}

/// Splits off the head of a response, which is all UTF-8.
fn split_head(answer: &[u8]) -> Option<(&str, &[u8])> {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at_checked(at)?;
    Some((std::str::from_utf8(head).expect("our heads are UTF-8"), rest.get(4..)?))
}
