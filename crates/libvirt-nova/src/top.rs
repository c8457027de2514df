//! `libvirt_nova top`: the board in the terminal, for whoever is logged in on the host.
//!
//! * [`source`]: where the data come from: [`local`], straight from libvirt, or [`remote`], a
//!   running exporter, whose stream [`events`] reads
//! * [`scene`]: what is known; [`view`]: what of it is looked at, [`keys`] and in which [`order`]
//! * [`screen`]: draws it, with [`header`], [`table`] of [`Column`](column::Column)s, [`details`]
//!   and [`help`]; [`format`](mod@format) and [`plain`] make numbers and foreign text fit to be shown
//! * [`terminal`]: is taken, and given back; [`once`] needs none
//!
//! Nothing is logged: a line would be written over the screen. What is wrong is said on it.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use jiff::tz::TimeZone;
use ratatui_crossterm::crossterm::event::Event;
use tokio::{
    runtime, select,
    signal::unix::{SignalKind, signal},
    time::{self, Instant},
};

pub(crate) use self::order::SortKey;
use self::{
    keys::Reaction,
    scene::Scene,
    source::Source,
    terminal::{Taken, typed},
    view::View,
};
use crate::flags::{Origin, TopFlags};

mod column;
mod details;
mod events;
mod format;
mod header;
mod help;
mod keys;
mod local;
mod once;
mod order;
mod plain;
mod remote;
mod scene;
mod screen;
mod source;
mod table;
mod terminal;
mod view;

/// Shows the board until told to quit.
///
/// Exit status: 0 asked to quit, 1 could not start or go on, 2 wrong usage.
pub(crate) fn run(flags: TopFlags) -> ExitCode {
    let complain = |error: &dyn std::fmt::Display| {
        let _ = writeln!(io::stderr(), "libvirt_nova top: {error}");
    };
    if !flags.once && !io::stdout().is_terminal() {
        complain(&"standard output is not a terminal, expected one, or --once to print the table");
        return ExitCode::from(2);
    }
    match work(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn work(flags: TopFlags) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let TopFlags { origin, filter, sort, once } = flags;
        let is_surveying = matches!(origin, Origin::Libvirt { .. });
        let mut view = View::new(Scene::new(filter.clone()), sort, TimeZone::system());
        let mut source = Source::start(origin, filter).await?;
        let ended = if once {
            let text = once::print(&mut source, &mut view, is_surveying).await;
            io::stdout().write_all(text.as_bytes())
        } else {
            look(&mut source, &mut view).await
        };
        source.close().await;
        ended?;
        Ok(())
    })
}

/// Shows the view, as news and keys change it; the terminal is given back in any case.
async fn look(source: &mut Source, view: &mut View) -> io::Result<()> {
    let [mut terminate, mut interrupt, mut hangup] = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ];
    let mut taken = Taken::take()?;
    let mut typed = typed();
    loop {
        let now = Instant::now();
        taken.terminal.draw(|frame| {
            let area = frame.area();
            screen::draw(view, now, area, frame.buffer_mut());
        })?;
        let mut event = select! {
            news = source.next() => {
                view.scene.take(news.map_err(io::Error::other)?, Instant::now());
                continue;
            }
            event = typed.recv() => event,
            // Ages grow.
            () = time::sleep(SECOND) => continue,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
        };
        // All that has been typed, before it is drawn.
        while let Some(happened) = event {
            if let Event::Key(key) = happened? {
                match view.press(key, Instant::now()) {
                    Reaction::Nothing => {}
                    Reaction::Quit => return Ok(()),
                    Reaction::Suspend => taken.suspend()?,
                }
            }
            event = typed.try_recv().ok();
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]
mod tests;
