//! Command lines and environments, and what is made of them.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::PathBuf};

use expect_test::expect_file;
use libvirt_client::Credentials;

use super::*;
use crate::collectors::Collector;

mod choice;

fn with(args: &[&str], variables: &[(&str, &str)]) -> Result<Flags, Stop> {
    parse(args.iter().map(OsString::from), |name| {
        let found = variables.iter().find(|(variable, _)| *variable == name)?;
        Some(OsString::from(found.1))
    })
}

fn flags(args: &[&str]) -> Flags {
    with(args, &[]).unwrap()
}

fn refusal(args: &[&str], variables: &[(&str, &str)]) -> String {
    match with(args, variables) {
        Err(Stop::Refusal(error)) => error.to_string(),
        other => panic!("{args:?} {variables:?}: {other:?}"),
    }
}

fn answer(args: &[&str]) -> String {
    match with(args, &[]) {
        Err(Stop::Answer(text)) => text,
        other => panic!("{args:?}: {other:?}"),
    }
}

fn listen(flags: &Flags) -> Vec<String> {
    flags.listen.iter().map(ToString::to_string).collect()
}

#[test]
fn without_a_flag_all_is_as_in_the_first_exporter() {
    let Flags {
        access,
        is_watching,
        targets,
        targets_idle,
        target,
        interval,
        deadline,
        min_age,
        max_abandoned,
        listen,
        systemd_socket,
        metrics_path,
        web_config,
        log,
        log_level,
        log_format,
        collectors,
        labels,
        compat,
        filter,
        created,
        ignored,
        once,
        check,
    } = flags(&[]);
    assert_eq!((deadline, min_age), (Duration::from_secs(5), Duration::from_secs(1)));
    assert_eq!(max_abandoned, 12);
    assert_eq!(access.address.to_string(), "qemu:///system");
    assert_eq!(access.credentials, Credentials::default());
    assert!(is_watching);
    assert_eq!((targets, target, targets_idle), (None, None, Duration::from_mins(5)));
    assert_eq!(interval, Duration::from_secs(1));
    assert_eq!(listen, [ListenAddress::Everywhere(9100)]);
    assert!(!systemd_socket);
    assert_eq!(metrics_path.to_string(), "/metrics");
    assert_eq!(web_config, None);
    assert_eq!(log, LogTarget::DefaultFile);
    assert_eq!(log_level, LogLevel::Info);
    assert_eq!(log_format, LogFormat::Text);
    assert_eq!(collectors, Collectors::default());
    assert_eq!(labels, LabelSet::Narrow);
    assert!(compat.is_empty() && !created && filter.is_all());
    assert_eq!(ignored, [""; 0]);
    assert!(!once && !check);
}

#[test]
fn one_dash_or_two_and_a_blank_or_an_equals_sign() {
    for dashes in ["-", "--"] {
        let split: Vec<String> = [
            ("uri", "test:///default"),
            ("interval", "0"),
            ("deadline", "2s"),
            ("min-age", "0"),
            ("max-abandoned", "4"),
            ("port", "9177"),
            ("path", "/m"),
            ("web.config.file", "web.yml"),
            ("log", "x.log"),
            ("log.level", "warn"),
            ("log.format", "json"),
        ]
        .iter()
        .flat_map(|(name, value)| [format!("{dashes}{name}"), (*value).to_owned()])
        .collect();
        let joined: Vec<String> = split.chunks(2).map(|pair| pair.join("=")).collect();
        for args in [split, joined] {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let flags = flags(&args);
            assert_eq!(flags.access.address.to_string(), "test:///default");
            assert!(flags.interval.is_zero() && flags.min_age.is_zero());
            assert_eq!((flags.deadline, flags.max_abandoned), (Duration::from_secs(2), 4));
            assert_eq!(listen(&flags), [":9177"]);
            assert_eq!(flags.metrics_path.to_string(), "/m");
            assert_eq!(flags.web_config, Some("web.yml".into()));
            assert_eq!(flags.log, LogTarget::File("x.log".into()));
            assert_eq!(flags.log_level, LogLevel::Warn);
            assert_eq!(flags.log_format, LogFormat::Json);
        }
    }
}

#[test]
fn a_value_is_left_alone() {
    assert_eq!(flags(&["-log", "-"]).log, LogTarget::Stderr);
    assert_eq!(flags(&["-log=-port"]).log, LogTarget::File("-port".into()));
    assert_eq!(flags(&["-log", "-x"]).log, LogTarget::File("-x".into()));
    assert_eq!(flags(&["-log", "--a=b"]).log, LogTarget::File("--a=b".into()));
    assert_eq!(flags(&["-log", "a=b"]).log, LogTarget::File("a=b".into()));
    let uri = "qemu:///system?socket=/run/-uri=x";
    assert_eq!(flags(&["-uri", uri]).access.address.to_string(), uri);
}

#[test]
fn an_empty_web_configuration_is_none() {
    assert_eq!(flags(&["--web.config.file="]).web_config, None);
    assert_eq!(flags(&["--web.config.file", ""]).web_config, None);
}

#[test]
fn a_log_file_need_not_be_utf8() {
    let path = OsStr::from_bytes(b"/tmp/\xff.log");
    let flags = parse(["-log".into(), path.to_owned()], |_| None).unwrap();
    assert_eq!(flags.log, LogTarget::File(PathBuf::from(path)));
}

#[test]
fn the_last_flag_wins() {
    let flags = flags(&[
        "-port",
        "1",
        "--port",
        "2",
        "-path=/a",
        "--web.telemetry-path",
        "/b",
        "--once",
        "--once=false",
    ]);
    assert_eq!(listen(&flags), [":2"]);
    assert_eq!(flags.metrics_path.to_string(), "/b");
    assert!(!flags.once);
}

#[test]
fn a_listen_address_takes_the_place_of_the_port() {
    let flags = flags(&[
        "--web.listen-address=127.0.0.1:1",
        "-port=9",
        "-web.listen-address",
        "[::1]:2,:3",
    ]);
    assert_eq!(listen(&flags), ["127.0.0.1:1", "[::1]:2", ":3"]);
}

#[test]
fn once_takes_no_word_that_follows() {
    assert!(flags(&["-once"]).once);
    assert!(flags(&["--once", "-port", "1"]).once);
    assert!(!flags(&["--once=false"]).once);
    assert!(flags(&["-check", "-port", "1"]).check);
    assert!(!flags(&["--check", "--no-check"]).check);
    assert_eq!(refusal(&["--once", "false"], &[]), "false: belongs to no flag, see --help");
}

#[test]
fn the_reference_is_an_answer_as_help_is() {
    for word in ["-list-metrics", "--list-metrics"] {
        assert_eq!(answer(&[word]), families::reference());
    }
    let variables = [("LIBVIRT_NOVA_PORT", "x"), ("LIBVIRT_NOVA_LIST_METRICS", "1")];
    assert!(matches!(with(&["--list-metrics"], &variables), Err(Stop::Answer(_))));
    assert!(with(&[], &[("LIBVIRT_NOVA_LIST_METRICS", "1")]).is_ok());
    assert!(answer(&["--version"]).starts_with("libvirt_nova "));
}

#[test]
fn every_flag_has_a_variable() {
    let flags = with(
        &[],
        &[
            ("LIBVIRT_NOVA_URI", "test:///default"),
            ("LIBVIRT_NOVA_INTERVAL", "2s"),
            ("LIBVIRT_NOVA_DEADLINE", "3s"),
            ("LIBVIRT_NOVA_MIN_AGE", "4s"),
            ("LIBVIRT_NOVA_MAX_ABANDONED", "5"),
            ("LIBVIRT_NOVA_PORT", "9"),
            ("LIBVIRT_NOVA_WEB_LISTEN_ADDRESS", "127.0.0.1:1,[::1]:2"),
            ("LIBVIRT_NOVA_WEB_TELEMETRY_PATH", "/m"),
            ("LIBVIRT_NOVA_LOG", "-"),
            ("LIBVIRT_NOVA_LOG_LEVEL", "error"),
            ("LIBVIRT_NOVA_LOG_FORMAT", "logfmt"),
            ("LIBVIRT_NOVA_LABELS", "wide"),
            ("LIBVIRT_NOVA_COMPAT", "tinkoff"),
            ("LIBVIRT_NOVA_CREATED_TIMESTAMPS", "true"),
            ("LIBVIRT_NOVA_INSTANCES", "a"),
            ("LIBVIRT_NOVA_INSTANCES_EXCLUDE", "b"),
            ("LIBVIRT_NOVA_PROJECTS", "c"),
            ("LIBVIRT_NOVA_PROJECTS_EXCLUDE", "d"),
            ("LIBVIRT_NOVA_COLLECTOR_VCPU_KVM", "true"),
            ("LIBVIRT_NOVA_ONCE", "1"),
            ("LIBVIRT_NOVA_HELP", "1"),
        ],
    )
    .unwrap();
    assert_eq!(flags.access.address.to_string(), "test:///default");
    assert_eq!(flags.interval, Duration::from_secs(2));
    assert_eq!(flags.deadline, Duration::from_secs(3));
    assert_eq!(flags.min_age, Duration::from_secs(4));
    assert_eq!(flags.max_abandoned, 5);
    assert_eq!(listen(&flags), ["127.0.0.1:1", "[::1]:2"]);
    assert_eq!(flags.metrics_path.to_string(), "/m");
    assert_eq!(flags.log, LogTarget::Stderr);
    assert_eq!(flags.log_level, LogLevel::Error);
    assert_eq!(flags.log_format, LogFormat::Logfmt);
    assert_eq!(flags.labels, LabelSet::Wide);
    assert_eq!(flags.compat, [Compat::Tinkoff]);
    assert!(flags.created && flags.collectors.has(Collector::VcpuKvm));
    let Filter { instances, instances_exclude, projects, projects_exclude } = &flags.filter;
    assert!(instances.is_some() && instances_exclude.is_some());
    assert!(projects.is_some() && projects_exclude.is_some());
    assert!(flags.once);
    assert_eq!(listen(&with(&[], &[("LIBVIRT_NOVA_PORT", "9")]).unwrap()), [":9"]);
}

#[test]
fn a_flag_wins_over_its_variable() {
    let variables = [
        ("LIBVIRT_NOVA_URI", "not looked at"),
        ("LIBVIRT_NOVA_WEB_LISTEN_ADDRESS", "not looked at"),
        ("LIBVIRT_NOVA_PATH", "not looked at"),
        ("LIBVIRT_NOVA_WEB_TELEMETRY_PATH", "not looked at"),
    ];
    let args = ["-uri=test:///default", "-port=1", "--web.telemetry-path=/m"];
    let flags = with(&args, &variables).unwrap();
    assert_eq!(flags.access.address.to_string(), "test:///default");
    // What was typed is the answer to where to listen, by whichever flag.
    assert_eq!(listen(&flags), [":1"]);
    assert_eq!(flags.metrics_path.to_string(), "/m");
}

#[test]
fn an_empty_variable_is_not_set() {
    let variables = [("LIBVIRT_NOVA_PORT", ""), ("LIBVIRT_NOVA_WEB_LISTEN_ADDRESS", "")];
    assert_eq!(listen(&with(&[], &variables).unwrap()), [":9100"]);
}

/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
#[test]
fn the_port_that_kubernetes_sets_is_not_ours() {
    let variables = [("LIBVIRT_NOVA_PORT", "tcp://10.0.0.11:9100")];
    assert_eq!(listen(&with(&[], &variables).unwrap()), [":9100"]);
}

#[test]
fn a_refusal_says_what_was_wrong_and_what_would_be_right() {
    for (args, message) in [
        (&["-port", "70000"][..], "-port: 70000 is not a port, expected 1 to 65535"),
        (&["--port=70000"], "--port: 70000 is not a port, expected 1 to 65535"),
        (&["-port", "-1"], "-port: -1 is not a port, expected 1 to 65535"),
        (&["-port="], "-port: \"\" is not a port, expected 1 to 65535"),
        (&["-port"], "-port: the value is missing, expected -port PORT"),
        (&["-uri", "-port", "1"], "-uri: the value is missing, expected -uri URI"),
        (&["-uri", "--"], "-uri: the value is missing, expected -uri URI"),
        (
            &["-web.telemetry-path", "m"],
            "-web.telemetry-path: m is not a path, expected one that begins with / like /metrics",
        ),
        (&["-log="], "-log: \"\" is not a file, expected a path or -"),
        (
            &["--log.level", "loud"],
            "--log.level: loud is not a choice, expected one of debug, info, warn, error",
        ),
        (&["-log.level="], "-log.level: the value is missing, expected -log.level LEVEL"),
        (&["--once=maybe"], "--once: maybe is neither true nor false"),
        (&["--version=1"], "--version: has a value, expected none"),
        (&["--list-metrics=1"], "--list-metrics: has a value, expected none"),
        (
            &["--collector.foo"],
            "--collector.foo: no such collector, expected --collector.NAME with one of instance, utilization, domain, cpu, memory, vcpu, block, interface, hostdev, job, event, pool, node, block-latency, block-limits, perf, iothread, dirtyrate, haltpoll, vm, vcpu-kvm, node-detail",
        ),
        (&["--collector.perf=maybe"], "--collector.perf: maybe is neither true nor false"),
        (&["--collector.perf="], "--collector.perf: \"\" is neither true nor false"),
        (&["--collector.perf", "false"], "false: belongs to no flag, see --help"),
        (&["--no-collector.perf=false"], "--no-collector.perf: has a value, expected none"),
        (&["-no-collector.perf="], "-no-collector.perf: has a value, expected none"),
        (&["--no-colector.perf"], "--no-colector.perf: no such flag, see --help"),
        (&["-uri", "-no-once"], "-uri: the value is missing, expected -uri URI"),
        (&["--labels=all"], "--labels: all is not a choice, expected one of narrow, wide"),
        (&["--compat=x"], "--compat: x is not a choice, expected one of tinkoff, kumina"),
        (
            &["--instances=web-["],
            "--instances: web-[ is not a regular expression from [ on: found unclosed character class",
        ),
        (
            &["-projects.exclude", ""],
            "-projects.exclude: \"\" names nothing, expected an expression like web-.*",
        ),
        (
            &["--libvirt.driver"],
            "--libvirt.driver: the value is missing, expected --libvirt.driver VALUE",
        ),
        (&["-prot", "9100"], "-prot: no such flag, did you mean -port?"),
        (&["--prot=9100"], "--prot: no such flag, did you mean --port?"),
        (&["--web.config=x"], "--web.config: no such flag, did you mean --web.config.file?"),
        (&["-p", "9100"], "-p: no such flag, see --help"),
        (&["-=x"], "-=: no such flag, see --help"),
        (&["9100"], "9100: belongs to no flag, see --help"),
        (&["--", "x"], "x: belongs to no flag, see --help"),
        (&[""], "\"\": belongs to no flag, see --help"),
    ] {
        assert_eq!(refusal(args, &[]), message, "{args:?}");
    }
}

#[test]
fn a_refusal_names_the_variable() {
    for (variable, message) in [
        (
            ("LIBVIRT_NOVA_COLLECTOR_PERF", "on"),
            "LIBVIRT_NOVA_COLLECTOR_PERF: on is neither true nor false",
        ),
        (
            ("LIBVIRT_NOVA_INSTANCES", "+"),
            "LIBVIRT_NOVA_INSTANCES: + is not a regular expression from + on: uncounted repetition operator must be applied to a sub-expression",
        ),
        (("LIBVIRT_NOVA_PORT", "0"), "LIBVIRT_NOVA_PORT: 0 is not a port, expected 1 to 65535"),
        (
            ("LIBVIRT_NOVA_WEB_TELEMETRY_PATH", "m"),
            "LIBVIRT_NOVA_WEB_TELEMETRY_PATH: m is not a path, expected one that begins with / like /metrics",
        ),
        (
            ("LIBVIRT_NOVA_LOG_FORMAT", "xml"),
            "LIBVIRT_NOVA_LOG_FORMAT: xml is not a choice, expected one of text, logfmt, json",
        ),
        (
            ("LIBVIRT_NOVA_WEB_LISTEN_ADDRESS", ":1,host:2"),
            "LIBVIRT_NOVA_WEB_LISTEN_ADDRESS: host:2 is not an address: names are not looked up, expected one like 192.0.2.7:9100, [::1]:9100 or :9100",
        ),
    ] {
        assert_eq!(refusal(&["-log", "-"], &[variable]), message);
    }
}

#[test]
fn a_refusal_is_one_line_whatever_was_typed() {
    let lines = [
        refusal(&["-uri", "a\nb"], &[]),
        refusal(&["-port", "1\r\n2"], &[]),
        refusal(&["-a\nb"], &[]),
        refusal(&["--log.level=\u{1b}[2J\u{85}\u{2028}"], &[]),
        refusal(&["\n"], &[]),
        refusal(&[], &[("LIBVIRT_NOVA_PORT", "1\n")]),
    ];
    for line in lines {
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        assert!(!line.contains('\u{2028}'), "{line:?}");
    }
}

#[test]
fn words_that_are_not_utf8_are_refused_by_name() {
    let refused = |word: &[u8]| match parse([OsStr::from_bytes(word).to_owned()], |_| None) {
        Err(Stop::Refusal(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b"-uri=/\xff"), "-uri: /\u{fffd} is not UTF-8");
    assert_eq!(refused(b"--port=\xff"), "--port: \u{fffd} is not UTF-8");
    assert_eq!(
        refused(b"--log.level=\xff"),
        "--log.level: \u{fffd} is not a choice, expected one of debug, info, warn, error"
    );
    assert_eq!(refused(b"-\xff\xff=1"), "-\u{fffd}\u{fffd}: no such flag, see --help");
    assert_eq!(refused(b"\xff"), "\u{fffd}: belongs to no flag, see --help");
}

#[test]
fn a_wrong_address_is_refused_in_its_own_words() {
    let error = "ssh".parse::<libvirt_client::Address>().unwrap_err();
    assert_eq!(refusal(&["-uri", "ssh"], &[]), format!("-uri: {error}"));
}

#[test]
fn credentials_are_files_and_a_name() {
    let words = ["--auth.file=/a", "-auth.username", "nova", "--auth.password-file", "/p"];
    let expected = Credentials {
        auth_file: Some("/a".into()),
        username: Some("nova".to_owned()),
        password_file: Some("/p".into()),
    };
    assert_eq!(flags(&words).access.credentials, expected);
    let variables = [("LIBVIRT_NOVA_AUTH_FILE", ""), ("LIBVIRT_NOVA_AUTH_USERNAME", "")];
    let Ok(none) = with(&[], &variables) else { panic!("what is empty is not given") };
    assert_eq!(none.access.credentials, Credentials::default());
}

#[test]
fn the_version_is_the_packages() {
    for word in ["-version", "--version"] {
        let text = answer(&[word]);
        let expected = concat!("libvirt_nova ", env!("CARGO_PKG_VERSION"));
        assert!(text.starts_with(expected) && text.ends_with('\n'), "{text:?}");
        assert_eq!(text.lines().count(), 1);
    }
}

#[test]
fn a_wrong_variable_does_not_keep_help_from_being_read() {
    let variables = [("LIBVIRT_NOVA_PORT", "x")];
    assert!(matches!(with(&["--help"], &variables), Err(Stop::Answer(_))));
    assert!(matches!(with(&["--"], &variables), Err(Stop::Refusal(_))));
}

#[test]
fn help_is_the_whole_manual_of_flags_in_80_columns() {
    let text = answer(&["-h"]);
    assert_eq!(text, answer(&["-help"]));
    assert_eq!(text, answer(&["--help"]));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    expect_file!["../../testdata/help.txt"].assert_eq(&text);
}

#[test]
fn targets_take_the_place_of_the_own_libvirtd_unless_that_is_named() {
    let watching = |args: &[&str]| flags(args).is_watching;
    assert!(watching(&[]));
    assert!(!watching(&["--targets.file=t.yml"]));
    assert!(watching(&["--targets.file=t.yml", "-uri", "qemu:///system"]));
    assert!(watching(&["--targets.file=t.yml", "--libvirt.uri=qemu:///system"]));
    assert!(watching(&["--targets.file="]), "as if it were not given");
    let variables =
        [("LIBVIRT_NOVA_URI", "qemu:///system"), ("LIBVIRT_NOVA_TARGETS_FILE", "t.yml")];
    let flags = with(&[], &variables).unwrap();
    assert!(flags.is_watching && flags.targets.is_some());
}

#[test]
fn one_target_is_printed_once_and_from_a_file() {
    for (args, said) in [
        (&["--target=a", "--once"][..], "--target: is in no file, expected --targets.file as well"),
        (&["-targets.file=t.yml", "-target", "a"], "-target: is for --once, expected that as well"),
        (
            &["--targets.file=t.yml", "--once"],
            "--once: has nothing to print, expected --target as well",
        ),
    ] {
        match with(args, &[]) {
            Err(Stop::Refusal(error)) => assert_eq!(error.to_string(), said),
            other => panic!("{args:?}: {other:?}"),
        }
    }
    let flags = flags(&["--targets.file=t.yml", "--once", "--target=a"]);
    assert_eq!(flags.target.as_deref(), Some("a"));
}
