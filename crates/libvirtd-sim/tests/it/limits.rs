//! How many calls the daemon serves at a time.

use libvirtd_sim::Settings;

use crate::raw::{NOWAIT, OK, Raw, Sim, about, stats, words};

#[tokio::test]
async fn with_five_requests_outstanding_a_connection_is_not_read() {
    let sim = Sim::with_domains(1);
    sim.commands(&["hold *"]);
    let mut client = sim.client().await;
    for _ in 0..4 {
        client.send(16, &about(1, &[])).await;
    }
    sim.until(|status| status.hanging == 4).await.unwrap();
    assert_eq!(client.call(59, &[]).await.status, OK);

    client.send(16, &about(1, &[])).await;
    sim.until(|status| status.hanging == 5).await.unwrap();
    client.send(59, &[]).await;
    // Another connection is none the worse.
    assert_eq!(sim.client().await.call(59, &[]).await.status, OK);
    assert!(client.is_silent().await);
    assert_eq!(sim.status().calls, 5);
    sim.commands(&["continue *"]);
    let mut procedures = Vec::new();
    for _ in 0..6 {
        procedures.push(client.packet().await.unwrap().procedure);
    }
    procedures.sort_unstable();
    assert_eq!(procedures, [16, 16, 16, 16, 16, 59]);
}

#[tokio::test]
async fn with_all_workers_hung_only_priority_calls_are_served() {
    let sim = Sim::with_domains(21);
    let numbers: Vec<u8> = (1..=20).collect();
    for number in &numbers {
        sim.command(&format!("stuck instance-{number:08x}")).unwrap();
    }
    let mut clients = Vec::new();
    for four in numbers.chunks(4) {
        let mut client = sim.client().await;
        for number in four {
            client.send(344, &stats(&[*number], 0x7ff, NOWAIT)).await;
        }
        clients.push(client);
    }
    sim.until(|status| status.hanging == 20).await.unwrap();

    let mut client = sim.client().await;
    client.send(344, &stats(&[21], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.waiting == 1).await.unwrap();
    // 59 and 273 have workers of their own; the well domain has to wait.
    assert_eq!(sim.client().await.call(59, &[]).await.status, OK);
    assert_eq!(sim.client().await.call(273, &words(&[1, 1])).await.status, OK);
    assert_eq!(sim.status().waiting, 1);
    sim.commands(&["continue instance-00000001"]);
    assert_eq!(client.packet().await.unwrap().procedure, 344);
}

#[tokio::test]
async fn priority_workers_are_limited_too() {
    let sim = Sim::start(Settings { workers: 1, priority_workers: 2, ..Settings::default() });
    sim.commands(&["hold instance-00000001"]);
    let mut clients = Vec::new();
    // They are served by all three.
    for _ in 0..3 {
        let mut client = sim.client().await;
        client.send(273, &words(&[1, 1])).await;
        clients.push(client);
        let hanging = clients.len();
        sim.until(|status| status.hanging == hanging).await.unwrap();
    }
    let mut client = Raw::connect(&sim.read_only_socket()).await;
    client.send(66, &[]).await;
    sim.until(|status| status.waiting == 1).await.unwrap();
    sim.commands(&["continue *"]);
    assert_eq!(client.packet().await.unwrap().status, OK);
}

#[tokio::test]
async fn replies_come_as_they_are_ready() {
    let sim = Sim::with_domains(2);
    sim.commands(&["hold instance-00000001"]);
    let mut client = sim.client().await;
    let slow = client.send(16, &about(1, &[])).await;
    let fast = client.send(16, &about(2, &[])).await;
    assert_eq!(client.packet().await.unwrap().serial, fast);
    sim.commands(&["continue *"]);
    assert_eq!(client.packet().await.unwrap().serial, slow);
}

#[tokio::test]
async fn a_call_takes_its_time_and_that_of_each_domain() {
    let sim = Sim::with_domains(3);
    sim.commands(&["latency 200ms"]);
    let mut client = sim.client().await;
    let stats = client.send(344, &stats(&[], 0x7ff, NOWAIT)).await;
    let hostname = client.send(59, &[]).await;
    assert_eq!(client.packet().await.unwrap().serial, hostname);
    assert_eq!(client.packet().await.unwrap().serial, stats);
}
