//! The log file: bounded, and found again when it is rotated away.

mod shorten;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shorten::Shortened;

/// A file that takes lines and never gets longer than its limit.
///
/// A line that would not fit pushes the oldest lines out, as `shorten` tells.
/// Where neither of its ways works (a file that may only be appended to), the
/// line is lost to the file: the limit comes first, and standard error has it.
///
/// The path is looked at before each line. A file that was renamed or deleted is
/// made anew; one that was truncated is gone on with, as every write appends.
///
/// A character device (`/dev/null`, a terminal) is written to and nothing else.
#[derive(Debug)]
pub(super) struct BoundedFile {
    path: PathBuf,
    limit: u64,
    open: Open,
    /// Lines that did not reach the file since the last that did.
    lost: u64,
    /// When shortening may be tried again after it failed.
    pause_end: Option<Instant>,
    /// Whether the last shortening left a new file under the path, as it should.
    replaceable: bool,
    /// What the next line's writer is to say.
    changes: Vec<Change>,
}

/// Something that an operator must hear about the file, once.
#[derive(Debug)]
pub(super) enum Change {
    /// Lines no longer reach the file.
    Failed(io::Error),
    /// Lines reach it again, and so many did not.
    Recovered { lost: u64 },
    /// It cannot be replaced by a shorter one, and keeps half as much for as long.
    InPlace(io::Error),
}

impl BoundedFile {
    /// Opens `path`, or makes it, for at most `limit` bytes.
    ///
    /// A longer file is shortened at once, and what an interrupted shortening
    /// left beside it is removed. `limit` is to be many times the longest line.
    ///
    /// # Errors
    ///
    /// When `path` cannot be opened, or is neither a file nor a character device.
    /// A FIFO is refused rather than waited for.
    pub(super) fn open(path: PathBuf, limit: u64) -> io::Result<Self> {
        let open = Open::at(&path)?;
        let mut file = Self {
            path,
            limit,
            open,
            lost: 0,
            pause_end: None,
            replaceable: true,
            changes: Vec::new(),
        };
        if file.open.is_regular {
            shorten::remove_leftover(&file.path, &file.open.file);
            if file.open.len()? > limit {
                // The first line tries again, and can say what is wrong.
                let _ = file.shorten();
            }
        }
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Which file is open, so as to tell whether another is the same one.
    pub(super) fn identity(&self) -> Identity {
        self.open.identity
    }

    /// Appends `line`, which ends in its line feed, and returns what there is to say.
    ///
    /// On failure the line is lost to the file, and the next one is tried afresh.
    pub(super) fn write(&mut self, line: &str) -> Vec<Change> {
        match self.try_write(line) {
            Ok(()) => match mem::take(&mut self.lost) {
                0 => {}
                lost => self.changes.push(Change::Recovered { lost }),
            },
            Err(error) => {
                if self.lost == 0 {
                    self.changes.push(Change::Failed(error));
                }
                self.lost = self.lost.saturating_add(1);
            }
        }
        mem::take(&mut self.changes)
    }

    fn try_write(&mut self, line: &str) -> io::Result<()> {
        if !fs::metadata(&self.path).is_ok_and(|there| identity(&there) == self.open.identity) {
            self.open = Open::at(&self.path)?;
        }
        if !self.open.is_regular {
            return self.open.file.write_all(line.as_bytes());
        }
        // The line feed ends what a crash or a full disk cut off, in the same write as the line.
        let ended = format!("\n{line}");
        let needed = u64::try_from(ended.len()).unwrap_or(u64::MAX);
        if self.open.len()?.saturating_add(needed) > self.limit {
            self.make_room()?;
        }
        let text = if self.open.ends_within_line()? { &ended } else { line };
        self.open.file.write_all(text.as_bytes())
    }

    /// Shortens the file, with a pause after each failure: a line must not cost a copy of it.
    fn make_room(&mut self) -> io::Result<()> {
        if self.pause_end.is_some_and(|end| Instant::now() < end) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let made = self.shorten();
        // Another process that shortens the same file is done in no time.
        if made.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
            self.pause_end = Instant::now().checked_add(SHORTEN_PAUSE);
        }
        made
    }

    fn shorten(&mut self) -> io::Result<()> {
        match shorten::shorten(&self.path, &self.open.file, self.limit)? {
            Shortened::Replaced(file) => {
                self.open = Open::new(file)?;
                self.replaceable = true;
            }
            Shortened::InPlace(error) => {
                if mem::take(&mut self.replaceable) {
                    self.changes.push(Change::InPlace(error));
                }
            }
        }
        Ok(())
    }
}

/// How long a file that cannot be shortened is left alone.
const SHORTEN_PAUSE: Duration = Duration::from_secs(60);

/// What is open, and was found under the path then.
#[derive(Debug)]
struct Open {
    file: File,
    identity: Identity,
    is_regular: bool,
}

impl Open {
    /// Opens what `path` names, or makes a file there; does not wait for anybody.
    fn at(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        match fs::metadata(path).map(|there| there.file_type()) {
            Ok(there) if there.is_char_device() => options.write(true),
            Ok(there) if !there.is_file() && !there.is_dir() => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "neither a file nor a character device",
                ));
            }
            // A directory's error is `open`'s own. Should a FIFO appear just now, opening it for
            // reading and writing does not wait.
            Ok(_) | Err(_) => options.read(true).append(true).create(true).mode(FILE_MODE),
        };
        Self::new(options.open(path)?)
    }

    fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { file, identity: identity(&metadata), is_regular: metadata.is_file() })
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn ends_within_line(&self) -> io::Result<bool> {
        let Some(last) = self.len()?.checked_sub(1) else { return Ok(false) };
        let mut byte = [0];
        Ok(self.file.read_at(&mut byte, last)? == byte.len() && byte != [b'\n'])
    }
}

/// Permissions of a new file, less the process' umask: who watches a host may read it.
const FILE_MODE: u32 = 0o644;

/// Device and inode: the same for two files only if they are one.
pub(super) type Identity = (u64, u64);

pub(super) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests;
