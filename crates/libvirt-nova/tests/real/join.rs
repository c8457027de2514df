//! Joins by UUID and host stay right where joins by libvirt's name go wrong.

use std::fmt::Write as _;

use crate::{
    exporter::Exporter,
    fixture::new_dir,
    libvirtd::Libvirtd,
    process::{command, outcome},
    scrape::{Labels, Scrape},
};

const TIME: &str = "libvirt_domain_info_cpu_time_seconds_total";
const INFO: &str = "libvirt_domain_openstack_info";

/// vCPUs in use of each instance, with its names, as the documentation joins them.
const BY_UUID: &str = "sum by (uuid, instance_name, project_name) (\
    rate(libvirt_domain_info_cpu_time_seconds_total[2m]) \
    * on (uuid, instance) group_left (instance_name, project_name) \
    libvirt_domain_openstack_info)";
/// The same by libvirt's name alone.
const BY_DOMAIN: &str = "rate(libvirt_domain_info_cpu_time_seconds_total[2m]) \
    * on (domain) group_left (instance_name, project_name) libvirt_domain_openstack_info";
const SUM_BY_DOMAIN: &str =
    "sum by (domain) (rate(libvirt_domain_info_cpu_time_seconds_total[2m]))";

#[test]
fn joins_by_uuid_stay_right_while_a_guest_migrates_and_where_names_are_taken_twice() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[("NAME", "web"), ("PROJECT", "blue")]);
    let scrape = Exporter::on(&libvirtd).scrape();
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    // The labels are the exporter's own; what differs is whose they are, and on which host.
    let labels = |family: &str, more: &[(&str, &str)]| {
        let mut labels = the_labels(&scrape, family, &of_guest);
        for (name, value) in more {
            let before = labels.insert((*name).to_owned(), (*value).to_owned());
            assert!(*name == "instance" || before.is_some(), "{family} has no {name}");
        }
        labels
    };
    let other = "99999999-2222-4333-8444-000000000001";
    // A guest on its way from a to b, of which both hosts tell.
    let moving = "instance-00000007";
    // Two guests of two cells that number from 1, on c and d.
    let twin = "instance-00000001";
    let mut series = String::new();
    let mut add = |domain: &str, host: &str, uuid: &str, names: [&str; 2], rate: u32| {
        let host = [("instance", host), ("domain", domain), ("uuid", uuid)];
        let time = labels(TIME, &host);
        let of_nova =
            [("instance_id", uuid), ("instance_name", names[0]), ("project_name", names[1])];
        let info = labels(INFO, &[&host[..], &of_nova].concat());
        // A sample each 15 s.
        let step = rate * 15;
        writeln!(series, "  - series: {}\n    values: '0+{step}x20'", yaml(TIME, &time)).unwrap();
        writeln!(series, "  - series: {}\n    values: '1x20'", yaml(INFO, &info)).unwrap();
    };
    add(moving, "a:9100", &guest.uuid, ["web", "blue"], 2);
    add(moving, "b:9100", &guest.uuid, ["web", "blue"], 1);
    add(twin, "c:9100", "c0000000-2222-4333-8444-000000000001", ["db", "red"], 4);
    add(twin, "d:9100", other, ["mail", "green"], 8);

    let expected = [
        ("c0000000-2222-4333-8444-000000000001", "db", "red", 4),
        (other, "mail", "green", 8),
        (&*guest.uuid, "web", "blue", 3),
    ];
    let right: String = expected
        .iter()
        .map(|(uuid, name, project, value)| {
            let labels =
                format!("{{uuid=\"{uuid}\",instance_name=\"{name}\",project_name=\"{project}\"}}");
            format!("    - labels: '{labels}'\n      value: {value}\n")
        })
        .collect();
    assert_eq!(promtool(&series, BY_UUID, &right), Ok(()));

    let complaint = promtool(&series, BY_DOMAIN, &right).unwrap_err();
    assert!(complaint.contains("many-to-many matching not allowed"), "{complaint}");
    // It sums up two tenants, and nobody is told.
    let wrong = format!(
        "    - labels: '{{domain=\"{moving}\"}}'\n      value: 3\n    \
             - labels: '{{domain=\"{twin}\"}}'\n      value: 12\n"
    );
    assert_eq!(promtool(&series, SUM_BY_DOMAIN, &wrong), Ok(()));
}

fn the_labels(scrape: &Scrape, family: &str, of_guest: &[(&str, &str)]) -> Labels {
    let sample = scrape.sample(family, of_guest);
    sample.unwrap_or_else(|| panic!("no {family}")).labels.clone()
}

/// A series as promtool wants it, in quotes of YAML.
fn yaml(family: &str, labels: &Labels) -> String {
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("'{family}{{{}}}'", labels.join(","))
}

/// Whether an expression has these samples after five minutes, and what promtool says if not.
fn promtool(series: &str, expression: &str, samples: &str) -> Result<(), String> {
    let file = new_dir("promtool").join("test.yml");
    let text = format!(
        "evaluation_interval: 15s\n\
         tests:\n\
         - interval: 15s\n  \
           input_series:\n{series}  \
           promql_expr_test:\n  \
           - expr: '{expression}'\n    \
             eval_time: 5m\n    \
             exp_samples:\n{samples}"
    );
    std::fs::write(&file, text).unwrap();
    let (success, stdout, stderr) = outcome(command("promtool").args(["test", "rules"]).arg(&file));
    if success { Ok(()) } else { Err(stdout + &stderr) }
}
