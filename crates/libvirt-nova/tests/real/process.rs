//! Commands that are run, and processes that are looked at.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A command that is killed when the thread that starts it ends, and so with this process at the
/// latest. Of our own variables it sees none.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref()).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("LIBVIRT_NOVA_") {
            command.env_remove(name);
        }
    }
    command
}

/// The same, as a user that may nothing.
pub(crate) fn command_as_nobody(program: impl AsRef<Path>) -> Command {
    let mut nobody = command("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig", "KILL", "--"]);
    nobody.arg(program.as_ref());
    nobody
}

/// A script of the testbed.
pub(crate) fn testbed(script: &str) -> Command {
    command(checkout().join("scripts/testbed").join(script))
}

/// The directory of the workspace.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a command to its successful end and returns what it printed.
pub(crate) fn output(command: &mut Command) -> String {
    let (success, stdout, stderr) = outcome(command);
    assert!(success, "{command:?} failed: {stderr}{stdout}");
    stdout
}

/// Runs a command to its end; returns whether it succeeded, what it printed and what it complained.
pub(crate) fn outcome(command: &mut Command) -> (bool, String, String) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; scripts/test installs what the tests need")
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// Sends a signal, by its name without `SIG`.
pub(crate) fn signal(pid: u32, name: &str) {
    output(Command::new("sh").args(["-c", "kill -$1 $2", "sh", name, &pid.to_string()]));
}

/// A process that stands still; it goes on when this is dropped.
#[derive(Debug)]
pub(crate) struct Stopped(u32);

impl Stopped {
    pub(crate) fn new(pid: u32) -> Self {
        signal(pid, "STOP");
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have been killed meanwhile.
        let _ = Command::new("sh")
            .args(["-c", "kill -CONT $1 2>&-", "sh", &self.0.to_string()])
            .status();
    }
}

/// The pid that a daemon left in a file.
pub(crate) fn pid_in(file: &Path) -> u32 {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.trim().parse().unwrap()
}
