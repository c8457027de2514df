//! Each fault is what was ordered, as a client sees it.

use libvirt_wire::{
    Call,
    call::{ConnectGetAllDomainStats, ConnectListAllDomains, DomainGetCpuStats},
};

use crate::raw::{
    KEEPALIVE, MESSAGE, NOWAIT, OK, Raw, Sim, about, cpu_stats, open_arguments, stats, string,
    word, words,
};

/// A whole packet that answers 59, but for its serial.
fn hostname(serial: u32) -> Vec<u8> {
    let payload = string("compute-sim");
    let len = u32::try_from(28 + payload.len()).unwrap();
    [words(&[len, crate::raw::REMOTE, 1, 59, 1, serial, 0]), payload].concat()
}

#[tokio::test]
async fn a_call_is_never_answered_and_keeps_its_worker() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault 59 * never times 1"]);
    let mut client = sim.client().await;
    client.send(59, &[]).await;
    let later = client.send(59, &[]).await;
    assert_eq!(client.packet().await.unwrap().serial, later);
    sim.until(|status| status.calls == 1).await.unwrap();
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn an_answer_is_late() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault 59 * late 500ms times 1"]);
    let mut client = sim.client().await;
    let late = client.send(59, &[]).await;
    let prompt = client.send(110, &[]).await;
    assert_eq!(client.packet().await.unwrap().serial, prompt);
    assert_eq!(client.packet().await.unwrap().serial, late);
}

#[tokio::test]
async fn answers_come_out_of_order() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault 59 * after 2 times 1"]);
    let mut client = sim.client().await;
    let mut sent = Vec::new();
    for procedure in [59, 110, 3] {
        sent.push(client.send(procedure, &[]).await);
    }
    let mut came = Vec::new();
    for _ in 0..3 {
        came.push(client.packet().await.unwrap().serial);
    }
    assert_eq!(came, [sent[1], sent[2], sent[0]]);
}

#[tokio::test]
async fn errors_of_any_code_by_domain_and_procedure() {
    let sim = Sim::with_domains(2);
    let mut client = sim.client().await;
    for code in [38, 39, 42, 55, 68, 88, 1, 86] {
        sim.command(&format!("fault 16 instance-00000002 error {code} times 1")).unwrap();
        assert_eq!(client.call(16, &about(1, &[])).await.status, OK);
        assert_eq!(client.call(14, &about(2, &[0])).await.status, OK);
        assert_eq!(client.call(16, &about(2, &[])).await.code(), code);
        assert_eq!(client.call(16, &about(2, &[])).await.status, OK);
    }
    sim.commands(&["fault 344 instance-00000002 error 68 a text of mine times 1"]);
    assert_eq!(client.call(344, &stats(&[1], 1, NOWAIT)).await.status, OK);
    // A call about all is about this one too.
    let refused = client.call(344, &stats(&[], 1, NOWAIT)).await;
    assert_eq!(refused.code(), 68);
    assert!(refused.payload.windows(14).any(|text| text == b"a text of mine"));
}

#[tokio::test]
async fn a_reply_is_cut_at_any_byte() {
    let sim = Sim::with_domains(1);
    let whole = hostname(3);
    for cut in [0, 1, 4, 27, 28, 40, whole.len()] {
        sim.command(&format!("fault 59 * cut {cut} times 1")).unwrap();
        let mut client = sim.client().await;
        client.send(59, &[]).await;
        assert_eq!(client.rest().await, whole[..cut]);
    }
}

#[tokio::test]
async fn words_of_a_reply_are_wrong() {
    let sim = Sim::with_domains(1);
    for (fault, at, value) in [
        ("length 0", 0, 0),
        ("length 27", 0, 27),
        ("length 4294967295", 0, u32::MAX),
        ("program 7", 4, 7),
        ("procedure 60", 12, 60),
        ("type 9", 16, 9),
        ("serial 12345", 20, 12345),
        ("status 2", 24, 2),
        ("count 4294967295", 28, u32::MAX),
        ("word 40 4294967295", 40, u32::MAX),
    ] {
        sim.command(&format!("fault 59 * {fault} times 1")).unwrap();
        let mut client = sim.client().await;
        client.send(59, &[]).await;
        let mut expected = hostname(3);
        expected[at..at + 4].copy_from_slice(&value.to_be_bytes());
        assert_eq!(client.bytes(expected.len()).await.unwrap(), expected, "{fault}");
    }
}

#[tokio::test]
async fn names_are_not_utf8() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault * * utf8"]);
    let mut client = sim.client().await;
    let list = client.call(273, &words(&[1, 1])).await.payload;
    let name = ConnectListAllDomains::decode(&list).unwrap().0.remove(0).name;
    assert_eq!(name, "\u{fffd}nstance-00000001");
    let reply = client.call(344, &stats(&[1], 0, NOWAIT)).await.payload;
    let reply = ConnectGetAllDomainStats::decode(&reply).unwrap();
    let text = format!("{:?}", reply.records[0].params);
    assert!(text.contains("\u{fffd}ap00000001-00"), "{text}");
    assert!(text.contains("\u{fffd}var/lib/nova"), "{text}");
}

#[tokio::test]
async fn a_typed_parameter_has_an_unknown_type() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault * * value-type 8"]);
    let mut client = sim.client().await;
    let error = "typed parameter type has the unknown value 8";
    let reply = client.call(344, &stats(&[1], 0, NOWAIT)).await.payload;
    assert_eq!(ConnectGetAllDomainStats::decode(&reply).unwrap_err().to_string(), error);
    let reply = client.call(262, &cpu_stats(1)).await.payload;
    assert_eq!(DomainGetCpuStats::decode(&reply).unwrap_err().to_string(), error);
}

#[tokio::test]
async fn a_reply_comes_twice_or_behind_a_stray_one() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault 59 * twice times 1", "fault 110 * stray times 1"]);
    let mut client = sim.client().await;
    let serial = client.send(59, &[]).await;
    assert_eq!(client.packet().await.unwrap().serial, serial);
    assert_eq!(client.packet().await.unwrap().serial, serial);
    let serial = client.send(110, &[]).await;
    assert_eq!(client.packet().await.unwrap().serial, u32::MAX);
    assert_eq!(client.packet().await.unwrap().serial, serial);
}

#[tokio::test]
async fn the_longest_reply_comes_in_pieces() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault 59 * pad 33554436", "fault 59 * pieces 4096"]);
    let reply = sim.client().await.call(59, &[]).await;
    assert_eq!(reply.payload.len(), 33_554_432 - 24);
    assert_eq!(reply.payload[..16], string("compute-sim"));
}

#[tokio::test]
async fn a_reply_comes_byte_by_byte() {
    let sim = Sim::with_domains(50);
    sim.commands(&["fault 344 * pieces 1"]);
    let reply = sim.client().await.call(344, &stats(&[], 0x7ff, NOWAIT)).await;
    assert_eq!(ConnectGetAllDomainStats::decode(&reply.payload).unwrap().records.len(), 50);
}

#[tokio::test]
async fn the_connection_closes_at_each_step_of_the_handshake() {
    let sim = Sim::with_domains(1);
    let open = open_arguments("qemu:///system");
    let steps = [(66, Vec::new()), (60, words(&[10])), (1, open), (59, Vec::new())];
    for closes_at in ["accept", "66", "60", "1", "59"] {
        sim.command(&format!("fault {closes_at} * cut 0 times 1")).unwrap();
        let mut client = Raw::connect(&sim.read_only_socket()).await;
        if closes_at == "accept" {
            assert_eq!(client.rest().await, []);
            continue;
        }
        for (procedure, arguments) in &steps {
            client.send(*procedure, arguments).await;
            if procedure.to_string() == closes_at {
                assert_eq!(client.packet().await, None, "{closes_at}");
                break;
            }
            assert_eq!(client.packet().await.unwrap().status, OK);
        }
    }
}

#[tokio::test]
async fn silence_after_accept_or_from_a_call_on() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault accept * silence times 1"]);
    let mut client = Raw::connect(&sim.read_only_socket()).await;
    client.send(66, &[]).await;
    assert!(client.is_silent().await);
    sim.commands(&["fault 59 * silence times 1"]);
    let mut client = sim.client().await;
    client.send(59, &[]).await;
    client.send(110, &[]).await;
    assert!(client.is_silent().await);
    // Only this connection is.
    assert_eq!(sim.client().await.call(59, &[]).await.status, OK);
}

#[tokio::test]
async fn a_ping_is_not_answered() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault ping * never times 1"]);
    let mut client = sim.client().await;
    for _ in 0..2 {
        client.send_packet(KEEPALIVE, 1, MESSAGE, 0, &[]).await;
    }
    assert_eq!(client.packet().await.unwrap().procedure, 2);
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn events_come_in_floods_and_of_unknown_kinds() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    client.call(316, &words(&[0, 0])).await;
    sim.commands(&["flood 10000", "message 9999"]);
    for round in 0..10_000 {
        let event = client.packet().await.unwrap();
        let at = event.payload.len() - 8;
        assert_eq!(word(&event.payload, at), 3 + round % 2);
    }
    let event = client.packet().await.unwrap();
    assert_eq!((event.procedure, event.kind, event.payload.len()), (9999, MESSAGE, 0));
}

#[tokio::test]
async fn faults_are_forgotten_on_command() {
    let sim = Sim::with_domains(1);
    sim.commands(&["fault * * error 1", "clear"]);
    assert_eq!(sim.client().await.call(59, &[]).await.status, OK);
}
