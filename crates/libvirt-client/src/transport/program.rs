//! A program whose standard input and output lead to libvirtd: `ssh`, or any other.

use std::{
    os::fd::OwnedFd,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    net::UnixStream,
    process::{Child, Command},
    select,
    task::JoinHandle,
    time::{self, Instant},
};

use crate::{Ending, Observer, error::ConnectKind};

/// A program that runs, in a process group of its own. Dropped, all of that is killed, and nobody is
/// listened to any more.
#[derive(Debug)]
pub(crate) struct Program {
    stream: UnixStream,
    child: Child,
    /// The program with all that it has started; `None` once that was killed.
    group: Option<Pid>,
    overheard: Overheard,
    listening: JoinHandle<()>,
}

/// What a program said last on its standard error.
#[derive(Clone, Debug, Default)]
struct Overheard(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    line: String,
    /// Whether somebody was told of it.
    is_told: bool,
}

impl Program {
    /// Starts it. `observer` is told what it says on its standard error.
    pub(super) fn start(
        mut command: Command,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ConnectKind> {
        let mut start = || {
            // One socket for both directions, as libvirtd's own would be.
            let (ours, theirs) = UnixStream::pair()?;
            let theirs = OwnedFd::from(theirs.into_std()?);
            // It must block, as programs expect: the pair is not both, or it would be ours, too.
            let theirs = std::os::unix::net::UnixStream::from(theirs);
            theirs.set_nonblocking(false)?;
            let child = command
                .stdin(OwnedFd::from(theirs.try_clone()?))
                .stdout(OwnedFd::from(theirs))
                .stderr(Stdio::piped())
                // Messages are told apart by nobody, but read by everybody.
                .env("LC_ALL", "C")
                // Ctrl-C on a terminal is ours: we say goodbye first.
                .process_group(0)
                .kill_on_drop(true)
                .spawn()?;
            Ok((ours, child))
        };
        let started = start();
        let (stream, mut child) = started.map_err(|error| {
            let program = command.as_std().get_program().into();
            ConnectKind::NotRun { program, error }
        })?;
        let overheard = Overheard::default();
        let stderr = child.stderr.take();
        let listening = tokio::spawn(listen(stderr, overheard.clone(), observer));
        let group =
            child.id().and_then(|number| i32::try_from(number).ok()).and_then(Pid::from_raw);
        Ok(Self { stream, child, group, overheard, listening })
    }

    pub(crate) fn stream(&mut self) -> &mut UnixStream {
        &mut self.stream
    }

    /// Waits until it has ended; what it has started is ended, too.
    pub(crate) async fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.wait().await.ok();
        self.end();
        status
    }

    /// Kills what is left of it, once.
    ///
    /// The number of a group is nobody else's as long as anybody is in it. Where nobody is, the
    /// system would have to go through all its numbers before it gave this one to another.
    fn end(&mut self) {
        if let Some(group) = self.group.take() {
            // Where it fails there is nobody left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Why it has ended, or its output has: what it said last, or how it ended.
    pub(crate) async fn ending(&mut self) -> Ending {
        let now = Instant::now();
        let until = now.checked_add(PATIENCE).unwrap_or(now);
        let status = time::timeout_at(until, self.ended()).await.ok().flatten();
        // All that it said is heard, unless somebody it has started speaks on.
        let _ = time::timeout_at(until, &mut self.listening).await;
        let Last { line, is_told } = &*self.overheard.last();
        // What it said long ago is not why.
        let said = (!line.is_empty() && !is_told).then(|| line.clone());
        Ending::Program { status, said }
    }
}

/// What the program itself has started may wait for whatever it likes, and each attempt would leave
/// one behind.
impl Drop for Program {
    fn drop(&mut self) {
        self.listening.abort();
        self.end();
    }
}

impl Overheard {
    /// Takes another line; the one before it was not the last.
    fn hear(&self, line: &str, observer: &dyn Observer) {
        self.tell(observer);
        *self.last() = Last { line: line.to_owned(), is_told: false };
    }

    /// Tells of the last line, unless that was done.
    fn tell(&self, observer: &dyn Observer) {
        let last = &mut *self.last();
        if !last.line.is_empty() && !std::mem::replace(&mut last.is_told, true) {
            observer.said(&last.line);
        }
    }

    /// Whether there is a line that nobody was told of.
    fn is_held_back(&self) -> bool {
        let last = self.last();
        !last.line.is_empty() && !last.is_told
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears what a program says, line by line, as long as anybody holds its standard error.
///
/// What it says before it ends is the reason in the error, and told there alone; so a line is held
/// back for a moment.
async fn listen(
    stderr: Option<impl AsyncRead + Unpin>,
    overheard: Overheard,
    observer: Arc<dyn Observer>,
) {
    let Some(stderr) = stderr else { return };
    let mut stderr = BufReader::with_capacity(LINE_MAX, stderr);
    let mut line = Vec::new();
    loop {
        // Of a line without an end, so much at a time.
        let room = LINE_MAX.saturating_sub(line.len());
        let mut some = (&mut stderr).take(u64::try_from(room).unwrap_or(u64::MAX));
        let is_held_back = overheard.is_held_back();
        let read = select! {
            read = some.read_until(b'\n', &mut line) => read,
            () = time::sleep(HELD_BACK), if is_held_back => {
                overheard.tell(&*observer);
                continue;
            }
        };
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            overheard.hear(text, &*observer);
        }
        if !matches!(read, Ok(1..)) {
            return;
        }
        line.clear();
    }
}

/// How long a line is held back.
const HELD_BACK: Duration = Duration::from_secs(1);
/// The longest line that is heard in one piece, in bytes.
const LINE_MAX: usize = 1024;
/// How long a program may take to end when its output has ended.
const PATIENCE: Duration = Duration::from_millis(500);
