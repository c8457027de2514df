//! Prometheus scrapes us, and its own tools like what they see.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::{
    exporter::{EVERYTHING, Exporter, program},
    fixture::new_dir,
    libvirtd::Libvirtd,
    mission::with_memory,
    process::{command, outcome, output},
    scrape::Labels,
    wait::{PATIENCE, wait_until},
};

/// The README's question: how many vCPUs are in use.
const QUERY: &str =
    r#"irate(libvirt_nova_instance_cpu_time_total{novaname=~"testing.*"}[1m])/1e+9"#;

#[test]
fn prometheus_answers_the_query_of_the_readme() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "50")]);
    let exporter = Exporter::on(&libvirtd);
    let prometheus = Prometheus::scraping(&exporter);
    let guest = guest.booted();

    wait_until(PATIENCE, "a target that is up", || {
        (prometheus.query("up")?.value == 1.0).then_some(())
    });
    // Other tests run meanwhile. A guest of theirs is called `testing-` as well.
    let query = QUERY
        .replace("=~\"testing.*\"", &format!("=~\"testing.*\",libvirtname=\"{}\"", guest.name));
    assert_ne!(query, QUERY);
    let (answer, _) = wait_until(PATIENCE, "between 0.2 and 1.2 vCPUs in use", || {
        let answer = prometheus.query(&query)?;
        (0.2..1.2).contains(&answer.value).then_some(answer)
    });
    assert!(
        answer.labels.contains(&format!("novaname=\"{}\"", guest.nova_name())),
        "{}",
        answer.labels
    );
    // The README's own words give an answer too, of all such guests.
    assert!(prometheus.ask(QUERY).contains(&guest.nova_name()));

    // Ours never stand in Prometheus' way.
    assert!(!prometheus.ask("{job=\"libvirt_nova\"}").contains("exported_"));
    let log = prometheus.log();
    let faults: Vec<_> = log.lines().filter(|line| !line.contains("level=info")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn promtool_complains_of_inherited_names_alone() {
    let libvirtd = Libvirtd::start(&[]);
    let _guest = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]).booted();
    for exporter in [Exporter::on(&libvirtd), Exporter::with(&libvirtd, &EVERYTHING)] {
        let scrape = with_memory(&exporter);
        assert_all_inherited(&complaints(&scrape.response.body));
    }
}

/// Names of which this host has no sample as well.
#[test]
fn promtool_complains_of_inherited_names_alone_in_the_whole_table() {
    let table = output(command(program()).arg("--list-metrics"));
    let (_, families) = table.split_once("\n\n").unwrap();
    let mut exposition = String::new();
    let mut count = 0;
    for line in families.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let name = cells.next().unwrap().trim_matches('`');
        let (kind, help) = (cells.next().unwrap(), cells.last().unwrap());
        let sample = match kind {
            "histogram" => format!("{name}_bucket{{le=\"+Inf\"}} 1\n{name}_sum 1\n{name}_count 1"),
            _ => format!("{name} 1"),
        };
        writeln!(exposition, "# HELP {name} {help}\n# TYPE {name} {kind}\n{sample}").unwrap();
        count += 1;
    }
    assert!(count > 150, "{count} families");
    assert_all_inherited(&complaints(&exposition));
}

fn assert_all_inherited(complaints: &BTreeSet<String>) {
    assert!(complaints.iter().all(|complaint| is_inherited(complaint)), "{complaints:#?}");
    assert_eq!(complaints.len(), INHERITED.len(), "{complaints:#?}");
}

/// Whether promtool complains of a name that was there before us.
pub(crate) fn is_inherited(complaint: &str) -> bool {
    let words = complaint.split_once(' ').unwrap();
    INHERITED.contains(&words)
}

/// What promtool has against the names that we inherited.
const INHERITED: [(&str, &str); 12] = [
    ("libvirt_domain_memory_stats_swap_in_bytes", NO_TOTAL),
    ("libvirt_domain_memory_stats_swap_out_bytes", NO_TOTAL),
    ("libvirt_nova_instance_memory_alloc_kb", ABBREVIATED),
    ("libvirt_nova_instance_memory_cache_used_kb", ABBREVIATED),
    ("libvirt_nova_instance_memory_used_kb", ABBREVIATED),
    ("libvirt_nova_instance_rdbytes", NO_TOTAL),
    ("libvirt_nova_instance_rdreq", NO_TOTAL),
    ("libvirt_nova_instance_rxbytes", NO_TOTAL),
    ("libvirt_nova_instance_txbytes", NO_TOTAL),
    (
        "libvirt_nova_instance_vcpu_count",
        "non-histogram and non-summary metrics should not have \"_count\" suffix",
    ),
    ("libvirt_nova_instance_wrbytes", NO_TOTAL),
    ("libvirt_nova_instance_wrreq", NO_TOTAL),
];
const ABBREVIATED: &str = "metric names should not contain abbreviated units";
const NO_TOTAL: &str = "counter metrics should have \"_total\" suffix";

/// What `promtool check metrics` finds wrong with an exposition.
pub(crate) fn complaints(exposition: &str) -> BTreeSet<String> {
    let mut child = command("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(exposition.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

/// A Prometheus that scrapes exporters each second; it is killed when this is dropped.
pub(crate) struct Prometheus {
    child: Child,
    url: String,
    log: PathBuf,
}

/// One series of an answer.
struct Answer {
    labels: String,
    value: f64,
}

impl Prometheus {
    fn scraping(exporter: &Exporter) -> Self {
        Self::with(&[exporter], &[])
    }

    /// Starts one that evaluates the rules of these files as well.
    pub(crate) fn with(exporters: &[&Exporter], rules: &[PathBuf]) -> Self {
        let dir = new_dir("prometheus");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let targets: Vec<_> = exporters.iter().map(|it| it.address().to_string()).collect();
        // Of YAML, JSON is a part.
        let configuration = json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" },
            "rule_files": rules,
            "scrape_configs": [
                { "job_name": "libvirt_nova", "static_configs": [{ "targets": targets }] },
            ],
        });
        fs::write(dir.join("prometheus.yml"), configuration.to_string()).unwrap();
        let log = dir.join("log");
        let child = command("prometheus")
            .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let prometheus = Self { child, url: format!("http://127.0.0.1:{port}"), log };
        wait_until(PATIENCE, "Prometheus to be ready", || {
            prometheus.log().contains("Server is ready").then_some(())
        });
        prometheus
    }

    /// What its API says to a question: the field `data`.
    pub(crate) fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let mut curl = command("curl");
        curl.args(["-sS", "--get", &format!("{}/api/v1/{path}", self.url)]);
        for (name, value) in parameters {
            curl.arg("--data-urlencode").arg(format!("{name}={value}"));
        }
        let mut answer: Value = serde_json::from_str(&output(&mut curl)).unwrap();
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer["data"].take()
    }

    /// The series that an expression has now: labels, and the value as text.
    pub(crate) fn series(&self, expression: &str) -> Vec<(Labels, String)> {
        let data = self.api("query", &[("query", expression)]);
        let of = |it: &Value| {
            let labels = serde_json::from_value(it["metric"].clone()).unwrap();
            (labels, it["value"][1].as_str().unwrap().to_owned())
        };
        data["result"].as_array().unwrap().iter().map(of).collect()
    }

    /// What `promtool query instant` prints: a line a series, `{labels} => value @[time]`.
    fn ask(&self, query: &str) -> String {
        let (success, stdout, stderr) =
            outcome(command("promtool").args(["query", "instant", &self.url, query]));
        assert!(success, "{query}: {stderr}");
        stdout
    }

    /// Returns the only series of an answer, where there is one yet.
    fn query(&self, query: &str) -> Option<Answer> {
        let text = self.ask(query);
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let line = lines.next()?;
        assert!(lines.next().is_none(), "{text}");
        let (labels, rest) = line.rsplit_once(" => ").unwrap();
        let (value, _) = rest.split_once(" @").unwrap();
        Some(Answer { labels: labels.to_owned(), value: value.parse().unwrap() })
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
