//! What concerns no domain: the host and its storage pools.

use super::*;

#[tokio::test]
async fn the_host() {
    let sim = Sim::with_domains(1);
    let mut client = sim.client().await;
    let info = ok(client.call(6, &[]).await);
    assert_eq!(info.len(), recorded("6-host").len());
    let info = decoded::<NodeGetInfo>(&info);
    assert_eq!(info.model, decoded::<NodeGetInfo>(&recorded("6-host")).model);
    let cpus = info.nodes * info.sockets * info.cores * info.threads;
    assert_eq!((info.cpus, cpus), (128, 128));

    for (procedure, name) in [(4, "4-qemu"), (157, "157-libvirt")] {
        assert_eq!(ok(client.call(procedure, &[]).await), recorded(name), "{name}");
    }
    let free = ok(client.call(102, &[]).await);
    assert_eq!(free.len(), recorded("102-host").len());
    let free = decoded::<NodeGetFreeMemory>(&free);
    let cells = |payload: &[u8]| decoded::<NodeGetCellsFreeMemory>(payload).0;
    assert_eq!(cells(&recorded("101-one-cell")).len(), 1);
    assert_eq!(cells(&ok(client.call(101, &words(&[0, 1])).await)), [free / 2]);
    assert_eq!(cells(&ok(client.call(101, &words(&[0, 9])).await)), [free / 2; 2]);
    assert_eq!(client.call(101, &words(&[2, 1])).await.code(), 1);
}

#[tokio::test]
async fn the_times_of_its_cpus_and_the_uses_of_its_memory() {
    let sim = Sim::with_domains(0);
    let mut client = sim.client().await;
    let every = u32::MAX;
    for (procedure, count, all, names) in [
        (227, [every, 0, 0], [every, 4, 0], ["227-count", "227-all-cpus"]),
        (228, [0, every, 0], [4, every, 0], ["228-count", "228-all-cells"]),
    ] {
        assert_eq!(ok(client.call(procedure, &words(&count)).await), recorded(names[0]));
        let read = |payload: &[u8]| {
            let stats = decoded::<NodeGetCpuStats>(payload);
            let names: Vec<_> = stats.fields.iter().map(|(name, _)| name.to_string()).collect();
            (names, stats.count, payload.len())
        };
        let reply = ok(client.call(procedure, &words(&all)).await);
        assert_eq!(read(&reply), read(&recorded(names[1])));
    }
    ok(client.call(227, &words(&[127, 4, 0])).await);
    // No such CPU, and another number of fields than there are.
    for arguments in [[128, 4, 0], [0, 3, 0]] {
        assert_eq!(client.call(227, &words(&arguments)).await.code(), 1);
    }
}

#[tokio::test]
async fn storage_pools() {
    let sim = Sim::with_domains(0);
    let mut client = sim.client().await;
    assert_eq!(ok(client.call(281, &words(&[1, 0])).await), recorded("281-none"));
    sim.commands(&["pool recorded running 270553174016 22048378880"]);
    let list = ok(client.call(281, &words(&[1, 0])).await);
    assert_eq!(list.len(), recorded("281-one-pool").len());
    let pool = decoded::<ConnectListAllStoragePools>(&list).0.remove(0);
    assert_eq!(pool.name, "recorded");
    let about = |uuid: [u8; 16]| [string("recorded"), uuid.to_vec()].concat();
    let info = ok(client.call(87, &about(pool.uuid.0)).await);
    assert_eq!(info, recorded("87-running-pool"));
    sim.commands(&["pool recorded inactive 270553174016 22048378880"]);
    let info = ok(client.call(87, &about(pool.uuid.0)).await);
    assert_eq!(info, recorded("87-inactive-pool"));
    assert_eq!(client.call(87, &about([0; 16])).await.code(), 49);
    sim.commands(&["pool recorded gone"]);
    assert_eq!(ok(client.call(281, &words(&[1, 0])).await), recorded("281-none"));
}
