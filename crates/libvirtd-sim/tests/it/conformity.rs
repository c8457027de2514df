//! The simulator's answers have the shape of those that a real libvirtd gave to the same calls.

use std::{collections::BTreeSet, fs, path::Path};

use libvirt_wire::{
    Call, Event, EventKind, TypedParam, Value,
    call::{
        ConnectGetAllDomainStats, ConnectListAllDomains, ConnectListAllStoragePools, DomainGetInfo,
        DomainGetJobStats, DomainGetVcpus, NodeGetCellsFreeMemory, NodeGetCpuStats,
        NodeGetFreeMemory, NodeGetInfo,
    },
    xdr::{Decode, Reader},
};
use roxmltree::{Document, Node};

use crate::raw::{
    MESSAGE, NOWAIT, OK, Packet, Raw, Sim, about, cpu_stats, metadata, stats, string, word, words,
};

mod host;

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

/// What a reply decodes to, once it is known that nothing is left over.
fn decoded<'a, C: Call>(payload: &'a [u8]) -> C::Reply<'a> {
    assert!(C::decode(&payload[..payload.len() - 1]).is_err(), "something is left over");
    C::decode(payload).unwrap()
}

#[tokio::test]
async fn jobs() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    assert_eq!(ok(client.call(298, &about(1, &[0])).await), recorded("298-no-job"));
    assert_eq!(ok(client.call(298, &about(1, &[3])).await), recorded("298-no-completed-job"));
    let read = |payload: &[u8]| {
        let stats = decoded::<DomainGetJobStats<'_>>(payload);
        (stats.job_type, fields(&stats.params))
    };
    sim.commands(&["clock 10s", "migrate *", "clock 11s"]);
    let running = ok(client.call(298, &about(1, &[0])).await);
    assert_eq!(read(&running), read(&recorded("298-running-dump")));
    let done = |payload: &[u8]| {
        let stats = decoded::<DomainGetJobStats<'_>>(payload);
        let done = stats.params.iter().find(|param| param.field == "data_processed").unwrap();
        done.value.unsigned()
    };
    assert_eq!(done(&running), Some(100_000_000));
    sim.commands(&["clock 12s"]);
    assert_eq!(done(&ok(client.call(298, &about(1, &[0])).await)), Some(200_000_000));
    // It has begun to migrate, and nothing keeps others from its monitor.
    let control = ok(client.call(229, &about(1, &[0])).await);
    assert_eq!(word(&control, 0), 1);
    ok(client.call(344, &stats(&[1], 0x7ff, NOWAIT)).await);

    ok(client.call(316, &words(&[21, 0])).await);
    ok(client.call(316, &words(&[0, 0])).await);
    sim.commands(&["migrate * end"]);
    let mut events = Vec::new();
    for _ in 0..4 {
        events.push(client.packet().await.unwrap());
    }
    let completed = events.iter().find(|event| event.procedure == 363).unwrap();
    let read = |payload: &[u8]| match Event::decode(363, payload).unwrap().unwrap().kind {
        EventKind::JobCompleted { params } => fields(&params),
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&completed.payload), read(&recorded("363-dump")));
    let kept = recorded("298-completed-dump");
    let kept = decoded::<DomainGetJobStats<'_>>(&kept);
    assert_eq!(read(&completed.payload), fields(&kept.params));
    // Suspended, stopped, undefined, each with its detail.
    let lifecycle = events.iter().filter(|event| event.procedure == 318);
    let lifecycle: Vec<_> = lifecycle
        .map(|event| {
            let end = event.payload.len();
            (word(&event.payload, end - 8), word(&event.payload, end - 4))
        })
        .collect();
    assert_eq!(lifecycle, [(3, 1), (5, 3), (1, 0)]);
    assert_eq!(client.call(298, &about(1, &[0])).await.code(), 42);
}

#[tokio::test]
async fn a_job_that_was_aborted_and_that_of_a_domain_that_is_shut_off() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    sim.commands(&["migrate *", "migrate * abort"]);
    assert_eq!(ok(client.call(298, &about(1, &[0])).await), recorded("298-no-job"));
    sim.commands(&["destroy *"]);
    assert_eq!(client.call(298, &about(1, &[0])).await.code(), 55);
}

#[tokio::test]
async fn vcpus_one_by_one() {
    let sim = Sim::with_domains(3);
    let mut client = sim.client().await;
    let vcpus = ok(client.call(20, &about(3, &[16, 0])).await);
    assert_eq!(vcpus.len(), recorded("20-two-vcpus").len());
    let read = |payload: &[u8]| {
        let vcpus = decoded::<DomainGetVcpus<'_>>(payload).0;
        vcpus.into_iter().map(|vcpu| (vcpu.number, vcpu.state)).collect::<Vec<_>>()
    };
    assert_eq!(read(&vcpus), read(&recorded("20-two-vcpus")));
}

#[tokio::test]
async fn a_domain_that_is_shut_off() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let callback = ok(client.call(316, &words(&[0, 0])).await);
    sim.commands(&["define 2", "define 2"]);
    // Once, and then the next thing.
    sim.commands(&["start instance-00000002", "destroy instance-00000002"]);
    let mut events = Vec::new();
    for _ in 0..5 {
        let payload = client.packet().await.unwrap().payload;
        assert_eq!(payload[..4], callback);
        events.push(word(&payload, payload.len() - 8));
    }
    assert_eq!(events, [0, 4, 2, 6, 5]);
    let list = ok(client.call(273, &words(&[1, 0])).await);
    let ids: Vec<_> = ConnectListAllDomains::decode(&list).unwrap().0;
    assert_eq!(ids.iter().map(|it| it.id).collect::<Vec<_>>(), [Some(1), None]);
    assert_eq!(ok(client.call(212, &about(2, &[0])).await), words(&[5, 2]));
    assert_eq!(ok(client.call(212, &about(1, &[0])).await), words(&[1, 1]));
    let nova = elements(&ok(client.call(265, &metadata(2)).await));
    assert_eq!(nova, elements(&ok(client.call(265, &metadata(1)).await)));
    // What libvirt gives a domain at its start is not there.
    let running = elements(&ok(client.call(14, &about(1, &[0])).await));
    let defined = elements(&ok(client.call(14, &about(2, &[0])).await));
    let lacking: Vec<_> = running.difference(&defined).collect();
    assert!(
        lacking.iter().all(|it| it.contains("alias")
            || *it == "domain type id"
            || *it == "domain/devices/interface/target dev"),
        "{lacking:?}"
    );
    assert!(lacking.len() > 3, "{lacking:?}");
    for (procedure, arguments) in
        [(262, cpu_stats(2)), (229, about(2, &[0])), (20, about(2, &[1, 0]))]
    {
        assert_eq!(client.call(procedure, &arguments).await.code(), 55, "{procedure}");
    }
    sim.commands(&["undefine *"]);
    assert_eq!(client.call(212, &about(2, &[0])).await.code(), 42);
    ok(client.call(212, &about(1, &[0])).await);
}

#[tokio::test]
async fn what_happens_to_guests_is_the_same_to_the_byte() {
    let sim = Sim::with_domains(3);
    let mut client = sim.client().await;
    for (event_id, procedure, command, name) in [
        (1, 319, "reboot instance-00000001", "319-reset"),
        (3, 321, "watchdog instance-00000003", "321-watchdog"),
        (20, 359, "migrate instance-00000001", "359-first-pass"),
        (6, 324, "io-error instance-00000002", "324-disk-full"),
    ] {
        let callback = ok(client.call(316, &words(&[event_id, 0])).await);
        sim.command(command).unwrap();
        let event = client.packet().await.unwrap();
        assert_eq!((event.procedure, event.kind), (procedure, MESSAGE), "{name}");
        assert_eq!(event.payload[..4], callback);
        let (mine, recorded) = (Event::decode(procedure, &event.payload), recorded(name));
        if procedure != 324 {
            assert_eq!(event.payload[4..], recorded[4..], "{name}");
            continue;
        }
        // Its file was somewhere else, and it had been started more often.
        let mine = mine.unwrap().unwrap().kind;
        let mut other = Event::decode(procedure, &recorded).unwrap().unwrap().kind;
        if let (EventKind::IoError { path, .. }, EventKind::IoError { path: other, .. }) =
            (&mine, &mut other)
        {
            other.clone_from(path);
        }
        assert_eq!(mine, other);
    }
    // Paused for want of room.
    assert_eq!(ok(client.call(212, &about(2, &[0])).await), words(&[3, 5]));
    sim.commands(&["resume instance-00000002"]);
    assert_eq!(ok(client.call(212, &about(2, &[0])).await), words(&[1, 5]));
}

#[tokio::test]
async fn what_was_ordered_of_a_domain_and_nothing_else_is_other() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let before = ok(client.call(344, &stats(&[1], 0x7ff, NOWAIT)).await);
    sim.commands(&[
        "clock 0s",
        "field * block.0.new.thing 7",
        "field * net.count 3",
        "field * net.0.name -",
        "field * block.0.name vdz",
        "rename * other",
        "xml * <name>other <name>third",
    ]);
    let after = ok(client.call(344, &stats(&[1], 0x7ff, NOWAIT)).await);
    let set = |payload: &[u8]| stats_fields(payload).remove(0).into_iter().collect::<BTreeSet<_>>();
    let (before, new) = (set(&before), set(&after));
    let other: Vec<_> = before.symmetric_difference(&new).cloned().collect();
    let fields = [("block.N.new.thing", "ullong"), ("net.N.name", "string")];
    assert_eq!(other, fields.map(|(field, kind)| (field.to_owned(), kind)));
    let reply = ConnectGetAllDomainStats::decode(&after).unwrap();
    assert_eq!(reply.records[0].domain.name, "other");
    let value = |field: &str| {
        let params = &reply.records[0].params;
        params.iter().find(|param| param.field == field).unwrap().value.clone()
    };
    assert_eq!(value("net.count"), Value::UInt(3));
    assert_eq!(value("block.0.name"), Value::String("vdz".into()));
    let xml = ok(client.call(14, &about(1, &[0])).await);
    assert!(String::decode(&mut Reader::new(&xml)).unwrap().contains("<name>third</name>"));
    // It has its old name, too.
    sim.commands(&["suspend instance-00000001", "resume other"]);
}

#[tokio::test]
async fn what_is_asked_is_counted() {
    let sim = Sim::with_domains(3);
    sim.commands(&["pool fast running 10 1"]);
    let mut client = sim.client().await;
    ok(client.call(344, &stats(&[1, 3], 0x21, NOWAIT)).await);
    ok(client.call(344, &stats(&[3], 0x2, NOWAIT)).await);
    ok(client.call(229, &about(3, &[0])).await);
    assert_eq!(sim.calls_of(344), 2);
    assert_eq!(sim.calls_about(3), [(229, 1), (344, 2)].into());
    assert_eq!(sim.calls_about(2), [].into());
    assert_eq!(sim.groups(), 0x23);
    let list = ok(client.call(281, &words(&[1, 0])).await);
    let pool = decoded::<ConnectListAllStoragePools>(&list).0.remove(0);
    ok(client.call(87, &[string("fast"), pool.uuid.0.to_vec()].concat()).await);
    assert_eq!(sim.calls_about_pool("fast"), 1);
    // A fault may strike one pool alone.
    sim.commands(&["pool slow running 10 1", "fault 87 slow error 38"]);
    ok(client.call(87, &[string("fast"), pool.uuid.0.to_vec()].concat()).await);
    assert_eq!(client.call(87, &[string("slow"), vec![0; 16]].concat()).await.code(), 38);
}
