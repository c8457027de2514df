//! What is said of the host and its storage pools is what virsh says.

use crate::{
    agreement::in_order, exporter::Exporter, fixture::new_dir, libvirtd::Libvirtd, scrape::Scrape,
};

#[test]
fn storage_pools_are_what_virsh_says_and_a_stopped_one_has_its_state_alone() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    assert!(exporter.scrape().samples("libvirt_storage_pool_state", &[]).is_empty());
    let virsh = libvirtd.virsh();
    for pool in ["first", "second \"one\""] {
        let dir = new_dir("pool");
        virsh.run(["pool-define-as", pool, "dir", "--target", dir.to_str().unwrap()]);
        virsh.run(["pool-start", pool]);
    }
    virsh.run(["pool-destroy", "first"]);
    let scrape = exporter.scrape();
    assert_eq!(scrape.value("libvirt_storage_pool_state", &[("storage_pool", "first")]), 0.0);
    assert_eq!(of_pool(&scrape, "first"), ["state", "timed_out"]);
    let pool = "second \"one\"";
    assert_eq!(
        of_pool(&scrape, pool),
        ["state", "capacity_bytes", "allocation_bytes", "available_bytes", "timed_out"]
    );
    let told = virsh.table(["pool-info", "--bytes", pool]);
    assert_eq!(told["State"], "running");
    let value =
        |family| scrape.value(&format!("libvirt_storage_pool_{family}"), &[("storage_pool", pool)]);
    assert_eq!((value("state"), value("timed_out")), (2.0, 0.0));
    for (family, field) in [
        ("capacity_bytes", "Capacity"),
        ("allocation_bytes", "Allocation"),
        ("available_bytes", "Available"),
    ] {
        assert_eq!(value(family).to_string(), told[field], "{family}");
    }
}

/// The families that say something of a pool.
fn of_pool<'s>(scrape: &'s Scrape, pool: &str) -> Vec<&'s str> {
    let names = scrape.families.iter().map(|family| &*family.name);
    let names = names.filter(|name| !scrape.samples(name, &[("storage_pool", pool)]).is_empty());
    names.filter_map(|name| name.strip_prefix("libvirt_storage_pool_")).collect()
}

#[test]
fn the_host_is_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::with(&libvirtd, &["--collector.node-detail"]);
    let virsh = libvirtd.virsh();
    let told = virsh.table(["nodeinfo"]);
    let cpus: u32 = told["CPU(s)"].parse().unwrap();
    let times = || {
        (0..cpus)
            .map(|cpu| virsh.table(["nodecpustats", "--cpu", &cpu.to_string()]))
            .collect::<Vec<_>>()
    };
    let before = times();
    let scrape = exporter.scrape();
    let after = times();

    assert!(scrape.get("libvirt_node_info", &[("model", &told["CPU model"])]).is_some());
    for (family, field) in [
        ("cpus", "CPU(s)"),
        ("numa_nodes", "NUMA cell(s)"),
        ("cpu_sockets", "CPU socket(s)"),
        ("cpu_cores", "Core(s) per socket"),
        ("cpu_threads", "Thread(s) per core"),
    ] {
        let value = scrape.value(&format!("libvirt_node_{family}"), &[]);
        assert_eq!(value.to_string(), told[field], "{family}");
    }
    let memory = scrape.value("libvirt_node_memory_bytes", &[]);
    assert_eq!(format!("{} KiB", memory / 1024.0), told["Memory size"]);
    let free = scrape.value("libvirt_node_memory_free_bytes", &[]);
    assert!((1.0..memory).contains(&free), "{free} of {memory} bytes are free");
    let hertz = scrape.get("libvirt_node_cpu_frequency_hertz", &[]);
    let told_hertz = told.get("CPU frequency").map(|mhz| mhz.replace(" MHz", "000000"));
    assert_eq!(hertz.map(|hertz| hertz.to_string()), told_hertz);

    for (cpu, (before, after)) in before.iter().zip(&after).enumerate() {
        for (mode, field) in [("user", "user"), ("kernel", "system"), ("idle", "idle")] {
            let labels = [("cpu", &*cpu.to_string()), ("mode", mode)];
            let value = (scrape.value("libvirt_node_cpu_seconds_total", &labels) * 1e9).round();
            let [before, after] = [before, after].map(|table| table[field].parse::<u64>().unwrap());
            assert!(in_order(before, value, after), "{labels:?}: {before} {value} {after}");
        }
    }
    let total = scrape.value("libvirt_node_memory_stats_bytes", &[("use", "total")]);
    assert_eq!(format!("{} KiB", total / 1024.0), virsh.table(["nodememstats"])["total"]);
    let cells = scrape.samples("libvirt_node_cell_memory_free_bytes", &[]);
    assert_eq!(cells.len().to_string(), told["NUMA cell(s)"]);
}
