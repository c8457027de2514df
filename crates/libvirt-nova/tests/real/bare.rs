//! The binary and the directory of libvirt's sockets are all that is needed.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::{
    exporter::{EVERYTHING, Exporter, program},
    fixture::new_dir,
    libvirtd::Libvirtd,
    outage::recovers,
    process::command,
    scrape::Scrape,
    usage,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_root_with_nothing_else_costs_no_family() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[]).booted();
    let ordinary = Exporter::with(&libvirtd, &EVERYTHING);
    let root = new_dir("root");
    fs::copy(program(), root.join("libvirt_nova")).unwrap();
    fs::create_dir_all(root.join("run/libvirt")).unwrap();
    let flags = [&["--min-age=0"], &EVERYTHING[..]].concat();
    let bare = Exporter::run_without_files(confined(&root, &libvirtd.socket("")), &flags);

    let expected = with_usage(&ordinary);
    let found = with_usage(&bare);
    assert_eq!(found.families_of(&guest.name), expected.families_of(&guest.name));
    assert_eq!(names(&found), names(&expected));

    // The sockets of the next libvirtd are new files in the same directory.
    libvirtd.daemon_stop();
    assert!(!bare.scrape().up());
    libvirtd.daemon_start();
    recovers(&bare, &[&guest]);
    guest.tells_anew();
    let again = with_usage(&bare);
    assert_eq!(again.families_of(&guest.name), expected.families_of(&guest.name));

    let mut left: Vec<_> =
        fs::read_dir(root).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["libvirt_nova", "run"]);
}

/// A scrape after two polls, which is when all is known.
fn with_usage(exporter: &Exporter) -> Scrape {
    let (scrape, _) = wait_until(PATIENCE, "vCPUs in use", || {
        let scrape = exporter.scrape();
        (!scrape.samples(usage::IN_USE, &[]).is_empty()).then_some(scrape)
    });
    scrape
}

/// A command for the program in `root`, where the directory of the sockets is mounted read-only: as
/// a user that may nothing and cannot gain anything, and ends with the thread that started it.
fn confined(root: &Path, sockets: &Path) -> Command {
    // It loses the signal of its parent's death with its privileges; so the shell, the first of its
    // process namespace, waits for it and takes it along.
    let script = r#"
        mount --bind "$2" "$1/run/libvirt" && mount -o remount,bind,ro "$1/run/libvirt" || exit
        root=$1
        shift 2
        setpriv --no-new-privs chroot --userspec=65534:65534 --groups= "$root" /libvirt_nova "$@" &
        wait $!
    "#;
    let mut unshare = command("unshare");
    unshare.args(["--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]);
    unshare.args(["sh", "-c", script, "sh"]).args([root, sockets]);
    unshare
}

/// The families, but for what the kernel tells a process of itself in /proc.
fn names(scrape: &Scrape) -> BTreeSet<&str> {
    let names = scrape.families.iter().map(|family| &*family.name);
    names.filter(|name| !name.starts_with("process_")).collect()
}
