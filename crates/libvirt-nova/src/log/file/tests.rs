//! What the bounded file promises.

use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

/// Short enough for quick tests, long enough for thirty lines.
const LIMIT: u64 = 300;

struct Log {
    directory: TempDir,
    file: BoundedFile,
    written: u64,
}

impl Log {
    /// An empty file of at most [`LIMIT`].
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = BoundedFile::open(directory.path().join("nova.log"), LIMIT).unwrap();
        Self { directory, file, written: 0 }
    }

    /// A directory under the temporary file's name: nothing can be written beside the log.
    fn without_replacement() -> Self {
        let log = Self::new();
        fs::create_dir(log.beside("nova.log.shortened")).unwrap();
        log
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&mut self) -> String {
        let changes = self.file.write(&line(self.written));
        self.written = self.written.saturating_add(1);
        changes.iter().map(|change| format!("{change:?};")).collect()
    }

    /// Writes `count` lines, with nothing to say about any.
    fn write_quietly(&mut self, count: u64) {
        for _ in 0..count {
            assert_eq!(self.write(), "", "line {}", self.written);
        }
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file.path()).unwrap()
    }

    /// Asserts that the file ends with the last lines written, `least` or more, and no others.
    fn assert_recent(&self, least: u64) {
        let text = self.text();
        assert!(u64::try_from(text.len()).unwrap() <= LIMIT, "{} bytes", text.len());
        let kept = u64::try_from(text.lines().count()).unwrap();
        assert!(kept >= least, "{kept} lines");
        assert_eq!(text, lines(self.written.saturating_sub(kept), self.written));
    }
}

fn line(number: u64) -> String {
    format!("line {number:04}\n")
}

fn lines(from: u64, to: u64) -> String {
    (from..to).map(line).collect()
}

#[test]
fn the_oldest_lines_go_and_the_most_recent_stay() {
    let mut log = Log::new();
    for number in 1..=200 {
        log.write_quietly(1);
        log.assert_recent(number.min(20));
    }
}

#[test]
fn the_real_limit_holds_to_the_byte() {
    const LIMIT: u64 = 3_000_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nova.log");
    let mut file = BoundedFile::open(path.clone(), LIMIT).unwrap();
    let (mut longest, mut shortest_after) = (0, LIMIT);
    for number in 0..9_000 {
        assert!(file.write(&format!("{number:0999}\n")).is_empty());
        let len = fs::metadata(&path).unwrap().len();
        longest = longest.max(len);
        if longest > 2_900_000 {
            shortest_after = shortest_after.min(len);
        }
    }
    // One line of room is never left unused, but for the line feed that a torn line may need.
    assert_eq!(longest, 2_999_000);
    // Two thirds, cut at the next line's end, and the line that was written then.
    assert_eq!(shortest_after, 2_001_000);
    let last = fs::read_to_string(path).unwrap().lines().last().unwrap().parse();
    assert_eq!(last, Ok(8_999));
}

#[test]
fn a_long_file_is_shortened_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nova.log");
    fs::write(&path, lines(0, 1000)).unwrap();
    let file = BoundedFile::open(path.clone(), LIMIT).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), lines(980, 1000));
    let log = Log { directory, file, written: 1000 };
    log.assert_recent(20);
}

#[test]
fn an_earlier_file_is_gone_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nova.log");
    fs::write(&path, "line 0000\nli").unwrap();
    let mut file = BoundedFile::open(path.clone(), LIMIT).unwrap();
    assert!(file.write("line 0001\n").is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), "line 0000\nli\nline 0001\n");
}

#[test]
fn what_is_no_line_at_all_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nova.log");
    fs::write(&path, "x".repeat(1000)).unwrap();
    let mut file = BoundedFile::open(path.clone(), LIMIT).unwrap();
    assert!(file.write("line 0000\n").is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), "line 0000\n");
}

#[test]
fn what_a_crash_left_beside_the_file_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nova.log");
    let leftover = directory.path().join("nova.log.shortened");
    // Half a copy, and a whole one that was not renamed.
    for copied in ["line 00", "line 0001\nline 0002\n"] {
        fs::write(&path, lines(0, 3)).unwrap();
        fs::write(&leftover, copied).unwrap();
        let file = BoundedFile::open(path.clone(), LIMIT).unwrap();
        assert!(!leftover.exists());
        assert_eq!(fs::read_to_string(file.path()).unwrap(), lines(0, 3));
    }
}

#[test]
fn a_link_in_the_place_of_the_temporary_file_is_not_followed() {
    let mut log = Log::new();
    let victim = log.beside("passwd");
    fs::write(&victim, "root\n").unwrap();
    symlink(&victim, log.beside("nova.log.shortened")).unwrap();
    log.write_quietly(200);
    assert_eq!(fs::read_to_string(victim).unwrap(), "root\n");
    assert!(!log.beside("nova.log.shortened").exists());
}

#[test]
fn where_no_file_can_be_made_the_file_is_shortened_in_place() {
    let mut log = Log::without_replacement();
    let inode = fs::metadata(log.file.path()).unwrap().ino();
    log.write_quietly(29);
    assert!(log.write().starts_with("InPlace("));
    for _ in 0..200 {
        log.write_quietly(1);
        log.assert_recent(10);
    }
    assert_eq!(fs::metadata(log.file.path()).unwrap().ino(), inode);
    // Said again only after it went well for once, or by another process.
    fs::remove_dir(log.beside("nova.log.shortened")).unwrap();
    log.write_quietly(30);
    fs::create_dir(log.beside("nova.log.shortened")).unwrap();
    let said: String = (0..30).map(|_| log.write()).collect();
    assert_eq!(said.matches("InPlace(").count(), 1, "{said}");

    fs::write(log.file.path(), lines(0, 1000)).unwrap();
    log.file = BoundedFile::open(log.file.path().to_owned(), LIMIT).unwrap();
    assert_eq!(log.text(), lines(990, 1000));
    assert!(log.write().starts_with("InPlace("));
}

#[test]
fn a_crash_while_shortening_in_place_loses_no_recent_line() {
    let (old, kept) = (lines(0, 29), lines(20, 29));
    for copied in 0..=kept.len() {
        let mut log = Log::without_replacement();
        let torn = kept[..copied].to_owned() + &old[copied..];
        fs::write(log.file.path(), &torn).unwrap();
        log.file = BoundedFile::open(log.file.path().to_owned(), LIMIT).unwrap();
        assert_eq!(log.text(), torn, "{copied}");
        log.file.write(&line(29));
        log.file.write(&line(30));
        assert!(log.text().ends_with(&lines(21, 31)), "{copied}: {}", log.text());
    }
}

#[test]
fn a_file_rotated_away_is_opened_anew() {
    let mut log = Log::new();
    log.write_quietly(2);
    fs::rename(log.file.path(), log.beside("nova.log.1")).unwrap();
    log.write_quietly(1);
    assert_eq!(log.text(), lines(2, 3));
    assert_eq!(fs::read_to_string(log.beside("nova.log.1")).unwrap(), lines(0, 2));

    // With logrotate's `create`, and with a file that is too long already.
    fs::rename(log.file.path(), log.beside("nova.log.2")).unwrap();
    fs::write(log.file.path(), "x\n".repeat(1000)).unwrap();
    log.write_quietly(1);
    assert_eq!(log.text(), "x\n".repeat(100) + &line(3));
}

#[test]
fn a_deleted_file_is_made_anew() {
    let mut log = Log::new();
    log.write_quietly(2);
    fs::remove_file(log.file.path()).unwrap();
    log.write_quietly(1);
    assert_eq!(log.text(), lines(2, 3));
}

#[test]
fn a_file_copied_and_truncated_starts_at_its_beginning() {
    let mut log = Log::new();
    log.write_quietly(2);
    OpenOptions::new().write(true).open(log.file.path()).unwrap().set_len(0).unwrap();
    log.write_quietly(1);
    assert_eq!(log.text(), lines(2, 3));
}

#[test]
fn a_symbolic_link_stays_one() {
    let mut log = Log::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("elsewhere.log");
    fs::remove_file(log.file.path()).unwrap();
    symlink(&target, log.file.path()).unwrap();
    // What is beside the link is of no concern.
    fs::create_dir(log.beside("nova.log.shortened")).unwrap();
    log.write_quietly(200);
    log.assert_recent(20);
    assert!(fs::symlink_metadata(log.file.path()).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(target).unwrap(), log.text());
}

#[test]
fn a_shortened_file_keeps_owner_and_permissions() {
    let mut log = Log::new();
    let path = log.file.path().to_owned();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    let before = fs::metadata(&path).unwrap();
    // Once: a second replacement may get the first file's inode.
    log.write_quietly(30);
    let after = fs::metadata(&path).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!(before.permissions(), after.permissions());
    assert_eq!((before.uid(), before.gid()), (after.uid(), after.gid()));
}

#[test]
fn faults_are_said_once_and_so_is_their_end() {
    let mut log = Log::new();
    log.write_quietly(1);
    fs::remove_file(log.file.path()).unwrap();
    symlink("/dev/full", log.file.path()).unwrap();
    let said = log.write();
    assert!(said.starts_with("Failed(") && said.contains("StorageFull"), "{said}");
    log.write_quietly(5);
    fs::remove_file(log.file.path()).unwrap();
    assert_eq!(log.write(), "Recovered { lost: 6 };");
    log.write_quietly(1);
    assert_eq!(log.text(), lines(7, 9));
}

#[test]
fn a_directory_that_is_gone_and_comes_back_costs_the_lines_between() {
    let mut log = Log::new();
    let away = log.directory.path().with_extension("away");
    fs::rename(log.directory.path(), &away).unwrap();
    assert!(log.write().starts_with("Failed("));
    log.write_quietly(1);
    fs::rename(&away, log.directory.path()).unwrap();
    assert_eq!(log.write(), "Recovered { lost: 2 };");
    assert_eq!(log.text(), lines(2, 3));
}

/// Another process, or this one's bad luck: the limit holds where the file cannot be shortened.
#[test]
fn a_file_that_another_process_shortens_does_not_grow() {
    let mut log = Log::new();
    log.write_quietly(29);
    let other = File::open(log.file.path()).unwrap();
    other.lock().unwrap();
    assert!(log.write().starts_with("Failed("));
    log.write_quietly(5);
    assert_eq!(log.text(), lines(0, 29));
    other.unlock().unwrap();
    assert_eq!(log.write(), "Recovered { lost: 6 };");
    assert!(log.text().ends_with(&(lines(15, 29) + &line(35))));
}

#[test]
fn shortening_that_failed_is_left_alone_for_a_while() {
    let mut log = Log::new();
    log.write_quietly(29);
    log.file.pause_end = Instant::now().checked_add(SHORTEN_PAUSE);
    assert!(log.write().contains("FileTooLarge"));
    assert_eq!(log.text(), lines(0, 29));
    log.file.pause_end = Some(Instant::now());
    assert_eq!(log.write(), "Recovered { lost: 1 };");
}

#[test]
fn two_writers_of_one_file_lose_nothing() {
    let mut log = Log::new();
    let mut other = BoundedFile::open(log.file.path().to_owned(), LIMIT).unwrap();
    for _ in 0..200 {
        log.write_quietly(1);
        assert!(other.write(&line(log.written)).is_empty());
        log.written += 1;
        log.assert_recent(log.written.min(20));
    }
}

#[test]
fn devices_are_written_to_and_nothing_else() {
    let mut null = BoundedFile::open("/dev/null".into(), 0).unwrap();
    for number in 0..100 {
        assert!(null.write(&line(number)).is_empty());
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_fifo_is_refused_without_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let error = BoundedFile::open(path, LIMIT).unwrap_err();
    assert_eq!(error.to_string(), "neither a file nor a character device");
}

#[test]
fn a_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = BoundedFile::open(directory.path().to_owned(), LIMIT).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
}
