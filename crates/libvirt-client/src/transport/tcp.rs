//! A host's name, its addresses, and a connection to one of them.

use std::{io, net::IpAddr, time::Duration};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ResolverConfig, ResolverOpts},
    net::{NetError, runtime::TokioRuntimeProvider},
    system_conf,
};
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
    let resolver = resolver(system_conf::read_system_conf()).map_err(unknown)?;
    let found = time::timeout(PATIENCE, resolver.lookup_ip(name)).await;
    let found = found.map_err(|_| ConnectKind::Name("no name server answers".into()))?;
    Ok(found.map_err(unknown)?.iter().collect())
}

/// What looks names up. Where nobody has named a name server there is `/etc/hosts` still.
fn resolver(
    found: Result<(ResolverConfig, ResolverOpts), NetError>,
) -> Result<TokioResolver, NetError> {
    let (config, options) = match found {
        Err(NetError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Default::default(),
        found => found?,
    };
    let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.with_options(options).build()
}

fn unknown(error: NetError) -> ConnectKind {
    ConnectKind::Name(match error {
        error if error.is_no_records_found() => "no name server knows it".into(),
        NetError::NoConnections => "no name server can be asked".into(),
        // In words alone: some of its sources say the same again.
        error => error.to_string().into(),
    })
}

/// How long name servers may take, and an address to be connected to: less than what is left for
/// the whole, so that it is told what did not answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same of each address where there is another one.
const PATIENCE_OF_MANY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_without_name_servers_knows_its_own_names() {
        let missing = NetError::from(io::Error::from(io::ErrorKind::NotFound));
        let found = resolver(Err(missing)).unwrap().lookup_ip("localhost").await.unwrap();
        assert!(found.iter().all(|address| address.is_loopback()));
        let forbidden = NetError::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(resolver(Err(forbidden)).is_err());
    }
}
