//! What libvirtd notices of us: no fault, no write, and no read-write connection.

use std::{collections::BTreeSet, fs};

use crate::{
    exporter::{Exporter, program},
    libvirtd::Libvirtd,
    process::{command, output, pid_in},
};

#[test]
fn libvirtd_has_nothing_to_log_of_an_exporter_that_comes_and_goes() {
    let libvirtd = Libvirtd::start(&[]);
    let _guest = libvirtd.bios_guest(&[]);
    let before = libvirtd.log();
    for _ in 0..3 {
        let exporter = Exporter::on(&libvirtd);
        assert!(exporter.scrape().up());
        assert!(exporter.scrape().up());
        let (status, log) = exporter.terminate();
        assert_eq!(status.code(), Some(0), "{log:#?}");
        assert!(log.last().unwrap().ends_with("stopped"), "{log:#?}");
        assert!(log.len() < 6, "{log:#?}");
    }
    // Neither "End of file while reading data" nor "read only access prevents" nor anything else.
    assert_eq!(libvirtd.log().strip_prefix(&before), Some(""));
}

#[test]
fn the_default_uri_opens_the_read_only_socket_and_no_other() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    // In libvirtd's own view of the file system, its sockets are where a system has them.
    let mut inside = command("nsenter");
    let holder = pid_in(&libvirtd.dir().join("virtlogd.pid"));
    inside.args(["--target", &holder.to_string(), "--mount", "--"]).arg(program());
    let exporter = Exporter::run(inside, &[]).connected();
    assert!(exporter.scrape().families_of(&guest.name).contains_key("libvirt_nova_instance_wrreq"));
    assert_eq!(
        unix_sockets(exporter.pid()),
        BTreeSet::from(["/run/libvirt/libvirt-sock-ro".to_owned()])
    );
}

/// The paths of the Unix sockets that a process is connected to.
fn unix_sockets(pid: u32) -> BTreeSet<String> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
    let inodes: BTreeSet<_> = links
        .filter_map(|link| {
            Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    // Each line is of one end: its path and inode, and the inode of the other end.
    let ends = output(command("ss").args(["-x", "-H", "state", "established"]));
    ends.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| inodes.contains(words[words.len() - 1]))
        .map(|words| words[words.len() - 4].to_owned())
        // A pair of sockets that the process has with itself.
        .filter(|path| path != "*")
        .collect()
}
