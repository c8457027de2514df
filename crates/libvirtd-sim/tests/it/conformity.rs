//! The simulator's answers have the shape of those that a real libvirtd gave to the same calls.

use std::{collections::BTreeSet, fs, path::Path};

use libvirt_wire::{
    Call, TypedParam, Value,
    call::{ConnectGetAllDomainStats, ConnectListAllDomains, DomainGetInfo},
    xdr::{Decode, Reader},
};
use roxmltree::{Document, Node};

use crate::raw::{
    MESSAGE, NOWAIT, OK, Packet, Raw, Sim, about, cpu_stats, metadata, stats, word, words,
};

fn recorded(name: &str) -> Vec<u8> {
    let replies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../libvirt-wire/testdata/replies");
    fs::read(replies.join(format!("{name}.bin"))).unwrap()
}

fn ok(packet: Packet) -> Vec<u8> {
    assert_eq!(packet.status, OK, "{packet:?}");
    packet.payload
}

/// Fields with their types, each number in a field's name made N.
fn fields(params: &[TypedParam<'_>]) -> Vec<(String, &'static str)> {
    let field = |param: &TypedParam<'_>| {
        let parts = param.field.split('.');
        let parts = parts.map(|part| if part.parse::<u32>().is_ok() { "N" } else { part });
        let kind = match param.value {
            Value::Int(_) => "int",
            Value::UInt(_) => "uint",
            Value::LLong(_) => "llong",
            Value::ULLong(_) => "ullong",
            Value::Double(_) => "double",
            Value::Boolean(_) => "boolean",
            Value::String(_) => "string",
        };
        (parts.collect::<Vec<_>>().join("."), kind)
    };
    params.iter().map(field).collect()
}

fn stats_fields(payload: &[u8]) -> Vec<Vec<(String, &'static str)>> {
    // Nothing is left over: a byte less, and it is no reply.
    assert!(ConnectGetAllDomainStats::decode(&payload[..payload.len() - 1]).is_err());
    let reply = ConnectGetAllDomainStats::decode(payload).unwrap();
    reply.records.iter().map(|record| fields(&record.params)).collect()
}

#[tokio::test]
async fn what_needs_no_domain() {
    let sim = Sim::with_domains(0);
    let mut client = Raw::connect(&sim.read_only_socket()).await;
    assert_eq!(ok(client.call(66, &[]).await), recorded("66-none"));
    assert_eq!(ok(client.call(60, &words(&[10])).await), recorded("60-keepalive"));
    let mut client = sim.client().await;
    let hostname = ok(client.call(59, &[]).await);
    assert_eq!(word(&hostname, 0) as usize, "compute-sim".len());
    assert_eq!(recorded("59-hostname"), [0, 0, 0, 2, b'v', b'm', 0, 0]);
}

#[tokio::test]
async fn the_list() {
    let sim = Sim::with_domains(50);
    let list = ok(sim.client().await.call(273, &words(&[1, 1])).await);
    let recorded = recorded("273-fifty-domains");
    assert_eq!(list.len(), recorded.len());
    let (list, recorded) =
        (ConnectListAllDomains::decode(&list), ConnectListAllDomains::decode(&recorded));
    let identities = |it: libvirt_wire::call::Domains| -> BTreeSet<_> {
        it.0.into_iter().map(|domain| (domain.name, domain.uuid)).collect()
    };
    let (list, recorded) = (identities(list.unwrap()), identities(recorded.unwrap()));
    // One of the recorded ones had another number.
    assert!(list.intersection(&recorded).count() >= 49, "{list:?} {recorded:?}");
}

#[tokio::test]
async fn info_and_cpu_time() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let info = ok(client.call(16, &about(1, &[])).await);
    assert_eq!(info.len(), recorded("16-kernel-guest").len());
    assert_eq!(DomainGetInfo::decode(&info).unwrap().state, 1);

    let cpu_stats = ok(client.call(262, &cpu_stats(1)).await);
    let read = |payload: &[u8]| {
        let mut reader = Reader::new(payload);
        let count = i32::decode(&mut reader).unwrap();
        let params: Vec<_> = (0..count).map(|_| TypedParam::decode(&mut reader).unwrap()).collect();
        (fields(&params), i32::decode(&mut reader).unwrap(), payload.len())
    };
    assert_eq!(read(&cpu_stats), read(&recorded("262-kernel-guest")));
}

#[tokio::test]
async fn control_info() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    assert_eq!(ok(client.call(229, &about(1, &[0])).await), recorded("229-ok"));
    sim.commands(&["stuck *"]);
    // As of SIGSTOP: nobody has noticed it yet.
    assert_eq!(ok(client.call(229, &about(1, &[0])).await), recorded("229-ok"));
    client.send(344, &stats(&[1], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
    let occupied = ok(sim.client().await.call(229, &about(1, &[0])).await);
    assert_eq!(occupied.len(), recorded("229-occupied").len());
    assert_eq!(occupied[..12], recorded("229-occupied")[..12]);
}

#[tokio::test]
async fn statistics() {
    let sim = Sim::with_domains(2);
    let mut client = sim.client().await;
    let reply = ok(client.call(344, &stats(&[1], 0x7ff, NOWAIT)).await);
    assert_eq!(stats_fields(&reply), stats_fields(&recorded("344-all-groups")));
    assert_eq!(stats_fields(&reply), stats_fields(&recorded("344-kernel-guest")));

    let reply = ok(client.call(344, &stats(&[0xff], 0x7ff, NOWAIT)).await);
    assert_eq!(reply, recorded("344-no-such-domain"));

    sim.commands(&["balloon instance-00000002 off", "suspend instance-00000002"]);
    let reply = ok(client.call(344, &stats(&[2], 0x7ff, NOWAIT)).await);
    let firmware = recorded("344-paused-firmware-guest");
    assert_eq!(stats_fields(&reply), stats_fields(&firmware));
    let state = |payload: &[u8]| {
        let reply = ConnectGetAllDomainStats::decode(payload).unwrap();
        format!("{:?}", &reply.records[0].params[..2])
    };
    assert_eq!(state(&reply), state(&firmware));
}

#[tokio::test]
async fn statistics_of_a_stuck_guest() {
    let sim = Sim::with_domains(3);
    sim.commands(&["stuck instance-00000003", "detach instance-00000003 disk"]);
    let mut client = sim.client().await;
    client.send(344, &stats(&[3], 0x7ff, NOWAIT)).await;
    sim.until(|status| status.hanging == 1).await.unwrap();
    let reply = ok(sim.client().await.call(344, &stats(&[3], 0x7ff, NOWAIT)).await);
    // Instance 3 has two vCPUs: what is compared is the set of fields.
    let set = |payload: &[u8]| stats_fields(payload).into_iter().flatten().collect::<BTreeSet<_>>();
    assert_eq!(set(&reply), set(&recorded("344-stuck-guest")));
}

#[tokio::test]
async fn errors_are_the_same_to_the_byte() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let gone = about(0xff, &[0]);
    for (procedure, arguments, name) in [
        (14, gone, "error-14-no-such-domain"),
        (14, about(1, &[1]), "error-14-read-only"),
        (262, cpu_stats(0xff), "error-262-no-such-domain"),
        (9999, Vec::new(), "error-9999-unknown-procedure"),
    ] {
        let reply = client.call(procedure, &arguments).await;
        assert_eq!(reply.status, 1, "{name}");
        assert_eq!(reply.payload, recorded(name), "{name}");
    }
}

#[tokio::test]
async fn events_are_the_same_to_the_byte() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    for (event_id, procedure, command, name) in [
        (19, 354, "attach instance-00000001 disk", "354-device-added"),
        (15, 333, "detach instance-00000001 disk", "333-device-removed"),
        (23, 379, "metadata instance-00000001 name new", "379-metadata-change"),
    ] {
        let callback = ok(client.call(316, &words(&[event_id, 0])).await);
        sim.command(command).unwrap();
        let event = client.packet().await.unwrap();
        // The serial is 1, whatever libvirt's documentation says.
        let header = (event.procedure, event.kind, event.serial, event.status);
        assert_eq!(header, (procedure, MESSAGE, 1, OK));
        assert_eq!(event.payload[..4], callback);
        assert_eq!(event.payload[4..], recorded(name)[4..], "{name}");
    }
    ok(client.call(316, &words(&[0, 0])).await);
    for (command, name) in [("suspend *", "318-suspended"), ("resume *", "318-resumed")] {
        sim.command(command).unwrap();
        let event = client.packet().await.unwrap();
        let recorded = recorded(name);
        // Those were recorded of the test driver's domain.
        assert_eq!(event.payload[event.payload.len() - 8..], recorded[recorded.len() - 8..]);
    }
}

/// Every element, as its path and its attributes' names.
fn elements(xml: &[u8]) -> BTreeSet<String> {
    let text = String::decode(&mut Reader::new(xml)).unwrap();
    let document = Document::parse(&text).unwrap();
    let path = |node: Node<'_, '_>| {
        let mut names: Vec<_> =
            node.ancestors().filter(Node::is_element).map(|it| it.tag_name().name()).collect();
        names.reverse();
        let attributes: Vec<_> = node.attributes().map(|it| it.name()).collect();
        format!("{} {}", names.join("/"), attributes.join(" "))
    };
    document.descendants().filter(Node::is_element).map(path).collect()
}

#[tokio::test]
async fn metadata_has_the_same_elements() {
    let sim = Sim::with_domains(1);
    let reply = ok(sim.client().await.call(265, &metadata(1)).await);
    assert_eq!(elements(&reply), elements(&recorded("265-nova-1.1")));
}

#[tokio::test]
async fn xml_has_all_elements_but_those_of_a_test() {
    let sim = Sim::with_domains(1);
    let reply = elements(&ok(sim.client().await.call(14, &about(1, &[0])).await));
    let recorded = elements(&recorded("14-nova-guest"));
    let lacking: Vec<_> = recorded.difference(&reply).collect();
    // That guest booted a kernel of its own, and its CPU's features were all listed.
    assert_eq!(
        lacking,
        ["domain/os/cmdline ", "domain/os/initrd ", "domain/os/kernel "],
        "{lacking:?}"
    );
}
