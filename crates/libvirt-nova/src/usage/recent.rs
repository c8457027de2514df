//! The last minute of a domain, second by second.

use std::collections::VecDeque;

/// Seconds that are remembered.
pub(crate) const MINUTE: usize = 60;

/// What a domain used in each second of the last minute.
///
/// Of several observations in one second the highest is kept: however often somebody polls,
/// it takes the same room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(VecDeque<(u64, f64)>);

impl Recent {
    /// Takes over an observation that ended in `second`, which is no earlier than the last one.
    pub(super) fn note(&mut self, second: u64, in_use: f64) {
        match self.0.back_mut() {
            Some((last, highest)) if *last == second => *highest = highest.max(in_use),
            _ => self.0.push_back((second, in_use)),
        }
        while self.0.front().is_some_and(|(first, _)| age(*first, second) >= MINUTE) {
            self.0.pop_front();
        }
    }

    /// The highest observation of the minute that ends with `now`.
    pub(super) fn peak(&self, now: u64) -> Option<f64> {
        let of_minute = self.0.iter().filter(|(second, _)| age(*second, now) < MINUTE);
        of_minute.map(|(_, in_use)| *in_use).reduce(f64::max)
    }

    /// Each second of the minute that ends with `now`, which comes last; `None` where none
    /// of its observations ended.
    pub(super) fn seconds(&self, now: u64) -> [Option<f64>; MINUTE] {
        let mut seconds = [None; MINUTE];
        for (second, in_use) in &self.0 {
            if let Some(slot) = seconds.iter_mut().rev().nth(age(*second, now)) {
                *slot = Some(*in_use);
            }
        }
        seconds
    }
}

fn age(second: u64, now: u64) -> usize {
    usize::try_from(now.saturating_sub(second)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_a_minute() {
        let mut recent = Recent::default();
        assert_eq!(recent.peak(0), None);
        for (second, in_use) in [(100, 0.5), (101, 2.0), (101, 1.0), (130, 1.5)] {
            recent.note(second, in_use);
        }
        assert_eq!(recent.peak(130), Some(2.0));
        assert_eq!(recent.peak(160), Some(2.0));
        assert_eq!(recent.peak(161), Some(1.5), "the burst was a minute ago");
        assert_eq!(recent.peak(190), None);
    }

    #[test]
    fn a_second_without_an_observation_is_a_gap() {
        let mut recent = Recent::default();
        recent.note(100, 0.5);
        recent.note(102, 0.25);
        let seconds = recent.seconds(103);
        assert_eq!(seconds[56..], [Some(0.5), None, Some(0.25), None]);
        assert!(seconds[..56].iter().all(Option::is_none));
        assert_eq!(recent.seconds(161)[0], Some(0.25));
    }

    #[test]
    fn it_takes_the_same_room_however_long_it_lasts() {
        let mut recent = Recent::default();
        for second in 0..1000 {
            recent.note(second, 0.5);
            recent.note(second, 0.25);
        }
        assert_eq!(recent.0.len(), MINUTE);
    }
}
