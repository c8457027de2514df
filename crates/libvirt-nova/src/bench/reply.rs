//! libvirtd's reply to a call for everything of many domains.

use std::iter;

use libvirt_wire::{
    Call,
    call::{AllDomainStats, ConnectGetAllDomainStats},
    packet::{self, Header, Kind, Splitter, Status},
    xdr::Writer,
};

use crate::stats::DomainStats;

/// The reply, as its bytes.
#[derive(Debug)]
pub struct Reply {
    payload: Vec<u8>,
}

/// What is kept of it.
#[derive(Debug)]
pub struct Statistics(#[expect(dead_code, reason = "made, and dropped")] Vec<DomainStats>);

impl Reply {
    /// What a libvirtd has sent of one domain, of so many.
    pub fn new(domains: u32) -> Self {
        let recorded = Self { payload: RECORDED.to_vec() };
        let recorded = recorded.decode();
        let mut writer = Writer::default();
        writer.u32(domains);
        for number in 0..domains {
            for record in &recorded.records {
                let mut domain = record.domain.clone();
                domain.name = format!("instance-{number:08x}");
                let [.., a, b, c, d] = &mut domain.uuid.0;
                [*a, *b, *c, *d] = number.to_be_bytes();
                domain.encode(&mut writer);
                writer.length(record.params.len());
                record.params.iter().for_each(|param| param.encode(&mut writer));
            }
        }
        Self { payload: writer.into_bytes() }
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.payload.len()
    }

    /// Reads the bytes.
    pub fn decode(&self) -> AllDomainStats<'_> {
        let decoded = <ConnectGetAllDomainStats<'_> as Call>::decode(&self.payload);
        decoded.unwrap_or(AllDomainStats { records: Vec::new() })
    }

    /// A stream of such replies, as they come in over the connection.
    pub fn stream(&self, replies: u32) -> Vec<u8> {
        let mut stream = Vec::new();
        for serial in 0..replies {
            let (program, kind, status) = (packet::REMOTE_PROGRAM, Kind::Reply, Status::Ok);
            let procedure = <ConnectGetAllDomainStats<'_> as Call>::PROCEDURE.number;
            let header = Header { program, procedure, kind, serial, status };
            packet::append(header, &self.payload, &mut stream);
        }
        stream
    }

    /// Cuts a stream into packets, and returns how many.
    pub fn split(stream: &[u8]) -> usize {
        let mut splitter = Splitter::default();
        splitter.buffer().extend_from_slice(stream);
        iter::from_fn(|| splitter.next_packet().ok().flatten()).count()
    }
}

impl Statistics {
    /// Sorts the fields of each domain by their names.
    pub fn new(reply: &AllDomainStats<'_>) -> Self {
        Self(reply.records.iter().map(|record| DomainStats::new(&record.params)).collect())
    }
}

/// A domain with one vCPU, one disk and one network interface, of libvirtd 9.0.
const RECORDED: &[u8] =
    include_bytes!("../../../libvirt-wire/testdata/replies/344-kernel-guest.bin");
