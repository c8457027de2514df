//! Sockets that are bound at start and never give up accepting.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use futures_util::stream::{self, Stream};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::{self, Instant},
};

use crate::flags::ListenAddress;

/// Binds every address, and logs what each has become.
///
/// # Errors
///
/// When one of them cannot be bound: the program was told to listen there, and must not start
/// without.
pub(crate) async fn bind(addresses: &[ListenAddress]) -> Result<Vec<Listener>, BindError> {
    let mut listeners = Vec::new();
    for &address in addresses {
        let socket = match address {
            ListenAddress::At(address) => listen(address),
            ListenAddress::Everywhere(port) => bind_everywhere(port),
        };
        listeners.push(Listener::new(socket.map_err(|source| BindError { address, source })?));
    }
    Ok(listeners)
}

/// Binds a port of every address.
fn bind_everywhere(port: u16) -> io::Result<TcpListener> {
    let on = |ip: IpAddr| listen(SocketAddr::new(ip, port));
    match on(Ipv6Addr::UNSPECIFIED.into()) {
        Err(error) if is_about_port(&error) => Err(error),
        // This kernel, or this unit's sandbox, is without IPv6.
        Err(_) => on(Ipv4Addr::UNSPECIFIED.into()),
        listener => listener,
    }
}

/// Binds an address.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // All addresses are IPv4's, too, whatever this host's sockets do by themselves.
        SockRef::from(&socket).set_only_v6(false)?;
    }
    // As everybody does, or else there would be no restart for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Connections that the system keeps until they are accepted: as many as Linux allows. Where it
/// drops one, its peer tries again after a second. tokio's own is 128, which a flood fills.
const BACKLOG: u32 = 4_096;

fn is_about_port(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// A socket that takes connections.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    fault: Option<Fault>,
}

/// The last failure to accept.
#[derive(Clone, Copy, Debug)]
struct Fault {
    code: Option<i32>,
    at: Instant,
    /// Whether the pause after it is still to be made.
    pausing: bool,
}

impl Listener {
    /// One on a socket that is bound, which is logged.
    pub(super) fn new(socket: TcpListener) -> Self {
        if let Ok(address) = socket.local_addr() {
            tracing::info!(%address, "listening");
        }
        Self { socket, fault: None }
    }

    /// Where it listens; the port is the one that it got.
    #[cfg(test)]
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The connections, as they come, for ever.
    ///
    /// An error says that there was no room for one, most likely for want of descriptors; it
    /// has been logged, and the next connection is asked for after a pause.
    pub(super) fn arrivals(self) -> impl Stream<Item = io::Result<TcpStream>> {
        stream::unfold(self, async |mut listener| {
            let arrival = listener.accept().await;
            Some((arrival, listener))
        })
    }

    async fn accept(&mut self) -> io::Result<TcpStream> {
        if let Some(Fault { at, pausing: true, .. }) = self.fault {
            time::sleep_until(at.checked_add(PAUSE).unwrap_or(at)).await;
        }
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => {
                    if let Some(fault) = &mut self.fault {
                        fault.pausing = false;
                    }
                    // Responses are written whole, nothing is gained by waiting for more. Where
                    // this fails the peer is gone, which reading will show.
                    let _ = stream.set_nodelay(true);
                    let _ = SockRef::from(&stream).set_send_buffer_size(QUEUE);
                    return Ok(stream);
                }
                Err(error) if is_about_peer(&error) => {}
                Err(error) => {
                    self.log(&error);
                    return Err(error);
                }
            }
        }
    }

    /// Logs a fault unless it is the one that was there a moment ago.
    fn log(&mut self, error: &io::Error) {
        let code = error.raw_os_error();
        let now = Instant::now();
        let goes_on = |fault: Fault| {
            fault.code == code && now.saturating_duration_since(fault.at) < FORGOTTEN
        };
        if !self.fault.is_some_and(goes_on) {
            tracing::warn!(%error, "cannot accept connections, trying again");
        }
        self.fault = Some(Fault { code, at: now, pausing: true });
    }
}

/// Bytes that the system keeps of what a peer has not taken, where it would keep megabytes for each
/// of those who take nothing; Linux doubles it. Enough for 4 MB/s at a tenth of a second.
const QUEUE: usize = 212_992;

/// Time for descriptors or memory to be freed.
const PAUSE: Duration = Duration::from_millis(50);

/// A fault that comes back after this long is news.
const FORGOTTEN: Duration = Duration::from_mins(1);

/// Whether the peer was gone before it was accepted.
fn is_about_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// An address that cannot be listened on; the operator has to change something.
#[derive(Debug)]
pub(crate) struct BindError {
    address: ListenAddress,
    source: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}", self.address)?;
        match self.source.kind() {
            io::ErrorKind::AddrInUse => {
                f.write_str(", stop what listens there or choose another port")
            }
            io::ErrorKind::AddrNotAvailable => {
                f.write_str(", choose an address that this host has")
            }
            io::ErrorKind::PermissionDenied => {
                f.write_str(", choose a port above 1023 or grant CAP_NET_BIND_SERVICE")
            }
            _ => Ok(()),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn everywhere_is_both_families() {
        let listeners = bind(&[ListenAddress::Everywhere(0)]).await.unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        // A container may be without IPv6, and nobody can connect by it there.
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_what_to_do() {
        let any = ListenAddress::At(([127, 0, 0, 1], 0).into());
        let holder = bind(&[any]).await.unwrap();
        let taken = holder[0].local_addr().unwrap();
        let error = bind(&[any, ListenAddress::At(taken)]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {taken}, \
                 stop what listens there or choose another port"
            )
        );
        assert_eq!(error.source().unwrap().to_string(), "Address already in use (os error 98)");

        let everywhere = ListenAddress::Everywhere(taken.port());
        let error = bind(&[everywhere]).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot listen on :{}, ", taken.port())));
    }

    #[tokio::test]
    async fn an_address_of_another_host_is_named_with_what_to_do() {
        // RFC 5737 gives 192.0.2.0/24 to documentation.
        let error = bind(&[ListenAddress::At(([192, 0, 2, 7], 9100).into())]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot listen on 192.0.2.7:9100, choose an address that this host has"
        );
    }
}
