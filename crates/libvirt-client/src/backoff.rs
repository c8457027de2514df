//! The pause before the next attempt.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// Pauses that double with each failure, with jitter, up to a ceiling.
///
/// The jitter keeps the exporters of a thousand hosts, restarted together, from
/// staying in step.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    ceiling: Duration,
}

impl Backoff {
    /// A first pause of about half a second.
    ///
    /// `ceiling` bounds the pauses to come.
    pub fn new(ceiling: Duration) -> Self {
        Self { next: FIRST, ceiling }
    }

    /// Returns the pause before the next attempt: between half and the whole of
    /// the present step, and never more than the ceiling.
    pub fn pause(&mut self) -> Duration {
        let step = self.next.min(self.ceiling);
        self.next = step.saturating_mul(2);
        let half = step.checked_div(2).unwrap_or_default();
        // A fresh hasher's keys are the standard library's only source of chance.
        let chance = RandomState::new().hash_one(0_u8) & 0xffff;
        let jitter = half.as_secs_f64() * f64::from(u32::try_from(chance).unwrap_or(0)) / 65_536.0;
        half.saturating_add(Duration::from_secs_f64(jitter))
    }

    /// Lowers or raises the bound of the pauses to come.
    pub fn set_ceiling(&mut self, ceiling: Duration) {
        self.ceiling = ceiling;
    }

    /// Begins again with the shortest pause.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }
}

/// The step that pauses start from.
const FIRST: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_ceiling_and_begin_again() {
        let mut backoff = Backoff::new(Duration::from_secs(30));
        let mut step = FIRST;
        for _ in 0..12 {
            let pause = backoff.pause();
            assert!(step / 2 <= pause && pause <= step, "{pause:?} of {step:?}");
            step = (step * 2).min(Duration::from_secs(30));
        }
        backoff.set_ceiling(Duration::from_secs(2));
        assert!(backoff.pause() <= Duration::from_secs(2));
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }

    #[test]
    fn two_processes_do_not_stay_in_step() {
        let pauses: Vec<_> = (0..8).map(|_| Backoff::new(FIRST).pause()).collect();
        assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]), "{pauses:?}");
    }
}
