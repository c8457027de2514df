//! libvirt's field names and units, and what they become.
//!
//! Its KiB and nanoseconds end here and in the modules below. A field that libvirt
//! did not give is `None`.
//!
//! * [`balloon`]: a domain's memory
//! * [`block`]: a disk
//! * [`net`]: a network interface

use std::collections::BTreeMap;

use libvirt_wire::TypedParam;

pub(crate) use self::{balloon::Balloon, block::Block, net::Net};

mod balloon;
mod block;
mod net;

/// What libvirt measured of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DomainStats {
    pub(crate) state: Option<State>,
    /// Whether libvirt has started a QEMU for the domain, but not the domain.
    pub(crate) is_starting: bool,
    pub(crate) balloon: Balloon,
    /// Network interfaces that have a name, in libvirt's order.
    pub(crate) nets: Vec<Net>,
    /// Disks that have a name, in libvirt's order.
    pub(crate) blocks: Vec<Block>,
}

/// `virDomainState`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Nostate,
    Running,
    Blocked,
    Paused,
    Shutdown,
    Shutoff,
    Crashed,
    Pmsuspended,
}

impl DomainStats {
    /// Sorts typed parameters by their names. Those unknown are passed over, and
    /// the indexes of devices may have holes.
    pub(crate) fn new(params: &[TypedParam<'_>]) -> Self {
        let mut stats = Self::default();
        let mut reason = None;
        let mut nets = BTreeMap::<u32, Net>::new();
        let mut blocks = BTreeMap::<u32, Block>::new();
        for TypedParam { field, value } in params {
            let Some((group, rest)) = field.split_once('.') else { continue };
            let number = value.unsigned();
            match group {
                "state" if rest == "state" => stats.state = number.and_then(State::new),
                "state" if rest == "reason" => reason = number,
                "balloon" => stats.balloon.take(rest, number),
                "net" => {
                    if let Some((index, rest)) = indexed(rest) {
                        nets.entry(index).or_default().take(rest, number, value.text());
                    }
                }
                "block" => {
                    if let Some((index, rest)) = indexed(rest) {
                        blocks.entry(index).or_default().take(rest, number, value.text());
                    }
                }
                _ => {}
            }
        }
        stats.is_starting =
            stats.state == Some(State::Paused) && reason == Some(PAUSED_STARTING_UP);
        // What has no name cannot be told apart.
        stats.nets = nets.into_values().filter(|net| !net.name.is_empty()).collect();
        stats.blocks = blocks.into_values().filter(|block| !block.name.is_empty()).collect();
        stats
    }

    /// Whether libvirt asked QEMU and was answered, rather than left out what needs
    /// the monitor.
    ///
    /// It looks at the memory of the QEMU process under the same job, so a domain
    /// without disks tells as well.
    pub(crate) fn is_complete(&self) -> bool {
        let is_counted = |block: &Block| block.read_bytes.is_some();
        self.balloon.rss.is_some() && (self.blocks.is_empty() || self.blocks.iter().any(is_counted))
    }
}

/// Splits `0.rx.bytes` into the index and the rest.
fn indexed(rest: &str) -> Option<(u32, &str)> {
    let (index, rest) = rest.split_once('.')?;
    Some((index.parse().ok()?, rest))
}

impl State {
    /// Every state, in libvirt's order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Nostate,
        Self::Running,
        Self::Blocked,
        Self::Paused,
        Self::Shutdown,
        Self::Shutoff,
        Self::Crashed,
        Self::Pmsuspended,
    ];

    fn new(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// libvirt's constant in lower case, without its prefix.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nostate => "nostate",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Shutdown => "shutdown",
            Self::Shutoff => "shutoff",
            Self::Crashed => "crashed",
            Self::Pmsuspended => "pmsuspended",
        }
    }
}

/// `VIR_DOMAIN_PAUSED_STARTING_UP`
const PAUSED_STARTING_UP: u64 = 11;
/// libvirt's unit of memory, in bytes.
pub(crate) const KIB: u64 = 1024;

#[cfg(test)]
mod tests {
    use libvirt_wire::Value;

    use super::*;

    fn params<'a>(fields: &[(&'a str, Value<'a>)]) -> Vec<TypedParam<'a>> {
        let param = |(field, value): &(&'a str, Value<'a>)| TypedParam {
            field: (*field).into(),
            value: value.clone(),
        };
        fields.iter().map(param).collect()
    }

    #[test]
    fn devices_come_by_index_and_indexes_have_holes() {
        let stats = DomainStats::new(&params(&[
            ("net.count", Value::UInt(3)),
            ("net.2.name", Value::String("tap2".into())),
            ("net.2.rx.bytes", Value::ULLong(7)),
            ("net.0.rx.bytes", Value::ULLong(9)),
            ("block.10.name", Value::String("vdk".into())),
            ("block.9.name", Value::String("vdj".into())),
            ("block.9.wr.reqs", Value::LLong(-1)),
        ]));
        let net = Net { name: "tap2".into(), received_bytes: Some(7), ..Net::default() };
        assert_eq!(stats.nets, [net]);
        assert_eq!(
            stats.blocks.iter().map(|block| &*block.name).collect::<Vec<_>>(),
            ["vdj", "vdk"]
        );
        assert_eq!(stats.blocks[0].write_requests, None);
    }

    #[test]
    fn memory_in_use_never_falls_below_nothing() {
        let stats = DomainStats::new(&params(&[
            ("balloon.available", Value::ULLong(100)),
            ("balloon.usable", Value::ULLong(101)),
            ("balloon.unused", Value::ULLong(30)),
        ]));
        assert_eq!(stats.balloon.available, Some(102_400));
        assert_eq!(stats.balloon.used(), None);
        assert_eq!(stats.balloon.used_with_cache(), Some(71_680));
    }

    #[test]
    fn a_domain_that_is_being_started_is_told_from_one_that_is_paused() {
        for (state, reason, is_starting) in [(3, 11, true), (3, 1, false), (1, 11, false)] {
            let stats = DomainStats::new(&params(&[
                ("state.state", Value::Int(state)),
                ("state.reason", Value::Int(reason)),
            ]));
            assert_eq!(stats.is_starting, is_starting, "{state} {reason}");
        }
    }

    #[test]
    fn a_state_that_came_after_libvirt_12_is_not_guessed_at() {
        for (number, state) in [(1, Some(State::Running)), (7, Some(State::Pmsuspended)), (8, None)]
        {
            let stats = DomainStats::new(&params(&[("state.state", Value::Int(number))]));
            assert_eq!(stats.state, state);
        }
    }
}
