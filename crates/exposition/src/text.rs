//! The text format.
//!
//! Whatever a label value holds, it stays inside its quotes: this is the one
//! place that writes them.

use crate::{Family, Value};

/// The `Content-Type` of an exposition. Prometheus 3 refuses one without.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A scrape's answer under construction.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Starts a family.
    ///
    /// The returned [`Samples`] borrows `self`, so that one family ends before
    /// the next begins, as the format demands.
    pub fn family<'a>(&'a mut self, family: &'a Family) -> Samples<'a> {
        Samples { text: &mut self.text, family, header_written: false }
    }

    /// Returns what was written.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// The samples of one family.
#[derive(Debug)]
pub struct Samples<'a> {
    text: &'a mut String,
    family: &'a Family,
    header_written: bool,
}

impl Samples<'_> {
    /// Writes one sample, its labels in the order given.
    pub fn push(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.write("", labels, None, value.into());
    }

    /// Writes the samples of one histogram.
    ///
    /// `buckets` holds upper bounds in ascending order, each with the number of
    /// observations that were at most as large; the bucket without a bound is `count`.
    pub fn push_histogram(
        &mut self,
        labels: &[(&str, &str)],
        buckets: &[(f64, u64)],
        sum: f64,
        count: u64,
    ) {
        for (bound, at_most) in buckets.iter().copied().chain([(f64::INFINITY, count)]) {
            let mut text = String::new();
            Value::Float(bound).write(&mut text);
            self.write("_bucket", labels, Some(("le", &text)), Value::Unsigned(at_most));
        }
        self.write("_sum", labels, None, Value::Float(sum));
        self.write("_count", labels, None, Value::Unsigned(count));
    }

    fn write(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        last: Option<(&str, &str)>,
        value: Value,
    ) {
        if !self.header_written {
            self.header_written = true;
            self.write_header();
        }
        self.text.push_str(self.family.name);
        self.text.push_str(suffix);
        let mut before = '{';
        for (name, value) in labels.iter().copied().chain(last) {
            self.text.push(before);
            before = ',';
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(value, true, self.text);
            self.text.push('"');
        }
        if before == ',' {
            self.text.push('}');
        }
        self.text.push(' ');
        value.write(self.text);
        self.text.push('\n');
    }

    fn write_header(&mut self) {
        let Family { name, kind, help } = self.family;
        self.text.push_str("# HELP ");
        self.text.push_str(name);
        self.text.push(' ');
        escape(help, false, self.text);
        self.text.push_str("\n# TYPE ");
        self.text.push_str(name);
        self.text.push(' ');
        self.text.push_str(kind.word());
        self.text.push('\n');
    }
}

/// Escapes what would end a line, an escape, or (in a label's value) the quotes.
fn escape(text: &str, quoted: bool, into: &mut String) {
    let special = |c| matches!(c, '\\' | '\n') || (quoted && c == '"');
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        let (plain, tail) = rest.split_at(at);
        into.push_str(plain);
        let mut tail = tail.chars();
        match tail.next() {
            Some('\n') => into.push_str("\\n"),
            Some(other) => {
                into.push('\\');
                into.push(other);
            }
            None => {}
        }
        rest = tail.as_str();
    }
    into.push_str(rest);
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::Kind;

    const LEVEL: Family =
        Family { name: "tank_level_metres", kind: Kind::Gauge, help: "Height of the water." };

    #[test]
    fn a_hostile_name_stays_inside_its_quotes() {
        let mut exposition = Exposition::default();
        exposition.family(&LEVEL).push(&[("name", "14\" rack\\\nup 0")], 1_u64);
        expect![[r#"
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{name="14\" rack\\\nup 0"} 1
        "#]]
        .assert_eq(&exposition.into_text());
    }

    #[test]
    fn a_histogram_ends_with_all_its_observations() {
        const TIME: Family =
            Family { name: "fill_seconds", kind: Kind::Histogram, help: "Time to fill." };
        let mut exposition = Exposition::default();
        let buckets = [(0.5, 1), (10.0, 3)];
        exposition.family(&TIME).push_histogram(&[("tank", "north")], &buckets, 21.25, 4);
        expect![[r#"
            # HELP fill_seconds Time to fill.
            # TYPE fill_seconds histogram
            fill_seconds_bucket{tank="north",le="0.5"} 1
            fill_seconds_bucket{tank="north",le="10"} 3
            fill_seconds_bucket{tank="north",le="+Inf"} 4
            fill_seconds_sum{tank="north"} 21.25
            fill_seconds_count{tank="north"} 4
        "#]]
        .assert_eq(&exposition.into_text());
    }

    #[test]
    fn help_keeps_its_quotes_and_its_line() {
        const ODD: Family = Family { name: "a_total", kind: Kind::Counter, help: "\"\\\n\"" };
        let mut exposition = Exposition::default();
        exposition.family(&ODD).push(&[], 1_u64);
        expect![[r#"
            # HELP a_total "\\\n"
            # TYPE a_total counter
            a_total 1
        "#]]
        .assert_eq(&exposition.into_text());
    }

    #[test]
    fn a_family_has_one_header_and_without_samples_none() {
        let mut exposition = Exposition::default();
        let _ = exposition.family(&LEVEL);
        let mut samples = exposition.family(&LEVEL);
        samples.push(&[("a", "1"), ("b", "2")], 1_u64);
        samples.push(&[("a", "2"), ("b", "")], 2.5);
        expect![[r#"
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{a="1",b="2"} 1
            tank_level_metres{a="2",b=""} 2.5
        "#]]
        .assert_eq(&exposition.into_text());
    }
}
