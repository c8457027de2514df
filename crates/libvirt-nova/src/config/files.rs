//! Files that configure: read whole, and looked at for a change.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::fault::Fault;

/// Reads a file; `what` is what it is called in a fault.
///
/// # Errors
///
/// When it cannot be read, is beyond any reason, or is no file: a pipe would keep the exporter.
pub(crate) fn read(what: &str, path: &Path) -> Result<Vec<u8>, Fault> {
    let shown = path.display();
    let unreadable = |error| Fault::new(format!("cannot read {what} {shown}: {error}"));
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Fault::new(format!("{what} {shown} is not a file, expected one")));
    }
    if metadata.len() > SIZE_MAX {
        return Err(Fault::new(format!(
            "{what} {shown} has {} bytes, expected {SIZE_MAX} at most",
            metadata.len()
        )));
    }
    fs::read(path).map_err(unreadable)
}

/// Reads a file of text; what it holds is what is wrong, where something is.
///
/// # Errors
///
/// As [`read`], and when it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, Fault> {
    String::from_utf8(read("the file", path)?).map_err(|_| Fault::new("is not UTF-8"))
}

/// A chain of certificates has ten thousand bytes, a bundle of CAs two hundred thousand.
const SIZE_MAX: u64 = 1 << 20;

/// What a file was like when it was looked at; two that are the same hold the same.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// `None` where it could not be looked at.
    identity: Option<[i64; 7]>,
    is_settled: bool,
}

impl Stamp {
    /// Looks at a file.
    pub(crate) fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self { identity: None, is_settled: true };
        };
        Self { identity: Some(identity(&metadata)), is_settled: is_settled(&metadata) }
    }

    /// Whether it is the file of then, to the eye.
    pub(crate) fn looks_like(&self, then: &Self) -> bool {
        self.identity == then.identity
    }

    /// Whether the file holds what it held then.
    pub(crate) fn is_unchanged_since(&self, then: &Self) -> bool {
        then.is_settled && self.looks_like(then)
    }
}

fn identity(metadata: &Metadata) -> [i64; 7] {
    [
        metadata.dev().cast_signed(),
        metadata.ino().cast_signed(),
        metadata.size().cast_signed(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ]
}

/// Whether the last change is so long ago that another one would show in the times.
fn is_settled(metadata: &Metadata) -> bool {
    let changed = metadata.modified().ok();
    changed.is_some_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > TICK))
}

/// The kernel's clock for files goes by a tick, of 10 ms at most; some file systems' is slower.
const TICK: Duration = Duration::from_millis(100);
