//! What domains make callers wait for.

use std::time::Duration;

use libvirt_wire::{Call, call::ConnectGetAllDomainStats};
use libvirtd_sim::Settings;

use crate::raw::{NOWAIT, OK, Raw, Sim, about, cpu_stats, metadata, stats, word, words};

const WAIT: u32 = 1;

/// How many fields each domain gave.
async fn counts(client: &mut Raw, numbers: &[u8], flags: u32) -> Vec<usize> {
    let reply = client.call(344, &stats(numbers, 0x7ff, flags)).await;
    let reply = ConnectGetAllDomainStats::decode(&reply.payload).unwrap();
    reply.records.iter().map(|record| record.params.len()).collect()
}

#[tokio::test]
async fn the_first_call_to_a_stuck_domain_hangs_and_the_next_ones_do_not() {
    let sim = Sim::with_domains(3);
    let mut client = sim.client().await;
    let whole = counts(&mut client, &[1, 2], NOWAIT).await;
    sim.commands(&["stuck instance-00000001"]);
    let mut hung = sim.client().await;
    hung.send(344, &stats(&[], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();

    let partial = counts(&mut client, &[1, 2], NOWAIT).await;
    assert_eq!((partial[0], partial[1]), (28, whole[1]));
    for (procedure, arguments) in [
        (14, about(1, &[0])),
        (16, about(1, &[])),
        (212, about(1, &[0])),
        (229, about(1, &[0])),
        (262, cpu_stats(1)),
        (265, metadata(1)),
        (273, words(&[1, 1])),
        // State, interface, perf, memory: no monitor.
        (344, stats(&[1], 1 | 16 | 64 | 256, WAIT)),
    ] {
        assert_eq!(client.call(procedure, &arguments).await.status, OK, "{procedure}");
    }
    sim.commands(&["continue *"]);
    let late = hung.packet().await.unwrap();
    let late = ConnectGetAllDomainStats::decode(&late.payload).unwrap();
    assert_eq!(late.records[0].params.len(), whole[0]);
    assert_eq!(counts(&mut client, &[1, 2], NOWAIT).await, whole);
    assert_eq!(word(&client.call(229, &about(1, &[0])).await.payload, 0), 0);
}

#[tokio::test]
async fn a_call_without_nowait_gives_up_waiting_for_the_job() {
    let sim = Sim::start(Settings { job_wait: Duration::from_millis(50), ..Settings::default() });
    sim.commands(&["busy instance-00000001"]);
    let mut client = sim.client().await;
    assert_eq!(counts(&mut client, &[1], WAIT).await, [28]);
    assert_eq!(word(&client.call(229, &about(1, &[0])).await.payload, 0), 1, "job");
}

#[tokio::test]
async fn a_call_without_nowait_gets_the_job_that_becomes_free() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let whole = counts(&mut client, &[1], WAIT).await;
    sim.commands(&["busy *"]);
    client.send(344, &stats(&[1], 0x7ff, WAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
    sim.commands(&["continue *"]);
    let reply = client.packet().await.unwrap();
    let reply = ConnectGetAllDomainStats::decode(&reply.payload).unwrap();
    assert_eq!(reply.records[0].params.len(), whole[0]);
}

#[tokio::test]
async fn a_held_domain_hangs_all_that_concerns_it_and_the_list() {
    let sim = Sim::with_domains(2);
    sim.commands(&["hold instance-00000001"]);
    let calls = [
        (14, about(1, &[0])),
        (16, about(1, &[])),
        (229, about(1, &[0])),
        (262, cpu_stats(1)),
        (265, metadata(1)),
        (273, words(&[1, 1])),
        (344, stats(&[1], 1, NOWAIT)),
    ];
    let mut clients = Vec::new();
    for (procedure, arguments) in &calls {
        let mut client = sim.client().await;
        client.send(*procedure, arguments).await;
        clients.push(client);
    }
    sim.until(|status| status.hanging == calls.len()).await.unwrap();
    let mut client = sim.client().await;
    assert_eq!(client.call(16, &about(2, &[])).await.status, OK);
    assert_eq!(client.call(59, &[]).await.status, OK);
    sim.commands(&["continue instance-00000001"]);
    for mut client in clients {
        assert_eq!(client.packet().await.unwrap().status, OK);
    }
}

#[tokio::test]
async fn a_call_hangs_on_when_its_connection_has_gone() {
    let sim = Sim::with_domains(1);
    sim.commands(&["stuck *"]);
    let mut client = sim.client().await;
    client.send(344, &stats(&[1], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
    drop(client);
    sim.until(|status| status.connections == 0).await.unwrap();
    assert_eq!((sim.status().hanging, sim.status().calls), (1, 1));
    assert_eq!(counts(&mut sim.client().await, &[1], NOWAIT).await, [28]);
    sim.commands(&["continue *"]);
    sim.until(|status| status.hanging == 0 && status.calls == 0).await.unwrap();
}

#[tokio::test]
async fn a_domain_that_ends_while_it_is_asked_is_left_out() {
    let sim = Sim::with_domains(2);
    sim.commands(&["stuck instance-00000001"]);
    let mut client = sim.client().await;
    client.send(344, &stats(&[], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
    sim.commands(&["destroy instance-00000001"]);
    let reply = client.packet().await.unwrap();
    let reply = ConnectGetAllDomainStats::decode(&reply.payload).unwrap();
    assert_eq!(reply.records.len(), 1);
    assert_eq!(reply.records[0].domain.name, "instance-00000002");
}
