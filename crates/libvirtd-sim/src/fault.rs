//! Faults: what goes wrong on command.

use std::time::Duration;

/// The faults that are ordered.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
}

/// One fault: where it strikes, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) occasion: Occasion,
    /// What the call must concern; `None` for any call.
    pub(crate) target: Option<Target>,
    pub(crate) fault: Fault,
    /// How many times it has still to strike; `None` until it is cleared.
    pub(crate) left: Option<u32>,
}

/// What a call is about, for a fault to strike that alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The domain with this number.
    Domain(u32),
    /// The storage pool of this name.
    Pool(String),
}

/// What a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A connection, before its first call.
    Accept,
    /// A client's keepalive PING.
    Ping,
    /// A call of this procedure.
    Procedure(u32),
    /// A call of any procedure.
    AnyProcedure,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call keeps its worker and is never answered.
    Never,
    /// The call keeps its worker for so much longer.
    Late(Duration),
    /// The call is refused with this code, and this text or a usual one.
    Error(i32, Option<String>),
    /// The reply's bytes are wrong.
    Damage(Damage),
    /// The reply is sent wrongly.
    Delivery(Delivery),
}

/// What is wrong with a reply's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The 32-bit word at this byte of the packet has this value.
    Word(usize, u32),
    /// Its first count or length, right behind the header, is this.
    Count(u32),
    /// Names of domains, taps and files are not UTF-8.
    Utf8,
    /// The first typed parameter has this type.
    ValueType(u32),
    /// The packet is this long; zeros follow the reply.
    Pad(usize),
}

/// What is wrong with how a reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// After so many later replies on the same connection.
    After(usize),
    /// In pieces of so many bytes.
    Pieces(usize),
    /// Twice.
    Twice,
    /// Behind one with a serial that nobody used.
    Stray,
    /// So many bytes of it, then the connection ends.
    Cut(usize),
    /// So many bytes of it, then the daemon restarts.
    Restart(usize),
    /// Not at all, nor anything after it; the connection stays open.
    Silence,
}

/// Which domains a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// None in particular.
    Nobody,
    /// These.
    Domains(Vec<u32>),
    /// The storage pool of this name.
    Pool(String),
    /// Every domain.
    Everybody,
}

impl Concern {
    fn includes(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::Domains(numbers), Target::Domain(number)) => numbers.contains(number),
            (Self::Pool(name), Target::Pool(pool)) => name == pool,
            (Self::Everybody, Target::Domain(_)) => true,
            _ => false,
        }
    }
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The faults that strike now, in the order in which they were ordered.
    pub(crate) fn strike(&mut self, occasion: Occasion, concern: &Concern) -> Vec<Fault> {
        let mut faults = Vec::new();
        for rule in &mut self.rules {
            let strikes = match (rule.occasion, occasion) {
                (Occasion::AnyProcedure, Occasion::Procedure(_)) => true,
                (ordered, met) => ordered == met,
            };
            if strikes && rule.target.as_ref().is_none_or(|target| concern.includes(target)) {
                rule.left = rule.left.map(|left| left.saturating_sub(1));
                faults.push(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.left != Some(0));
        faults
    }
}
