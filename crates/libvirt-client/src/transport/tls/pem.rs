//! What is in the files with certificates and keys.

use std::{error::Error, path::Path};

use rustls::pki_types::{
    CertificateDer,
    pem::{self, PemObject},
};

use crate::{error::ConnectKind, small_file};

/// The certificates in a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectKind> {
    items(path, "certificate")
}

/// What of a kind there is in a file, at least one.
pub(super) fn items<T: PemObject>(path: &Path, kind: &str) -> Result<Vec<T>, ConnectKind> {
    let bytes = small_file::read(path).map_err(|error| file(path, error))?;
    match T::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>() {
        Ok(items) if !items.is_empty() => Ok(items),
        Ok(_) | Err(pem::Error::NoItemsFound) => {
            Err(file(path, format!("there is no {kind} in it")))
        }
        Err(pem::Error::MissingSectionEnd { end_marker }) => {
            let kind = String::from_utf8_lossy(&end_marker).into_owned();
            Err(file(path, format!("it is cut off, its {kind} has no end")))
        }
        Err(error) => Err(file(path, error)),
    }
}

/// A file that is of no use, and why.
pub(super) fn file(path: &Path, error: impl Into<Box<dyn Error + Send + Sync>>) -> ConnectKind {
    ConnectKind::File { path: path.to_owned(), error: error.into() }
}
