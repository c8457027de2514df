//! Domains in sentences and in commands.
//!
//! A name may hold anything: in a sentence it is escaped, and where a shell would read it the UUID
//! stands for it.

use std::path::Path;

use crate::{inventory::Instance, log::escaped};

/// Lists domains by name, a few of them.
pub(super) fn names<'i>(instances: impl IntoIterator<Item = &'i Instance>) -> String {
    list(instances.into_iter().map(|instance| instance.domain.name.as_str()))
}

/// Lists names, a few of them.
pub(super) fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.into_iter().map(escaped).collect();
    let (shown, others) = names.split_at(names.len().min(SHOWN));
    let mut text = shown.join(", ");
    if !others.is_empty() {
        text.push_str(&format!(" and {} more", others.len()));
    }
    text
}

/// What a command calls a domain.
pub(super) fn word(instance: &Instance) -> &str {
    let name = instance.domain.name.as_str();
    let is_plain = |name: &str| {
        name.starts_with(|it: char| it.is_ascii_alphanumeric())
            && name.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it))
    };
    if is_plain(name) { name } else { &instance.uuid }
}

/// A number with its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How virsh is called to reach the libvirtd of a socket, so that it may write as well.
pub(super) fn virsh(socket: &Path) -> String {
    let path = socket.to_string_lossy();
    if ["/run/libvirt/", "/var/run/libvirt/"].iter().any(|dir| path.starts_with(dir)) {
        return "virsh".to_owned();
    }
    let path = path.strip_suffix("-ro").unwrap_or(&path);
    // The operator's own word, but blanks and quotes must not fall apart.
    format!("virsh -c {}", quoted(&format!("qemu:///system?socket={path}")))
}

/// A word as a shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let word = escaped(word);
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Names that a sentence holds.
const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use libvirt_wire::{Domain, Uuid};

    use super::*;

    fn instance(name: &str) -> Instance {
        Instance::new(Domain { name: name.to_owned(), uuid: Uuid([7; 16]), id: Some(1) })
    }

    #[test]
    fn a_long_list_is_cut() {
        let instances: Vec<_> =
            (0..SHOWN + 12).map(|number| instance(&format!("i-{number}"))).collect();
        let text = names(&instances);
        assert!(text.starts_with("i-0, i-1, ") && text.ends_with("i-7 and 12 more"), "{text}");
        assert_eq!(names(&instances[..2]), "i-0, i-1");
    }

    #[test]
    fn no_name_reaches_a_terminal_or_a_shell_as_it_is() {
        let hostile = instance("x\u{1b}[2J\n$(reboot)");
        assert_eq!(names([&hostile]), r"x\u{1b}[2J\n$(reboot)");
        assert_eq!(word(&hostile), "07070707-0707-0707-0707-070707070707");
        for name in ["-x", "a b", "a;b", "", "ä"] {
            assert_eq!(word(&instance(name)), hostile.uuid, "{name}");
        }
        assert_eq!(word(&instance("instance-0000000a")), "instance-0000000a");
        assert_eq!(quoted("a'b"), r"'a'\''b'");
    }

    #[test]
    fn virsh_is_told_a_socket_that_it_would_not_find_and_may_write_there() {
        assert_eq!(virsh(Path::new("/run/libvirt/libvirt-sock-ro")), "virsh");
        assert_eq!(virsh(Path::new("/a/sock-ro")), "virsh -c 'qemu:///system?socket=/a/sock'");
    }
}
