//! `raw-loop`: the calls of a scrape, and nothing else.
//!
//! One connection, four calls in flight at any moment, packets made before the clock runs,
//! replies counted and thrown away unread. An exporter makes its calls one kind after another,
//! because each tells something to the next; here they are one stream. It is no lower bound of
//! each run: an exporter has four in flight on each of two connections, the second for calls
//! of the node.
//!
//! `raw-loop SOCKET` lists the domains once. Each line of its standard input is a round: how
//! often to call what, as `ConnectGetAllDomainStats=13 DomainGetCPUStats=50`. Each round is a
//! line of its standard output: `nanoseconds=`, `bytes=` received, `refused=` calls, and each
//! procedure with how many replies it had.
//!
//! * `calls`: what a round asks
//! * `connection`: who asks it
//! * `skimmer`: the replies, as far as they are looked at

use std::{
    env,
    error::Error,
    io::{self, BufRead, Write},
    process::ExitCode,
};

use calls::Calls;
use connection::Connection;

mod calls;
mod connection;
mod skimmer;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(socket), None) = (arguments.next(), arguments.next()) else {
        return Err("usage: raw-loop SOCKET, and a round a line: PROCEDURE=COUNT...".into());
    };
    let mut connection = Connection::open(socket.as_ref())?;
    let calls = Calls::new(connection.domains()?, connection.pools()?);
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let packets = calls.packets(&line?)?;
        let round = connection.round(&packets)?;
        writeln!(output, "{round}")?;
        output.flush()?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this program has no log")]
fn complain(error: &dyn Error) {
    eprintln!("raw-loop: {error}");
}
