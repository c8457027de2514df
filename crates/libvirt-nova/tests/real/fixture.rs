//! Where the tests keep everything, and who removes it.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::process::{checkout, output, testbed};

/// Returns a new directory that others may enter; it goes with this process at the latest.
pub(crate) fn new_dir(name: &str) -> PathBuf {
    let dir = ROOT.dir.join(format!("{name}-{}", next_number()));
    fs::create_dir(&dir).unwrap();
    dir
}

/// Returns a number that this process has not used before, the first is 1.
pub(crate) fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Returns the kernel and the initial RAM disk that guests boot.
pub(crate) fn guest_image() -> [PathBuf; 2] {
    static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| {
        output(testbed("guest-image").arg(&ROOT.dir));
        ROOT.dir.join("guest")
    });
    ["vmlinuz", "initrd.gz"].map(|name| IMAGE.join(name))
}

/// Returns the directory in which every libvirtd keeps what it learns of the host's QEMU.
pub(crate) fn shared_cache() -> &'static Path {
    static CACHE: LazyLock<PathBuf> = LazyLock::new(|| new_dir("cache"));
    &CACHE
}

/// The names of the directories of a libvirtd and a machine: the watchdog stops what runs in each.
pub(crate) const LIBVIRTD: &str = "libvirtd";
pub(crate) const MACHINE: &str = "machine";

/// The directory of everything.
static ROOT: LazyLock<Root> = LazyLock::new(|| {
    assert_eq!(output(Command::new("id").arg("-u")).trim(), "0", "run as root, or by scripts/test");
    // Short, for the sockets in it have paths of at most 107 bytes.
    let dir = tempfile::Builder::new().prefix("nova-real-").tempdir_in("/var/tmp").unwrap().keep();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    Root { _watchdog: watchdog(&dir), dir }
});

struct Root {
    dir: PathBuf,
    /// Its standard input is the other end of our life.
    _watchdog: Child,
}

/// Starts what stops every daemon and removes `dir` once this process has ended, be it by SIGKILL.
///
/// A test stops its own when it ends, so usually there is nothing left to stop.
fn watchdog(dir: &Path) -> Child {
    // A script that was starting a daemon is killed with us; what it had started before
    // may come up after the first stop, and not after the second.
    let script = r#"
        trap '' INT TERM HUP
        read -r _
        for round in 1 2; do
            for libvirtd in "$1/$2"-*; do
                [ ! -d "$libvirtd" ] || { "$4/private-libvirtd" stop "$libvirtd"; left=1; }
            done
            for machine in "$1/$3"-*; do
                [ ! -d "$machine" ] || { "$4/machine" stop "$machine"; left=1; }
            done
            [ -z "$left" ] || sleep 1
        done
        rm -rf "$1"
    "#;
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(dir)
        .args([LIBVIRTD, MACHINE])
        .arg(checkout().join("scripts/testbed"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}
