//! A host's name, its addresses, and a connection to one of them.

use std::{io, net::IpAddr, time::Duration};

use hickory_resolver::{Resolver, ResolverBuilder};
use tokio::{net::TcpStream, time};

use crate::{address::Host, error::ConnectKind};

/// Connects to the first of the host's addresses that lets us.
pub(super) async fn connect(host: &Host, default_port: u16) -> Result<TcpStream, ConnectKind> {
    let port = host.port.unwrap_or(default_port);
    let addresses = addresses(&host.name).await?;
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let patience = if addresses.len() > 1 { PATIENCE_OF_MANY } else { PATIENCE };
    for address in addresses {
        // Who drops packets says nothing, and the system goes on trying for minutes.
        match time::timeout(patience, TcpStream::connect((address, port))).await {
            Ok(Ok(stream)) => {
                // A call is one small packet, and its caller waits.
                stream.set_nodelay(true).map_err(ConnectKind::Socket)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(ConnectKind::Socket(failed))
}

/// The addresses of a name, by the system's own files: `/etc/hosts`, `/etc/resolv.conf`.
///
/// The C library's resolver loads others at run time, which a static binary cannot.
async fn addresses(name: &str) -> Result<Vec<IpAddr>, ConnectKind> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    // Made anew each time, for those files change.
    let resolver = Resolver::builder_tokio().and_then(ResolverBuilder::build);
    let resolver = resolver.map_err(|error| ConnectKind::Name(error.into()))?;
    let found = time::timeout(PATIENCE, resolver.lookup_ip(name)).await;
    let found = found.map_err(|_| ConnectKind::Name("no name server answers".into()))?;
    Ok(found.map_err(|error| ConnectKind::Name(error.into()))?.iter().collect())
}

/// How long name servers may take, and an address to be connected to: less than what is left for
/// the whole, so that it is told what did not answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same of each address where there is another one.
const PATIENCE_OF_MANY: Duration = Duration::from_secs(2);
