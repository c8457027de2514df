//! One connection: reads calls, and stops reading where libvirtd does.

use std::{cell::Cell, io::ErrorKind, rc::Rc, sync::Arc};

use libvirt_wire::packet::{self, Header, KEEPALIVE_PROGRAM, Kind, PING, Packet, Splitter, Status};
use tokio::{
    io::AsyncReadExt,
    net::{UnixStream, unix::OwnedReadHalf},
    sync::{
        Notify, Semaphore,
        mpsc::{self, UnboundedSender},
    },
    time::{self, Instant},
};

use crate::{
    daemon::Daemon,
    fault::{Concern, Delivery, Fault, Occasion},
    host::Host,
    outgoing::{self, Call, End, Outgoing},
    serve::serve,
};

/// What the procedures know of the connection that called them.
#[derive(Debug)]
pub(crate) struct Connection {
    number: u64,
    outgoing: UnboundedSender<Outgoing>,
    is_open: Cell<bool>,
    is_read_only: Cell<bool>,
    has_authenticated: Cell<bool>,
    pinging: Notify,
    /// When the client was last heard.
    heard: Cell<Instant>,
}

/// `max_client_requests`: where so many calls are outstanding, the daemon reads no more.
const REQUESTS_MAX: usize = 5;

impl Connection {
    /// Serves a client until either side ends the connection.
    ///
    /// Calls that are under way then go on, as they do in libvirtd.
    pub(crate) async fn run(
        stream: UnixStream,
        number: u64,
        is_read_only: bool,
        daemon: Rc<Daemon>,
    ) -> Option<End> {
        let host = Rc::clone(&daemon.host);
        let _counted = host.board.count(|status| &mut status.connections);
        let faults = host.state_mut().faults.strike(Occasion::Accept, &Concern::Nobody);
        for fault in faults {
            match fault {
                Fault::Late(delay) => time::sleep(delay).await,
                Fault::Delivery(Delivery::Restart(_)) => return Some(End::Restart),
                Fault::Delivery(Delivery::Cut(_)) => return Some(End::Close),
                Fault::Never | Fault::Delivery(Delivery::Silence) => {
                    Self::ignore(stream).await;
                    return None;
                }
                Fault::Error(..) | Fault::Damage(_) | Fault::Delivery(_) => {}
            }
        }
        let (reader, writer) = stream.into_split();
        let (outgoing, queue) = mpsc::unbounded_channel();
        let connection = Rc::new(Self {
            number,
            outgoing,
            is_open: Cell::new(false),
            is_read_only: Cell::new(is_read_only),
            has_authenticated: Cell::new(false),
            pinging: Notify::new(),
            heard: Cell::new(Instant::now()),
        });
        let end = tokio::select! {
            () = Rc::clone(&connection).read(reader, &daemon) => None,
            () = connection.ping(&host) => None,
            end = outgoing::write(Rc::clone(&host), writer, queue) => Some(end),
        };
        host.state_mut().subscribers.forget(number);
        end
    }

    /// Reads whatever comes and says nothing, until the client has enough.
    async fn ignore(mut stream: UnixStream) {
        let mut bytes = [0; 1024];
        while !matches!(stream.read(&mut bytes).await, Ok(0) | Err(_)) {}
    }

    async fn read(self: Rc<Self>, socket: OwnedReadHalf, daemon: &Rc<Daemon>) {
        let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
        let mut splitter = Splitter::default();
        loop {
            // Before reading: the packet that is one too many stays where it is.
            let Ok(permit) = Arc::clone(&requests).acquire_owned().await else { return };
            let Some(packet) = Self::packet(&socket, &mut splitter).await else { return };
            daemon.host.thawed().await;
            self.heard.set(Instant::now());
            let Ok(header) = packet.header else { return };
            if header.program == KEEPALIVE_PROGRAM {
                self.pong(&daemon.host, header);
                continue;
            }
            // libvirtd takes a call that is none for nothing at all.
            if header.kind != Kind::Call {
                continue;
            }
            let board = &daemon.host.board;
            board.add(|status| &mut status.calls_total);
            let counted = board.count(|status| &mut status.calls);
            let call = Call { _permit: permit, _counted: counted };
            let connection = Rc::clone(&self);
            daemon.spawn(serve(connection, Rc::clone(daemon), header, packet.payload, call));
        }
    }

    /// The next packet; `None` where the client has gone, or sent a length that is impossible.
    async fn packet(socket: &OwnedReadHalf, splitter: &mut Splitter) -> Option<Packet> {
        loop {
            let next = splitter.next_packet().ok()?;
            if next.is_some() {
                return next;
            }
            socket.readable().await.ok()?;
            match socket.try_read_buf(splitter.buffer()) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }

    fn pong(&self, host: &Host, header: Header) {
        if header.procedure != PING {
            return;
        }
        let faults = host.state_mut().faults.strike(Occasion::Ping, &Concern::Nobody);
        if faults.is_empty() {
            let mut bytes = Vec::new();
            packet::pong(&mut bytes);
            let _ = self.outgoing.send(Outgoing::message(bytes));
        }
    }

    /// Pings a silent client once it has asked for it, and returns when it has
    /// let too many go by.
    async fn ping(&self, host: &Host) {
        self.pinging.notified().await;
        let interval = host.settings.keepalive_interval;
        let mut heard = self.heard.get();
        let mut unanswered = 0_u32;
        loop {
            let silence = interval.saturating_mul(unanswered.saturating_add(1));
            // Beyond the range of the clock is never.
            let Some(at) = heard.checked_add(silence) else { return std::future::pending().await };
            time::sleep_until(at).await;
            host.thawed().await;
            if self.heard.get() != heard {
                heard = self.heard.get();
                unanswered = 0;
            } else if unanswered == host.settings.keepalive_count {
                return;
            } else {
                unanswered = unanswered.saturating_add(1);
                let (program, kind) = (KEEPALIVE_PROGRAM, Kind::Message);
                let header =
                    Header { program, procedure: PING, kind, serial: 0, status: Status::Ok };
                let mut bytes = Vec::new();
                packet::append(header, &[], &mut bytes);
                let _ = self.outgoing.send(Outgoing::message(bytes));
            }
        }
    }

    /// A number that no other connection has.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn outgoing(&self) -> UnboundedSender<Outgoing> {
        self.outgoing.clone()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    pub(crate) fn set_open(&self, is_open: bool) {
        self.is_open.set(is_open);
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only.get()
    }

    pub(crate) fn set_read_only(&self) {
        self.is_read_only.set(true);
    }

    pub(crate) fn has_authenticated(&self) -> bool {
        self.has_authenticated.get()
    }

    pub(crate) fn set_authenticated(&self) {
        self.has_authenticated.set(true);
    }

    /// The client has asked to be pinged.
    pub(crate) fn start_pinging(&self) {
        self.pinging.notify_one();
    }
}
