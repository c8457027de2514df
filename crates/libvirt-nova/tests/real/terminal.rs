//! A terminal with a program in it: what is typed, and what there is to see.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex},
    thread,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::wait::{PATIENCE, wait_until};

/// A terminal with a program in it; both end when this is dropped.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts a program, whose controlling terminal this is.
    pub(crate) fn start(program: &Path, args: &[&str], columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let no_tty = i32::try_from(OpenptFlags::NOCTTY.bits()).unwrap();
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(no_tty);
            options.open(name.to_str().unwrap()).unwrap()
        };
        let mut command = Command::new("setsid");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LIBVIRT_NOVA_") {
                command.env_remove(name);
            }
        }
        command.arg("--ctty").arg(program).args(args).env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR").env("PS1", "shell$ ").env("TZ", "UTC");
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        tcsetwinsize(&keyboard, size(columns, rows)).unwrap();
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
        let (mut output, seen) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is the end of whoever was in it.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..count]);
            }
        });
        Self { child, keyboard, screen }
    }

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.keyboard, size(columns, rows)).unwrap();
    }

    /// What is to be seen.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits for something to be seen, and returns it.
    pub(crate) fn wait_for<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let mut last = String::new();
        let found = || {
            last = self.text();
            find(&last)
        };
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(PATIENCE, what, found).0
        }));
        found.unwrap_or_else(|_| panic!("never seen: {what}, but:\n{last}"))
    }

    /// Waits for a text to be seen.
    pub(crate) fn wait_for_text(&self, text: &str) {
        self.wait_for(text, |seen| seen.contains(text).then_some(()));
    }

    /// Waits until a text is seen no more.
    pub(crate) fn wait_for_end_of(&self, text: &str) {
        self.wait_for(&format!("the end of {text}"), |seen| (!seen.contains(text)).then_some(()));
    }

    /// The lines of which some part is red.
    pub(crate) fn red(&self) -> Vec<String> {
        let parser = self.screen.lock().unwrap();
        let screen = parser.screen();
        let (rows, columns) = screen.size();
        let lines = (0..rows).zip(screen.rows(0, columns));
        let is_red = |row| {
            let mut cells = (0..columns).filter_map(|column| screen.cell(row, column));
            cells.any(|cell| cell.fgcolor() == vt100::Color::Idx(1))
        };
        lines.filter(|(row, _)| is_red(*row)).map(|(_, line)| line).collect()
    }

    /// Asserts that the terminal is as a shell wants it: its own screen and cursor, lines and echo.
    pub(crate) fn assert_given_back(&self) {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        wait_until(PATIENCE, "the shell's own screen", || (!self.is_taken()).then_some(()));
    }

    /// Whether the screen is not the shell's.
    pub(crate) fn is_taken(&self) -> bool {
        let parser = self.screen.lock().unwrap();
        parser.screen().alternate_screen() || parser.screen().hide_cursor()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the program.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_until(PATIENCE, "the end of the program", || self.child.try_wait().unwrap()).0
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("child", &self.child).finish_non_exhaustive()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the terminal:\n{}", self.text());
        }
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
