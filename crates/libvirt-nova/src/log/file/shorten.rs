//! Shortening a file of lines from its old end.
//!
//! Two ways, tried in this order. Neither loses a recent line to a crash, at
//! whatever moment, and neither leaves the file longer than it was.
//!
//! * *Replacing it*: the recent two thirds of the limit are copied to a temporary
//!   file beside it, synced, and renamed over it. Each byte of the log is so
//!   written three times at most, and there is always history. Owner and
//!   permissions are kept; where they cannot be, this way is not taken.
//! * *In place*, where that fails (a directory that is not ours to write, a file
//!   mounted by itself into a container, a full disk): the recent third is copied
//!   over the oldest, synced, and then all behind it is cut off. The copy never
//!   reaches its own source, so that until the cut the recent lines are still
//!   where they were; a crash leaves some of them twice.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use super::identity;

/// What became of the file.
#[derive(Debug)]
pub(super) enum Shortened {
    /// The path now names this file, open for reading and appending.
    Replaced(File),
    /// It is the same file, since a new one could not take its place.
    InPlace(io::Error),
}

/// Shortens `file`, which `path` names, so that a third of `limit` or more gets free.
///
/// # Errors
///
/// When both ways fail, or (`WouldBlock`) when another process is at it. The
/// file has all its lines then.
pub(super) fn shorten(path: &Path, file: &File, limit: u64) -> io::Result<Shortened> {
    lock(path, file)?;
    let third = limit / 3;
    let shortened = match replace(path, file, limit.saturating_sub(third)) {
        Ok(replacement) => Ok(Shortened::Replaced(replacement)),
        Err(error) => cut(path, file, third).map(|()| Shortened::InPlace(error)),
    };
    // Closing the file would do it as well.
    let _ = file.unlock();
    shortened
}

/// Removes the temporary file of a shortening of `file` that a crash interrupted.
///
/// One that cannot be removed is not missed: it sends `shorten` its other way.
pub(super) fn remove_leftover(path: &Path, file: &File) {
    if lock(path, file).is_ok() {
        let _ = temporary(path).and_then(fs::remove_file);
        let _ = file.unlock();
    }
}

/// Keeps other processes that log to the same file from shortening it as well.
fn lock(path: &Path, file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        // Not every file system has locks, and seldom are there two of us.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    // One of them may have replaced it since it was looked at.
    if identity(&fs::metadata(path)?) == identity(&file.metadata()?) {
        return Ok(());
    }
    let _ = file.unlock();
    Err(io::ErrorKind::WouldBlock.into())
}

/// The temporary file's name, beside the file that `path` leads to if that is a link.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let mut name = OsString::from(fs::canonicalize(path)?);
    name.push(".shortened");
    Ok(name.into())
}

fn replace(path: &Path, file: &File, keep: u64) -> io::Result<File> {
    let temporary = temporary(path)?;
    // Whatever has the name is none of ours, since we have the lock. If it stays, the next fails.
    let _ = fs::remove_file(&temporary);
    let mut replacement =
        OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&temporary)?;
    let mut recent = recent_lines(file, keep)?;
    let renamed = copy_with_owner(&mut recent, &mut replacement)
        .and_then(|()| fs::rename(&temporary, fs::canonicalize(path)?));
    if let Err(error) = renamed {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    // What another process appended meanwhile. This one has nothing to lose by a fault here.
    let _ = io::copy(&mut recent, &mut replacement);
    Ok(replacement)
}

/// Copies `recent` to `replacement`, down to the disk, with owner and permissions of its file.
fn copy_with_owner(recent: &mut BufReader<&File>, replacement: &mut File) -> io::Result<()> {
    io::copy(recent, replacement)?;
    let metadata = recent.get_ref().metadata()?;
    // In this order, since a change of owner takes permissions away.
    fchown(&*replacement, Some(metadata.uid()), Some(metadata.gid()))?;
    replacement.set_permissions(metadata.permissions())?;
    replacement.sync_all()
}

fn cut(path: &Path, file: &File, keep: u64) -> io::Result<()> {
    // `file` writes to its end alone.
    let mut start = OpenOptions::new().write(true).open(path)?;
    let half = file.metadata()?.len() / 2;
    let kept = io::copy(&mut recent_lines(file, keep.min(half))?, &mut start)?;
    start.sync_data()?;
    start.set_len(kept)
}

/// The whole lines among the last `keep` bytes of `file`, and an unfinished one at the end.
fn recent_lines(file: &File, keep: u64) -> io::Result<BufReader<&File>> {
    let mut recent = BufReader::new(file);
    let start = file.metadata()?.len().saturating_sub(keep);
    // From the byte before on: where that ends a line, the next is whole and stays.
    recent.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    if start > 0 {
        recent.skip_until(b'\n')?;
    }
    Ok(recent)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn open(path: &Path, text: &str) -> File {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path).unwrap();
        // Appending leaves the file's own position at its end.
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn recent_lines_are_whole() {
        let file = open(&tempfile::tempdir().unwrap().path().join("log"), "one\ntwo\nthree\nfo");
        let recent = |keep| {
            let mut text = String::new();
            recent_lines(&file, keep).unwrap().read_to_string(&mut text).unwrap();
            text
        };
        for (keeps, text) in [
            (16..=99, "one\ntwo\nthree\nfo"),
            (12..=15, "two\nthree\nfo"),
            (8..=11, "three\nfo"),
            (2..=7, "fo"),
            (0..=1, ""),
        ] {
            for keep in keeps {
                assert_eq!(recent(keep), text, "{keep}");
            }
        }
    }

    #[test]
    fn a_file_that_another_process_replaced_is_not_shortened_over_the_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let old = open(&path, "old\nold\nold\n");
        fs::remove_file(&path).unwrap();
        let new = open(&path, "new\nnew\nnew\n");
        let error = shorten(&path, &old, 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\nnew\nnew\n");

        assert!(matches!(shorten(&path, &new, 9), Ok(Shortened::Replaced(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    }
}
