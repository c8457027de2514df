//! What a check finds of one subject.

/// What a check finds of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// What it is about, in a word or two.
    pub(super) subject: &'static str,
    pub(super) verdict: Verdict,
    /// What is so, in a sentence.
    pub(super) said: String,
    /// What mends it, the likeliest first.
    pub(super) remedies: Vec<Remedy>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well.
    Ok,
    /// Worth knowing; by it nothing is lost that this host has, or only for as long as a job lasts.
    Note,
    /// Metrics are lost by it.
    Loss,
    /// It could not be looked at.
    Unseen,
}

/// What mends something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remedy {
    /// What it does, and when it is the right one.
    pub(super) words: String,
    /// What to type.
    pub(super) commands: Vec<String>,
}

impl Finding {
    pub(super) fn new(verdict: Verdict, subject: &'static str, said: impl Into<String>) -> Self {
        Self { subject, verdict, said: said.into(), remedies: Vec::new() }
    }

    pub(super) fn ok(subject: &'static str, said: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, subject, said)
    }

    pub(super) fn note(subject: &'static str, said: impl Into<String>) -> Self {
        Self::new(Verdict::Note, subject, said)
    }

    pub(super) fn loss(subject: &'static str, said: impl Into<String>) -> Self {
        Self::new(Verdict::Loss, subject, said)
    }

    /// Adds what mends it.
    pub(super) fn mended<C: Into<String>>(
        mut self,
        words: impl Into<String>,
        commands: impl IntoIterator<Item = C>,
    ) -> Self {
        let commands = commands.into_iter().map(Into::into).collect();
        self.remedies.push(Remedy { words: words.into(), commands });
        self
    }

    /// Adds what mends it where no command does.
    pub(super) fn advised(self, words: impl Into<String>) -> Self {
        self.mended(words, [""; 0])
    }
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Loss => "LOSS",
            Self::Unseen => "-",
        }
    }
}
