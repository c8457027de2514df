//! A system-mode libvirtd of our own, in namespaces of its own.

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crate::{
    fixture::{LIBVIRTD, guest_image, new_dir, shared_cache},
    guest::Guest,
    process::{Stopped, output, pid_in, testbed},
    virsh::Virsh,
};

/// A libvirtd of our own; it ends, and its guests with it, when this is dropped.
#[derive(Debug)]
pub(crate) struct Libvirtd {
    dir: PathBuf,
}

impl Libvirtd {
    /// Starts one with settings of `private-libvirtd`; returns when it answers.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let libvirtd = Self::absent();
        libvirtd.begin(settings);
        libvirtd
    }

    /// Puts one to work for the first time; returns when it answers.
    pub(crate) fn begin(&self, settings: &[(&str, &str)]) {
        output(self.script("start").envs(settings.iter().copied()));
        // Whoever is the first to need these waits for seconds, and holds up who lists domains.
        self.virsh().run(["capabilities"]);
    }

    /// The place of one that has yet to be [put to work](Self::daemon_start).
    pub(crate) fn absent() -> Self {
        let dir = new_dir(LIBVIRTD);
        fs::create_dir_all(dir.join("guest")).unwrap();
        for file in guest_image() {
            fs::hard_link(&file, dir.join("guest").join(file.file_name().unwrap())).unwrap();
        }
        // What libvirtd learns of QEMU takes it seconds, and is the same for all of ours.
        symlink(shared_cache(), dir.join("cache")).unwrap();
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The URI of the read-only socket, as an operator writes it.
    pub(crate) fn uri(&self) -> String {
        format!("qemu:///system?socket={}", self.socket("libvirt-sock-ro").display())
    }

    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.dir.join("run").join(name)
    }

    pub(crate) fn virsh(&self) -> Virsh {
        Virsh::on(&self.socket("libvirt-sock"))
    }

    /// Creates a guest that has only firmware: it counts, and has no balloon driver.
    pub(crate) fn bios_guest(&self, settings: &[(&str, &str)]) -> Guest<'_> {
        Guest::create(self, &[&[("KIND", "bios")], settings].concat())
    }

    /// Creates a guest that boots a kernel; [`Guest::booted`] waits for it.
    pub(crate) fn kernel_guest(&self, settings: &[(&str, &str)]) -> Guest<'_> {
        Guest::create(self, settings)
    }

    /// Ends libvirtd as a service manager does; its guests go on.
    pub(crate) fn daemon_stop(&self) {
        output(&mut self.script("daemon-stop"));
    }

    /// Ends libvirtd as the kernel does when memory is short.
    pub(crate) fn daemon_kill(&self) {
        output(&mut self.script("daemon-kill"));
    }

    /// Starts libvirtd again, or for the first time; returns when it answers.
    pub(crate) fn daemon_start(&self) {
        output(&mut self.script("start"));
    }

    /// Makes libvirtd stand still until the value is dropped.
    pub(crate) fn freeze(&self) -> Stopped {
        Stopped::new(pid_in(&self.dir.join("libvirtd.pid")))
    }

    /// A command that runs where the guests' taps are, and 127.0.0.1 is libvirtd's.
    pub(crate) fn enter(&self) -> Command {
        self.script("enter")
    }

    /// Makes a user known where libvirtd looks for names, as systemd does with those of its units
    /// on a host that has its name service.
    pub(crate) fn add_user(&self, name: &str, uid: &str, gid: &str) {
        let lines = [
            ("passwd", format!("{name}:x:{uid}:{gid}::/:/usr/sbin/nologin\n")),
            ("group", format!("{name}:x:{gid}:\n")),
        ];
        for (file, line) in lines {
            let path = self.dir.join("etc").join(file);
            fs::OpenOptions::new()
                .append(true)
                .open(path)
                .unwrap()
                .write_all(line.as_bytes())
                .unwrap();
        }
    }

    /// What libvirtd logged: warnings and errors.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log/libvirtd.log")).unwrap_or_default()
    }

    fn script(&self, command: &str) -> Command {
        let mut script = testbed("private-libvirtd");
        script.arg(command).arg(&self.dir);
        script
    }
}

impl Drop for Libvirtd {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let last = log.lines().rev().take(10).collect::<Vec<_>>();
            eprintln!("the last lines of libvirtd, newest first: {last:#?}");
        }
        let stopped = self.script("stop").status();
        let removed = fs::remove_dir_all(&self.dir);
        if !thread::panicking() {
            assert!(stopped.unwrap().success(), "libvirtd in {} did not stop", self.dir.display());
            removed.unwrap();
        }
    }
}
