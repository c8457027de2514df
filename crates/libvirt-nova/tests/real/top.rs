//! `top` beside a real libvirtd.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    exporter::{Exporter, program},
    guest::Guest,
    libvirtd::Libvirtd,
    process::{command, command_as_nobody, outcome, output},
    terminal::Terminal,
};

#[test]
fn a_guest_that_keeps_three_tenths_of_a_vcpu_busy_is_seen_to_do_so() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "30")]).booted();
    let uri = libvirtd.uri();
    let exporter = Exporter::on(&libvirtd);
    let url = format!("http://{}", exporter.address());
    for args in [["--uri", &*uri], ["--connect", &*url]] {
        let printed = || output(command(program()).args(["top", "--once"]).args(args));
        assert_as_the_kernel_says(&guest, 9, || {
            // An exporter has the same for a whole second.
            let began = Instant::now();
            let in_use = in_use(&printed(), &guest).unwrap();
            thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
            in_use
        });

        let terminal = Terminal::start(&program(), &[&["top"], &args[..]].concat(), 100, 24);
        terminal.wait_for("the guest", |seen| in_use(seen, &guest));
        let mut last = Instant::now();
        assert_as_the_kernel_says(&guest, 15, || {
            let in_use = terminal.wait_for("another second of the guest", |seen| {
                in_use(seen, &guest).filter(|_| last.elapsed() >= Duration::from_secs(1))
            });
            last = Instant::now();
            in_use
        });
    }
    // What else is known of it, by who asked libvirt.
    let printed = output(command(program()).args(["top", "--once", "--uri", &uri]));
    let row = printed.lines().find(|line| line.starts_with(&guest.nova_name())).unwrap();
    assert!(row.contains(" running "), "{row}");
    assert!(row.ends_with('%'), "{row}");
    let used = row.split_whitespace().find_map(|cell| cell.strip_suffix("/128M")).unwrap();
    let used: f64 = used.strip_suffix('M').unwrap().parse().unwrap();
    assert!(0.0 < used && used < 128.0, "{row}");
}

#[test]
fn a_guest_whose_qemu_stands_still_is_red() {
    let libvirtd = Libvirtd::start(&[]);
    let guests = [(); 2].map(|()| libvirtd.bios_guest(&[]));
    let terminal = Terminal::start(&program(), &["top", "--uri", &libvirtd.uri()], 100, 24);
    terminal.wait_for_text("2 running");
    let stopped = guests[0].freeze();
    let row = terminal.wait_for("a red guest", |_| {
        terminal.red().into_iter().find(|line| line.contains("stuck "))
    });
    assert!(row.starts_with(&guests[0].nova_name()), "{row}");
    terminal.wait_for("the other one as it is now", |seen| in_use(seen, &guests[1]));
    drop(stopped);
    terminal.wait_for_end_of("STUCK");
}

#[test]
fn a_libvirtd_that_is_killed_and_restarted_is_told_of() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let mut terminal = Terminal::start(&program(), &["top", "--uri", &libvirtd.uri()], 100, 24);
    terminal.wait_for("the guest", |seen| in_use(seen, &guest));
    libvirtd.daemon_kill();
    terminal.wait_for_text("libvirtd cannot be asked since ");
    terminal.wait_for_text(&guest.nova_name());
    libvirtd.daemon_start();
    terminal.wait_for_end_of("cannot be asked");
    terminal.wait_for("the guest", |seen| in_use(seen, &guest));
    terminal.type_in("q");
    assert_eq!(terminal.ended().code(), Some(0));
    terminal.assert_given_back();
    let log = libvirtd.log();
    assert!(!log.contains("End of file while reading data"), "we said goodbye: {log}");
}

#[test]
fn who_may_not_ask_is_told_what_to_do() {
    let libvirtd = Libvirtd::start(&[]);
    let socket = libvirtd.socket("libvirt-sock");
    output(std::process::Command::new("chmod").arg("0700").arg(&socket));
    let copy = crate::exporter::public_program();
    let (is_success, _, error) =
        outcome(command_as_nobody(copy).args(["top", "--once", "--uri"]).arg(&socket));
    assert!(!is_success);
    assert!(
        error.starts_with("libvirt_nova top: ") && error.contains("Permission denied"),
        "{error}"
    );
}

/// Asserts that what is shown in so many seconds is, in the mean, what the kernel says of them. On a
/// busy machine that is less than the guest wants.
fn assert_as_the_kernel_says(guest: &Guest<'_>, count: u8, mut shown: impl FnMut() -> f64) {
    let (began, before) = (Instant::now(), guest.busy_seconds());
    let seen: Vec<_> = (0..count).map(|_| shown()).collect();
    let kernel = (guest.busy_seconds() - before) / began.elapsed().as_secs_f64();
    let mean = seen.iter().sum::<f64>() / f64::from(count);
    // What QEMU needs besides makes it a little more.
    assert!((0.02..0.45).contains(&kernel), "the kernel says {kernel}: {seen:?}");
    assert!((mean - kernel).abs() <= 0.05, "the kernel says {kernel}, seen: {seen:?}");
}

/// The vCPUs in use of a guest, on a screen or in print.
fn in_use(seen: &str, guest: &Guest<'_>) -> Option<f64> {
    let row = seen.lines().find(|line| line.starts_with(&guest.nova_name()))?;
    let cell = row.split_whitespace().find_map(|cell| cell.strip_suffix("/1"))?;
    cell.parse().ok()
}
