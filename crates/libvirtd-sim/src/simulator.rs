//! The simulator as whoever starts it sees it.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Mutex, PoisonError, mpsc as blocking},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime,
    sync::{mpsc, watch},
    task::LocalSet,
    time,
};

use crate::{
    Settings, Status,
    asked::Asked,
    command::{self, Command, CommandError},
    control,
    daemon::{Daemon, read_only, remove},
    fault::Target,
    host::Host,
};

/// A simulated libvirtd, on a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    socket: PathBuf,
    orders: mpsc::UnboundedSender<Order>,
    status: watch::Receiver<Status>,
    asked: Asked,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the simulator's thread is asked to do.
pub(crate) enum Order {
    /// Obey this command and tell what came of it.
    Command(String, Answer<Result<(), CommandError>>),
    /// Take commands on this socket.
    Control(PathBuf, Answer<io::Result<()>>),
    /// End.
    Stop,
}

/// How whoever ordered something gets to know what came of it.
pub(crate) type Answer<T> = Box<dyn FnOnce(T) + Send>;

impl Simulator {
    /// Listens on `socket`, and read-only on the path with `-ro` behind it.
    ///
    /// Clients can connect when this returns.
    ///
    /// # Errors
    ///
    /// When it cannot listen there.
    pub fn start(socket: &Path, settings: Settings) -> io::Result<Self> {
        let (orders, queue) = mpsc::unbounded_channel();
        let (started, outcome) = blocking::channel();
        let (path, sender) = (socket.to_owned(), orders.clone());
        let asked = Asked::default();
        let asking = asked.clone();
        let thread = thread::Builder::new().name("libvirtd-sim".to_owned()).spawn(move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            let host = Host::new(settings, asking);
            let run = run(path, host, sender, queue, started);
            LocalSet::new().block_on(&runtime, run);
        })?;
        let status = outcome.recv().unwrap_or_else(|_| Err(ended()))?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { socket: socket.to_owned(), orders, status, asked, thread })
    }

    /// The socket that may write.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The socket that may only read.
    pub fn read_only_socket(&self) -> PathBuf {
        read_only(&self.socket)
    }

    /// Obeys a command of [`COMMANDS`](crate::COMMANDS). What it orders is so
    /// when this returns.
    ///
    /// # Errors
    ///
    /// When there is no such command, or no such domain.
    pub fn command(&self, line: &str) -> Result<(), CommandError> {
        let outcome = self.order(|answer| Order::Command(line.to_owned(), answer));
        outcome.unwrap_or_else(|| Err(CommandError::new("the simulator has ended")))
    }

    /// Takes commands on a socket as well.
    ///
    /// # Errors
    ///
    /// When it cannot listen there.
    pub fn control(&self, path: &Path) -> io::Result<()> {
        let outcome = self.order(|answer| Order::Control(path.to_owned(), answer));
        outcome.unwrap_or_else(|| Err(ended()))
    }

    /// Has something done and waits for what comes of it; not with the means of
    /// a runtime, for the caller may be in one.
    fn order<T: Send + 'static>(&self, order: impl FnOnce(Answer<T>) -> Order) -> Option<T> {
        let (sender, outcome) = blocking::channel();
        let answer = Box::new(move |it| {
            let _ = sender.send(it);
        });
        let _ = self.orders.send(order(answer));
        outcome.recv().ok()
    }

    /// What it is doing at this moment.
    pub fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// How often a procedure has been called.
    pub fn calls_of(&self, procedure: u32) -> usize {
        self.asked.of_procedure(procedure)
    }

    /// How often each procedure has been called about the instance with this number; a list is
    /// about none in particular.
    pub fn calls_about(&self, number: u32) -> BTreeMap<u32, usize> {
        self.asked.about(&Target::Domain(number))
    }

    /// How often a storage pool has been asked for.
    pub fn calls_about_pool(&self, name: &str) -> usize {
        self.asked.about(&Target::Pool(name.to_owned())).into_values().sum()
    }

    /// The groups of statistics that have been asked for, of any domain.
    pub fn groups(&self) -> u32 {
        self.asked.groups()
    }

    /// Waits until it does what is wanted, for 20 s.
    ///
    /// # Errors
    ///
    /// With what it does instead.
    pub async fn until(&self, wanted: impl FnMut(&Status) -> bool) -> Result<Status, Status> {
        let mut status = self.status.clone();
        match time::timeout(PATIENCE, status.wait_for(wanted)).await {
            Ok(Ok(met)) => Ok(*met),
            Ok(Err(_)) | Err(_) => Err(self.status()),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // What it panicked of, it has said.
        let _ = thread.map(JoinHandle::join);
    }
}

/// Longer than anything takes, even where the machine has much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

fn ended() -> io::Error {
    io::Error::other("the simulator has ended")
}

/// What the simulator's thread does.
async fn run(
    socket: PathBuf,
    (host, status): (Host, watch::Receiver<Status>),
    sender: mpsc::UnboundedSender<Order>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    started: blocking::Sender<io::Result<watch::Receiver<Status>>>,
) {
    let host = Rc::new(host);
    let (restarts, mut restart) = mpsc::unbounded_channel();
    let mut daemon = match Daemon::start(Rc::clone(&host), &socket, restarts.clone()) {
        Ok(daemon) => Some(daemon),
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let _ = started.send(Ok(status));
    let mut controls = Vec::new();
    loop {
        let order = tokio::select! {
            Some(()) = restart.recv() => Some(Command::Restart),
            order = orders.recv() => match order {
                Some(Order::Command(line, answer)) => {
                    let outcome = match command::parse(&line, &host) {
                        Ok(command) => {
                            let done = obey(command, &host, &mut daemon, &socket, &restarts).await;
                            done.map_err(|error| CommandError::new(error.to_string()))
                        }
                        Err(error) => Err(error),
                    };
                    answer(outcome);
                    None
                }
                Some(Order::Control(path, answer)) => {
                    let listening = control::listen(&path, sender.clone());
                    answer(listening.map(|()| controls.push(path)));
                    None
                }
                Some(Order::Stop) | None => break,
            },
        };
        if let Some(command) = order {
            // Its own sockets were there a moment ago.
            let _ = obey(command, &host, &mut daemon, &socket, &restarts).await;
        }
    }
    if let Some(daemon) = daemon {
        daemon.stop().await;
    }
    for path in [socket.clone(), read_only(&socket)].iter().chain(&controls) {
        let _ = remove(path);
    }
}

async fn obey(
    command: Command,
    host: &Rc<Host>,
    daemon: &mut Option<Rc<Daemon>>,
    socket: &Path,
    restarts: &mpsc::UnboundedSender<()>,
) -> io::Result<()> {
    let (goes, comes) = match command {
        Command::Restart => (true, true),
        Command::Down { .. } => (true, false),
        Command::Up => (false, true),
        Command::Change(change) => {
            change(&mut host.state_mut());
            host.changed();
            return Ok(());
        }
    };
    if goes && let Some(daemon) = daemon.take() {
        daemon.stop().await;
        if !matches!(command, Command::Down { stale: true }) {
            remove(socket)?;
            remove(&read_only(socket))?;
        }
    }
    if comes && daemon.is_none() {
        *daemon = Some(Daemon::start(Rc::clone(host), socket, restarts.clone())?);
    }
    Ok(())
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Error for CommandError {}
