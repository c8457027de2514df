//! What keeps libvirtd from us, as far as what mends it differs.

use std::io;

use super::connect::{ConnectError, ConnectKind};
use crate::Ending;

/// What keeps libvirtd from us, as far as what mends it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no socket of that path.
    Absent,
    /// The socket is there, or the host, and nobody listens on it.
    Nobody,
    /// We may not touch the socket, or not enter its directory.
    Forbidden,
    /// The socket cannot be connected to for another reason.
    Socket,
    /// The host's name has no address.
    Name,
    /// The program that leads to libvirtd could not be run, or ended.
    Program,
    /// A file with a certificate or a key is not there or of no use.
    File,
    /// The server's certificate is not one that we trust.
    Certificate,
    /// Whoever listens does not speak TLS, or not with us.
    Tls,
    /// libvirtd does not take our certificate, or wants one.
    OurCertificate,
    /// libvirtd wants credentials that there are none of, whose file is of no use, or that this
    /// client cannot give in the way that is wanted.
    Credentials,
    /// libvirtd does not take the credentials.
    Password,
    /// polkit would not let us in, or libvirtd could not ask it.
    Polkit,
    /// libvirtd said no for another reason: it does not have the driver.
    Refused,
    /// Whoever listens broke the conversation off, or does not speak libvirt's protocol.
    HungUp,
    /// Whoever listens says nothing.
    Silent,
}

impl ConnectError {
    /// What has to be changed for the next attempt to succeed.
    pub fn obstacle(&self) -> Obstacle {
        match self.kind() {
            ConnectKind::Socket(error) => match error.kind() {
                io::ErrorKind::NotFound => Obstacle::Absent,
                io::ErrorKind::ConnectionRefused => Obstacle::Nobody,
                io::ErrorKind::PermissionDenied => Obstacle::Forbidden,
                _ => Obstacle::Socket,
            },
            ConnectKind::Name(_) => Obstacle::Name,
            ConnectKind::NotRun { .. } | ConnectKind::Ended(Ending::Program { .. }) => {
                Obstacle::Program
            }
            ConnectKind::Ended(_) => Obstacle::HungUp,
            ConnectKind::File { .. } => Obstacle::File,
            ConnectKind::Certificate { .. } => Obstacle::Certificate,
            // A daemon that is stopped hangs up on whoever it is with.
            ConnectKind::Tls(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset => Obstacle::HungUp,
                _ => Obstacle::Tls,
            },
            ConnectKind::NotConfirmed { .. } => Obstacle::OurCertificate,
            ConnectKind::Authentication(_)
            | ConnectKind::Mechanisms { .. }
            | ConnectKind::PlainToAnybody { .. }
            | ConnectKind::NoMechanism(_)
            | ConnectKind::AuthFile(_)
            | ConnectKind::NoCredentials { .. } => Obstacle::Credentials,
            ConnectKind::Password { .. } | ConnectKind::Sasl { .. } => Obstacle::Password,
            ConnectKind::Polkit(_) => Obstacle::Polkit,
            ConnectKind::Handshake(error) if error.refusal().is_some() => Obstacle::Refused,
            ConnectKind::Handshake(error) if error.is_timeout() => Obstacle::Silent,
            ConnectKind::Handshake(_) => Obstacle::HungUp,
            ConnectKind::TimedOut(_) => Obstacle::Silent,
        }
    }

    /// Whether somebody said no, or cannot be had: libvirtd, we, a name server, ssh. It will be so
    /// again until somebody changes a configuration, and asking costs others something.
    pub fn is_refusal(&self) -> bool {
        match (self.obstacle(), self.kind()) {
            (_, ConnectKind::Polkit(error)) => error.refusal().is_some(),
            (
                Obstacle::Absent
                | Obstacle::Nobody
                | Obstacle::Forbidden
                | Obstacle::Socket
                | Obstacle::HungUp
                | Obstacle::Silent,
                _,
            ) => false,
            (
                Obstacle::Name
                | Obstacle::Program
                | Obstacle::File
                | Obstacle::Certificate
                | Obstacle::Tls
                | Obstacle::OurCertificate
                | Obstacle::Credentials
                | Obstacle::Password
                | Obstacle::Polkit
                | Obstacle::Refused,
                _,
            ) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_socket_says_is_told_apart_by_kind() {
        for (kind, obstacle) in [
            (io::ErrorKind::NotFound, Obstacle::Absent),
            (io::ErrorKind::ConnectionRefused, Obstacle::Nobody),
            (io::ErrorKind::PermissionDenied, Obstacle::Forbidden),
            (io::ErrorKind::OutOfMemory, Obstacle::Socket),
        ] {
            let error = ConnectError::new("/a".into(), ConnectKind::Socket(kind.into()));
            assert_eq!(error.obstacle(), obstacle, "{kind:?}");
        }
    }
}
