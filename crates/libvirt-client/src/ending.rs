//! How a connection ended.

use std::{fmt, process::ExitStatus, time::Duration};

use libvirt_wire::DecodeError;

/// How a connection ended that nobody here has closed.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The other end closed it.
    HungUp,
    /// Nothing came for so long, not even an answer to pings. Nobody tells of a cable that was cut.
    CutOff(Duration),
    /// What came is not libvirt's protocol.
    NoPacket {
        /// The first bytes of it, a few.
        opening: Vec<u8>,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The program that led to libvirtd has ended, or closed its output.
    Program {
        /// How; `None` where it still runs.
        status: Option<ExitStatus>,
        /// The last line on its standard error, which may hold anything.
        said: Option<String>,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HungUp => f.write_str("libvirtd hung up"),
            Self::CutOff(silence) => {
                write!(f, "nothing came from libvirtd for {silence:?}, not even an answer to pings")
            }
            Self::NoPacket { opening, .. } if opening.starts_with(b"HTTP") => {
                f.write_str("it is no libvirtd, it speaks HTTP")
            }
            // The head of a record, which is an alert or part of a handshake, of TLS 1.0 to 1.3.
            Self::NoPacket { opening, .. } if matches!(opening[..], [21 | 22, 3, ..]) => {
                f.write_str("it speaks TLS, expected libvirt's protocol in the clear")
            }
            Self::NoPacket { opening, .. } => {
                let opening = opening.escape_ascii();
                write!(f, "what came is not libvirt's protocol, it begins \"{opening}\"")
            }
            Self::Program { said: Some(said), .. } => f.write_str(said),
            Self::Program { said: None, status: Some(status) } => {
                write!(f, "the program that leads to libvirtd ended ({status})")
            }
            Self::Program { said: None, status: None } => {
                f.write_str("the program that leads to libvirtd closed its output")
            }
        }
    }
}
