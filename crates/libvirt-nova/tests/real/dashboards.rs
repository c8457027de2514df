//! Every query of the dashboards finds something on real hosts.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use regex_lite::Regex;

use crate::{
    dashboard::{Dashboard, Variable, fill},
    exporter::Exporter,
    fixture::new_dir,
    guest::Guest,
    libvirtd::Libvirtd,
    migration::Migration,
    prometheus::Prometheus,
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

/// The query of a panel: the dashboard's uid, the panel's title, the query's letter, and whether
/// one of everything is chosen or all of it.
type Place<'d> = (&'d str, &'d str, &'d str, &'static str);

#[test]
fn every_query_of_the_dashboards_finds_something_on_real_hosts() {
    let [from, to] = ["alpha", "beta"].map(|name| Libvirtd::start(&[("HOST_NAME", name)]));
    let [source, destination] = [&from, &to].map(Exporter::on);
    let prometheus = Prometheus::with(&[&source, &destination], &[]);
    let (pool, virsh) = (new_dir("pool"), from.virsh());
    virsh.run(["pool-define-as", "images", "dir", "--target", pool.to_str().unwrap()]);
    virsh.run(["pool-start", "images"]);
    // What a tenant may type stands in the way of no variable.
    let settings =
        [("NAME", "web \"1\",uuid=\"x\"}"), ("PROJECT", "blue"), ("BURN", "50"), ("STATS_PERIOD", "1")];
    let busy = from.kernel_guest(&settings);
    let [paused, stuck] = [(); 2].map(|()| from.bios_guest(&[("PROJECT", "green")]));
    // Of the other host, so that all hosts are more than one.
    let _other = to.bios_guest(&[]);
    let busy = busy.booted();

    let dashboards = Dashboard::all();
    let well = |(_, title, id, _): &Place<'_>| {
        !EMPTY_WHEN_WELL.iter().any(|(panel, ids)| panel == title && ids.contains(id))
    };
    let names = BTreeMap::from([
        ("host", source.address().to_string()),
        ("project", "blue".to_owned()),
        ("uuid", settings[0].1.to_owned()),
    ]);
    let queries = filled(&prometheus, &dashboards, &names);
    let of_fault: BTreeMap<_, _> =
        queries.clone().into_iter().filter(|(place, _)| !well(place)).collect();
    let listed: usize = EMPTY_WHEN_WELL.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!(of_fault.keys().filter(|it| it.3 == "all").count(), listed, "a panel was renamed");

    // Healthy: all find something but those that tell of faults, and they find nothing.
    let mut left = queries;
    left.retain(|place, _| well(place));
    until_answered(&prometheus, &mut left, || keep_busy(&busy, &paused));
    for (place, query) in &of_fault {
        // That another test takes the machine may make a call late.
        if place.1 != "Calls that failed" {
            assert!(!has_data(&prometheus, query), "{place:?}: {query}");
        }
    }

    // One of each fault, and a migration that does not end while anybody looks.
    let mut left = of_fault;
    paused.run("suspend", &[]);
    let frozen = stuck.freeze();
    let over = |place: &Place<'_>| place.1 == "Migrations that are over";
    let mut after = left.clone();
    after.retain(|place, _| over(place));
    left.retain(|place, _| !over(place));
    thread::scope(|scope| {
        let migration = Migration::begin(scope, &busy, &to);
        until_answered(&prometheus, &mut left, || ());
        migration.end();
    });
    until_answered(&prometheus, &mut after, || ());
    drop(frozen);
}

/// Does what a guest does not do by itself, or not at all times: requests to its disk; and resets,
/// of which each but the first is an increase.
fn keep_busy(busy: &Guest<'_>, reset: &Guest<'_>) {
    for request in ["aio_write 0 65536", "aio_read 0 65536", "aio_flush"] {
        busy.ask_disk(request);
    }
    busy.send_datagram(100);
    reset.run("reset", &[]);
}

/// Asks until every query has found something.
fn until_answered(
    prometheus: &Prometheus,
    left: &mut BTreeMap<Place<'_>, String>,
    mut meanwhile: impl FnMut(),
) {
    let began = Instant::now();
    loop {
        meanwhile();
        left.retain(|_, query| !has_data(prometheus, query));
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < PATIENCE * 2, "no data: {left:#?}");
        thread::sleep(Duration::from_millis(200));
    }
}

fn has_data(prometheus: &Prometheus, query: &str) -> bool {
    prometheus.series(query).iter().any(|(_, value)| value != "NaN")
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
            let values =
                prometheus.api(&format!("label/{label}/values"), &[("match[]", vector)]);
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
    let labels: Vec<_> =
        labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
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
