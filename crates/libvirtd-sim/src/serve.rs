//! One call, from its packet to the packet of its reply.

use std::rc::Rc;

use libvirt_wire::packet::{self, Header, Kind, REMOTE_PROGRAM, Status};
use tokio::time;

use crate::{
    connection::Connection,
    daemon::Daemon,
    damage,
    fault::{Fault, Occasion},
    outgoing::{Call, Outgoing},
    procedures,
    refusal::{Outcome, Refusal},
};

/// Serves a call: a worker takes it, and its reply goes to the connection,
/// with whatever has been ordered to go wrong.
pub(crate) async fn serve(
    connection: Rc<Connection>,
    daemon: Rc<Daemon>,
    header: Header,
    payload: Vec<u8>,
    call: Call,
) {
    let (host, procedure) = (&daemon.host, header.procedure);
    let faults = {
        let concern = procedures::concern(procedure, &payload);
        host.asked.note(procedure, &concern);
        host.state_mut().faults.strike(Occasion::Procedure(procedure), &concern)
    };
    let outcome = {
        let waiting = host.board.count(|status| &mut status.waiting);
        let Some(_worker) = daemon.workers.take(procedure).await else { return };
        drop(waiting);
        let latency = host.latency();
        if !latency.is_zero() {
            time::sleep(latency).await;
        }
        if let Some(ordered) = before(&faults).await {
            Err(ordered)
        } else {
            answer(&daemon, &connection, header, &payload).await
        }
    };
    let is_last = procedure == CONNECT_CLOSE && outcome.is_ok();
    let (status, payload) = match outcome {
        Ok(payload) => (Status::Ok, payload),
        Err(refusal) => (Status::Error, refusal.payload()),
    };
    let mut bytes = Vec::new();
    packet::append(Header { kind: Kind::Reply, status, ..header }, &payload, &mut bytes);
    let mut deliveries = Vec::new();
    for fault in faults {
        match fault {
            Fault::Damage(what) => damage::apply(what, &mut bytes),
            Fault::Delivery(how) => deliveries.push(how),
            Fault::Never | Fault::Late(_) | Fault::Error(..) => {}
        }
    }
    let call = Some(call);
    // The client may have gone.
    let _ = connection.outgoing().send(Outgoing { bytes, deliveries, is_last, call });
}

/// `REMOTE_PROC_CONNECT_CLOSE`
const CONNECT_CLOSE: u32 = 2;

/// What goes wrong before there is a reply.
async fn before(faults: &[Fault]) -> Option<Refusal> {
    for fault in faults {
        match fault {
            Fault::Never => std::future::pending().await,
            Fault::Late(delay) => time::sleep(*delay).await,
            Fault::Error(code, text) => return Some(Refusal::ordered(*code, text.clone())),
            Fault::Damage(_) | Fault::Delivery(_) => {}
        }
    }
    None
}

async fn answer(
    daemon: &Daemon,
    connection: &Connection,
    header: Header,
    payload: &[u8],
) -> Outcome {
    if header.program != REMOTE_PROGRAM {
        let program = header.program;
        return Err(Refusal::rpc(format!("Cannot find program {program} version 1")));
    }
    procedures::answer(&daemon.host, connection, header.procedure, payload).await
}
