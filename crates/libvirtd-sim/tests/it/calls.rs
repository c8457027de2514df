//! Calls and their answers, where all is well.

use std::collections::BTreeMap;

use libvirt_wire::{
    Call, Value,
    call::{ConnectGetAllDomainStats, ConnectListAllDomains, DomainGetInfo},
};

use crate::raw::{
    KEEPALIVE, MESSAGE, NOWAIT, OK, Raw, Sim, about, open_arguments, stats, string, word, words,
};

async fn fields(client: &mut Raw, number: u8) -> BTreeMap<String, Value<'static>> {
    let reply = client.call(344, &stats(&[number], 0, NOWAIT)).await;
    let reply = ConnectGetAllDomainStats::decode(&reply.payload).unwrap();
    let owned = |value: &Value<'_>| match value {
        Value::String(text) => Value::String(text.to_string().into()),
        value => Value::ULLong(value.unsigned().unwrap()),
    };
    let params = &reply.records[0].params;
    params.iter().map(|param| (param.field.to_string(), owned(&param.value))).collect()
}

#[tokio::test]
async fn counters_are_those_of_the_moment() {
    let sim = Sim::with_domains(3);
    let mut client = sim.client().await;
    // All of it ran from 0 on, but for the moments until the clock stood.
    sim.commands(&["clock 1000s", "destroy instance-00000003", "start instance-00000003"]);
    sim.commands(&["clock 1100s"]);
    let fields = fields(&mut client, 3).await;
    for (field, value) in [
        ("state.state", 1),
        // 5 + 3 * 37 mod 95 = 21 percent of two vCPUs, and one of QEMU itself.
        ("vcpu.0.time", 21_000_000_000),
        ("cpu.time", 43_000_000_000),
        ("cpu.user", 38_700_000_000),
        ("cpu.system", 4_300_000_000),
        ("net.0.rx.bytes", 400_000),
        ("net.0.tx.pkts", 400),
        ("block.1.rd.reqs", 5000),
        ("block.1.wr.bytes", 2500 * 4096),
        ("balloon.available", 4096 * 1024 / 16 * 15),
        ("balloon.usable", 4096 * 1024 / 16 * 15 * 40 / 100),
    ] {
        assert_eq!(fields[field], Value::ULLong(value), "{field}");
    }
    assert_eq!(fields["block.1.name"], Value::String("vdb".into()));
    assert_eq!(fields["net.0.name"], Value::String("tap00000003-00".into()));
    let info = client.call(16, &about(3, &[])).await;
    assert_eq!(DomainGetInfo::decode(&info.payload).unwrap().cpu_time.as_secs(), 43);
}

#[tokio::test]
async fn a_restart_of_a_domain_is_another_run() {
    let sim = Sim::with_domains(2);
    let mut client = sim.client().await;
    let list = async |client: &mut Raw| {
        let reply = client.call(273, &words(&[1, 1])).await;
        let domains = ConnectListAllDomains::decode(&reply.payload).unwrap().0;
        domains.into_iter().map(|domain| domain.id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(list(&mut client).await, [1, 2]);
    sim.commands(&["destroy instance-00000001"]);
    assert_eq!(list(&mut client).await, [2]);
    assert_eq!(client.call(229, &about(1, &[0])).await.code(), 55);
    assert_eq!(client.call(212, &about(1, &[0])).await.payload, words(&[5, 2]));
    sim.commands(&["start instance-00000001"]);
    assert_eq!(list(&mut client).await, [3, 2]);
}

#[tokio::test]
async fn a_start_and_an_end_tell_what_libvirtd_tells() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    assert_eq!(client.call(316, &words(&[0, 0])).await.status, OK);
    sim.commands(&["domains 2", "domains 1"]);
    let mut told = Vec::new();
    for _ in 0..6 {
        let payload = client.packet().await.unwrap().payload;
        let at = payload.len() - 12;
        told.push((
            word(&payload, at).cast_signed(),
            word(&payload, at + 4),
            word(&payload, at + 8),
        ));
    }
    // The id, virDomainEventType and its detail.
    let expected = [(-1, 0, 0), (2, 4, 0), (2, 2, 0), (2, 6, 2), (-1, 5, 1), (-1, 1, 0)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn an_event_comes_before_what_is_answered_after_it() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    client.call(316, &words(&[23, 0])).await;
    for round in 0..50 {
        sim.command(&format!("metadata instance-00000001 name round {round}")).unwrap();
        client.send(59, &[]).await;
        assert_eq!(client.packet().await.unwrap().procedure, 379);
        assert_eq!(client.packet().await.unwrap().procedure, 59);
    }
}

#[tokio::test]
async fn events_can_be_of_one_domain_and_be_done_without() {
    let sim = Sim::with_domains(2);
    let mut client = sim.client().await;
    let only = [words(&[0, 1]), crate::raw::domain(2)].concat();
    let callback = client.call(316, &only).await.payload;
    sim.commands(&["suspend *"]);
    assert!(
        client.packet().await.unwrap().payload.windows(17).any(|it| it == b"instance-00000002")
    );
    assert_eq!(client.call(317, &callback).await.status, OK);
    assert_eq!(client.call(317, &callback).await.code(), 1);
    sim.commands(&["resume *"]);
    client.send(59, &[]).await;
    assert_eq!(client.packet().await.unwrap().procedure, 59);
    assert_eq!(client.call(316, &words(&[27, 0])).await.code(), 1);
}

#[tokio::test]
async fn what_a_tenant_typed_arrives_as_it_was_typed() {
    let sim = Sim::with_domains(1);
    sim.commands(&["metadata instance-00000001 project a <b> & \"c\"\\nd"]);
    let reply = sim.client().await.call(14, &about(1, &[0])).await;
    let text = String::from_utf8(reply.payload[4..].to_vec()).unwrap();
    assert!(text.contains(">a &lt;b&gt; &amp; \"c\"\nd</nova:project>"), "{text}");
}

#[tokio::test]
async fn a_connection_that_is_not_open_gets_nothing() {
    let sim = Sim::with_domains(1);
    let mut client = Raw::connect(&sim.read_only_socket()).await;
    assert_eq!(client.call(59, &[]).await.code(), 1);
    assert_eq!(client.call(1, &open_arguments("xen:///system")).await.code(), 5);
    assert_eq!(client.call(1, &words(&[0, 0])).await.code(), 1);
    assert_eq!(client.call(1, &open_arguments("")).await.status, OK);
    assert_eq!(client.call(59, &[]).await.status, OK);
    assert_eq!(client.call(14, &[0, 0]).await.code(), 39);
    client.send_packet(0x1111_1111, 1, 0, 9, &[]).await;
    assert_eq!(client.packet().await.unwrap().code(), 39);
    assert_eq!(client.call(2, &[]).await.status, OK);
    assert_eq!(client.rest().await, []);
}

#[tokio::test]
async fn polkit_must_be_asked_where_it_is() {
    let sim = Sim::with_domains(1);
    sim.commands(&["auth polkit"]);
    let mut client = Raw::connect(&sim.read_only_socket()).await;
    assert_eq!(client.call(66, &[]).await.payload, words(&[1, 2]));
    assert_eq!(client.call(1, &open_arguments("qemu:///system")).await.code(), 39);
    assert_eq!(client.call(70, &[]).await.payload, words(&[1]));
    assert_eq!(client.call(1, &open_arguments("qemu:///system")).await.status, OK);
}

#[tokio::test]
async fn nobody_changes_anything_here() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    for procedure in [9, 12, 34, 308, 418, 427] {
        assert_eq!(client.call(procedure, &about(1, &[0, 0])).await.code(), 29);
    }
    let mut client = Raw::open(sim.socket()).await;
    assert_eq!(client.call(12, &about(1, &[])).await.code(), 3);
    assert_eq!(client.call(14, &about(1, &[1])).await.status, OK);
}

#[tokio::test]
async fn lookups_and_host_questions() {
    let sim = Sim::with_domains(2);
    let mut client = sim.client().await;
    let found = client.call(23, &string("instance-00000002")).await.payload;
    assert_eq!(client.call(22, &words(&[2])).await.payload, found);
    assert_eq!(client.call(24, &found[24..40]).await.payload, found);
    assert_eq!(client.call(22, &words(&[9])).await.code(), 42);
    assert_eq!(client.call(6, &[]).await.payload.len(), 160);
    assert_eq!(client.call(157, &[]).await.payload, words(&[0, 9_000_000]));
    assert_eq!(client.call(344, &stats(&[1], 1 << 20, 1 << 31)).await.code(), 74);
}

#[tokio::test]
async fn pings_are_answered_and_sent_once_they_are_asked_for() {
    let sim = Sim::start(libvirtd_sim::Settings {
        keepalive_interval: std::time::Duration::from_millis(50),
        keepalive_count: 2,
        ..Default::default()
    });
    let mut client = sim.client().await;
    client.send_packet(KEEPALIVE, 1, MESSAGE, 0, &[]).await;
    let pong = client.packet().await.unwrap();
    assert_eq!((pong.program, pong.procedure, pong.serial), (KEEPALIVE, 2, 0));
    assert!(client.is_silent().await);
    client.call(60, &words(&[10])).await;
    for _ in 0..2 {
        let ping = client.packet().await.unwrap();
        assert_eq!((ping.program, ping.procedure), (KEEPALIVE, 1));
    }
    assert_eq!(client.packet().await, None);
}

#[tokio::test]
async fn ten_thousand_domains_fit_one_reply() {
    let sim = Sim::with_domains(10_000);
    let reply = sim.client().await.call(344, &stats(&[], 0x7ff, NOWAIT)).await;
    let reply = ConnectGetAllDomainStats::decode(&reply.payload).unwrap();
    assert_eq!(reply.records.len(), 10_000);
}
