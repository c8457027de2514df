//! What a round asks.

use libvirt_wire::{
    Call, Domain, Procedure,
    call::{
        ConnectGetAllDomainStats, ConnectListAllDomains, ConnectListAllStoragePools,
        DomainGetControlInfo, DomainGetCpuStats, DomainGetJobStats, Groups, NodeGetFreeMemory,
        NodeGetInfo, StoragePool, StoragePoolGetInfo,
    },
    packet,
};

/// Who can be asked about.
#[derive(Debug)]
pub(crate) struct Calls {
    domains: Vec<Domain>,
    pools: Vec<StoragePool>,
}

/// The packets of a round.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// Each procedure that is called.
    pub(crate) procedures: Vec<Procedure>,
}

impl Calls {
    pub(crate) fn new(domains: Vec<Domain>, pools: Vec<StoragePool>) -> Self {
        Self { domains, pools }
    }

    /// Makes the packets of a round: between the two lists of domains that a scrape begins and
    /// ends with, what takes longest comes first, so that all end together.
    ///
    /// # Errors
    ///
    /// Where a word is no procedure that a scrape calls, with a count.
    pub(crate) fn packets(&self, line: &str) -> Result<Packets, String> {
        let mut wanted = Vec::new();
        for word in line.split_whitespace() {
            let parsed = word
                .split_once('=')
                .and_then(|(name, count)| Some((place(name)?, count.parse::<usize>().ok()?)));
            wanted.push(parsed.ok_or_else(|| format!("no call of a scrape: {word}"))?);
        }
        wanted.sort_unstable();
        let mut packets = Packets::default();
        let mut lists: usize = 0;
        for (place, count) in wanted {
            let procedure = *ORDER.get(place).ok_or("no such place")?;
            if procedure == Procedure::CONNECT_LIST_ALL_DOMAINS {
                lists = count.saturating_sub(1);
                packets.add(&ConnectListAllDomains, count.min(1));
            } else {
                self.add(procedure, count, &mut packets)?;
            }
        }
        packets.add(&ConnectListAllDomains, lists);
        Ok(packets)
    }

    fn add(&self, procedure: Procedure, count: usize, packets: &mut Packets) -> Result<(), String> {
        let domains =
            self.domains.iter().cycle().take(if self.domains.is_empty() { 0 } else { count });
        match procedure {
            Procedure::CONNECT_GET_ALL_DOMAIN_STATS => {
                for domains in self.shares(count) {
                    packets.add(&ConnectGetAllDomainStats { domains: &domains, groups: GROUPS }, 1);
                }
            }
            Procedure::DOMAIN_GET_JOB_STATS => {
                for domain in domains {
                    packets.add(&DomainGetJobStats { domain, completed: false }, 1);
                }
            }
            Procedure::DOMAIN_GET_CPU_STATS => {
                domains.for_each(|domain| packets.add(&DomainGetCpuStats { domain }, 1));
            }
            Procedure::DOMAIN_GET_CONTROL_INFO => {
                domains.for_each(|domain| packets.add(&DomainGetControlInfo { domain }, 1));
            }
            Procedure::STORAGE_POOL_GET_INFO => {
                for pool in self.pools.iter().take(count) {
                    packets.add(&StoragePoolGetInfo { pool }, 1);
                }
            }
            Procedure::NODE_GET_INFO => packets.add(&NodeGetInfo, count),
            Procedure::NODE_GET_FREE_MEMORY => packets.add(&NodeGetFreeMemory, count),
            Procedure::CONNECT_LIST_ALL_STORAGE_POOLS => {
                packets.add(&ConnectListAllStoragePools, count);
            }
            unknown => return Err(format!("{unknown} is not made here")),
        }
        Ok(())
    }

    /// All domains in so many parts, as equal as can be.
    fn shares(&self, count: usize) -> Vec<Vec<&Domain>> {
        let mut rest: Vec<&Domain> = self.domains.iter().collect();
        let mut shares = Vec::new();
        for left in (1..=count).rev() {
            let share = rest.len().div_ceil(left);
            shares.push(rest.drain(..share).collect());
        }
        shares
    }
}

impl Packets {
    /// Appends the same call so many times. A call's serial is its place.
    fn add<C: Call>(&mut self, call: &C, count: usize) {
        let arguments = call.arguments();
        for _ in 0..count {
            let serial = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
            packet::call(C::PROCEDURE, serial, &arguments, &mut self.bytes);
            self.ends.push(self.bytes.len());
            if !self.procedures.contains(&C::PROCEDURE) {
                self.procedures.push(C::PROCEDURE);
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of packets from one number to before another.
    pub(crate) fn range(&self, from: usize, to: usize) -> &[u8] {
        let start = |number: usize| match number.checked_sub(1) {
            None => Some(0),
            Some(before) => self.ends.get(before).copied(),
        };
        let range = start(from).zip(start(to)).and_then(|(from, to)| self.bytes.get(from..to));
        range.unwrap_or_default()
    }
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|procedure| procedure.name == name)
}

/// The groups that the exporter asks for unless told otherwise; a test of its collectors holds
/// it to them.
const GROUPS: Groups = Groups::JOB_FREE.and(Groups::BALLOON).and(Groups::VCPU).and(Groups::BLOCK);

/// The procedures of a scrape, in the order in which they are called.
const ORDER: [Procedure; 9] = [
    Procedure::CONNECT_LIST_ALL_DOMAINS,
    Procedure::CONNECT_GET_ALL_DOMAIN_STATS,
    Procedure::DOMAIN_GET_JOB_STATS,
    Procedure::DOMAIN_GET_CPU_STATS,
    Procedure::DOMAIN_GET_CONTROL_INFO,
    Procedure::NODE_GET_INFO,
    Procedure::NODE_GET_FREE_MEMORY,
    Procedure::CONNECT_LIST_ALL_STORAGE_POOLS,
    Procedure::STORAGE_POOL_GET_INFO,
];

#[cfg(test)]
mod tests {
    use libvirt_wire::{Uuid, packet::Splitter};

    use super::*;

    fn calls(count: u8) -> Calls {
        let domain =
            |number| Domain { name: "a".to_owned(), uuid: Uuid([number; 16]), id: Some(1) };
        Calls::new((0..count).map(domain).collect(), Vec::new())
    }

    #[test]
    fn a_round_begins_and_ends_with_a_list_and_asks_what_takes_longest_first() {
        let line = "DomainGetCPUStats=3 ConnectListAllDomains=2 ConnectGetAllDomainStats=2";
        let packets = calls(3).packets(line).unwrap();
        let mut splitter = Splitter::default();
        splitter.buffer().extend_from_slice(packets.range(0, packets.len()));
        let mut called = Vec::new();
        while let Some(packet) = splitter.next_packet().unwrap() {
            let header = packet.header.unwrap();
            called.push((header.serial, header.procedure));
        }
        let expected = [273, 344, 344, 262, 262, 262, 273];
        assert_eq!(called, (0..).zip(expected).collect::<Vec<_>>());
    }

    #[test]
    fn statistics_calls_share_all_domains_evenly() {
        let sizes = |domains, count| -> Vec<_> {
            calls(domains).shares(count).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(50, 13), [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3]);
        assert_eq!(sizes(1, 1), [1]);
    }

    #[test]
    fn what_is_not_part_of_a_scrape_is_refused() {
        for line in ["DomainGetXMLDesc=1", "NodeGetInfo", "NodeGetInfo=x"] {
            assert_eq!(calls(1).packets(line).unwrap_err(), format!("no call of a scrape: {line}"));
        }
    }
}
