//! Who may ask libvirtd, and daemons without a guest.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Child};

use crate::{
    exporter::Exporter,
    fixture::new_dir,
    libvirtd::Libvirtd,
    process::command_as_nobody,
    wait::{PATIENCE, wait_until},
};

#[test]
fn the_test_driver_of_a_users_own_libvirtd_has_its_one_domain() {
    let session = Session::start();
    let uri = format!("test:///default?socket={}", session.socket.display());
    let exporter = Exporter::at(&uri).connected();
    let scrape = exporter.scrape();
    assert!(scrape.up());
    assert_eq!(scrape.instances().into_keys().collect::<Vec<_>>(), ["test"]);
    let name = [("libvirtname", "test")];
    assert_eq!(scrape.value("libvirt_nova_instance_vcpu_count", &name), 2.0);
    let state = [("domain", "test"), ("state", "running")];
    assert_eq!(scrape.value("libvirt_domain_state", &state), 1.0);
}

#[test]
fn polkit_lets_root_and_everybody_else_read() {
    let libvirtd = Libvirtd::start(&[("AUTH", "polkit")]);
    let guest = libvirtd.bios_guest(&[]);
    for exporter in [Exporter::on(&libvirtd), Exporter::as_nobody_at(&libvirtd.uri()).connected()] {
        let scrape = exporter.scrape();
        assert!(scrape.up(), "{:#?}", exporter.log());
        assert!(scrape.families_of(&guest.name).contains_key("libvirt_nova_instance_wrreq"));
    }
}

#[test]
fn what_polkit_refuses_is_told_once() {
    let libvirtd = Libvirtd::start(&[("AUTH", "polkit")]);
    // To write is what polkit asks a password for.
    let socket = libvirtd.socket("libvirt-sock");
    let exporter = Exporter::as_nobody_at(&format!("qemu:///system?socket={}", socket.display()));
    let refused = || exporter.log().into_iter().filter(|line| line.contains("polkit")).count();
    wait_until(PATIENCE, "a line about polkit", || (refused() > 0).then_some(()));
    // By now it has been tried again, and again.
    for _ in 0..3 {
        let scrape = exporter.scrape();
        assert!(!scrape.up());
        assert!(scrape.instances().is_empty());
    }
    assert_eq!(refused(), 1, "{:#?}", exporter.log());
    assert!(exporter.log().len() < 6, "{:#?}", exporter.log());
}

/// A libvirtd that a user runs for themselves; it is killed when this is dropped.
struct Session {
    child: Child,
    socket: PathBuf,
}

impl Session {
    fn start() -> Self {
        let home = new_dir("session");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
        let socket = home.join("libvirt/libvirt-sock");
        let child = command_as_nobody("libvirtd")
            .envs([("HOME", &home), ("XDG_RUNTIME_DIR", &home)])
            .stderr(fs::File::create(home.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let session = Self { child, socket };
        wait_until(PATIENCE, "a session's libvirtd", || session.socket.exists().then_some(()));
        session
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
