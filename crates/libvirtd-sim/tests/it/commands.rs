//! The commands, as a test gives them and as the control socket takes them.

use libvirtd_sim::COMMANDS;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

use crate::raw::Sim;

#[test]
fn a_wrong_command_says_what_would_be_right() {
    let sim = Sim::with_domains(2);
    for (command, error) in [
        ("", "nothing where a command is expected: domains, start,"),
        (
            "stuck x",
            "'x' where a domain is expected: * or one of instance-00000001 to instance-00000002",
        ),
        ("domains 10001", "'10001' where how many domains is expected: a number from 0 to 10000"),
        (
            "fault x * never",
            "'x' where what it strikes is expected: a procedure's number, *, accept or ping",
        ),
        ("fault 16 * late 5", "'5' where how late is expected: a duration like 250ms or 1.5s"),
        ("fault 16 * sing", "'sing' where what goes wrong is expected: never, late,"),
        ("fault 16 * cut 1 times 0", "'0' where how many times is expected: a number from 1 to"),
        ("restart now", "'now' where nothing more is expected: the command without it"),
    ] {
        let found = sim.command(command).unwrap_err().to_string();
        assert!(found.starts_with(error), "{command}: {found}");
    }
}

#[test]
fn every_command_and_fault_is_in_the_help() {
    let sim = Sim::with_domains(1);
    let named = |command: &str| {
        let error = sim.command(command).unwrap_err().to_string();
        let (_, right) = error.rsplit_once(": ").unwrap();
        right.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    for verb in named("") {
        assert!(COMMANDS.contains(&format!("\n  {verb}")), "{verb}");
    }
    let (_, faults) = COMMANDS.split_once("Faults add up").unwrap();
    for fault in named("fault * *") {
        assert!(faults.split(['|', ' ', '\n']).any(|word| word == fault), "{fault}");
    }
}

#[tokio::test]
async fn the_control_socket_takes_the_same_commands() {
    let sim = Sim::with_domains(1);
    let path = sim.socket().with_file_name("control");
    sim.control(&path).unwrap();
    let (reader, mut writer) = UnixStream::connect(&path).await.unwrap().into_split();
    let mut lines = BufReader::new(reader).lines();
    for (command, answer) in [
        ("stuck *\n", "ok"),
        ("restart\n", "ok"),
        (
            "stuck\n",
            "error: nothing where a domain is expected: * or one of instance-00000001 to instance-00000001",
        ),
    ] {
        writer.write_all(command.as_bytes()).await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some(answer));
    }
}
