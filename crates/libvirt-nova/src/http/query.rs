//! The query of a probe: which target is meant.

use crate::flags;

/// Why a query names no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueryFault {
    Missing,
    Repeated,
    NotText,
}

impl QueryFault {
    /// What was found, and what is expected. Says nothing of what the query holds.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Missing => "no target, expected one as in /probe?target=compute-1\n",
            Self::Repeated => "several targets, expected one as in /probe?target=compute-1\n",
            Self::NotText => "the target is not UTF-8, expected a name in the targets file\n",
        }
    }
}

/// Reads the target that a query names; whatever else is in it is left unread.
///
/// # Errors
///
/// When it names none, several, or something that is no text.
pub(super) fn target(query: Option<&str>) -> Result<String, QueryFault> {
    let parameters = query.unwrap_or_default().split('&');
    let pairs = parameters.map(|it| it.split_once('=').unwrap_or((it, "")));
    let mut targets = pairs.filter(|(name, _)| flags::decoded(name).eq(*b"target"));
    let (_, target) = targets.next().ok_or(QueryFault::Missing)?;
    if targets.next().is_some() {
        return Err(QueryFault::Repeated);
    }
    // As forms, and Prometheus, write a blank.
    let target = flags::decoded(&target.replace('+', " ")).collect();
    let target = String::from_utf8(target).map_err(|_| QueryFault::NotText)?;
    if target.is_empty() { Err(QueryFault::Missing) } else { Ok(target) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_its_encoding_stands_for() {
        for (query, name) in [
            ("target=compute-1", "compute-1"),
            ("module=x&target=compute-1&", "compute-1"),
            ("%74arget=%63ompute%2D1", "compute-1"),
            ("target=a%2Bb%26c=d", "a+b&c=d"),
            ("target=a+b%20c", "a b c"),
            ("target=%C3%A9", "\u{e9}"),
            ("Target=x&target=y", "y"),
        ] {
            assert_eq!(target(Some(query)).as_deref(), Ok(name), "{query}");
        }
    }

    #[test]
    fn a_query_names_one_target() {
        for query in [None, Some(""), Some("x=1"), Some("target"), Some("target="), Some("=target")]
        {
            assert_eq!(target(query), Err(QueryFault::Missing), "{query:?}");
        }
        for query in ["target=a&target=b", "target=a&target=a", "target=a&%74arget"] {
            assert_eq!(target(Some(query)), Err(QueryFault::Repeated), "{query}");
        }
        assert_eq!(target(Some("target=%ff")), Err(QueryFault::NotText));
    }
}
