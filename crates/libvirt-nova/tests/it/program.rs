//! The program under test, in a working directory of its own.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    rc::Rc,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// No event is waited for longer; none should take a tenth of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A working directory that goes away with the last command in it.
#[derive(Clone)]
pub(crate) struct Dir(Rc<TempDir>);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(Rc::new(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The names of the files that are there, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = self.path().read_dir().unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program, with this working directory and none of our own variables.
    pub(crate) fn command(&self) -> TestCommand {
        self.command_by(Command::new(PROGRAM))
    }

    /// The program, run by a line of shell, where it is `"$@"`.
    pub(crate) fn shell(&self, line: &str) -> TestCommand {
        let mut shell = Command::new("sh");
        shell.args(["-c", line, "sh", PROGRAM]);
        self.command_by(shell)
    }

    fn command_by(&self, mut command: Command) -> TestCommand {
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("LIBVIRT_NOVA_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.path()).stdin(Stdio::null());
        TestCommand { command, dir: self.clone() }
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_libvirt_nova");

/// A command line for the program.
pub(crate) struct TestCommand {
    command: Command,
    dir: Dir,
}

/// How a run ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestCommand {
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run(mut self) -> Outcome {
        let output = self.command.output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts the program on a free port of loopback, with no libvirtd, and waits until it listens.
    pub(crate) fn start(self) -> Running {
        let mut command = self
            .args(["-uri", "/nonexistent/libvirt-sock-ro", "-log", "-"])
            .arg("--web.listen-address=127.0.0.1:0");
        let mut child = command.command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Reads on, so that the program never waits for the pipe.
        thread::spawn(move || {
            for line in log.lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        Running { child, address: listening(&lines), lines, _dir: command.dir }
    }
}

/// A program that is running; killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    lines: Receiver<String>,
    _dir: Dir,
}

/// Waits for the line of the log that tells the port.
fn listening(lines: &Receiver<String>) -> SocketAddr {
    loop {
        let line = lines.recv_timeout(PATIENCE).expect("a line that tells the port");
        if let Some((_, rest)) = line.split_once("127.0.0.1:") {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            return ([127, 0, 0, 1], rest[..digits].parse().unwrap()).into();
        }
    }
}

impl Running {
    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for a line of the log that holds a text, and returns it.
    pub(crate) fn logs(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect(text);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the end, and returns what was logged since the start.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        let mut log = Vec::new();
        // Standard error is closed when the program ends, and not sooner.
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => log.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program goes on: {log:?}"),
            }
        }
        (self.child.wait().unwrap(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
