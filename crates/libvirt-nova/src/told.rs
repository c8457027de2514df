//! What the log has said of a peer that is to be connected to.

use std::sync::{Mutex, PoisonError};

use libvirt_client::Obstacle;

/// What the log has said of a peer last, so that it says nothing twice, however many sessions
/// there are with it.
///
/// A fault's text may hold what the peer says, which may be another thing each time: of one
/// outage, from the end of a session to the next, each obstacle is told when it is met first, and
/// beyond that a few texts.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Said,
    /// The obstacles of this outage.
    met: Vec<Obstacle>,
    /// Texts of this outage that were told of an obstacle that had been met before.
    further: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    Connected,
    Fault(Obstacle, String),
}

/// How a fault is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is what was told last.
    Old,
    /// It is news.
    New,
    /// The same, and further news of this outage is too much.
    Last,
    /// It is too much.
    TooMuch,
}

impl Told {
    /// Notes that there is a session; returns whether that is news.
    pub(crate) fn connected(&self) -> bool {
        self.with(|state| {
            let is_news = state.last != Said::Connected;
            *state = State { last: Said::Connected, ..State::default() };
            is_news
        })
    }

    /// Notes that there is none for this reason.
    pub(crate) fn fault(&self, obstacle: Obstacle, text: &str) -> News {
        self.with(|state| {
            let fault = Said::Fault(obstacle, text.to_owned());
            if state.last == fault {
                return News::Old;
            }
            state.last = fault;
            if !state.met.contains(&obstacle) {
                // There are not many obstacles.
                state.met.push(obstacle);
                return News::New;
            }
            state.further = state.further.saturating_add(1);
            match state.further {
                ..FURTHER_MAX => News::New,
                FURTHER_MAX => News::Last,
                _ => News::TooMuch,
            }
        })
    }

    /// Notes that the log said of the session that it is lost: the next one is news.
    pub(crate) fn lost(&self) {
        self.with(|state| *state = State::default());
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        // Nothing panics while it holds the lock.
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Texts of an outage that are told of obstacles that it had before.
const FURTHER_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_is_not_told_again() {
        let told = Told::default();
        assert_eq!(told.fault(Obstacle::Nobody, "nobody listens"), News::New);
        assert_eq!(told.fault(Obstacle::Nobody, "nobody listens"), News::Old);
        assert_eq!(told.fault(Obstacle::Silent, "no answer"), News::New);
        assert!(told.connected());
        assert!(!told.connected(), "another session after one that nobody needed");
        told.lost();
        assert!(told.connected());
        assert_eq!(told.fault(Obstacle::Silent, "no answer"), News::New);
    }

    #[test]
    fn a_peer_that_says_another_thing_each_time_is_told_of_a_few_times_an_outage() {
        let told = Told::default();
        for _ in 0..2 {
            let news = |number| told.fault(Obstacle::HungUp, &format!("{number} bytes"));
            let lines: Vec<_> = (0..100).map(news).collect();
            let (few, rest) = lines.split_at(6);
            assert_eq!(few, [&[News::New; 5][..], &[News::Last]].concat());
            assert_eq!(rest, [News::TooMuch; 94]);
            // What it had not met yet is told all the same.
            assert_eq!(told.fault(Obstacle::Nobody, "nobody listens"), News::New);
            told.lost();
        }
    }

    #[test]
    fn two_reasons_in_turn_are_told_of_a_few_times_an_outage() {
        let told = Told::default();
        let each = [(Obstacle::Nobody, "nobody listens"), (Obstacle::Silent, "no answer")];
        let lines: Vec<_> = (0..50).flat_map(|_| each.map(|it| told.fault(it.0, it.1))).collect();
        let count = |news| lines.iter().filter(|line| **line == news).count();
        assert_eq!([count(News::New), count(News::Last), count(News::TooMuch)], [6, 1, 93]);
        assert!(told.connected());
    }
}
