//! What Nova writes into a domain.

use std::fmt::Write;

use crate::instance::{Instance, numbered};

/// The names in Nova's metadata, which are what people typed.
#[derive(Clone, Debug)]
pub(crate) struct Nova {
    pub(crate) name: String,
    pub(crate) project: String,
    pub(crate) user: String,
}

/// The namespace of Nova's element.
pub(crate) const NAMESPACE: &str = "http://openstack.org/xmlns/libvirt/nova/1.1";

impl Nova {
    /// The names of the instance with this number: projects and users take turns.
    pub(crate) fn of(number: u32) -> Self {
        let project = match number % 3 {
            1 => "blue",
            2 => "green",
            _ => "red",
        };
        let user = if number.is_multiple_of(2) { "bob" } else { "alice" };
        Self { name: format!("testing-{number}"), project: project.into(), user: user.into() }
    }
}

/// Nova's element, as it stands in the domain's XML or as libvirt hands it out.
///
/// `prefix` is `nova:` or nothing, `indent` the spaces before each line.
pub(crate) fn element(instance: &Instance, prefix: &str, indent: &str) -> String {
    let Instance { number, flavor, nova, interfaces, .. } = instance;
    let namespace =
        if prefix.is_empty() { String::new() } else { format!(" xmlns:nova=\"{NAMESPACE}\"") };
    let (name, project, user) = (escaped(&nova.name), escaped(&nova.project), escaped(&nova.user));
    let (project_id, user_id) = (id("project", &nova.project), id("user", &nova.user));
    let mut lines = vec![
        (0, format!("<{prefix}instance{namespace}>")),
        (1, format!("<{prefix}package version=\"26.2.2\"/>")),
        (1, format!("<{prefix}name>{name}</{prefix}name>")),
        (1, format!("<{prefix}creationTime>2026-11-20 10:00:00</{prefix}creationTime>")),
        (1, format!("<{prefix}flavor name=\"{}\">", flavor.name)),
        (2, format!("<{prefix}memory>{}</{prefix}memory>", flavor.memory_mib)),
        (2, format!("<{prefix}disk>{}</{prefix}disk>", flavor.disk_gib)),
        (2, format!("<{prefix}swap>0</{prefix}swap>")),
        (2, format!("<{prefix}ephemeral>0</{prefix}ephemeral>")),
        (2, format!("<{prefix}vcpus>{}</{prefix}vcpus>", flavor.vcpus)),
        (1, format!("</{prefix}flavor>")),
        (1, format!("<{prefix}owner>")),
        (2, format!("<{prefix}user uuid=\"{user_id}\">{user}</{prefix}user>")),
        (2, format!("<{prefix}project uuid=\"{project_id}\">{project}</{prefix}project>")),
        (1, format!("</{prefix}owner>")),
        (1, format!("<{prefix}root type=\"image\" uuid=\"{IMAGE}\"/>")),
        (1, format!("<{prefix}ports>")),
    ];
    for port in 0..*interfaces {
        let uuid = numbered([0xaa; 4], port, *number);
        let [_, a, b, c] = number.to_be_bytes();
        let address = format!("10.{a}.{b}.{c}");
        lines.push((2, format!("<{prefix}port uuid=\"{uuid}\">")));
        lines.push((
            3,
            format!("<{prefix}ip type=\"fixed\" address=\"{address}\" ipVersion=\"4\"/>"),
        ));
        lines.push((2, format!("</{prefix}port>")));
    }
    lines.push((1, format!("</{prefix}ports>")));
    lines.push((0, format!("</{prefix}instance>")));

    let mut text = String::new();
    for (depth, line) in lines {
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{indent}{:width$}{line}", "", width = 2_usize.saturating_mul(depth));
    }
    text
}

/// The image that all instances were made of.
const IMAGE: &str = "155d900f-4e14-4e4c-a73d-069cbf4541e6";

/// A Keystone id that follows from the name.
fn id(kind: &str, name: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in kind.bytes().chain(name.bytes()) {
        // FNV-1a.
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}{:016x}", hash.rotate_left(17))
}

/// Whatever people typed, as text of an element.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}
