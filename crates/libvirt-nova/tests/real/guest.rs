//! A guest as Nova makes it.

use std::{fs, path::PathBuf, process::Command, time::SystemTime};

use crate::{
    fixture::next_number,
    libvirtd::Libvirtd,
    process::{Stopped, output, pid_in, signal, testbed},
    virsh::Virsh,
    wait::{PATIENCE, wait_until},
};

/// A guest as Nova makes it; it ends with its libvirtd.
#[derive(Debug)]
pub(crate) struct Guest<'l> {
    libvirtd: &'l Libvirtd,
    number: u32,
    /// libvirt's name.
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// The name of its network interface on the host.
    pub(crate) tap: String,
    pub(crate) mac: String,
}

impl<'l> Guest<'l> {
    /// Creates one with settings of `guests`.
    pub(crate) fn create(libvirtd: &'l Libvirtd, settings: &[(&str, &str)]) -> Self {
        let guest = Self::unmade(libvirtd);
        output(guest.script("up").arg(guest.number.to_string()).envs(settings.iter().copied()));
        guest
    }

    /// Creates one from the XML of `guests` after `edit`.
    pub(crate) fn create_from(
        libvirtd: &'l Libvirtd,
        settings: &[(&str, &str)],
        edit: impl FnOnce(&str) -> String,
    ) -> Self {
        let guest = Self::unmade(libvirtd);
        let xml = output(guest.script("xml").envs(settings.iter().copied()));
        let file = guest.file("xml");
        fs::write(&file, edit(&xml)).unwrap();
        output(
            Command::new("qemu-img")
                .args(["create", "-q", "-f", "qcow2"])
                .arg(guest.file("qcow2"))
                .arg("64M"),
        );
        libvirtd.virsh().run(["create", file.to_str().unwrap()]);
        guest
    }

    fn unmade(libvirtd: &'l Libvirtd) -> Self {
        let number = next_number();
        let [_, high, middle, low] = number.to_be_bytes();
        Self {
            libvirtd,
            number,
            name: format!("instance-{number:08x}"),
            uuid: format!("11111111-2222-4333-8444-{number:012x}"),
            tap: format!("tap{number:08x}-00"),
            mac: format!("fa:16:3e:{high:02x}:{middle:02x}:{low:02x}"),
        }
    }

    /// Waits until the kernel runs and its balloon has told of its memory.
    pub(crate) fn booted(self) -> Self {
        let console = self.file("console");
        wait_until(PATIENCE, "a booted kernel", || {
            fs::read_to_string(&console).ok()?.contains("guest-ready").then_some(())
        });
        wait_until(PATIENCE, "statistics of the balloon", || {
            self.virsh().memory(&self.name).contains_key("usable").then_some(())
        });
        self
    }

    /// Waits until its QEMU answers libvirt, and its balloon has told of its memory since this was
    /// called: what it told before it stood still may be too old to be served.
    pub(crate) fn tells_anew(&self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        wait_until(PATIENCE, "new statistics of the balloon", || {
            (self.virsh().memory(&self.name)["last_update"] >= now).then_some(())
        });
    }

    /// What the tenant called it, where the test did not say.
    pub(crate) fn nova_name(&self) -> String {
        format!("testing-{}", self.number)
    }

    pub(crate) fn virsh(&self) -> Virsh {
        self.libvirtd.virsh()
    }

    /// Runs virsh with a command on this guest.
    pub(crate) fn run(&self, command: &str, args: &[&str]) -> String {
        self.virsh().run([&[command, &self.name], args].concat())
    }

    /// Ends it as Nova does when it deletes an instance.
    pub(crate) fn destroy(&self) {
        self.run("destroy", &[]);
    }

    /// Makes libvirt keep its definition when it ends.
    pub(crate) fn define(&self) {
        self.virsh().run(["define", self.file("xml").to_str().unwrap()]);
    }

    /// Kills its QEMU as the kernel does when memory is short.
    pub(crate) fn kill(&self) {
        signal(self.qemu(), "KILL");
    }

    /// Makes its QEMU stand still until the value is dropped.
    pub(crate) fn freeze(&self) -> Stopped {
        Stopped::new(self.qemu())
    }

    /// The CPU time of its QEMU, as the kernel counts it.
    pub(crate) fn kernel_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.qemu())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks: f64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<f64>().unwrap())
            .sum();
        ticks / 100.0
    }

    /// The time that the threads of its QEMU have been on a CPU, to the nanosecond. That of those
    /// that have ended is not in it, and no sample of ticks, which a guest that works in step with
    /// them would escape.
    pub(crate) fn busy_seconds(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.qemu())).unwrap();
        // One may end while it is looked at.
        let times = tasks.filter_map(|task| {
            let schedstat = fs::read_to_string(task.unwrap().path().join("schedstat")).ok()?;
            schedstat.split_whitespace().next()?.parse::<f64>().ok()
        });
        times.sum::<f64>() / 1e9
    }

    fn qemu(&self) -> u32 {
        pid_in(&self.libvirtd.socket(&format!("qemu/{}.pid", self.name)))
    }

    /// Writes to the disk as the guest would: one request of so many bytes.
    pub(crate) fn write_to_disk(&self, bytes: u32) {
        self.ask_disk(&format!("aio_write 0 {bytes}"));
    }

    /// Makes a request to the disk as the guest would, in the words of `qemu-io`.
    pub(crate) fn ask_disk(&self, request: &str) {
        let disk = "/machine/peripheral/virtio-disk0/virtio-backend";
        let line = format!("qemu-io -d {disk} \"{request}\"");
        self.run("qemu-monitor-command", &["--hmp", &line]);
    }

    /// Sends the guest a datagram that it does not answer.
    pub(crate) fn send_datagram(&self, bytes: usize) {
        let [_, _, high, low] = self.number.to_be_bytes();
        let (here, there) = (format!("198.18.{high}.{low}"), format!("198.19.{high}.{low}"));
        let Self { tap, mac, .. } = self;
        let script = format!(
            "ip address replace {here}/32 dev {tap} &&
             ip route replace {there}/32 dev {tap} &&
             ip neighbour replace {there} lladdr {mac} dev {tap} &&
             printf %0{bytes}d 0 >/dev/udp/{there}/9"
        );
        output(self.libvirtd.enter().args(["bash", "-c", &script]));
    }

    /// A file of the guest, by its suffix.
    pub(crate) fn file(&self, suffix: &str) -> PathBuf {
        self.libvirtd.dir().join("guest").join(format!("{}.{suffix}", self.name))
    }

    fn script(&self, command: &str) -> Command {
        let mut script = testbed("guests");
        script.arg(command).arg(self.libvirtd.dir()).arg(self.number.to_string());
        script
    }
}
