//! Which domains are served: `--instances`, `--projects` and what they exclude.
//!
//! An expression has to match the whole of a text, as in Prometheus. Time is linear in the text,
//! whatever the expression.

use std::{error::Error, fmt, str::FromStr};

use regex_lite::{Regex, RegexBuilder};

/// A choice among domains by their names; by default all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// What a name of the instance must match.
    pub(crate) instances: Option<Expression>,
    /// What no name of the instance may match.
    pub(crate) instances_exclude: Option<Expression>,
    /// What the project's name or id must match.
    pub(crate) projects: Option<Expression>,
    /// What neither the project's name nor its id may match.
    pub(crate) projects_exclude: Option<Expression>,
}

impl Filter {
    /// Whether a domain is served.
    ///
    /// `instance` are its names: Nova's, where known, libvirt's, and the UUID. `project` are its
    /// project's name and id; of a domain that is not Nova's it is empty, and then counts as the
    /// empty text where something must match, and as nothing where nothing may.
    pub(crate) fn admits(&self, instance: &[&str], project: &[&str]) -> bool {
        let Self { instances, instances_exclude, projects, projects_exclude } = self;
        let includes = |must: &Option<Expression>, names: &[&str]| match must {
            Some(must) if names.is_empty() => must.matches(""),
            Some(must) => must.matches_any(names),
            None => true,
        };
        let excludes = |may_not: &Option<Expression>, names: &[&str]| {
            may_not.as_ref().is_some_and(|may_not| may_not.matches_any(names))
        };
        includes(instances, instance)
            && includes(projects, project)
            && !excludes(instances_exclude, instance)
            && !excludes(projects_exclude, project)
    }

    /// Whether it admits every domain.
    pub(crate) fn is_all(&self) -> bool {
        let Self { instances, instances_exclude, projects, projects_exclude } = self;
        [instances, instances_exclude, projects, projects_exclude].into_iter().all(Option::is_none)
    }

    /// Whether nothing can be said of a domain before Nova's metadata of it are known.
    ///
    /// So it is with each of the four: an instance has its display name from there.
    pub(crate) fn needs_metadata(&self) -> bool {
        !self.is_all()
    }
}

/// A regular expression that matches a text as a whole, line feeds included.
#[derive(Clone, Debug)]
pub(crate) struct Expression(Regex);

impl Expression {
    fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    fn matches_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.matches(text))
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        if text.is_empty() {
            return Err(ExpressionError::Empty);
        }
        // Alone first: `a)|(b` would come to mean something within the parentheses.
        let whole = Regex::new(text).and_then(|_| Regex::new(&format!("^(?s:{text})$")));
        match whole {
            Ok(whole) => Ok(Self(whole)),
            Err(error) => Err(ExpressionError::Wrong {
                found: text.to_owned(),
                place: wrong_part(text).to_owned(),
                complaint: error.to_string(),
            }),
        }
    }
}

/// Where an expression goes wrong: what comes after the longest beginning that is one.
///
/// `regex_lite` says what is wrong, but not where.
fn wrong_part(text: &str) -> &str {
    // A person does not type more; trying each beginning of more would take long.
    const EXPLAINED_MAX_BYTES: usize = 512;
    const COMPILED_MAX_BYTES: usize = 1 << 16;

    if text.len() > EXPLAINED_MAX_BYTES {
        return "";
    }
    let is_one = |text| RegexBuilder::new(text).size_limit(COMPILED_MAX_BYTES).build().is_ok();
    let mut parts = text.char_indices().rev().filter_map(|(at, _)| text.split_at_checked(at));
    parts.find_map(|(before, rest)| is_one(before).then_some(rest)).unwrap_or_default()
}

/// A text that is not a regular expression; the operator must write another.
#[derive(Debug)]
pub(crate) enum ExpressionError {
    /// It would admit next to nothing, and is more likely a variable of a script that is not set.
    Empty,
    /// It is not well-formed, or too large.
    Wrong {
        found: String,
        /// The end of `found` with which it begins to be wrong; empty where that was not sought.
        place: String,
        complaint: String,
    },
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("\"\" names nothing, expected an expression like web-.*"),
            Self::Wrong { found, place, complaint } => {
                write!(f, "{found} is not a regular expression")?;
                if !place.is_empty() {
                    write!(f, " from {place} on")?;
                }
                write!(f, ": {complaint}")
            }
        }
    }
}

impl Error for ExpressionError {}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: [&str; 3] =
        ["web-frontend-01", "instance-00000337", "1bac351f-242e-4d53-8cf3-fd91b061069c"];
    const PROD: [&str; 2] = ["web-prod", "3051f6f46d394ab98f55a0670ae5c70b"];

    fn expression(text: &str) -> Option<Expression> {
        Some(text.parse().unwrap())
    }

    fn instances(text: &str) -> Filter {
        Filter { instances: expression(text), ..Filter::default() }
    }

    fn projects(text: &str) -> Filter {
        Filter { projects: expression(text), ..Filter::default() }
    }

    fn projects_exclude(text: &str) -> Filter {
        Filter { projects_exclude: expression(text), ..Filter::default() }
    }

    #[test]
    fn without_an_expression_all_are_admitted_and_no_metadata_needed() {
        let all = Filter::default();
        assert!(all.is_all() && !all.needs_metadata());
        assert!(all.admits(&WEB, &PROD) && all.admits(&WEB, &[]) && all.admits(&[], &[]));
    }

    #[test]
    fn each_expression_needs_metadata() {
        let x = || expression("x");
        for filter in [
            Filter { instances: x(), ..Filter::default() },
            Filter { instances_exclude: x(), ..Filter::default() },
            Filter { projects: x(), ..Filter::default() },
            Filter { projects_exclude: x(), ..Filter::default() },
        ] {
            assert!(filter.needs_metadata() && !filter.is_all(), "{filter:?}");
        }
    }

    #[test]
    fn any_name_of_an_instance_will_do() {
        for text in ["web-.*", "instance-0{5}337", "1bac351f-.*", "db-.*|web-.*"] {
            assert!(instances(text).admits(&WEB, &PROD), "{text}");
            let exclude = Filter { instances_exclude: expression(text), ..Filter::default() };
            assert!(!exclude.admits(&WEB, &PROD), "{text}");
        }
        for text in ["db-.*", "web-prod", "WEB-.*"] {
            assert!(!instances(text).admits(&WEB, &PROD), "{text}");
        }
    }

    #[test]
    fn a_project_is_known_by_its_name_and_its_id() {
        for text in ["web-.*", "3051f6f46d394ab98f55a0670ae5c70b"] {
            assert!(projects(text).admits(&WEB, &PROD), "{text}");
            assert!(!projects_exclude(text).admits(&WEB, &PROD), "{text}");
        }
        assert!(!projects("web-frontend-01").admits(&WEB, &PROD));
        assert!(projects_exclude("web-frontend-01").admits(&WEB, &PROD));
    }

    #[test]
    fn an_expression_matches_a_name_as_a_whole() {
        for text in ["web", "frontend", "01", "web|01", "^web", "01$"] {
            assert!(!instances(text).admits(&WEB, &PROD), "{text}");
        }
        for text in ["^web-.*$", "(web).*", ".*01|x"] {
            assert!(instances(text).admits(&WEB, &PROD), "{text}");
        }
    }

    #[test]
    fn a_name_with_line_feeds_is_one_text() {
        assert!(instances("a.b").admits(&["a\nb"], &[]));
        assert!(instances(".*").admits(&["\n\n"], &[]));
        assert!(!instances("a").admits(&["a\n"], &[]));
        assert!(!instances("a").admits(&["a\nb"], &[]));
        assert!(!instances("b").admits(&["a\nb"], &[]));
    }

    #[test]
    fn a_dot_is_one_character_of_any_script() {
        assert!(
            instances("b.r").admits(&["bär"], &[]) && instances("...").admits(&["日本語"], &[])
        );
        assert!(instances("bär|日.*").admits(&["日本語"], &[]));
    }

    #[test]
    fn letters_and_digits_are_those_of_ascii_as_in_prometheus() {
        assert!(instances(r"\w\d").admits(&["a1"], &[]));
        assert!(!instances(r"\w").admits(&["ä"], &[]) && !instances(r"\d").admits(&["٣"], &[]));
        assert!(instances("(?i)WEB-.*").admits(&WEB, &[]));
    }

    #[test]
    fn without_a_project_only_what_matches_nothing_admits() {
        for text in [".*", "web-.*|", "()", "^$"] {
            assert!(projects(text).admits(&WEB, &[]), "{text}");
        }
        for text in [".+", "web-.*"] {
            assert!(!projects(text).admits(&WEB, &[]), "{text}");
        }
    }

    #[test]
    fn without_a_project_nothing_excludes_by_project() {
        for text in [".*", ".+", "()"] {
            assert!(projects_exclude(text).admits(&WEB, &[]), "{text}");
        }
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let filter = Filter {
            instances: expression("web-.*"),
            instances_exclude: expression("web-backend-.*"),
            projects: expression(".*-prod"),
            projects_exclude: expression("db-prod"),
        };
        assert!(filter.admits(&["web-frontend-01"], &["web-prod"]));
        assert!(!filter.admits(&["db-01"], &["web-prod"]));
        assert!(!filter.admits(&["web-backend-01"], &["web-prod"]));
        assert!(!filter.admits(&["web-frontend-01"], &["web-test"]));
        assert!(!filter.admits(&["web-frontend-01"], &["db-prod"]));
        assert!(!filter.admits(&["web-frontend-01"], &[]));
    }

    #[test]
    fn a_wrong_expression_says_where_it_goes_wrong() {
        let error = |text: &str| text.parse::<Expression>().unwrap_err().to_string();
        for (text, message) in [
            ("", "\"\" names nothing, expected an expression like web-.*"),
            (
                "(a)(b",
                "(a)(b is not a regular expression from (b on: found open group without closing ')'",
            ),
            (
                "a)|(b",
                "a)|(b is not a regular expression from )|(b on: found closing ')' without matching '('",
            ),
            (
                "ä[z-a]x",
                "ä[z-a]x is not a regular expression from [z-a]x on: invalid range in character class",
            ),
            (
                "web-(?=x)",
                "web-(?=x) is not a regular expression from (?=x) on: look-around is not supported",
            ),
            (
                "*x",
                "*x is not a regular expression from *x on: uncounted repetition operator must be applied to a sub-expression",
            ),
        ] {
            assert_eq!(error(text), message);
        }
        let long = "(".repeat(600);
        assert_eq!(
            error(&long),
            format!("{long} is not a regular expression: pattern has too much nesting")
        );
        // A comment would swallow the closing parenthesis.
        assert!(error("(?x)a # b").starts_with("(?x)a # b is not a regular expression"));
    }

    /// Each step of the one that backtracks would double the time.
    #[test]
    fn no_name_takes_long() {
        let name = "a".repeat(5_000);
        assert!(!instances("(a*)*b").admits(&[&name], &[]));
        assert!(!instances("(a|aa)+b").admits(&[&name], &[]));
    }
}
