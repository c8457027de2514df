//! The daemon goes, comes back, or stands still.

use std::io::ErrorKind;

use tokio::net::UnixStream;

use crate::raw::{NOWAIT, OK, Raw, Sim, about, stats, words};

#[tokio::test]
async fn a_restart_ends_connections_and_no_domain() {
    let sim = Sim::with_domains(2);
    sim.commands(&["clock 60s", "stuck instance-00000001"]);
    let mut client = sim.client().await;
    let before = client.call(344, &stats(&[2], 0x7ff, NOWAIT)).await;
    client.send(344, &stats(&[1], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
    sim.commands(&["restart"]);
    assert_eq!(client.rest().await, []);
    assert_eq!((sim.status().hanging, sim.status().calls, sim.status().connections), (0, 0, 0));
    let mut client = sim.client().await;
    let after = client.call(344, &stats(&[2], 0x7ff, NOWAIT)).await;
    assert_eq!(before.payload, after.payload);
    // The guest is still stuck, and nobody has noticed it yet.
    client.send(344, &stats(&[1], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
}

#[tokio::test]
async fn a_restarted_daemon_has_forgotten_who_asked_for_events() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let callback = client.call(316, &words(&[0, 0])).await.payload;
    sim.commands(&["freeze", "restart"]);
    let mut client = sim.client().await;
    assert_eq!(client.call(316, &words(&[0, 0])).await.payload, callback);
    sim.commands(&["suspend *"]);
    assert_eq!(client.packet().await.unwrap().procedure, 318);
    client.send(59, &[]).await;
    assert_eq!(client.packet().await.unwrap().procedure, 59);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_reply() {
    let sim = Sim::with_domains(5);
    sim.commands(&["fault 344 * restart 1000 times 1"]);
    let (mut client, mut other) = (sim.client().await, sim.client().await);
    client.send(344, &stats(&[], 0x7ff, NOWAIT)).await;
    assert_eq!(client.rest().await.len(), 1000);
    // The others end as well.
    assert_eq!(other.rest().await, []);
    sim.until(|status| status.connections == 0).await.unwrap();
    // A command is obeyed after the restart.
    sim.commands(&["clear"]);
    assert_eq!(sim.client().await.call(16, &about(1, &[])).await.status, OK);
}

#[tokio::test]
async fn a_daemon_that_is_down_leaves_its_sockets_or_takes_them_along() {
    let sim = Sim::with_domains(1);
    for (command, expected) in
        [("down", ErrorKind::NotFound), ("down stale", ErrorKind::ConnectionRefused)]
    {
        let mut client = sim.client().await;
        sim.commands(&[command]);
        assert_eq!(client.rest().await, []);
        let refused = UnixStream::connect(sim.read_only_socket()).await.unwrap_err();
        assert_eq!(refused.kind(), expected, "{command}");
        sim.commands(&["up"]);
        assert_eq!(sim.client().await.call(59, &[]).await.status, OK);
    }
}

#[tokio::test]
async fn a_frozen_daemon_accepts_and_says_nothing_until_it_is_thawed() {
    let sim = Sim::with_domains(1);
    let mut old = sim.client().await;
    sim.commands(&["freeze"]);
    let mut new = Raw::connect(&sim.read_only_socket()).await;
    let new_serial = new.send(66, &[]).await;
    let old_serial = old.send(59, &[]).await;
    assert!(old.is_silent().await && new.is_silent().await);
    sim.commands(&["thaw"]);
    assert_eq!(old.packet().await.unwrap().serial, old_serial);
    assert_eq!(new.packet().await.unwrap().serial, new_serial);
}
