//! What programs that lead to libvirtd say, as far as the log takes it.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    mem,
    time::{Duration, Instant},
};

/// What programs that lead to libvirtd say, as far as the log takes it.
///
/// ssh says the same at each session, and other programs say a line each time that is new. So what
/// was heard is remembered across sessions, as its hash and for as long as it is heard again before
/// [`HEARD_MAX`] others; and there is a measure to what is new, which grows with time.
#[derive(Debug)]
pub(crate) struct Spoken {
    hasher: RandomState,
    /// What was heard last is last.
    heard: VecDeque<u64>,
    /// How many lines the log takes now.
    room: u32,
    /// Until when that has grown.
    grown: Option<Instant>,
    /// Whether it was told that there is too much, since there was room for all.
    is_told: bool,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was said before.
    Before,
    /// The log takes it.
    New,
    /// The same, and there is too much to come.
    Last,
    /// It is one too many.
    TooMuch,
}

impl Default for Spoken {
    fn default() -> Self {
        let hasher = RandomState::new();
        Self { hasher, heard: VecDeque::new(), room: ROOM, grown: None, is_told: false }
    }
}

impl Spoken {
    /// Takes note of a line that is said `now`.
    pub(crate) fn hear(&mut self, line: &str, now: Instant) -> Heard {
        let hash = self.hasher.hash_one(line);
        let known = self.heard.iter().position(|heard| *heard == hash);
        if let Some(at) = known {
            self.heard.remove(at);
        } else if self.heard.len() >= HEARD_MAX {
            self.heard.pop_front();
        }
        self.heard.push_back(hash);
        if known.is_some() {
            return Heard::Before;
        }
        self.grow(now);
        let before = self.room;
        self.room = before.saturating_sub(1);
        match before {
            0 => Heard::TooMuch,
            1 if !mem::replace(&mut self.is_told, true) => Heard::Last,
            _ => Heard::New,
        }
    }

    /// Makes room for a line each [`PAUSE`].
    fn grow(&mut self, now: Instant) {
        let grown = self.grown.filter(|_| self.room < ROOM).unwrap_or(now);
        let passed = now.saturating_duration_since(grown).as_secs();
        let lines = u32::try_from(passed.checked_div(PAUSE.as_secs()).unwrap_or(0));
        let lines = lines.unwrap_or(u32::MAX);
        self.room = self.room.saturating_add(lines).min(ROOM);
        self.is_told &= self.room < ROOM;
        self.grown = grown.checked_add(PAUSE.saturating_mul(lines)).or(Some(now));
    }
}

/// Lines that are remembered: several screens, and some kilobytes of hashes.
const HEARD_MAX: usize = 200;
/// New lines that the log takes at once: a screen.
const ROOM: u32 = 50;
/// How long until it takes one more.
const PAUSE: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_each_session_begins_with_is_told_once_whatever_else_is_said() {
        let (mut spoken, began) = (Spoken::default(), Instant::now());
        assert_eq!(spoken.hear("a banner", began), Heard::New);
        for session in 0..1_000 {
            spoken.hear(&format!("it is {session}"), began);
            assert_eq!(spoken.hear("a banner", began), Heard::Before, "session {session}");
        }
        assert_eq!(spoken.heard.len(), HEARD_MAX);
    }

    #[test]
    fn a_line_that_is_new_each_time_is_told_of_now_and_then() {
        let (mut spoken, began) = (Spoken::default(), Instant::now());
        let mut heard = |second: u64| {
            spoken.hear(&format!("it is {second}"), began + Duration::from_secs(second))
        };
        let lines: Vec<_> = (0..600).map(&mut heard).collect();
        let (few, rest) = lines.split_at(50);
        assert_eq!(few, [&[Heard::New; 49][..], &[Heard::Last]].concat());
        assert_eq!(rest, [Heard::TooMuch; 550]);
        let hours: Vec<_> = (600..7_800).map(heard).collect();
        let told = hours.iter().filter(|line| **line == Heard::New).count();
        assert_eq!((told, hours.contains(&Heard::Last)), (12, false));
    }

    #[test]
    fn after_a_quiet_day_there_is_room_for_a_screen_and_no_more() {
        let (mut spoken, mut now) = (Spoken::default(), Instant::now());
        for _ in 0..2 {
            let lines = (0..60).map(|number| spoken.hear(&format!("{number} {now:?}"), now));
            assert_eq!(lines.filter(|line| *line != Heard::TooMuch).count(), 50);
            now += Duration::from_hours(24);
        }
    }
}
