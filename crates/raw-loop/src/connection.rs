//! Who asks: one connection, blocking, with a window.

use std::{
    error::Error,
    fmt,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use libvirt_wire::{
    Call, Domain, Procedure, RemoteError,
    call::{AuthList, ConnectListAllDomains, ConnectListAllStoragePools, ConnectOpen, StoragePool},
    packet::{self, Packet, Splitter, Status},
    xdr::{Decode, Reader},
};

use crate::{calls::Packets, skimmer::Skimmer};

/// A connection to libvirtd, open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
}

/// What a round came to.
#[derive(Debug)]
pub(crate) struct Round {
    took: Duration,
    received: usize,
    refused: usize,
    /// How many replies each procedure had.
    counts: Vec<(Procedure, usize)>,
}

impl Connection {
    /// Connects and opens the QEMU driver.
    ///
    /// It does not say that it answers keepalive, so libvirtd sends none.
    pub(crate) fn open(socket: &Path) -> Result<Self, Box<dyn Error>> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut connection = Self { stream, buffer: vec![0; READ_LEN] };
        connection.ask(&AuthList)?;
        connection.ask(&ConnectOpen { name: "qemu:///system", read_only: true })?;
        Ok(connection)
    }

    /// The domains that run.
    pub(crate) fn domains(&mut self) -> Result<Vec<Domain>, Box<dyn Error>> {
        let payload = self.ask(&ConnectListAllDomains)?;
        let listed = ConnectListAllDomains::decode(&payload)?.0;
        Ok(listed.into_iter().filter(|domain| domain.id.is_some()).collect())
    }

    /// The storage pools; none where the daemon has no driver for them.
    pub(crate) fn pools(&mut self) -> Result<Vec<StoragePool>, Box<dyn Error>> {
        match self.ask(&ConnectListAllStoragePools) {
            Ok(payload) => Ok(ConnectListAllStoragePools::decode(&payload)?.0),
            Err(error) if error.is::<RemoteError>() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes the calls, [`WINDOW`] in flight as long as there are so many.
    pub(crate) fn round(&mut self, packets: &Packets) -> io::Result<Round> {
        let mut counts: Vec<_> =
            packets.procedures.iter().map(|procedure| (*procedure, 0)).collect();
        let (mut skimmer, mut sent, mut answered) = (Skimmer::default(), 0, 0_usize);
        let (mut received, mut refused) = (0_usize, 0_usize);
        let began = Instant::now();
        while answered < packets.len() {
            let until = answered.saturating_add(WINDOW).min(packets.len());
            if sent < until {
                self.stream.write_all(packets.range(sent, until))?;
                sent = until;
            }
            let len = match self.stream.read(&mut self.buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => len,
            };
            received = received.saturating_add(len);
            skimmer.skim(self.buffer.get(..len).unwrap_or_default(), |replied| {
                answered = answered.saturating_add(1);
                refused = refused.saturating_add(usize::from(replied.is_refused));
                let is_its = |(procedure, _): &&mut (Procedure, usize)| {
                    procedure.number == replied.procedure
                };
                if let Some((_, count)) = counts.iter_mut().find(is_its) {
                    *count = count.saturating_add(1);
                }
            })?;
        }
        Ok(Round { took: began.elapsed(), received, refused, counts })
    }

    /// Makes one call, and returns the payload of its reply.
    fn ask<C: Call>(&mut self, call: &C) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut packets = Vec::new();
        packet::call(C::PROCEDURE, 0, &call.arguments(), &mut packets);
        self.stream.write_all(&packets)?;
        let mut splitter = Splitter::default();
        loop {
            if let Some(Packet { header, payload }) = splitter.next_packet()? {
                return match header?.status {
                    Status::Ok => Ok(payload),
                    Status::Error => Err(RemoteError::decode(&mut Reader::new(&payload))?.into()),
                };
            }
            let len = self.stream.read(&mut self.buffer)?;
            if len == 0 {
                return Err("libvirtd hung up".into());
            }
            splitter.buffer().extend_from_slice(self.buffer.get(..len).unwrap_or_default());
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { took, received, refused, counts } = self;
        write!(f, "nanoseconds={} bytes={received} refused={refused}", took.as_nanos())?;
        counts.iter().try_for_each(|(procedure, count)| write!(f, " {procedure}={count}"))
    }
}

/// Calls in flight: as many as the exporter has on a connection, one fewer than libvirtd serves.
const WINDOW: usize = 4;
/// What one read may bring, in bytes.
const READ_LEN: usize = 262_144;
/// How long libvirtd may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);
