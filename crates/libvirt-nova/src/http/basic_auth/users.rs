//! Who there is.

use std::{collections::BTreeMap, error::Error, fmt};

use super::{
    cache::Tag,
    hash::{Hash, HashError},
};

/// The users there are, with the hashes of their passwords.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users(BTreeMap<String, Hash>);

impl Users {
    /// Takes names and the bcrypt hashes that were written beside them.
    ///
    /// # Errors
    ///
    /// When one of them is no hash, with the name of its user.
    pub(crate) fn new<'a>(
        users: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, UserError> {
        let read = |(name, hash): (&str, &str)| match Hash::read(hash) {
            Ok(hash) => Ok((name.to_owned(), hash)),
            Err(source) => Err(UserError { name: name.to_owned(), source }),
        };
        users.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is nobody, and so nobody to be asked who he is.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hash of a user's password, if there is that user.
    pub(super) fn hash(&self, name: &[u8]) -> Option<Hash> {
        self.0.get(str::from_utf8(name).ok()?).copied()
    }

    /// A hash for who does not exist, which takes as long as that of one of those who do: always
    /// the same one for the same tag.
    pub(super) fn decoy(&self, tag: Tag) -> Hash {
        let number = usize::from(u16::from_le_bytes([tag[0], tag[1]]));
        let at = number.checked_rem(self.0.len()).unwrap_or_default();
        let cost = self.0.values().nth(at).map_or(USUAL_COST, Hash::cost);
        Hash::of_nothing(cost)
    }
}

/// A user whose password cannot be checked.
#[derive(Debug)]
pub(crate) struct UserError {
    name: String,
    source: HashError,
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the user {:?} cannot be admitted", self.name)
    }
}

impl Error for UserError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// What most tools take.
const USUAL_COST: u8 = 10;

#[cfg(test)]
mod tests {
    use super::{super::hash::tests::written, *};
    use crate::fault::chain;

    #[test]
    fn a_user_without_a_hash_is_named() {
        let error = Users::new([("john", "doe")]).unwrap_err();
        assert_eq!(
            chain(&error).to_string(),
            "the user \"john\" cannot be admitted: no bcrypt hash, expected 60 characters that \
             begin with $2a$, $2b$, $2x$ or $2y$ (`htpasswd -nBC 10 \"\"` prints one)"
        );
    }

    #[test]
    fn who_does_not_exist_costs_what_somebody_else_does() {
        let (cheap, dear) = (written(4, "x"), written(5, "x"));
        let users = Users::new([("a", &*cheap), ("b", &*dear)]).unwrap();
        assert!(!users.is_empty());
        assert_eq!(users.hash(b"c"), None);
        assert_eq!(users.hash(b"\xff"), None);
        let costs = [[0; 32], [1; 32]].map(|tag| users.decoy(tag).cost());
        assert_eq!(costs, [4, 5]);
    }
}
