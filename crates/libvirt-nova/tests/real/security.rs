//! What docs/security.md says of libvirt's read-only socket is so.

use std::fs;

use crate::{
    libvirtd::Libvirtd,
    process::{checkout, command_as_nobody, outcome},
};

#[test]
fn the_read_only_socket_refuses_what_the_documentation_says() {
    let text = fs::read_to_string(checkout().join("docs/security.md")).unwrap();
    let (_, list) = text.split_once("<!-- refused -->\n```\n").unwrap();
    let (list, _) = list.split_once("```\n<!-- end of refused -->").unwrap();
    assert!(list.lines().count() > 10, "{list}");
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let uri = libvirtd.uri();
    let virsh =
        |words: &[&str]| outcome(command_as_nobody("virsh").args(["-q", "-c", &uri]).args(words));
    for line in list.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let words: Vec<_> = words
            .into_iter()
            .map(|word| if word == "GUEST" { &*guest.name } else { word })
            .collect();
        let (is_done, _, complaint) = virsh(&words);
        assert!(!is_done && complaint.contains("operation forbidden"), "{line}: {complaint}");
    }
    let (is_running, state, _) = virsh(&["domstate", &guest.name]);
    assert!(is_running && state.trim() == "running", "{state}");
}
