//! Small files that were named: read whole, or not at all.

use std::{fs, io, path::Path};

/// Reads a file.
///
/// A pipe would keep this process, which has one thread, until somebody writes; what is beyond any
/// reason is nobody's key.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file, expected one"));
    }
    if metadata.len() > SIZE_MAX {
        let said = format!("it has {} bytes, expected {SIZE_MAX} at most", metadata.len());
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, said));
    }
    fs::read(path)
}

/// Reads a file of text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    String::from_utf8(read(path)?).map_err(not_text)
}

/// The longest file, in bytes: libvirt's own bound for `auth.conf`, and five times a bundle of CAs.
const SIZE_MAX: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Nobody writes to it, ever: this test would not end.
    #[test]
    fn a_pipe_keeps_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let error = read(&pipe).unwrap_err();
        assert_eq!(error.to_string(), "it is not a file, expected one");
    }

    #[test]
    fn what_is_beyond_reason_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        let file = fs::File::create(&path).unwrap();
        file.set_len(SIZE_MAX).unwrap();
        assert_eq!(read_text(&path).unwrap().len(), 1 << 20);
        file.set_len(SIZE_MAX + 1).unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(error.to_string(), "it has 1048577 bytes, expected 1048576 at most");
    }
}
