//! What KVM counts: the group `vm`, and the fields `vcpu.N.NAME.KIND`.
//!
//! The names are KVM's own and change with the kernel.

use libvirt_wire::Value;

/// KVM's statistics, in libvirt's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KvmStats(Vec<KvmStat>);

/// One of KVM's statistics.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KvmStat {
    /// KVM's name for it, `halt_poll_success_ns`.
    pub(crate) name: String,
    pub(crate) kind: KvmKind,
    pub(crate) value: exposition::Value,
}

/// How the numbers of a statistic behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KvmKind {
    /// `sum`: only grows.
    Total,
    /// `cur`: what it is now.
    Current,
    /// `max`: the largest that it has been.
    Peak,
}

impl KvmStats {
    /// Takes `NAME.KIND`; returns whether it is one.
    pub(super) fn take(&mut self, field: &str, value: &Value<'_>) -> bool {
        let Some((name, kind)) = field.rsplit_once('.') else { return false };
        let kind = match kind {
            "sum" => KvmKind::Total,
            "cur" => KvmKind::Current,
            "max" => KvmKind::Peak,
            _ => return false,
        };
        let count = value.unsigned().map(exposition::Value::from);
        // What only grows is never below nothing.
        let measure = || value.double().filter(|_| kind != KvmKind::Total).map(Into::into);
        let Some(value) = count.or_else(measure) else { return false };
        let is_new = || self.0.iter().all(|stat| stat.name != name || stat.kind != kind);
        if self.0.len() < STATS_MAX && is_new() {
            self.0.push(KvmStat { name: name.to_owned(), kind, value });
        }
        true
    }

    /// Those of a kind.
    pub(crate) fn of(&self, kind: KvmKind) -> impl Iterator<Item = &KvmStat> {
        self.0.iter().filter(move |stat| stat.kind == kind)
    }
}

/// Statistics that are kept: KVM has some fifty of a vCPU.
const STATS_MAX: usize = 256;
