//! From an address to an open way there.
//!
//! * [`unix`](self): a socket of this host
//! * [`tcp`]: a host's name, its addresses, a connection to one of them
//! * [`tls`]: certificates, the handshake, and the byte after it
//! * [`ssh`]: what `ssh` is told
//! * [`program`]: a program whose standard input and output lead to libvirtd

use std::sync::Arc;

use tokio::net::UnixStream;

pub(crate) use self::program::Program;
use crate::{
    Address, Observer,
    address::{TCP_PORT, Transport},
    error::ConnectKind,
    stream::Stream,
};

mod program;
mod ssh;
mod tcp;
mod tls;

/// Connects to where libvirtd listens. Dropping the future leaves nothing behind.
///
/// `observer` is told of what a program says that leads there.
pub(crate) async fn connect(
    address: &Address,
    observer: Arc<dyn Observer>,
) -> Result<Stream, ConnectKind> {
    match address.transport() {
        Transport::Unix(sockets) => {
            let stream = UnixStream::connect(sockets.choose()).await;
            stream.map(Stream::Unix).map_err(ConnectKind::Socket)
        }
        Transport::Tcp(host) => tcp::connect(host, TCP_PORT).await.map(Stream::Tcp),
        Transport::Tls(tls) => {
            let stream = tls::connect(tls).await?;
            Ok(Stream::Tls(Box::new(stream)))
        }
        Transport::Ssh(ssh) => {
            let program = Program::start(ssh::command(ssh), observer)?;
            Ok(Stream::Program(Box::new(program)))
        }
        Transport::Command(command) => {
            let program = Program::start(tokio::process::Command::new(command), observer)?;
            Ok(Stream::Program(Box::new(program)))
        }
    }
}
