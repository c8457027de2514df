//! The service manager: it hears that we are ready, how we do, and that we are alive.

use std::{
    ffi::{OsStr, OsString},
    future, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    time::Duration,
};

use tokio::{
    select,
    time::{self, MissedTickBehavior},
};

/// The service manager that started us, where there is one that wants to hear of us.
///
/// It is told by the words of systemd's `sd_notify`, a datagram at a time. Nobody waits for it: one
/// that does not read is told again a second later.
#[derive(Debug)]
pub(crate) struct Service {
    line: Option<Line>,
    /// How often it wants to hear that we are alive; half of what it waits.
    beat: Option<Duration>,
}

/// Where the service manager listens.
#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Service {
    /// The one that the environment names.
    ///
    /// # Errors
    ///
    /// When it cannot be talked to: it would wait for us in vain.
    pub(crate) fn find(variable: impl Fn(&str) -> Option<OsString>) -> io::Result<Self> {
        let name = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let line = name.as_deref().map(Line::open).transpose()?;
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        // It may be meant for a process that started us.
        let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
        let patience = number("WATCHDOG_USEC").filter(|patience| is_ours && *patience > 1);
        let beat = patience.map(|patience| Duration::from_micros(patience / 2));
        Ok(Self { line, beat })
    }

    /// Tells that we are ready, what `status` says whenever it says something else, and that we
    /// are alive while `is_whole` says so; for ever.
    ///
    /// It is to be polled by the loop that answers scrapes: then it is that loop that is alive.
    pub(crate) async fn attend(&self, status: impl Fn() -> String, is_whole: impl Fn() -> bool) {
        let Some(line) = &self.line else { return future::pending().await };
        let mut looks = time::interval(LOOK);
        let mut beats = self.beat.map(time::interval);
        for ticks in [Some(&mut looks), beats.as_mut()].into_iter().flatten() {
            // After a pause of ours, one is worth as much as all that were missed.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut is_ready_told = false;
        let mut told = String::new();
        loop {
            let beat = async {
                match &mut beats {
                    Some(beats) => beats.tick().await,
                    None => future::pending().await,
                }
            };
            let is_beat = select! {
                _ = looks.tick() => false,
                _ = beat => true,
            };
            if is_beat && is_whole() {
                line.tell("WATCHDOG=1");
            }
            let status = status();
            if !is_ready_told {
                is_ready_told = line.tell("READY=1");
            }
            if status != told && line.tell(&format!("STATUS={}", one_line(&status))) {
                told = status;
            }
        }
    }

    /// Tells that we are about to end.
    pub(crate) fn stopping(&self) {
        if let Some(line) = &self.line {
            line.tell("STOPPING=1\nSTATUS=answers what is owed, and ends");
        }
    }
}

/// How often the status is looked at.
const LOOK: Duration = Duration::from_secs(1);

impl Line {
    fn open(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    /// Whether there was room for it, and somebody to take it.
    fn tell(&self, news: &str) -> bool {
        self.socket.send_to_addr(news.as_bytes(), &self.address).is_ok()
    }
}

/// A status is one line, and a line is one assignment.
fn one_line(text: &str) -> String {
    let is_kept = |c: char| !c.is_control();
    text.chars().map(|c| if is_kept(c) { c } else { ' ' }).take(STATUS_MAX).collect()
}

/// More characters than anybody reads beside a unit's name.
const STATUS_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::HashMap, str};

    use super::*;

    /// A service manager's end, with an abstract name: nothing of it stays.
    fn manager(name: &str) -> (UnixDatagram, OsString) {
        let name = format!("libvirt-nova-{}-{name}", process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        (socket, format!("@{name}").into())
    }

    fn service(variables: &[(&str, OsString)]) -> Service {
        let variables: HashMap<_, _> = variables.iter().cloned().collect();
        Service::find(|name| variables.get(name).cloned()).unwrap()
    }

    /// What has been told since.
    fn told(manager: &UnixDatagram) -> Vec<String> {
        let mut bytes = [0; 4096];
        let datagrams = std::iter::from_fn(|| {
            let length = manager.recv(&mut bytes).ok()?;
            Some(str::from_utf8(&bytes[..length]).unwrap().to_owned())
        });
        datagrams.collect()
    }

    #[tokio::test(start_paused = true)]
    async fn ready_is_told_once_a_status_when_it_is_another_and_life_at_half_the_time() {
        let (manager, name) = manager("all");
        let service = service(&[("NOTIFY_SOCKET", name), ("WATCHDOG_USEC", "10000000".into())]);
        let (status, is_whole) = (Cell::new("2 run"), Cell::new(true));
        let mut attending =
            std::pin::pin!(service.attend(|| status.get().to_owned(), || is_whole.get()));
        let mut pass = async |seconds| {
            let _ = time::timeout(Duration::from_secs(seconds), &mut attending).await;
            let mut told = told(&manager);
            told.sort();
            told
        };
        assert_eq!(pass(1).await, ["READY=1", "STATUS=2 run", "WATCHDOG=1"]);
        assert_eq!(pass(3).await, [""; 0]);
        assert_eq!(pass(2).await, ["WATCHDOG=1"]);
        status.set("3 run\nMAINPID=1");
        assert_eq!(pass(2).await, ["STATUS=3 run MAINPID=1"]);
        assert_eq!(pass(3).await, ["WATCHDOG=1"]);
        is_whole.set(false);
        assert_eq!(pass(60).await, [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_manager_that_was_not_there_is_told_when_it_is() {
        let name = format!("libvirt-nova-{}-late", process::id());
        let service = service(&[("NOTIFY_SOCKET", format!("@{name}").into())]);
        let mut attending = std::pin::pin!(service.attend(|| "fine".to_owned(), || true));
        let _ = time::timeout(Duration::from_secs(3), &mut attending).await;
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        manager.set_nonblocking(true).unwrap();
        let _ = time::timeout(Duration::from_secs(3), &mut attending).await;
        assert_eq!(told(&manager), ["READY=1", "STATUS=fine"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watchdog_of_another_process_is_not_ours() {
        let (manager, name) = manager("other");
        let variables = [
            ("NOTIFY_SOCKET", name),
            ("WATCHDOG_USEC", "10000000".into()),
            ("WATCHDOG_PID", "1".into()),
        ];
        let service = service(&variables);
        let attending = service.attend(String::new, || true);
        let _ = time::timeout(Duration::from_secs(60), attending).await;
        assert_eq!(told(&manager), ["READY=1"]);
    }

    #[test]
    fn a_manager_that_cannot_be_talked_to_is_an_error() {
        let name = OsString::from(format!("/{}", "x".repeat(200)));
        Service::find(|_| Some(name.clone())).unwrap_err();
        assert!(Service::find(|_| None).unwrap().line.is_none());
    }
}
