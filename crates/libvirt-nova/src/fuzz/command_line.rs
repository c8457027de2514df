//! Any command line, in any environment.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, time::Duration};

use libvirt_client::Address;

use crate::{
    flags::{self, Flags, MetricsPath, Stop},
    log::LogTarget,
};

/// Reads a command line: flags that can be obeyed, an answer, or one line of refusal.
///
/// The words end at NUL, as in `/proc/PID/cmdline`. One like `LIBVIRT_NOVA_PORT=1`
/// is a variable of the environment.
pub fn command_line(data: &[u8]) {
    let words = data.split(|byte| *byte == 0);
    let (variables, args): (Vec<_>, Vec<_>) =
        words.partition(|word| word.starts_with(b"LIBVIRT_NOVA_") && word.contains(&b'='));
    let parsed =
        flags::parse(args.into_iter().map(|word| OsStr::from_bytes(word).into()), |name| {
            let value = |word: &&[u8]| {
                let value = word.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
                Some(OsStr::from_bytes(value).to_owned())
            };
            variables.iter().find_map(value)
        });
    match parsed {
        Ok(flags) => obeyable(&flags),
        Err(Stop::Answer(text)) => assert!(text.ends_with('\n'), "{text:?}"),
        Err(Stop::Refusal(error)) => {
            let line = error.to_string();
            let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            assert!(!line.is_empty() && !line.contains(ends), "{line:?}");
        }
    }
}

fn obeyable(flags: &Flags) {
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
        systemd_socket: _,
        metrics_path,
        log,
        log_level: _,
        log_format: _,
        collectors: _,
        labels: _,
        compat: _,
        filter,
        created: _,
        ignored,
        once,
        check: _,
        web_config: _,
    } = flags;
    let uri = &access.address;
    assert_eq!(uri.to_string().parse::<Address>().as_ref(), Ok(uri));
    assert!(*is_watching || targets.is_some());
    let idles = Duration::from_secs(1)..=Duration::from_hours(24);
    assert!(targets_idle.is_zero() || idles.contains(targets_idle), "{targets_idle:?}");
    assert!(target.is_none() || *once && targets.is_some());
    let polls = Duration::from_millis(100)..=Duration::from_hours(1);
    assert!(interval.is_zero() || polls.contains(interval), "{interval:?}");
    let deadlines = Duration::from_millis(100)..=Duration::from_mins(1);
    assert!(deadlines.contains(deadline), "{deadline:?}");
    let ages = Duration::from_millis(1)..=Duration::from_mins(1);
    assert!(min_age.is_zero() || ages.contains(min_age), "{min_age:?}");
    assert!((1..=16).contains(max_abandoned), "{max_abandoned}");
    assert!(!listen.is_empty());
    for address in listen {
        assert_eq!(address.to_string().parse().ok().as_ref(), Some(address));
    }
    let path = metrics_path.to_string();
    assert_eq!(path.parse::<MetricsPath>().ok().as_ref(), Some(metrics_path));
    assert!(metrics_path.matches(&path), "{path:?}");
    assert!(path.starts_with('/') && !path.contains(char::is_control), "{path:?}");
    assert_eq!(filter.is_all(), !filter.needs_metadata());
    let _ = filter.admits(&["web-frontend-01", "instance-00000337"], &["web-prod"]);
    assert!(ignored.len() <= 4, "{ignored:?}");
    if let LogTarget::File(file) = log {
        assert!(!file.as_os_str().is_empty());
    }
}
