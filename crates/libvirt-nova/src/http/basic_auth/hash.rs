//! The bcrypt hash of a password.

use std::{error::Error, fmt};

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD},
};
use subtle::ConstantTimeEq;

/// The bcrypt hash of a password.
///
/// As in Go's implementation, which Prometheus uses, `$2a$`, `$2b$`, `$2x$` and `$2y$` are the
/// same: what distinguished them were mistakes in other implementations, and `$2x$`, the mark of
/// one for passwords beyond ASCII, is not computed with it here either.
/// Of a password the first 72 bytes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash {
    cost: u8,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Hash {
    /// Reads `$2b$COST$` and 53 characters more.
    pub(super) fn read(text: &str) -> Result<Self, HashError> {
        let malformed = || HashError::Malformed;
        let (version, rest) = text.split_at_checked(4).ok_or_else(malformed)?;
        if !["$2a$", "$2b$", "$2x$", "$2y$"].contains(&version) {
            return Err(HashError::Malformed);
        }
        let (cost, rest) = rest.split_once('$').ok_or_else(malformed)?;
        if cost.len() != 2 || !cost.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(HashError::Malformed);
        }
        let cost = cost.parse().map_err(|_| HashError::Malformed)?;
        let (salt, digest) = rest.split_at_checked(22).ok_or_else(malformed)?;
        let hash = Self { cost, salt: decoded(salt)?, digest: decoded(digest)? };
        if (4..=MAX_COST).contains(&cost) { Ok(hash) } else { Err(HashError::Cost { cost }) }
    }

    /// A hash that no password has, at some cost.
    pub(super) fn of_nothing(cost: u8) -> Self {
        Self { cost, salt: [0; 16], digest: [0; 23] }
    }

    pub(super) fn cost(&self) -> u8 {
        self.cost
    }

    /// All of it, to be told from others.
    pub(super) fn bytes(&self) -> [u8; 40] {
        let mut bytes = [self.cost; 40];
        for (to, from) in bytes.iter_mut().skip(1).zip(self.salt.iter().chain(&self.digest)) {
            *to = *from;
        }
        bytes
    }

    /// Whether it is this password's. Takes as long as the cost says, and as long if it is not.
    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        let digest = digest(self.cost, self.salt, password);
        self.digest.ct_eq(digest.get(..23).unwrap_or_default()).into()
    }
}

fn digest(cost: u8, salt: [u8; 16], password: &[u8]) -> [u8; 24] {
    // A zero ends it, unless it is longer than bcrypt looks at.
    let key: Vec<_> = password.iter().copied().chain([0]).take(72).collect();
    bcrypt::bcrypt(cost.into(), salt, &key)
}

/// Twenty-five seconds of CPU, where 10, the usual one, takes a tenth of a second; each further
/// one doubles it.
/// A scraper has long given up then, but is admitted the next time: beyond this, it would be
/// minutes until a scraper is known, and hours until anybody else is.
const MAX_COST: u8 = 18;

fn decoded<const LENGTH: usize>(text: &str) -> Result<[u8; LENGTH], HashError> {
    let decoded = ALPHABET.decode(text).map_err(|_| HashError::Malformed)?;
    decoded.try_into().map_err(|_| HashError::Malformed)
}

/// Some implementations leave the bits that mean nothing as they came.
const ALPHABET: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// A hash that cannot be used. It is not in the text: it is a secret, or next to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashError {
    Malformed,
    Cost { cost: u8 },
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "no bcrypt hash, expected 60 characters that begin with $2a$, $2b$, $2x$ or \
                 $2y$ (`htpasswd -nBC 10 \"\"` prints one)",
            ),
            Self::Cost { cost } => {
                write!(f, "a bcrypt hash of cost {cost}, expected 4 to {MAX_COST}")
            }
        }
    }
}

impl Error for HashError {}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A hash as it would be written.
    pub(in super::super) fn written(cost: u8, password: &str) -> String {
        let salt = *b"sixteen of salt.";
        let digest = digest(cost, salt, password.as_bytes());
        format!("$2y${cost:02}${}{}", ALPHABET.encode(salt), ALPHABET.encode(&digest[..23]))
    }

    fn is_of(hash: &str, password: &str) -> bool {
        Hash::read(hash).unwrap().is_of(password.as_bytes())
    }

    /// From the test vectors of jBCrypt, which many implementations hold themselves to.
    #[test]
    fn known_hashes_are_of_their_passwords() {
        for (password, hash) in [
            ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
            ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
            ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
            (
                "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
                "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
            ),
        ] {
            for version in ["$2a$", "$2b$", "$2x$", "$2y$"] {
                let hash = hash.replace("$2a$", version);
                assert!(is_of(&hash, password), "{hash}");
                assert!(!is_of(&hash, &format!("{password}x")), "{hash}");
            }
        }
    }

    #[test]
    fn of_a_long_password_72_bytes_count() {
        let long = "x".repeat(72);
        let hash = written(4, &long);
        assert!(is_of(&hash, &long) && is_of(&hash, &format!("{long}y")));
        assert!(!is_of(&hash, &long[1..]));
    }

    #[test]
    fn bits_that_mean_nothing_may_be_anything() {
        let hash = "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.";
        // The last character of the salt stands for two bits, that of the digest for four.
        let other = hash.replacen("cll.", "cll/", 1);
        assert!(is_of(&other, "") && is_of(&other.replace("X1s.", "X1s/"), ""));
        assert!(!is_of(&hash.replacen("cll.", "cllO", 1), ""));
    }

    #[test]
    fn all_else_is_no_hash() {
        let good = written(4, "x");
        assert!(Hash::read(&good).is_ok());
        for text in [
            "doe",
            "",
            &good[..59],
            &format!("{good}x"),
            &good.replace("$2y$", "$2z$"),
            &good.replace("$2y$", "$2$"),
            &good.replace("$2y$", "$1y$"),
            &good.replace("$04$", "$4$"),
            &good.replace("$04$", "$+4$"),
            &good.replace("$04$", "$xx$"),
            &format!("{}!", &good[..59]),
            &"ü".repeat(30),
        ] {
            assert_eq!(Hash::read(text), Err(HashError::Malformed), "{text}");
        }
    }

    #[test]
    fn what_would_take_too_long_is_refused() {
        let good = written(4, "x");
        for (cost, is_good) in [(3, false), (4, true), (18, true), (19, false), (31, false)] {
            let hash = Hash::read(&good.replace("$04$", &format!("${cost:02}$")));
            assert_eq!(hash.is_ok(), is_good, "{cost}");
        }
        assert_eq!(
            HashError::Cost { cost: 31 }.to_string(),
            "a bcrypt hash of cost 31, expected 4 to 18"
        );
    }
}
