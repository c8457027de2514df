//! What there is to show: the last board, what pulses added to it, and how old that is.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::{
    board::{Board, LibvirtState, Pulse, Row},
    filter::Filter,
};

/// What a source tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// All of it.
    Board(Box<Board>),
    /// What moved.
    Pulse(Pulse),
    /// Nothing is heard of whom we look at.
    Lost(Lost),
}

/// Since when nothing is heard of whom we look at, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lost {
    pub(super) whom: String,
    /// In seconds since the unix epoch.
    pub(super) since: f64,
    pub(super) since_instant: Instant,
    pub(super) why: String,
}

/// What there is to show.
#[derive(Debug)]
pub(super) struct Scene {
    filter: Filter,
    board: Option<Board>,
    /// The vCPUs in use in each second, of each instance of the board.
    recent: Vec<VecDeque<Option<f64>>>,
    /// Whether the filter admits the instance, for each of the board.
    admitted: Vec<bool>,
    /// The moment of the last value of `recent`, as pulses count.
    at: f64,
    /// When the last pulse came.
    received: Option<Instant>,
    pub(super) lost: Option<Lost>,
}

/// A guest, with what is known of it now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guest<'s> {
    pub(super) row: &'s Row,
    pub(super) in_use: Option<f64>,
    pub(super) peak: Option<f64>,
    pub(super) recent: Option<&'s VecDeque<Option<f64>>>,
    /// For how long its QEMU has not answered libvirt.
    pub(super) stuck: Option<Duration>,
    pub(super) survey: Freshness,
}

/// How much what the last survey found is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// Shown, but dimmed.
    Old,
    /// Too old to be shown.
    Gone,
}

/// What keeps the numbers from being those of now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trouble {
    pub(super) what: String,
    /// In seconds since the unix epoch; `None` where nobody knows.
    pub(super) since: Option<f64>,
    pub(super) lasts: Duration,
    pub(super) why: Option<String>,
}

impl Guest<'_> {
    /// Nova's name of it, or libvirt's.
    pub(super) fn name(&self) -> &str {
        self.row.name.as_deref().unwrap_or(&self.row.domain)
    }

    /// What it does, in a word.
    pub(super) fn state(&self) -> Option<&str> {
        if self.stuck.is_some() { Some("stuck") } else { self.row.state.as_deref() }
    }

    /// A number that the last survey found, unless that is too long ago.
    pub(super) fn surveyed<T>(&self, number: Option<T>) -> Option<T> {
        number.filter(|_| self.survey != Freshness::Gone)
    }

    /// Bytes a second, both ways.
    pub(super) fn disk(&self) -> Option<f64> {
        sum(self.surveyed(self.row.read_bytes), self.surveyed(self.row.written_bytes))
    }

    /// Bytes a second, both ways.
    pub(super) fn network(&self) -> Option<f64> {
        sum(self.surveyed(self.row.received_bytes), self.surveyed(self.row.transmitted_bytes))
    }
}

fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    [one, other].into_iter().flatten().reduce(|one, other| one + other)
}

impl Scene {
    /// Nothing yet. Of what comes, it shows what `filter` admits.
    pub(super) fn new(filter: Filter) -> Self {
        let (board, recent, admitted, at, received, lost) = Default::default();
        Self { filter, board, recent, admitted, at, received, lost }
    }

    /// Takes over what came at `now`. A pulse of another edition than the board's says nothing of
    /// its instances, and is ignored.
    pub(super) fn take(&mut self, news: News, now: Instant) {
        match news {
            News::Board(board) => {
                self.recent = board.recent.iter().map(|of| of.iter().copied().collect()).collect();
                let admits = |row: &Row| {
                    let names = [row.name.as_deref(), Some(&*row.domain), Some(&*row.uuid)];
                    let project = [row.project.as_deref(), row.project_id.as_deref()];
                    let [names, project] =
                        [&names[..], &project].map(|of| of.iter().flatten().copied().collect());
                    let (names, project): (Vec<_>, Vec<_>) = (names, project);
                    self.filter.admits(&names, &project)
                };
                self.admitted = board.instances.iter().map(admits).collect();
                self.at = board.pulse.at;
                self.board = Some(*board);
            }
            News::Pulse(pulse) => {
                let Some(board) = &mut self.board else { return };
                if board.pulse.edition != pulse.edition {
                    return;
                }
                for _ in 0..seconds(&mut self.at, pulse.at) {
                    for (recent, in_use) in self.recent.iter_mut().zip(&pulse.in_use) {
                        recent.push_back(*in_use);
                        if recent.len() > MINUTE {
                            recent.pop_front();
                        }
                    }
                }
                board.pulse = pulse;
            }
            News::Lost(lost) => {
                self.lost = Some(lost);
                return;
            }
        }
        self.received = Some(now);
        self.lost = None;
    }

    /// The last board with the last pulse, where there is one.
    pub(super) fn board(&self) -> Option<&Board> {
        self.board.as_ref()
    }

    /// The guests that the filter admits, with what is known of them at `now`.
    pub(super) fn guests(&self, now: Instant) -> impl Iterator<Item = Guest<'_>> {
        let survey = self.freshness(now);
        let board = self.board.as_ref();
        let rows = board.map(|board| &*board.instances).unwrap_or_default();
        rows.iter().enumerate().filter_map(move |(place, row)| {
            let pulse = &board?.pulse;
            if self.admitted.get(place) != Some(&true) {
                return None;
            }
            let stuck = pulse.stuck.iter().find(|(stuck, _)| *stuck == place);
            let of = |numbers: &[Option<f64>]| {
                numbers.get(place).copied().flatten().filter(|number| number.is_finite())
            };
            Some(Guest {
                row,
                in_use: of(&pulse.in_use),
                peak: of(&pulse.peak),
                recent: self.recent.get(place),
                stuck: stuck.map(|(_, seconds)| span(*seconds).saturating_add(self.age(now))),
                survey,
            })
        })
    }

    /// How long ago libvirtd answered a poll.
    pub(super) fn polled(&self, now: Instant) -> Option<Duration> {
        Some(span(self.board.as_ref()?.pulse.polled?).saturating_add(self.age(now)))
    }

    /// How long ago the last survey ended.
    pub(super) fn surveyed(&self, now: Instant) -> Option<Duration> {
        Some(span(self.board.as_ref()?.pulse.surveyed?).saturating_add(self.age(now)))
    }

    /// What keeps the numbers from being those of now, if anything.
    pub(super) fn trouble(&self, now: Instant) -> Option<Trouble> {
        if let Some(Lost { whom, since, since_instant, why }) = &self.lost {
            return Some(Trouble {
                what: format!("{whom} does not answer"),
                since: Some(*since),
                lasts: now.saturating_duration_since(*since_instant),
                why: Some(why.clone()),
            });
        }
        let age = self.age(now);
        let Some(Board { pulse, .. }) = &self.board else { return None };
        let what = match pulse.libvirt.state {
            LibvirtState::Up if age < SILENT => return None,
            LibvirtState::Up => {
                let since = pulse.at;
                let what = "nothing new is heard".to_owned();
                return Some(Trouble { what, since: Some(since), lasts: age, why: None });
            }
            LibvirtState::Connecting => "libvirtd is being connected to",
            LibvirtState::Silent => "libvirtd does not answer",
            LibvirtState::Down => "libvirtd cannot be asked",
        };
        let since = pulse.libvirt.since;
        Some(Trouble {
            what: what.to_owned(),
            since: Some(since),
            // Both of the other side's clock.
            lasts: span(pulse.at - since).saturating_add(age),
            why: pulse.libvirt.error.clone(),
        })
    }

    fn freshness(&self, now: Instant) -> Freshness {
        match self.surveyed(now) {
            Some(age) if age <= SURVEY_OLD => Freshness::Fresh,
            Some(age) if age <= SURVEY_GONE => Freshness::Old,
            Some(_) | None => Freshness::Gone,
        }
    }

    /// How long ago the last pulse came.
    fn age(&self, now: Instant) -> Duration {
        self.received.map(|at| now.saturating_duration_since(at)).unwrap_or_default()
    }
}

/// How many whole seconds have passed, a minute at most, and moves `from` by so many: a pulse may
/// come late, or each half second. Where somebody's clock jumped, none has.
fn seconds(from: &mut f64, to: f64) -> usize {
    let passed = (to - *from).round();
    if !(0.0..=3_600.0).contains(&passed) {
        *from = to;
        return 0;
    }
    *from += passed;
    (1_u8..).take(MINUTE).take_while(|second| f64::from(*second) <= passed).count()
}

/// Reads seconds that somebody else wrote.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Seconds that a sparkline shows.
const MINUTE: usize = 60;
/// How long a source may say nothing.
const SILENT: Duration = Duration::from_secs(5);
/// How old a survey is when its numbers are dimmed.
const SURVEY_OLD: Duration = Duration::from_mins(2);
/// How old it is when they are shown no more.
const SURVEY_GONE: Duration = Duration::from_mins(5);
