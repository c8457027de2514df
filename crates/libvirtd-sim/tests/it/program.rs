//! The program `libvirtd-sim`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use libvirtd_sim::COMMANDS;

const PROGRAM: &str = env!("CARGO_BIN_EXE_libvirtd-sim");

#[test]
fn the_program_serves_until_it_is_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let (socket, control) = (dir.path().join("sock"), dir.path().join("control"));
    let mut program = Command::new(PROGRAM)
        .arg("--socket")
        .arg(&socket)
        .arg("--control")
        .arg(&control)
        .args(["--domains", "2", "--first", "51", "--latency", "1ms", "--workers", "3"])
        .spawn()
        .unwrap();
    let started = Instant::now();
    // A socket that is being made cannot be waited for otherwise.
    let stream = loop {
        match UnixStream::connect(&control) {
            Ok(stream) => break stream,
            Err(error) if started.elapsed() > Duration::from_secs(20) => panic!("{error}"),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    (&stream).write_all(b"stuck instance-00000034\n").unwrap();
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer).unwrap();
    assert_eq!(answer, "ok\n");
    assert!(UnixStream::connect(&socket).is_ok());

    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(program.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "it leaves nothing behind");
}

#[test]
fn help_and_wrong_usage() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains(COMMANDS.trim()), "{text}");
    let wrong = Command::new(PROGRAM).arg("--what").stderr(Stdio::null()).status().unwrap();
    assert_eq!(wrong.code(), Some(2));
    let nowhere = ["--socket", "/nowhere/at/all"];
    let nowhere = Command::new(PROGRAM).args(nowhere).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
    let error = String::from_utf8(nowhere.stderr).unwrap();
    assert!(error.contains("/nowhere/at/all"), "{error}");
}
