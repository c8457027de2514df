//! What an operator types.

use std::process::Command;

use libvirtd_sim::{Settings, Simulator};

const DOMAIN: &str = "instance-00000001";
const NOVA: &str = "http://openstack.org/xmlns/libvirt/nova/1.1";

/// Runs virsh on the read-only socket of a simulator with three domains.
fn virsh(simulator: &Simulator, arguments: &[&str]) -> String {
    let uri = format!("qemu:///system?socket={}", simulator.read_only_socket().display());
    // A simulator that hangs must not hang the tests.
    let mut virsh = Command::new("timeout");
    virsh.args(["30", "virsh", "-q", "-r", "-c", &uri]).args(arguments);
    let output = virsh.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn virsh_takes_the_simulator_for_libvirtd() {
    let dir = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&dir.path().join("sock"), Settings::default()).unwrap();
    simulator.command("clock 100s").unwrap();
    simulator.command("suspend instance-00000002").unwrap();
    for (arguments, expected) in [
        (&["list"][..], &["1   instance-00000001   running", "2   instance-00000002   paused"][..]),
        (&["list", "--all"], &["instance-00000003"]),
        (&["domstats"], &["Domain: 'instance-00000003'", "block.1.name=vdb", "vcpu.1.time="]),
        (&["domstats", "--nowait", "--cpu-total", DOMAIN], &["cpu.haltpoll.fail.time=0"]),
        (&["dumpxml", DOMAIN], &["<nova:name>testing-1</nova:name>", "tap00000001-00"]),
        (&["domcontrol", DOMAIN], &["ok"]),
        (&["cpu-stats", "--total", DOMAIN], &["cpu_time", "user_time", "system_time"]),
        (&["metadata", DOMAIN, NOVA], &["<name>testing-1</name>"]),
        (&["dominfo", DOMAIN], &["Max memory:     524288 KiB"]),
        (&["domstate", "--reason", "2"], &["paused (user)"]),
        (&["hostname"], &["compute-sim"]),
        (&["version"], &["QEMU 7.2.22"]),
        (&["nodeinfo"], &["CPU(s):              128"]),
    ] {
        let printed = virsh(&simulator, arguments);
        for text in expected {
            assert!(printed.contains(text), "{arguments:?}: {printed}");
        }
    }
}
