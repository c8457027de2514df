//! The procedures: one file a subject, one function a procedure.
//!
//! Each answers as libvirtd 9.0 with QEMU 7.2 did when it was asked.

use std::rc::Rc;

use crate::{
    arguments::Arguments,
    connection::Connection,
    fault::Concern,
    host::Host,
    instance::number_of,
    refusal::{Outcome, Refusal},
};

mod connect;
mod domain;
mod event;
mod job;
mod list;
mod lookup;
mod node;
mod pool;
mod stats;

/// Answers a call; may take as long as a domain makes it.
pub(crate) async fn answer(
    host: &Rc<Host>,
    connection: &Connection,
    procedure: u32,
    payload: &[u8],
) -> Outcome {
    let mut arguments = Arguments::new(payload);
    match procedure {
        66 => return connect::auth_list(host, connection),
        70 => return connect::auth_polkit(connection),
        _ => {}
    }
    if host.state().polkit && !connection.has_authenticated() {
        return Err(Refusal::rpc("authentication required"));
    }
    match procedure {
        1 => return connect::open(connection, &mut arguments),
        60 => return connect::supports_feature(connection, &mut arguments),
        _ => {}
    }
    if !connection.is_open() && procedure != 2 {
        return Err(Refusal::not_open());
    }
    match procedure {
        2 | 360 | 361 => Ok(Vec::new()),
        3 => connect::kind(),
        4 => connect::hypervisor_version(),
        6 => connect::node_info(),
        101 => node::cells_free_memory(&mut arguments),
        102 => node::free_memory(),
        227 => node::cpu_stats(host, &mut arguments),
        228 => node::memory_stats(&mut arguments),
        87 => pool::info(host, &mut arguments),
        281 => pool::list(host, &mut arguments),
        59 => connect::hostname(),
        110 => connect::uri(),
        157 => connect::library_version(),
        22 => lookup::by_id(host, &mut arguments).await,
        23 => lookup::by_name(host, &mut arguments).await,
        24 => lookup::by_uuid(host, &mut arguments).await,
        14 => domain::xml(host, connection, &mut arguments).await,
        16 => domain::info(host, &mut arguments).await,
        20 => job::vcpus(host, &mut arguments).await,
        298 => job::job_stats(host, &mut arguments).await,
        212 => domain::state(host, &mut arguments).await,
        229 => domain::control_info(host, &mut arguments).await,
        262 => domain::cpu_stats(host, &mut arguments).await,
        265 => domain::metadata(host, &mut arguments).await,
        273 => list::all_domains(host, &mut arguments).await,
        316 => event::register(host, connection, &mut arguments),
        317 => event::deregister(host, connection, &mut arguments),
        344 => stats::all_domains(host, &mut arguments).await,
        _ => match WRITING.iter().find(|(number, _)| *number == procedure) {
            Some((_, name)) if connection.is_read_only() => {
                Err(Refusal::read_only(format!("read only access prevents {name}")))
            }
            Some((_, name)) => Err(Refusal::no_support(name)),
            None => Err(Refusal::rpc(format!("unknown procedure: {procedure}"))),
        },
    }
}

/// Which domains a call is about.
pub(crate) fn concern(procedure: u32, payload: &[u8]) -> Concern {
    let mut arguments = Arguments::new(payload);
    let domains = match procedure {
        14 | 16 | 20 | 212 | 229 | 262 | 265 | 298 => arguments.domain().map(|domain| vec![domain]),
        344 => arguments.domains(),
        273 => return Concern::Everybody,
        87 => return arguments.pool().map_or(Concern::Nobody, |(name, _)| Concern::Pool(name)),
        _ => return Concern::Nobody,
    };
    match domains {
        Ok(domains) if domains.is_empty() => Concern::Everybody,
        Ok(domains) => {
            Concern::Domains(domains.iter().filter_map(|it| number_of(it.uuid)).collect())
        }
        Err(_) => Concern::Nobody,
    }
}

/// Procedures that are refused on a read-only connection, and simulated on none.
const WRITING: [(u32, &str); 12] = [
    (8, "virDomainAttachDevice"),
    (9, "virDomainCreate"),
    (12, "virDomainDestroy"),
    (13, "virDomainDetachDevice"),
    (27, "virDomainReboot"),
    (28, "virDomainResume"),
    (33, "virDomainShutdown"),
    (34, "virDomainSuspend"),
    (35, "virDomainUndefine"),
    (308, "virDomainSetMemoryStatsPeriod"),
    (418, "virDomainGetGuestInfo"),
    (427, "virDomainStartDirtyRateCalc"),
];
