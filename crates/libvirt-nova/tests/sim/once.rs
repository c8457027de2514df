//! `--once`: one exposition, and the end.

use std::process::Command;

use crate::{bench::Bench, said::Said, scrape::parse};

#[test]
fn one_exposition_is_printed_and_says_what_a_scrape_says() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    let before = bench.sim.status().connections;
    let mut command = Command::new(env!("CARGO_BIN_EXE_libvirt_nova"));
    command.args(["--once", "-uri", bench.sim.read_only_socket().to_str().unwrap()]);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let families = parse(&String::from_utf8(output.stdout).unwrap());
    let up = families.iter().find(|family| family.name == "libvirt_up").unwrap();
    assert_eq!(up.samples[0].value, 1.0);
    assert_eq!(Said::of_families(&families), whole);
    bench.until("its connections closed", |status| status.connections == before);
}
