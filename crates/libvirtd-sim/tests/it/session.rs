//! The project's own client talks to the simulator.

use std::{sync::Arc, time::Duration};

use libvirt_client::{Address, Session};
use libvirt_wire::{
    Event, EventKind,
    call::{ConnectGetAllDomainStats, ConnectListAllDomains, Groups},
};

use crate::raw::Sim;

const SECONDS: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_session_opens_lists_asks_and_is_told() {
    let sim = Sim::with_domains(7);
    let uri = format!("qemu:///system?socket={}", sim.read_only_socket().display());
    let address: Address = uri.parse().unwrap();
    let mut session = Session::open(&address.into(), SECONDS, Arc::new(())).await.unwrap();
    assert_eq!(session.hostname.as_deref(), Some("compute-sim"));
    assert_eq!(sim.status().connections, 3);

    let reply = session.feed.call(&ConnectListAllDomains, SECONDS).await.unwrap();
    let domains = reply.decode().unwrap().0;
    assert_eq!(domains.len(), 7);
    let call = ConnectGetAllDomainStats {
        domains: &[&domains[0], &domains[6]],
        groups: Groups::STATE.and(Groups::BALLOON),
    };
    let reply = session.monitor.call(&call, SECONDS).await.unwrap();
    assert_eq!(reply.decode().unwrap().records.len(), 2);

    sim.commands(&["destroy instance-00000003"]);
    let told = [session.events.next().await, session.events.next().await];
    let kinds = told.map(|event| {
        let Event { domain, kind } = event.unwrap();
        assert_eq!(domain.name, "instance-00000003");
        kind
    });
    let lifecycle = |event, detail| EventKind::Lifecycle { event, detail };
    assert_eq!(kinds, [lifecycle(6, 2), lifecycle(5, 1)]);
    session.feed.close().await;
}
