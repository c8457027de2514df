//! Programs that lead to libvirtd, or do not.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use libvirt_client::{Access, Address, Failure, Observer, Obstacle, Session};
use libvirt_wire::{Procedure, call::ConnectGetHostname};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::Notify,
    time,
};

use crate::{
    clock::hold,
    daemon::{Daemon, PATIENCE, Refused, attempt, chain},
    peer::{OK, Peer, SECOND, string},
};

/// A program of a test's own.
struct Script {
    path: PathBuf,
    _dir: TempDir,
}

impl Script {
    /// `bash` is on every Debian, and opens TCP connections.
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("leads to libvirtd");
        // Written by another process: one that is forked meanwhile by another test would hold it
        // open for writing, and it could not be run.
        let text = format!("#!/bin/bash\n{text}\n");
        let write = ["-c", "printf %s \"$1\" >\"$2\" && chmod 700 \"$2\"", "sh", &text];
        let mut write_it = std::process::Command::new("sh");
        assert!(write_it.args(write).arg(&path).status().unwrap().success());
        Self { path, _dir: dir }
    }

    fn access(&self) -> Access {
        through(&self.path)
    }
}

fn through(path: &Path) -> Access {
    let path = path.to_str().unwrap().replace(' ', "%20");
    let address: Address = format!("qemu+ext:///system?command={path}").parse().unwrap();
    address.into()
}

/// Hears what programs say.
#[derive(Debug, Default)]
struct Listener(Mutex<Vec<String>>, Notify);

impl Observer for Listener {
    fn answered(&self, _: Procedure, _: Duration) {}

    fn failed(&self, _: Procedure, _: Failure) {}

    fn said(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
        self.1.notify_one();
    }
}

/// What comes of an attempt, but for the path.
async fn refused(script: &Script) -> Refused {
    let refused = attempt(&script.access(), async {}).await;
    Refused { line: refused.line.replace(script.path.to_str().unwrap(), "SCRIPT"), ..refused }
}

fn fault(line: &str) -> Refused {
    Refused::new(line, Obstacle::Program, true)
}

#[tokio::test]
async fn a_session_goes_through_a_program_and_says_goodbye_by_it() {
    let daemon = Daemon::on_tcp("127.0.0.1");
    let script = Script::new(&format!(
        "[ $# = 0 ] || exit 1\n\
         exec 3<>/dev/tcp/127.0.0.1/{} 4<&0\n\
         {{ cat; kill $$; }} <&4 >&3 &\n\
         exec cat <&3 4<&-",
        daemon.port()
    ));
    let access = script.access();
    let (session, mut client, mut feed) = daemon.session_of(&access, PATIENCE, Peer::let_in).await;
    let name = string("there");
    let asked = session.lookups.call(&ConnectGetHostname, PATIENCE);
    let (reply, _) = tokio::join!(asked, client.answer(59, OK, &name));
    assert_eq!(reply.unwrap().decode().unwrap(), "there");
    drop(session);
    for peer in [&mut client, &mut feed] {
        assert_eq!(peer.called().await.unwrap().procedure, 2);
        assert!(peer.called().await.is_none());
    }
}

#[tokio::test]
async fn what_a_program_says_is_heard_and_its_last_line_is_the_reason() {
    let script = Script::new(
        "echo '  one  ' >&2; echo >&2; printf '%010000d\\n' 7 >&2; printf 'no \\377 way' >&2; exit 255",
    );
    let listener = Arc::new(Listener::default());
    let opened = Session::open(&script.access(), PATIENCE, listener.clone()).await;
    let error = opened.map(|_| ()).unwrap_err();
    let line = format!("cannot connect to the command {}: no \u{fffd} way", script.path.display());
    assert_eq!(chain(&error), line);
    assert_eq!((error.obstacle(), error.is_refusal()), (Obstacle::Program, true));
    let heard = listener.0.lock().unwrap();
    let [first, pieces @ ..] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(&**first, "one");
    assert!(pieces.iter().all(|piece| piece.len() <= 1024), "{heard:?}");
    assert_eq!(pieces.concat(), format!("{:010000}", 7));
}

/// A warning at the start, and something else at the end.
#[tokio::test]
async fn what_a_program_said_before_it_went_on_is_heard_and_not_the_reason() {
    let test = Daemon::on_tcp("127.0.0.1");
    let script = Script::new(&format!(
        "exec 3<>/dev/tcp/127.0.0.1/{}; echo warning >&2; read -u 3; exit 3",
        test.port()
    ));
    let (access, listener) = (script.access(), Arc::new(Listener::default()));
    let serve = async {
        let mut program = test.accept_raw().await;
        time::timeout(PATIENCE, listener.1.notified()).await.unwrap();
        program.write_all(b"end\n").await.unwrap();
    };
    let opening = Session::open(&access, PATIENCE, listener.clone());
    let (opened, ()) = tokio::join!(opening, serve);
    let line = chain(&opened.map(|_| ()).unwrap_err());
    assert!(line.ends_with("ended (exit status: 3)"), "{line}");
    assert_eq!(*listener.0.lock().unwrap(), ["warning"]);
}

#[tokio::test]
async fn a_program_that_ends_without_a_word_is_told_by_its_end() {
    let ended = |how| {
        fault(&format!(
            "cannot connect to the command SCRIPT: the program that leads to libvirtd {how}"
        ))
    };
    for (text, how) in [
        ("exit 3", "ended (exit status: 3)"),
        ("kill -TERM $$", "ended (signal: 15 (SIGTERM))"),
        ("exec sleep infinity <&- >&-", "closed its output"),
    ] {
        assert_eq!(refused(&Script::new(text)).await, ended(how));
    }
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (missing, plain) = (dir.path().join("missing"), dir.path().join("plain"));
    fs::write(&plain, "").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o600)).unwrap();
    for (path, why) in [
        (&missing, "No such file or directory (os error 2)"),
        (&plain, "Permission denied (os error 13)"),
    ] {
        let line = format!("cannot run {}, which leads to libvirtd: {why}", path.display());
        assert_eq!(attempt(&through(path), async {}).await, fault(&line));
    }
}

/// With all that it has started: each attempt would leave one behind.
#[tokio::test(start_paused = true)]
async fn a_silent_program_costs_the_deadline_and_is_ended() {
    let _held = hold();
    let test = Daemon::on_tcp("127.0.0.1");
    let script = Script::new(&format!(
        "exec 3<>/dev/tcp/127.0.0.1/{}; sleep infinity & echo $$ >&3; wait",
        test.port()
    ));
    let access = script.access();
    let opening = tokio::spawn(async move {
        let opened = Session::open(&access, SECOND, Arc::new(())).await;
        opened.map(|_| ()).unwrap_err()
    });
    let mut program = BufReader::new(test.accept_raw().await);
    let mut number = String::new();
    program.read_line(&mut number).await.unwrap();
    let begun = time::Instant::now();
    time::advance(SECOND).await;
    let error = opening.await.unwrap();
    assert_eq!(begun.elapsed(), SECOND);
    let line = format!("libvirtd on the command {} says nothing within 1s", script.path.display());
    assert_eq!(chain(&error), line);
    assert_eq!((error.obstacle(), error.is_refusal()), (Obstacle::Silent, false));
    // The time that a goodbye may take.
    time::advance(SECOND / 2).await;
    let mut rest = String::new();
    time::timeout(PATIENCE, program.read_to_string(&mut rest)).await.unwrap().unwrap();
    let (process, begun) = (Path::new("/proc").join(number.trim()), std::time::Instant::now());
    while process.exists() {
        assert!(begun.elapsed() < PATIENCE, "nobody has taken note of its end");
        tokio::task::yield_now().await;
    }
}

/// It would wait for ever, and each attempt would leave another one.
#[tokio::test]
async fn what_a_program_leaves_behind_is_ended() {
    let test = Daemon::on_tcp("127.0.0.1");
    let script = Script::new(&format!(
        "exec 3<>/dev/tcp/127.0.0.1/{}\n\
         {{ read -u 3; echo survived >&3; }} </dev/null >/dev/null &\n\
         exit 3",
        test.port()
    ));
    let refused = refused(&script).await;
    let line = "cannot connect to the command SCRIPT: the program that leads to libvirtd ended \
                (exit status: 3)";
    assert_eq!(refused, fault(line));
    let mut left = test.accept_raw().await;
    let mut rest = String::new();
    time::timeout(PATIENCE, left.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, "");
}
