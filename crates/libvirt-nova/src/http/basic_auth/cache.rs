//! What was found out lately.

/// A user, his hash and a password, digested with a key that nobody knows.
///
/// Being that, it can be compared like any number: how long that takes tells nothing of the
/// password.
pub(super) type Tag = [u8; 32];

/// What was found out lately.
///
/// Who was admitted and who was not have rooms of their own: anybody can fill the second one.
#[derive(Debug, Default)]
pub(super) struct Cache {
    admitted: Room,
    refused: Room,
}

impl Cache {
    /// Whether it was admitted; `None` if that is not known.
    pub(super) fn admits(&self, tag: Tag) -> Option<bool> {
        let is_admitted = self.admitted.holds(tag);
        (is_admitted || self.refused.holds(tag)).then_some(is_admitted)
    }

    pub(super) fn keep(&mut self, tag: Tag, is_admitted: bool) {
        if is_admitted { &mut self.admitted } else { &mut self.refused }.keep(tag);
    }
}

/// At most [`SIZE`] of them.
#[derive(Debug, Default)]
struct Room(Vec<Tag>);

/// As many as Prometheus' own implementation keeps.
const SIZE: usize = 100;

impl Room {
    fn holds(&self, tag: Tag) -> bool {
        self.0.contains(&tag)
    }

    /// Where there is no room, one of them goes, whichever: as with a digest nobody can foresee.
    fn keep(&mut self, tag: Tag) {
        if self.0.len() < SIZE {
            self.0.push(tag);
            return;
        }
        let number =
            tag.iter().fold(0_usize, |sum, &byte| sum.wrapping_mul(31) ^ usize::from(byte));
        let at = number.checked_rem(self.0.len()).unwrap_or_default();
        if let Some(other) = self.0.get_mut(at) {
            *other = tag;
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::digest;

    use super::*;

    fn tag(number: u32) -> Tag {
        let digest = digest::digest(&digest::SHA256, &number.to_le_bytes());
        digest.as_ref().try_into().unwrap()
    }

    #[test]
    fn what_was_kept_is_known() {
        let mut cache = Cache::default();
        cache.keep(tag(1), true);
        cache.keep(tag(2), false);
        assert_eq!([1, 2, 3].map(|n| cache.admits(tag(n))), [Some(true), Some(false), None]);
    }

    #[test]
    fn a_newcomer_takes_anybodys_place() {
        let mut cache = Cache::default();
        for number in 0..1_000 {
            cache.keep(tag(number), false);
            assert_eq!(cache.admits(tag(number)), Some(false));
        }
        let left: Vec<_> = (0..1_000).filter(|&n| cache.admits(tag(n)).is_some()).collect();
        assert_eq!(left.len(), SIZE);
        // Neither the oldest nor the newest are those that are left.
        assert!((100..900).contains(&left[5]), "{left:?}");
    }

    #[test]
    fn no_number_of_refusals_drives_out_who_was_admitted() {
        let mut cache = Cache::default();
        cache.keep(tag(0), true);
        for number in 1..1_000 {
            cache.keep(tag(number), false);
        }
        assert_eq!(cache.admits(tag(0)), Some(true));
    }
}
