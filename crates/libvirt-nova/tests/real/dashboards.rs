//! Every query of the dashboards finds something on real hosts.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use regex_lite::Regex;

use crate::{
    dashboard::{Dashboard, Panel, Variable, fill, list},
    exporter::Exporter,
    fixture::new_dir,
    guest::Guest,
    libvirtd::Libvirtd,
    migration::Migration,
    process::{command, output},
    prometheus::Prometheus,
    rules::{evaluated, firing, in_a_hurry},
    wait::{PATIENCE, wait_until},
};

/// What a healthy host has nothing to say to: the title of a panel, and the letters of its queries.
const EMPTY_WHEN_WELL: [(&str, &str); 8] = [
    ("Calls that failed", "A"),
    ("Guests that stand still", "A"),
    ("Guests whose QEMU does not answer", "A"),
    ("Hosts", "I"),
    ("Jobs that run", "ABCDEFG"),
    ("Memory that a migration has before it", "AB"),
    ("Migrations that are over", "ABCDE"),
    ("What a migration sends and the guest writes", "AB"),
];

/// What is true of the machine that the tests run on, and no fault of the hosts: it is small, and
/// others work on it.
const OF_THE_MACHINE: [&str; 3] =
    ["LibvirtGuestDiskLatency", "LibvirtGuestSteal", "LibvirtHostSteal"];

/// The query of a panel: the dashboard's uid, the panel's title, the query's letter, and whether
/// one of everything is chosen or all of it.
type Place<'d> = (&'d str, &'d str, &'d str, &'static str);

#[test]
fn every_query_of_the_dashboards_and_every_rule_finds_something_on_real_hosts() {
    let [from, to] = ["alpha", "beta"].map(|name| Libvirtd::start(&[("HOST_NAME", name)]));
    let [source, destination] = [&from, &to].map(Exporter::on);
    let prometheus = Prometheus::with(&[&source, &destination], &in_a_hurry());
    let (pool, virsh) = (new_dir("pool"), from.virsh());
    virsh.run(["pool-define-as", "images", "dir", "--target", pool.to_str().unwrap()]);
    virsh.run(["pool-start", "images"]);
    // What a tenant may type stands in the way of no variable.
    let name = "web \"1\",uuid=\"x\"}";
    let settings = [("NAME", name), ("PROJECT", "blue"), ("DIRTY", "8"), ("STATS_PERIOD", "1")];
    let busy = from.kernel_guest(&settings);
    let stuck = from.bios_guest(&[("PROJECT", "green")]);
    let (broken, disk) = guest_with_remote_disk(&from);
    // Of the other host, so that all hosts are more than one.
    let _other = to.bios_guest(&[]);
    let busy = busy.booted();

    let dashboards = Dashboard::all();
    let names = BTreeMap::from([
        ("host", source.address().to_string()),
        ("project", "blue".to_owned()),
        ("uuid", name.to_owned()),
    ]);
    let queries = filled(&prometheus, &dashboards, &names);
    let (of_fault, mut well): (BTreeMap<_, _>, _) =
        queries.into_iter().partition(|((_, title, id, _), _)| {
            EMPTY_WHEN_WELL.iter().any(|(panel, ids)| panel == title && ids.contains(id))
        });
    let listed: usize = EMPTY_WHEN_WELL.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!(of_fault.len(), 2 * listed, "a panel was renamed");

    // Healthy: all find something but what tells of faults, and that finds nothing.
    let mut found = until_answered(&prometheus, &mut well, || keep_busy(&busy, &stuck));
    for (place, query) in &of_fault {
        // That another test takes the machine may make a call late.
        if place.1 != "Calls that failed" {
            assert!(data(&prometheus, query).is_none(), "{place:?}: {query}");
        }
    }
    let (records, alerts) = evaluated(&prometheus);
    assert!(records.len() > 40 && alerts.len() > 25, "{records:?} {alerts:?}");
    let mut recorded = records.iter().map(|it| (("", &**it, "", ""), it.clone())).collect();
    until_answered(&prometheus, &mut recorded, || keep_busy(&busy, &stuck));
    let firing_when_well = firing(&prometheus);
    let is_of_machine = |(alert, _): &(String, String)| OF_THE_MACHINE.contains(&&**alert);
    assert!(firing_when_well.iter().all(is_of_machine), "{firing_when_well:?}");

    // One of each fault, and a migration that does not end while anybody looks.
    disk.fail();
    broken.run("reset", &[]);
    let frozen = stuck.freeze();
    let (mut after, mut during): (BTreeMap<_, _>, _) =
        of_fault.into_iter().partition(|(place, _)| place.1 == "Migrations that are over");
    thread::scope(|scope| {
        let migration = Migration::begin(scope, &busy, &to);
        found.extend(until_answered(&prometheus, &mut during, || ()));
        migration.end();
    });
    found.extend(until_answered(&prometheus, &mut after, || ()));
    for dashboard in &dashboards {
        for panel in dashboard.panels() {
            let labels = |id| &found[&(dashboard.uid(), panel.title, id, "all")];
            let of_queries = panel.queries.iter().map(|it| (it.id, labels(it.id))).collect();
            assert_shown(&panel, &of_queries);
        }
    }
    until_firing(
        &prometheus,
        &[
            ("LibvirtGuestStuck", &stuck.name),
            ("LibvirtGuestPausedByIOError", &broken.name),
            ("LibvirtGuestDiskError", &broken.name),
        ],
    );
    drop(frozen);
    evaluated(&prometheus);

    // Nobody answers any more, and it is seen.
    drop(source);
    to.daemon_stop();
    until_firing(&prometheus, &[("LibvirtNovaExporterDown", ""), ("LibvirtDown", "")]);
    let host = dashboards.iter().find(|it| it.uid() == "libvirt-nova-host").unwrap();
    let panels = host.panels();
    let lost = panels.iter().find(|it| it.title == "Hosts that do not answer").unwrap();
    let everything = BTreeMap::from([("host", ".+".to_owned())]);
    for query in &lost.queries {
        let (_, count) = prometheus.series(&fill(query.expression, &everything, 60)).pop().unwrap();
        assert_eq!(count, "1", "{}", query.expression);
    }
    to.daemon_start();
}

/// A guest whose disk is another process's, which may go away; its firmware reads it at each reset.
fn guest_with_remote_disk(libvirtd: &Libvirtd) -> (Guest<'_>, RemoteDisk) {
    let disk = RemoteDisk::new();
    let guest = Guest::create_from(libvirtd, &[("KIND", "bios"), ("PROJECT", "green")], |xml| {
        let (before, rest) = xml.split_once("<disk ").unwrap();
        let (_, after) = rest.split_once("<target ").unwrap();
        format!(
            "{before}<disk type='network' device='disk'>\
             <driver name='qemu' type='raw' rerror_policy='stop'/>\
             <source protocol='nbd' name='disk'><host transport='unix' socket='{}'/></source>\
             <target {after}",
            disk.socket.display()
        )
    });
    (guest, disk)
}

fn until_firing(prometheus: &Prometheus, expected: &[(&str, &str)]) {
    let began = Instant::now();
    loop {
        let firing = firing(prometheus);
        let mut left = expected.to_vec();
        left.retain(|(alert, domain)| {
            !firing.contains(&((*alert).to_owned(), (*domain).to_owned()))
        });
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "not firing: {left:?}; but {firing:?}");
        thread::sleep(PAUSE);
    }
}

/// Between two looks at Prometheus, which looks each second.
const PAUSE: Duration = Duration::from_millis(200);

/// Does what a guest does not do by itself, or not at all times: requests to its disk; and events,
/// of which each but the first is an increase.
fn keep_busy(busy: &Guest<'_>, other: &Guest<'_>) {
    for request in ["aio_write 0 65536", "aio_read 0 65536", "aio_flush"] {
        busy.ask_disk(request);
    }
    busy.send_datagram(100);
    other.define();
}

/// Asks until every query has found something.
///
/// Returns the labels of what was found.
fn until_answered<'d>(
    prometheus: &Prometheus,
    left: &mut BTreeMap<Place<'d>, String>,
    mut meanwhile: impl FnMut(),
) -> BTreeMap<Place<'d>, BTreeSet<String>> {
    let began = Instant::now();
    let mut found = BTreeMap::new();
    loop {
        meanwhile();
        left.retain(|place, query| {
            let labels = data(prometheus, query);
            let is_left = labels.is_none();
            found.extend(labels.map(|labels| (*place, labels)));
            is_left
        });
        if left.is_empty() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE * 2, "no data: {left:#?}");
        thread::sleep(PAUSE);
    }
}

/// The labels of the series that a query finds, where one has a value.
fn data(prometheus: &Prometheus, query: &str) -> Option<BTreeSet<String>> {
    let series = prometheus.series(query);
    let has_value = series.iter().any(|(_, value)| value != "NaN");
    has_value.then(|| series.into_iter().flat_map(|(labels, _)| labels.into_keys()).collect())
}

/// Legends, columns and links name labels that there are; and no label is left for Grafana to make a
/// column of.
fn assert_shown(panel: &Panel<'_>, of_queries: &BTreeMap<&str, &BTreeSet<String>>) {
    let title = panel.title;
    for query in &panel.queries {
        for label in between_all(query.legend, "{{", "}}") {
            assert!(of_queries[query.id].contains(label), "{title}: {label}");
        }
    }
    let all: BTreeSet<&str> =
        of_queries.values().flat_map(|it| it.iter().map(String::as_str)).collect();
    let text = panel.json.to_string();
    for label in between_all(&text, "${__data.fields.", "}") {
        assert!(all.contains(label), "{title}: {label}");
    }
    for label in between_all(&text, "${__field.labels.", "}") {
        assert!(of_queries.values().all(|it| it.contains(label)), "{title}: {label}");
    }
    let organized = list(&panel.json["transformations"]).last();
    if let Some(columns) = organized.map(|it| it["options"]["indexByName"].as_object().unwrap()) {
        let of_labels = columns.keys().map(String::as_str).filter(|it| !it.starts_with("Value"));
        let of_labels: BTreeSet<_> = of_labels.collect();
        assert!(all.is_subset(&of_labels), "{title}: {all:?} in {of_labels:?}");
        for label in of_labels.difference(&all) {
            // Empty here, as the file of a disk that has none: for Prometheus there is no such label.
            let is_asked_for = panel.queries.iter().any(|it| it.expression.contains(label));
            assert!(is_asked_for, "{title}: {label}");
        }
    }
}

fn between_all<'t>(text: &'t str, start: &str, end: &str) -> Vec<&'t str> {
    text.split(start).skip(1).map(|rest| rest.split_once(end).unwrap().0.trim()).collect()
}

/// The queries of all panels, with one of everything chosen, by its name, and with all of it.
fn filled<'d>(
    prometheus: &Prometheus,
    dashboards: &'d [Dashboard],
    names: &BTreeMap<&str, String>,
) -> BTreeMap<Place<'d>, String> {
    let mut queries = BTreeMap::new();
    for dashboard in dashboards {
        let [mut one, mut all] = [BTreeMap::new(), BTreeMap::new()];
        for variable in dashboard.variables() {
            let (value, _) = wait_until(PATIENCE, "a value of a variable", || {
                let values = values(prometheus, &variable, &one);
                let named = values.iter().find(|(text, _)| *text == names[variable.name]);
                named.map(|(_, value)| value.clone())
            });
            all.insert(variable.name, variable.all.map_or_else(|| value.clone(), str::to_owned));
            one.insert(variable.name, if variable.all.is_some() { escaped(&value) } else { value });
        }
        for panel in dashboard.panels() {
            for query in &panel.queries {
                for (which, chosen) in [("one", &one), ("all", &all)] {
                    let place = (dashboard.uid(), panel.title, query.id, which);
                    let before = queries.insert(place, fill(query.expression, chosen, 60));
                    assert!(before.is_none(), "{place:?} twice");
                }
            }
        }
    }
    queries
}

/// The texts and values of a variable, taken from what Prometheus says in Grafana's way.
fn values(
    prometheus: &Prometheus,
    variable: &Variable<'_>,
    chosen: &BTreeMap<&str, String>,
) -> BTreeSet<(String, String)> {
    let (function, arguments) = variable.query.split_once('(').unwrap();
    let arguments = fill(arguments.strip_suffix(')').unwrap(), chosen, 60);
    let found: Vec<String> = match function {
        "label_values" => {
            let (vector, label) = arguments.rsplit_once(", ").unwrap();
            let values = prometheus.api(&format!("label/{label}/values"), &[("match[]", vector)]);
            serde_json::from_value(values).unwrap()
        }
        "query_result" => prometheus.series(&arguments).iter().map(as_text).collect(),
        other => panic!("{other}: {}", variable.query),
    };
    if variable.pattern.is_empty() {
        return found.into_iter().map(|it| (it.clone(), it)).collect();
    }
    let pattern = Regex::new(variable.pattern).unwrap();
    found
        .iter()
        .map(|it| {
            let taken = pattern.captures(it).unwrap_or_else(|| panic!("{pattern}: {it}"));
            (taken["text"].to_owned(), taken["value"].to_owned())
        })
        .collect()
}

/// A series as Grafana writes it for a variable's pattern: nothing is escaped.
fn as_text((labels, value): &(BTreeMap<String, String>, String)) -> String {
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}} {value} 1795600000000", labels.join(","))
}

/// As Grafana escapes what is chosen where several may be, within a string of PromQL.
fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str(r"\\\\"),
            '$' | '^' | '*' | '{' | '}' | '[' | ']' | '\'' | '+' | '?' | '.' | '(' | ')' | '|' => {
                escaped.push_str(r"\\");
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A disk that `qemu-nbd` serves.
struct RemoteDisk {
    server: Child,
    socket: PathBuf,
}

impl RemoteDisk {
    fn new() -> Self {
        let dir = new_dir("remote");
        let (image, socket) = (dir.join("raw"), dir.join("socket"));
        output(command("qemu-img").args(["create", "-q", "-f", "raw"]).arg(&image).arg("64M"));
        let mut server = command("qemu-nbd");
        // Of a disk without a name, libvirt 9.0 cannot send the event that it failed.
        server.args(["--persistent", "--export-name=disk", "--format=raw", "--socket"]);
        let server = server.arg(&socket).arg(&image).spawn().unwrap();
        wait_until(PATIENCE, "a disk that is served", || socket.exists().then_some(()));
        Self { server, socket }
    }

    /// From now on each request fails.
    fn fail(mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}
