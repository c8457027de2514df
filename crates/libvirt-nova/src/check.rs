//! `--check`: what is right and wrong with this host's set-up, in plain words.
//!
//! One session, a collection and two more questions make the [`Facts`]; from there on nothing
//! is asked any more. Each module below has one subject, and makes findings of facts.
//!
//! * [`facts`]: what was found; [`finding`]: what follows from it, and what mends it
//! * [`door`]: the socket, who may use it, and authentication
//! * [`versions`], [`instances`], [`balloon`], [`steal`], [`guests`], [`cpu`], [`pools`],
//!   [`refusals`]: what libvirtd said
//! * [`flags`], [`clock`]: what can be told without it
//! * [`targets`]: those of `--targets.file`, each of which is asked once
//! * [`naming`]: domains in sentences and in commands; [`report`]: the findings as text

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use self::{
    facts::{Facts, Heard},
    finding::{Finding, Verdict},
};
use crate::{flags::Flags, log};

mod balloon;
mod clock;
mod cpu;
mod door;
mod facts;
mod finding;
mod flags;
mod guests;
mod instances;
mod naming;
mod pools;
mod refusals;
mod report;
mod steal;
mod targets;
mod versions;

/// Looks at the host and prints what it finds.
///
/// Fails, as a status, where something loses metrics.
pub(crate) async fn check(flags: Flags, log: Arc<log::Record>) -> ExitCode {
    let targets = targets::look(&flags, Arc::clone(&log)).await;
    let mut findings = match flags.is_watching {
        true => findings(&Facts::gather(flags, log).await),
        false => flags::findings(&flags.ignored),
    };
    findings.extend(targets.iter().flat_map(targets::findings));
    // Where nobody reads it, the status still says it.
    let _ = io::stdout().write_all(report::report(&findings).as_bytes());
    let is_loss = |finding: &Finding| finding.verdict == Verdict::Loss;
    if findings.iter().any(is_loss) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What follows from the facts, in the order in which a person mends things.
fn findings(facts: &Facts) -> Vec<Finding> {
    let Facts { door, deadline, ignored, now, heard } = facts;
    let mut findings = door::findings(door);
    match heard {
        Heard::All(host) => {
            findings.extend(versions::findings(host));
            findings.extend(instances::findings(host));
            findings.extend(balloon::findings(host));
            findings.extend(steal::findings(host));
            findings.extend(guests::findings(host));
            findings.extend(cpu::findings(host));
            findings.extend(pools::findings(host));
            findings.extend(refusals::findings(host));
        }
        Heard::NoList => findings.extend([instances::no_list(*deadline, door), rest()]),
        Heard::Nothing => findings.push(rest()),
    }
    findings.extend(flags::findings(ignored));
    let instances = match heard {
        Heard::All(host) => &host.snapshot.instances[..],
        Heard::NoList | Heard::Nothing => &[],
    };
    findings.extend(clock::findings(*now, instances));
    findings
}

/// What nobody could look at.
fn rest() -> Finding {
    let said = "not looked at without libvirtd's answers: versions, guests, memory, CPU, pools";
    Finding::new(Verdict::Unseen, "the rest", said)
}
