//! The daemon: what ends when it is restarted.

use std::{
    cell::{Cell, RefCell},
    fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use tokio::{net::UnixListener, sync::mpsc::UnboundedSender, task::JoinSet, time};

use crate::{
    connection::Connection, event::Subscribers, host::Host, outgoing::End, workers::Workers,
};

/// A daemon between its start and its end.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) host: Rc<Host>,
    pub(crate) workers: Workers,
    /// Who accepts, connections and calls.
    tasks: RefCell<JoinSet<()>>,
    connections: Cell<u64>,
    /// Where a fault says that it wants the daemon restarted.
    restarts: UnboundedSender<()>,
}

impl Daemon {
    /// Listens on both sockets.
    pub(crate) fn start(
        host: Rc<Host>,
        socket: &Path,
        restarts: UnboundedSender<()>,
    ) -> io::Result<Rc<Self>> {
        let workers = Workers::new(host.settings.workers, host.settings.priority_workers);
        let daemon = Rc::new(Self {
            host,
            workers,
            tasks: RefCell::default(),
            connections: Cell::new(0),
            restarts,
        });
        for (path, is_read_only) in [(socket.to_owned(), false), (read_only(socket), true)] {
            let listener = listen(&path)?;
            daemon.spawn(Rc::clone(&daemon).accept(listener, is_read_only));
        }
        Ok(daemon)
    }

    /// Ends connections and calls, as a daemon's end does.
    pub(crate) async fn stop(&self) {
        let mut tasks = self.tasks.take();
        tasks.shutdown().await;
        // The next one knows nothing of who was told what, and is not the process that was stopped.
        let mut state = self.host.state_mut();
        state.subscribers = Subscribers::default();
        state.frozen = false;
    }

    /// Runs a task until the daemon ends.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        // Those that have ended are not needed any more.
        while tasks.try_join_next().is_some() {}
        tasks.spawn_local(task);
    }

    async fn accept(self: Rc<Self>, listener: UnixListener, is_read_only: bool) {
        loop {
            // The kernel accepts for a daemon that is frozen.
            self.host.thawed().await;
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, as a rule: somebody may close one.
                time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            self.host.thawed().await;
            let number = self.connections.get();
            self.connections.set(number.wrapping_add(1));
            let daemon = Rc::clone(&self);
            self.spawn(async move {
                let restarts = daemon.restarts.clone();
                let end = Connection::run(stream, number, is_read_only, daemon).await;
                if end == Some(End::Restart) {
                    let _ = restarts.send(());
                }
            });
        }
    }
}

/// How long to wait before accepting again where that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The read-only socket beside a socket.
pub(crate) fn read_only(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push("-ro");
    path.into()
}

/// Listens on a socket, in the place of one that was left behind.
///
/// # Errors
///
/// When that cannot be, or somebody serves it; the error names the path.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        let what = format!("{} is served already", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, what));
    }
    remove(path).and_then(|()| UnixListener::bind(path)).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {}: {error}", path.display()))
    })
}

/// Removes a socket that may not be there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
