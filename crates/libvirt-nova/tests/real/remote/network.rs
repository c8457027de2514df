//! The network that a libvirtd has to itself: who knocks there, and what cuts it off.

use std::{fs::File, io::Write, process::Stdio, thread};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::{
    libvirtd::Libvirtd,
    process::{output, pid_in},
};

/// Begins to count who knocks.
pub(crate) fn watch(libvirtd: &Libvirtd) {
    filter(
        libvirtd,
        "table inet watched {
            counter attempts { }
            chain input {
                type filter hook input priority 0
                tcp flags & (syn | ack) == syn counter name attempts
            }
        }",
    );
}

/// How many times anybody has tried to connect to any port there, were it open or not.
pub(crate) fn attempts(libvirtd: &Libvirtd) -> usize {
    let list = ["nft", "list", "counter", "inet", "watched", "attempts"];
    let printed = output(libvirtd.enter().args(list));
    let (_, packets) = printed.split_once("packets ").unwrap();
    packets.split_whitespace().next().unwrap().parse().unwrap()
}

/// A cable that is cut: whatever is sent is lost, and nobody is told. It is mended when this is dropped.
#[derive(Debug)]
pub(crate) struct Cut<'l>(&'l Libvirtd);

impl<'l> Cut<'l> {
    pub(crate) fn new(libvirtd: &'l Libvirtd) -> Self {
        filter(
            libvirtd,
            "table inet cut {
                chain input { type filter hook input priority -1; policy drop; }
            }",
        );
        Self(libvirtd)
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        filter(self.0, "delete table inet cut");
    }
}

fn filter(libvirtd: &Libvirtd, rules: &str) {
    let mut nft = libvirtd.enter();
    let mut child = nft.args(["nft", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success() || thread::panicking(), "{rules}");
}

/// Runs something in a thread that lives in that network, as do all threads that it starts.
pub(crate) fn inside<T: Send + 'static>(
    libvirtd: &Libvirtd,
    run: impl FnOnce() -> T + Send + 'static,
) -> T {
    let holder = pid_in(&libvirtd.dir().join("virtlogd.pid"));
    let network = File::open(format!("/proc/{holder}/ns/net")).unwrap();
    let living = thread::spawn(move || {
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), kind).unwrap();
        run()
    });
    living.join().unwrap()
}
