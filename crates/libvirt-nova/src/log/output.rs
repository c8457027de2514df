//! Where lines go.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use super::event::{Fields, Value};
use super::file::{self, BoundedFile, Change, Identity};
use super::line;
use super::record::Record;

/// The layer that prints each event and writes the line.
#[derive(Debug)]
pub(super) struct Lines {
    format: LogFormat,
    output: Mutex<Output>,
    record: Arc<Record>,
}

impl Lines {
    pub(super) fn new(format: LogFormat, output: Output, record: Arc<Record>) -> Self {
        Self { format, output: Mutex::new(output), record }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        // What an event is part of comes first, where there is room for it: the target it is about.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.others.extend(of_span.others.iter().cloned());
            }
        }
        event.record(&mut fields);
        let level = *event.metadata().level();
        let line = line::print(self.format, &now(), level, &fields);
        self.record.note_line(level, &line);
        self.output.lock().unwrap_or_else(PoisonError::into_inner).write(&line, self.format);
    }
}

/// Where lines go; faults of any of it are no fault of the caller's.
#[derive(Debug)]
pub(super) enum Output {
    /// Standard error alone.
    Stderr,
    /// Standard error and standard output, whatever that is.
    StderrAndStdout,
    /// Standard error and a file.
    StderrAndFile(BoundedFile),
    /// A file that is standard error as well (`2> libvirt_nova.log`): written once, and by us.
    File(BoundedFile),
}

impl Output {
    /// Standard error, and what `path` names.
    ///
    /// The names of the standard streams mean the streams themselves: opened by
    /// name, a socket (journald's) is refused and a file would be cut short
    /// behind the back of whoever redirected to it.
    ///
    /// # Errors
    ///
    /// When `path` cannot be opened for writing, or waits for a reader (a FIFO).
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        match path.to_str() {
            Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => return Ok(Self::Stderr),
            Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => {
                let is_one = identity(io::stdout())? == identity(io::stderr())?;
                return Ok(if is_one { Self::Stderr } else { Self::StderrAndStdout });
            }
            Some(_) | None => {}
        }
        let file = BoundedFile::open(path.to_owned(), FILE_MAX)?;
        let is_one = file.identity() == identity(io::stderr())?;
        Ok(if is_one { Self::File(file) } else { Self::StderrAndFile(file) })
    }

    /// Writes `line` everywhere, and says on standard error how the file fares if that changed.
    fn write(&mut self, line: &str, format: LogFormat) {
        match self {
            Self::Stderr => write_stderr(line),
            Self::StderrAndStdout => {
                write_stderr(line);
                let mut stdout = io::stdout().lock();
                // As with standard error: nobody is left to hear of the fault.
                let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
            }
            Self::StderrAndFile(file) => {
                write_stderr(line);
                for change in file.write(line) {
                    let fields = notice(file.path(), change);
                    write_stderr(&line::print(format, &now(), Level::WARN, &fields));
                }
            }
            // Standard error is the file at fault, or was until it was shortened.
            Self::File(file) => drop(file.write(line)),
        }
    }
}

/// The longest that the log file may be, in bytes.
///
/// What the first exporter kept to: months of healthy days, and no threat to a
/// host's root file system.
const FILE_MAX: u64 = 3_000_000;

/// What a standard stream leads to; `2>&1` makes the two one, and each line would come twice.
fn identity(stream: impl AsFd) -> io::Result<Identity> {
    File::from(stream.as_fd().try_clone_to_owned()?)
        .metadata()
        .map(|metadata| file::identity(&metadata))
}

fn write_stderr(line: &str) {
    // Closed, a broken pipe, a full disk: there is no place left to say so.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// What an operator reads of `change`, past the filter by level and not in the file itself.
fn notice(path: &Path, change: Change) -> Fields {
    let path = ("path", Value::Text(path.display().to_string()));
    let (message, error, others) = match change {
        Change::Failed(error) => ("cannot write the log file", Some(error), vec![path]),
        Change::Recovered { lost } => {
            let lost = ("lost", Value::Literal(lost.to_string()));
            ("writing the log file again", None, vec![path, lost])
        }
        Change::InPlace(error) => {
            ("cannot replace the log file, shortening it in place", Some(error), vec![path])
        }
    };
    let error = error.map(|error| error.to_string());
    Fields { message: message.to_owned(), domain: None, error, others }
}

/// The time of this host's clock, in its time zone (`TZ`, else `/etc/localtime`, else UTC).
fn now() -> Zoned {
    // A clock thousands of years off is no reason to end.
    let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(TimeZone::system())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::expect;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What `events` leave in the file, without the times.
    fn logged(format: LogFormat, events: impl FnOnce()) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nova.log");
        let file = BoundedFile::open(path.clone(), FILE_MAX).unwrap();
        let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(Lines::new(
            format,
            Output::File(file),
            Arc::default(),
        ));
        tracing::subscriber::with_default(subscriber, events);
        // Times have one length, whatever the zone.
        let time = match format {
            LogFormat::Text => "2026/11/24 12:24:20 ",
            LogFormat::Logfmt => "time=2026-11-24T12:24:20+01:00 ",
            LogFormat::Json => r#"{"time":"2026-11-24T12:24:20+01:00","#,
        };
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(|line| line.split_at(time.len()).1.to_owned() + "\n").collect()
    }

    fn events() {
        let name = "instance-000002bc";
        tracing::warn!(domain = %name, error = %io::Error::other("no reply"), "DomainGetCPUStats");
        tracing::info!(uri = "qemu:///system", domains = 2, share = 0.5, up = true, "connected");
        tracing::info!(after = ?std::time::Duration::from_millis(1500), "retired {}", "a\nb");
        tracing::info!(change = -1, ratio = f64::NAN, "odd");
        tracing::debug!("not at this level");
    }

    #[test]
    fn events_become_lines() {
        expect![[r#"
            instance-000002bc : DomainGetCPUStats: no reply
            connected uri=qemu:///system domains=2 share=0.5 up=true
            retired a\nb after=1.5s
            odd change=-1 ratio=NaN
        "#]]
        .assert_eq(&logged(LogFormat::Text, events));
        expect![[r#"
            level=warn msg=DomainGetCPUStats domain=instance-000002bc error="no reply"
            level=info msg=connected uri=qemu:///system domains=2 share=0.5 up=true
            level=info msg="retired a\nb" after=1.5s
            level=info msg=odd change=-1 ratio=NaN
        "#]]
        .assert_eq(&logged(LogFormat::Logfmt, events));
        expect![[r#"
            "level":"warn","msg":"DomainGetCPUStats","domain":"instance-000002bc","error":"no reply"}
            "level":"info","msg":"connected","uri":"qemu:///system","domains":2,"share":0.5,"up":true}
            "level":"info","msg":"retired a\nb","after":"1.5s"}
            "level":"info","msg":"odd","change":-1,"ratio":"NaN"}
        "#]]
        .assert_eq(&logged(LogFormat::Json, events));
    }

    #[test]
    fn what_an_event_is_part_of_is_in_its_line() {
        let events = || {
            let span = tracing::error_span!("target", target = %"a\nb");
            span.in_scope(|| tracing::info!(uri = "/x", "connected"));
            tracing::info!("stopped");
        };
        expect![[r#"
            connected target="a\nb" uri=/x
            stopped
        "#]]
        .assert_eq(&logged(LogFormat::Text, events));
        expect![[r#"
            "level":"info","msg":"connected","target":"a\nb","uri":"/x"}
            "level":"info","msg":"stopped"}
        "#]]
        .assert_eq(&logged(LogFormat::Json, events));
    }

    #[test]
    fn times_are_those_of_the_systems_zone() {
        let (before, time, after) = (Zoned::now(), now(), Zoned::now());
        assert!(before <= time && time <= after, "{before} {time} {after}");
        assert_eq!(time.time_zone(), &TimeZone::system());
        assert_eq!(time.offset(), before.offset());
    }

    #[test]
    fn the_names_of_the_standard_streams_open_no_file() {
        // Which of them are one is up to whoever runs the tests.
        assert!(matches!(Output::open(Path::new("/dev/stderr")), Ok(Output::Stderr)));
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            let output = Output::open(Path::new(name));
            assert!(matches!(output, Ok(Output::StderrAndStdout | Output::Stderr)), "{output:?}");
        }
    }

    #[test]
    fn changes_are_said_in_the_form_of_the_log() {
        let path = Path::new("/var/log/nova.log");
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let lines =
            [Change::Failed(full()), Change::Recovered { lost: 3 }, Change::InPlace(full())].map(
                |change| {
                    let line =
                        line::print(LogFormat::Text, &now(), Level::WARN, &notice(path, change));
                    line.split_at("2026/11/24 12:24:20 ".len()).1.to_owned()
                },
            );
        expect![[r#"
            cannot write the log file: no storage space path=/var/log/nova.log
            writing the log file again path=/var/log/nova.log lost=3
            cannot replace the log file, shortening it in place: no storage space path=/var/log/nova.log
        "#]]
        .assert_eq(&lines.concat());
    }
}
