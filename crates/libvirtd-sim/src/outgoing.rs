//! What is to be written to a connection.

use std::rc::Rc;

use tokio::{
    io::AsyncWriteExt,
    net::unix::OwnedWriteHalf,
    sync::{OwnedSemaphorePermit, mpsc::UnboundedReceiver},
};

use crate::{fault::Delivery, host::Host, status::Counted};

/// A packet to write, and how.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Vec<u8>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Whether this is the answer to CONNECT_CLOSE.
    pub(crate) is_last: bool,
    /// Its call counts as outstanding until it is written.
    pub(crate) call: Option<Call>,
}

/// A call that is not answered yet.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) _permit: OwnedSemaphorePermit,
    pub(crate) _counted: Counted,
}

/// Why writing to a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection is to be closed.
    Close,
    /// The daemon is to be restarted.
    Restart,
}

impl Outgoing {
    /// What is said unasked.
    pub(crate) fn message(bytes: Vec<u8>) -> Self {
        Self { bytes, deliveries: Vec::new(), is_last: false, call: None }
    }

    fn pieces(&self) -> Option<usize> {
        self.deliveries.iter().find_map(|it| match it {
            Delivery::Pieces(size) => Some(*size),
            Delivery::After(_)
            | Delivery::Twice
            | Delivery::Stray
            | Delivery::Cut(_)
            | Delivery::Restart(_)
            | Delivery::Silence => None,
        })
    }

    fn after(&self) -> Option<usize> {
        self.deliveries.iter().find_map(|it| match it {
            Delivery::After(replies) => Some(*replies),
            Delivery::Pieces(_)
            | Delivery::Twice
            | Delivery::Stray
            | Delivery::Cut(_)
            | Delivery::Restart(_)
            | Delivery::Silence => None,
        })
    }
}

/// Writes what comes, in turn, until the connection ends.
///
/// The queue has no bound, as libvirtd's has none: a client that reads nothing
/// costs the daemon memory.
pub(crate) async fn write(
    host: Rc<Host>,
    mut socket: OwnedWriteHalf,
    mut queue: UnboundedReceiver<Outgoing>,
) -> End {
    // Replies that let others go first, and how many.
    let mut delayed: Vec<(usize, Outgoing)> = Vec::new();
    while let Some(outgoing) = queue.recv().await {
        if let Some(replies) = outgoing.after().filter(|replies| *replies > 0) {
            delayed.push((replies, outgoing));
            continue;
        }
        let is_reply = outgoing.call.is_some();
        if let Some(end) = write_one(&host, &mut socket, outgoing).await {
            return end;
        }
        if !is_reply {
            continue;
        }
        for (replies, _) in &mut delayed {
            *replies = replies.saturating_sub(1);
        }
        while let Some(at) = delayed.iter().position(|(replies, _)| *replies == 0) {
            let (_, outgoing) = delayed.remove(at);
            if let Some(end) = write_one(&host, &mut socket, outgoing).await {
                return end;
            }
        }
    }
    End::Close
}

async fn write_one(
    host: &Rc<Host>,
    socket: &mut OwnedWriteHalf,
    outgoing: Outgoing,
) -> Option<End> {
    host.thawed().await;
    let bytes = outgoing.bytes.as_slice();
    let size = outgoing.pieces().unwrap_or(usize::MAX).max(1);
    let up_to = |len: usize| bytes.get(..len).unwrap_or(bytes);
    let mut times = 1;
    for delivery in &outgoing.deliveries {
        match delivery {
            Delivery::Silence => std::future::pending().await,
            Delivery::Cut(len) => {
                let _ = write_pieces(socket, up_to(*len), size).await;
                return Some(End::Close);
            }
            Delivery::Restart(len) => {
                let _ = write_pieces(socket, up_to(*len), size).await;
                return Some(End::Restart);
            }
            Delivery::Stray => {
                let mut stray = bytes.to_vec();
                if let Some(serial) = stray.get_mut(20..24) {
                    serial.copy_from_slice(&u32::MAX.to_be_bytes());
                }
                if write_pieces(socket, &stray, size).await.is_err() {
                    return Some(End::Close);
                }
            }
            Delivery::Twice => times = 2,
            Delivery::After(_) | Delivery::Pieces(_) => {}
        }
    }
    for _ in 0..times {
        if write_pieces(socket, bytes, size).await.is_err() {
            return Some(End::Close);
        }
        host.board.add(|status| &mut status.packets_total);
    }
    outgoing.is_last.then_some(End::Close)
}

async fn write_pieces(
    socket: &mut OwnedWriteHalf,
    bytes: &[u8],
    size: usize,
) -> std::io::Result<()> {
    for piece in bytes.chunks(size) {
        socket.write_all(piece).await?;
        if piece.len() < bytes.len() {
            // Gives the reader the chance to see each piece by itself.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
