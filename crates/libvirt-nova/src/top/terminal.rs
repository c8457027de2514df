//! The terminal: taken, and always given back as it was.

use std::{
    io::{self, Stdout, Write, stdout},
    panic,
    sync::Once,
    thread,
};

use ratatui_core::terminal::Terminal;
use ratatui_crossterm::{
    CrosstermBackend,
    crossterm::{
        cursor,
        event::{self, Event},
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};
use tokio::sync::mpsc;

/// A terminal that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Taken {
    /// Takes the terminal: other screen, each key at once, no cursor.
    ///
    /// # Errors
    ///
    /// When there is none; nothing has changed then.
    pub(super) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                // What is said of it belongs on the screen that stays.
                give_back();
                before(panic);
            }));
        });
        enter()?;
        match Terminal::new(CrosstermBackend::new(stdout())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Leaves the terminal to the shell until that makes us go on.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be taken again.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // As the terminal itself would have done, had it read the key. Where no shell is there to
        // make us go on, the kernel does not stop us.
        signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
        enter()?;
        // Draws all of it. (`Terminal::clear` would ask where the cursor is, and whoever reads the
        // keyboard would get the answer.)
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    let entered = execute!(stdout(), EnterAlternateScreen, cursor::Hide);
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Gives the terminal back, whatever state it is in.
fn give_back() {
    // Where it is gone, there is nothing to be given back.
    let _ = execute!(stdout(), cursor::Show, LeaveAlternateScreen);
    let _ = stdout().flush();
    let _ = disable_raw_mode();
}

/// Reads what is typed, for as long as the process lives: a read cannot be cancelled. Ends with
/// the error where the terminal goes.
pub(super) fn typed() -> mpsc::Receiver<io::Result<Event>> {
    let (send, events) = mpsc::channel(TYPED_MAX);
    thread::spawn(move || {
        loop {
            let event = event::read();
            let is_last = event.is_err();
            if send.blocking_send(event).is_err() || is_last {
                return;
            }
        }
    });
    events
}

/// Keys that may wait for us, as when somebody leans on one.
const TYPED_MAX: usize = 64;
