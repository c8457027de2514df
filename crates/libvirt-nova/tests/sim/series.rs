//! How many series a guest has, by what serves them: the table of docs/sizing.md.

use std::{fs, path::Path, process::Command};

use expect_test::expect_file;

use crate::{
    bench::Bench,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// Of one vCPU, one disk and one network interface; then others with more of one of them.
const PLAIN: &str = "instance-00000001";
const FOUR_VCPUS: &str = "instance-0000000e";
const TWO_DISKS: &str = "instance-00000006";
const TWO_INTERFACES: &str = "instance-00000010";
const DOMAINS: u32 = 16;

#[test]
fn the_table_of_series_is_what_a_scrape_holds() {
    let (servers, owners) = reference();
    let mut args = vec!["--min-age=0".to_owned(), "-interval=100ms".to_owned()];
    args.extend(servers.iter().map(|server| match server.name.strip_prefix("--compat=") {
        Some(_) => server.name.clone(),
        None => format!("--collector.{}", server.name),
    }));
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let bench = Bench::with(DOMAINS, &[], &args);
    let (scrape, _) = wait_until(PATIENCE, "what is in use of all", || {
        let scrape = bench.scrape();
        let known = scrape.samples("libvirt_nova_instance_vcpus_in_use_peak", &[]).len();
        (known == usize::try_from(DOMAINS).unwrap()).then_some(scrape)
    });
    for (domain, parts) in [
        (PLAIN, [1, 1, 1]),
        (FOUR_VCPUS, [4, 1, 1]),
        (TWO_DISKS, [1, 2, 1]),
        (TWO_INTERFACES, [1, 1, 2]),
    ] {
        let found = ["vcpu_state", "block_stats_info", "interface_stats_info"].map(|family| {
            scrape.samples(&format!("libvirt_domain_{family}"), &[("domain", domain)]).len()
        });
        assert_eq!(found, parts, "{domain}");
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sizing.md");
    let current = fs::read_to_string(&page).unwrap();
    let (before, rest) = current.split_once("<!-- series -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of series -->").unwrap();
    let table = table(&scrape, &servers, &owners);
    let text = format!("{before}<!-- series -->\n{table}<!-- end of series -->{after}");
    expect_file![page].assert_eq(&text);
}

/// A collector, or the flag that serves another exporter's names.
struct Server {
    name: String,
    default: String,
}

/// What serves families, and each family with the name of what serves it, by `--list-metrics`.
fn reference() -> (Vec<Server>, Vec<(String, String)>) {
    let output = Command::new(env!("CARGO_BIN_EXE_libvirt_nova")).arg("--list-metrics").output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let (collectors, families) = text.split_once("\n\n").unwrap();
    let rows = |table: &str| -> Vec<Vec<String>> {
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        table.lines().skip(2).map(cells).collect()
    };
    let server = |row: Vec<String>| Server { name: row[1].clone(), default: row[2].clone() };
    let mut servers: Vec<_> = rows(collectors).into_iter().map(server).collect();
    let mut owners = Vec::new();
    for row in rows(families) {
        let (collector, flag) = row[7].split_once(", ").unwrap_or((&row[7], ""));
        let name = if flag.is_empty() { collector } else { flag };
        if !flag.is_empty() && !servers.iter().any(|server| server.name == name) {
            servers.push(Server { name: name.to_owned(), default: "off".to_owned() });
        }
        owners.push((row[1].clone(), name.to_owned()));
    }
    (servers, owners)
}

fn table(scrape: &Scrape, servers: &[Server], owners: &[(String, String)]) -> String {
    let count = |server: &Server, domain: Option<&str>| {
        let owned = owners.iter().filter(|(_, owner)| *owner == server.name);
        let samples = owned.flat_map(|(family, _)| scrape.samples(family, &[]));
        let of = |sample: &&crate::scrape::Sample| {
            let labels = &sample.labels;
            let own = labels.get("domain").or_else(|| labels.get("libvirtname"));
            own.map(String::as_str) == domain
        };
        samples.filter(of).count()
    };
    let mut text = String::from(
        "| | default | a guest | a vCPU | a disk | a NIC | the host |\n|---|---|---|---|---|---|---|\n",
    );
    let mut sums = [0; 5];
    for server in servers {
        let of = |domain| count(server, Some(domain));
        let plain = of(PLAIN);
        let vcpu = (of(FOUR_VCPUS) - plain) / 3;
        let [disk, interface] = [TWO_DISKS, TWO_INTERFACES].map(|domain| of(domain) - plain);
        let row = [plain - vcpu - disk - interface, vcpu, disk, interface, count(server, None)];
        if server.default == "on" {
            sums = [0, 1, 2, 3, 4].map(|at| sums[at] + row[at]);
        }
        if row != [0; 5] {
            text += &line(&format!("`{}`", server.name), &server.default, row);
        }
    }
    text + &line("all that is on by default", "", sums)
}

fn line(name: &str, default: &str, row: [usize; 5]) -> String {
    let cells = row.map(|count| if count == 0 { String::new() } else { count.to_string() });
    format!("| {name} | {default} | {} |\n", cells.join(" | "))
}
