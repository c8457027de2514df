//! What is served of whom: collectors, labels, vocabularies, filters, and other exporters' words for them.

use super::*;

fn are_on(flags: &Flags) -> Vec<&'static str> {
    let on = Collector::ALL.into_iter().filter(|collector| flags.collectors.has(*collector));
    on.map(Collector::name).collect()
}

#[test]
fn each_collector_has_a_switch() {
    for collector in Collector::ALL {
        let name = collector.name();
        let others = |flags: &Flags| {
            let others = Collector::ALL.into_iter().filter(|other| *other != collector);
            others.filter(|other| flags.collectors.has(*other) != other.is_default()).count()
        };
        for on in ["", "=true", "=1"] {
            let flags = flags(&[&format!("--collector.{name}{on}")]);
            assert!(flags.collectors.has(collector) && others(&flags) == 0, "{name}{on}");
        }
        for off in [
            format!("--collector.{name}=false"),
            format!("-collector.{name}=0"),
            format!("--no-collector.{name}"),
            format!("-no-collector.{name}"),
        ] {
            let flags = flags(&[&off]);
            assert!(!flags.collectors.has(collector) && others(&flags) == 0, "{off}");
        }
    }
}

#[test]
fn the_last_switch_of_a_collector_wins() {
    let is_on = |args: &[&str]| flags(args).collectors.has(Collector::Perf);
    assert!(is_on(&["--no-collector.perf", "--collector.perf"]));
    assert!(is_on(&["--collector.perf=false", "-collector.perf"]));
    assert!(!is_on(&["--collector.perf", "-no-collector.perf"]));
    assert!(!is_on(&["--collector.perf", "--collector.perf=0", "-port", "1"]));
}

#[test]
fn without_defaults_only_the_collectors_that_are_named_are_on() {
    assert_eq!(are_on(&flags(&["--collector.disable-defaults"])), [""; 0]);
    let named = ["--collector.perf", "-collector.disable-defaults", "--collector.domain=true"];
    assert_eq!(are_on(&flags(&named)), ["domain", "perf"]);
    let named = ["--collector.disable-defaults", "--collector.cpu", "--no-collector.cpu"];
    assert_eq!(are_on(&flags(&named)), [""; 0]);
    let named = ["--collector.disable-defaults", "--no-collector.disable-defaults"];
    assert_eq!(flags(&named).collectors, Collectors::default());
    let variables = [
        ("LIBVIRT_NOVA_COLLECTOR_DISABLE_DEFAULTS", "true"),
        ("LIBVIRT_NOVA_COLLECTOR_NODE_DETAIL", "1"),
        ("LIBVIRT_NOVA_COLLECTOR_CPU", "0"),
        ("LIBVIRT_NOVA_COLLECTOR_POOL", ""),
    ];
    assert_eq!(are_on(&with(&[], &variables).unwrap()), ["node-detail"]);
    let named = with(&["--no-collector.node-detail", "--collector.pool"], &variables).unwrap();
    assert_eq!(are_on(&named), ["pool"]);
}

#[test]
fn no_before_a_name_is_false_for_all_that_is_true_or_false() {
    let flags = flags(&["--once", "-no-once", "--created-timestamps", "--no-created-timestamps"]);
    assert!(!flags.once && !flags.created);
    assert_eq!(refusal(&["--no-uri"], &[]), "--no-uri: no such flag, see --help");
    assert_eq!(refusal(&["--no-help"], &[]), "--no-help: no such flag, see --help");
}

#[test]
fn labels_are_narrow_or_wide() {
    assert_eq!(flags(&["--labels=wide"]).labels, LabelSet::Wide);
    assert_eq!(flags(&["-labels", "wide", "-labels", "narrow"]).labels, LabelSet::Narrow);
}

#[test]
fn compat_is_said_never_or_often() {
    assert_eq!(flags(&["--compat=kumina"]).compat, [Compat::Kumina]);
    let both = flags(&["-compat", "tinkoff", "--compat=kumina,tinkoff"]).compat;
    assert_eq!(both, [Compat::Tinkoff, Compat::Kumina, Compat::Tinkoff]);
}

#[test]
fn created_timestamps_are_asked_for() {
    assert!(flags(&["--created-timestamps"]).created);
    assert!(!flags(&["--created-timestamps", "--created-timestamps=false"]).created);
}

#[test]
fn filters_are_told_apart() {
    let args =
        ["-instances", "a", "-instances.exclude=b", "--projects=c", "--projects.exclude", "d|-"];
    let Filter { instances, instances_exclude, projects, projects_exclude } = flags(&args).filter;
    let only = |expression| Filter { instances: expression, ..Filter::default() };
    assert!(only(instances).admits(&["a"], &[]));
    assert!(only(instances_exclude).admits(&["b"], &[]));
    assert!(only(projects).admits(&["c"], &[]));
    assert!(only(projects_exclude).admits(&["-"], &[]));
    let flags = flags(&["-projects=a", "-projects=b"]);
    assert!(flags.filter.admits(&[], &["b"]) && !flags.filter.admits(&[], &["a"]));
}

#[test]
fn flags_of_other_exporters_are_accepted() {
    let kumina = ["--libvirt.uri=test:///default", "--libvirt.export-nova-metadata"];
    let kumina = flags(&kumina);
    assert_eq!(kumina.access.address.to_string(), "test:///default");
    assert_eq!((kumina.labels, &*kumina.ignored), (LabelSet::Wide, &[][..]));
    let vexxhost = flags(&["--libvirt.nova", "--libvirt.uri", "qemu:///system"]);
    assert_eq!((vexxhost.labels, &*vexxhost.ignored), (LabelSet::Narrow, &[][..]));
    let inovex = [
        "--libvirt.uri=/var/run/libvirt/libvirt-sock-ro",
        "--libvirt.driver",
        "qemu:///system",
        "--exporter.timeout=3s",
        "--exporter.max-concurrent-collects",
        "-4",
    ];
    assert_eq!(
        flags(&inovex).ignored,
        ["--libvirt.driver", "--exporter.timeout", "--exporter.max-concurrent-collects"]
    );
    let variables = [("LIBVIRT_NOVA_EXPORTER_TIMEOUT", "x"), ("LIBVIRT_NOVA_LIBVIRT_NOVA", "0")];
    let ignored = with(&[], &variables).unwrap().ignored;
    assert_eq!(ignored, ["--libvirt.nova=false", "--exporter.timeout"]);
    assert_eq!(flags(&["--no-libvirt.nova"]).ignored, ["--libvirt.nova=false"]);
}

#[test]
fn a_value_that_is_ignored_may_be_anything() {
    for value in [&b""[..], b"\xff", b"--uri=x", b"-", b"a\nb"] {
        let word = OsStr::from_bytes(value);
        let joined = [OsStr::new("--exporter.timeout="), word].join(OsStr::new(""));
        let flags = parse([joined], |_| None).unwrap();
        assert_eq!(flags.ignored, ["--exporter.timeout"], "{word:?}");
    }
}

#[test]
fn metadata_to_be_exported_mean_wide_labels_unless_labels_are_given() {
    let labels = |args: &[&str]| flags(args).labels;
    assert_eq!(labels(&["--libvirt.export-nova-metadata=1"]), LabelSet::Wide);
    assert_eq!(labels(&["--libvirt.export-nova-metadata=false"]), LabelSet::Narrow);
    assert_eq!(labels(&["--no-libvirt.export-nova-metadata"]), LabelSet::Narrow);
    assert_eq!(
        labels(&["--libvirt.export-nova-metadata", "--no-libvirt.export-nova-metadata"]),
        LabelSet::Narrow
    );
    for args in [
        ["--libvirt.export-nova-metadata", "--labels=narrow"],
        ["--labels=narrow", "--libvirt.export-nova-metadata"],
    ] {
        assert_eq!(labels(&args), LabelSet::Narrow);
    }
    let variables = [("LIBVIRT_NOVA_LIBVIRT_EXPORT_NOVA_METADATA", "true")];
    assert_eq!(with(&[], &variables).unwrap().labels, LabelSet::Wide);
}

#[test]
fn an_unknown_collector_is_told_of_those_that_there_are() {
    for word in [
        "--collector.foo",
        "-collector.foo=1",
        "--no-collector.foo",
        "--collector.=x",
        "--collector=perf",
    ] {
        let line = refusal(&[word], &[]);
        let (place, _) = word.split_once('=').unwrap_or((word, ""));
        assert!(line.starts_with(&format!(
            "{place}: no such collector, expected --collector.NAME with one of instance, "
        )));
        for collector in Collector::ALL {
            assert!(line.contains(collector.name()), "{line}");
        }
    }
}
