//! The task that owns a socket.

use std::{collections::HashMap, future, io};

use libvirt_wire::{
    Call, DecodeError, Event, Procedure,
    call::{ConnectClose, ConnectSupportsFeature},
    packet::{
        self, Header, KEEPALIVE_PROGRAM, Kind, PING, Packet, REMOTE_PROGRAM, Splitter, Status,
    },
};
use tokio::{
    select,
    time::{self, Instant},
};

use crate::{
    Ending,
    client::{FAREWELL, Message, Request, TaskEnd, refusal},
    error::CallKind,
    events::EventSender,
    keepalive::{Beat, Keepalive},
    stream::{Progress, Stream},
};

/// One connection: its socket and everything under way on it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    handles: TaskEnd,
    events: EventSender,
    splitter: Splitter,
    /// Packets not yet written.
    outgoing: Vec<u8>,
    /// Calls not yet answered, by serial. At most [`WINDOW`](crate::WINDOW).
    pending: HashMap<u32, Request>,
    serial: u32,
    /// Unanswered calls that nobody waits for, beyond which no more are taken.
    abandoned_max: usize,
    is_retired: bool,
    /// Whether libvirtd has opened the driver for us: before that it takes no goodbye, and logs a
    /// fault for it.
    is_open: bool,
    /// Pings where nothing comes, once libvirtd has said that it answers them. Of a socket of this
    /// host the kernel tells when the other end is gone.
    keepalive: Option<Keepalive>,
}

impl Connection {
    pub(crate) fn new(
        stream: Stream,
        handles: TaskEnd,
        events: EventSender,
        abandoned_max: usize,
    ) -> Self {
        Self {
            stream,
            handles,
            events,
            splitter: Splitter::limited(STRANGER_MAX),
            outgoing: Vec::new(),
            pending: HashMap::new(),
            serial: 0,
            abandoned_max,
            is_retired: false,
            is_open: false,
            keepalive: None,
        }
    }

    /// Serves the connection until it is over, for whatever reason.
    ///
    /// Everybody who still waits finds the connection closed. One with too many
    /// abandoned calls takes no more, and stays until libvirtd has answered those
    /// that it has: closing it would not free libvirtd's workers, and nobody would
    /// know when they are free.
    pub(crate) async fn run(mut self) {
        match self.serve().await {
            None => {
                let _ = time::timeout(FAREWELL, self.leave()).await;
            }
            // Whoever waits is told how it ended, so that is known first.
            Some(ending) => self.handles.end(ending),
        }
    }

    /// Serves until nobody needs the connection any more, or it ends by itself.
    async fn serve(&mut self) -> Option<Ending> {
        while !(self.is_retired && self.pending.is_empty()) {
            let buffer = self.splitter.buffer();
            buffer.reserve(READ_LEN);
            select! {
                progress = self.stream.progress(buffer, &self.outgoing) => match progress {
                    Ok(Progress::Read(0) | Progress::Wrote(0)) | Err(_) => {
                        return Some(self.stream.ending().await);
                    }
                    Ok(Progress::Read(_)) => {
                        if let Some(keepalive) = &mut self.keepalive {
                            keepalive.heard();
                        }
                        if let Err(error) = self.route_packets() {
                            let bytes = self.splitter.buffer();
                            let opening = bytes.iter().take(OPENING_LEN).copied().collect();
                            return Some(Ending::NoPacket { opening, error });
                        }
                    }
                    Ok(Progress::Wrote(len)) => drop(self.outgoing.drain(..len)),
                },
                message = self.handles.messages.recv(), if !self.is_retired => {
                    self.take(message?);
                }
                beat = beat(self.keepalive.as_mut()) => match beat {
                    Beat::Ping if self.outgoing.len() < OUTGOING_MAX => {
                        packet::ping(&mut self.outgoing);
                    }
                    Beat::Ping => {}
                    Beat::CutOff(silence) => return Some(Ending::CutOff(silence)),
                },
            }
        }
        None
    }

    fn take(&mut self, message: Message) {
        let mut next = Some(message);
        // Requests that are here together leave in one write.
        while let Some(message) = next {
            match message {
                Message::Request(request) => self.send(request),
                Message::GaveUp => self.retire_where_worn_out(),
            }
            next = self.handles.messages.try_recv().ok();
        }
    }

    /// Takes no more calls where too few of them could get through: one that nobody
    /// waits for any more holds its permit until libvirtd answers it.
    fn retire_where_worn_out(&mut self) {
        let abandoned = self.pending.values().filter(|request| request.entry.is_abandoned());
        if !self.is_retired && abandoned.count() > self.abandoned_max {
            self.is_retired = true;
            self.handles.retire();
        }
    }

    fn send(&mut self, request: Request) {
        loop {
            self.serial = self.serial.wrapping_add(1);
            if !self.pending.contains_key(&self.serial) {
                break;
            }
        }
        packet::call(request.procedure, self.serial, &request.arguments, &mut self.outgoing);
        self.pending.insert(self.serial, request);
    }

    /// Routes every packet that has arrived whole; an error where the stream makes
    /// no sense any more.
    fn route_packets(&mut self) -> Result<(), DecodeError> {
        while let Some(packet) = self.splitter.next_packet()? {
            self.route(packet);
        }
        Ok(())
    }

    fn route(&mut self, Packet { header, payload }: Packet) {
        // A packet of a kind that came after libvirt 12 is not for us.
        let Ok(Header { program, procedure, kind, serial, status }) = header else { return };
        match (program, kind) {
            (KEEPALIVE_PROGRAM, Kind::Message) => {
                // One answer is as good as many to a daemon that does not read them.
                if procedure == PING && self.outgoing.len() < OUTGOING_MAX {
                    packet::pong(&mut self.outgoing);
                }
            }
            (REMOTE_PROGRAM, Kind::Message) => match Event::decode(procedure, &payload) {
                Ok(Some(event)) => self.events.send(event),
                Ok(None) => {}
                Err(_) => self.events.note_loss(),
            },
            (_, Kind::Reply) => {
                // A serial that nobody knows has been answered before.
                let Some(request) = self.pending.remove(&serial) else { return };
                let Request { procedure: called, reply, permit, entry, .. } = request;
                let is_its = (program, procedure) == (REMOTE_PROGRAM, called.number);
                let outcome = match status {
                    // Its bytes may well decode, to something else.
                    _ if !is_its => Err(CallKind::Mistaken { program, procedure }),
                    Status::Ok => Ok((payload, Instant::now())),
                    Status::Error => Err(refusal(&payload)),
                };
                // Asking for it is what makes libvirtd ping, and answer pings.
                let is_promise = called == Procedure::CONNECT_SUPPORTS_FEATURE
                    && outcome.as_ref().is_ok_and(|(payload, _)| {
                        ConnectSupportsFeature::decode(payload).is_ok_and(|answer| answer != 0)
                    });
                if is_promise && self.stream.is_remote() {
                    self.keepalive = Some(Keepalive::new());
                }
                if called == Procedure::CONNECT_OPEN && outcome.is_ok() {
                    self.is_open = true;
                    self.splitter.unlimit();
                }
                entry.answered(outcome.as_ref().map(|_| ()));
                let _ = reply.send(outcome);
                drop(permit);
            }
            (_, Kind::Call | Kind::Message) => {}
        }
    }

    /// Says goodbye without waiting for the answer: the daemon reads what was
    /// written before it sees the end.
    async fn leave(&mut self) -> io::Result<()> {
        if self.is_open {
            self.serial = self.serial.wrapping_add(1);
            packet::call(ConnectClose::PROCEDURE, self.serial, &[], &mut self.outgoing);
        }
        self.stream.finish(&self.outgoing).await
    }
}

/// Waits until nothing has come for a while; for ever where nobody counts that.
async fn beat(keepalive: Option<&mut Keepalive>) -> Beat {
    match keepalive {
        Some(keepalive) => keepalive.beat().await,
        None => future::pending().await,
    }
}

/// What one read may bring, in bytes.
const READ_LEN: usize = 16_384;
/// The longest packet of whoever has not let us in, in bytes: there are lists of a few words, and
/// what a SASL mechanism says. Many strangers must not fill our memory.
const STRANGER_MAX: usize = 65_536;
/// How much is shown of what is no packet, in bytes.
const OPENING_LEN: usize = 16;
/// What may wait to be written before pings go unanswered, in bytes.
const OUTGOING_MAX: usize = 65_536;
