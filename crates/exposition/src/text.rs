//! The text formats.
//!
//! Whatever a label value holds, it stays inside its quotes: [`Labels`] is the one
//! place that writes them.

use std::{mem, time::Duration};

use crate::{Family, Format, Kind, Labels, Value, labels::escape};

/// A scrape's answer under construction.
///
/// A debug build asserts that no two samples have the same name and labels: Prometheus
/// refuses the whole scrape for it.
#[derive(Debug, Default)]
pub struct Exposition {
    format: Format,
    /// Labels of every sample.
    labels: Labels,
    text: String,
    /// The family whose header was written last.
    begun: Option<&'static str>,
    #[cfg(debug_assertions)]
    seen: std::collections::HashSet<u64>,
}

impl Exposition {
    /// An empty one.
    pub fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// The same with labels that every sample has, before its own. No family may have one of these
    /// names: a sample would have two labels of one name, which Prometheus refuses.
    #[must_use]
    pub fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// Starts a family, or goes on with the one that was started last.
    ///
    /// The returned [`Samples`] borrows `self`, so that one family ends before
    /// the next begins, as the format demands.
    pub fn family<'a>(&'a mut self, family: &'a Family) -> Samples<'a> {
        let header_written = self.begun == Some(family.name);
        Samples { exposition: self, family, header_written, created: None }
    }

    /// How many bytes there are to be taken.
    pub fn pending(&self) -> usize {
        self.text.len()
    }

    /// Takes out what has been written since the last time, so that an exposition of any length
    /// needs the memory of a piece of it.
    pub fn take(&mut self) -> String {
        // The next piece will be as long.
        let next = String::with_capacity(self.text.capacity());
        mem::replace(&mut self.text, next)
    }

    /// Returns what is left of what was written, and that it ends here, where the format wants
    /// that.
    pub fn into_text(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// The samples of one family.
#[derive(Debug)]
pub struct Samples<'a> {
    exposition: &'a mut Exposition,
    family: &'a Family,
    header_written: bool,
    created: Option<Duration>,
}

impl Samples<'_> {
    /// Writes one sample, its labels in the order given.
    pub fn push(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.write("", None, labels, value.into());
    }

    /// Writes one sample with labels that were rendered before, and with `more` behind them.
    pub fn push_with(&mut self, labels: &Labels, more: &[(&str, &str)], value: impl Into<Value>) {
        self.write("", Some(labels), more, value.into());
    }

    /// Says when the counters of the samples that follow began, since the unix epoch.
    ///
    /// OpenMetrics alone has a place for it, and only for what it calls counters.
    pub fn set_created(&mut self, created: Option<Duration>) {
        let is_counter = self.family.in_openmetrics().1 == Kind::Counter.word();
        let is_told = is_counter && self.exposition.format == Format::OpenMetrics;
        self.created = created.filter(|_| is_told);
    }

    /// Writes the samples of one histogram, with labels that were rendered before.
    ///
    /// `buckets` holds upper bounds in ascending order, each with the number of
    /// observations that were at most as large; the bucket without a bound is `count`.
    /// `sum` is `None` where the source does not say it: then the last bucket alone has the count.
    pub fn push_histogram(
        &mut self,
        labels: &Labels,
        buckets: &[(f64, u64)],
        sum: Option<f64>,
        count: u64,
    ) {
        let mut text = String::new();
        for (bound, at_most) in buckets.iter().copied().chain([(f64::INFINITY, count)]) {
            text.clear();
            Value::Float(bound).write(&mut text);
            // OpenMetrics wants it so, and it must be the same label in both.
            if !text.contains(['.', 'I']) {
                text.push_str(".0");
            }
            self.write("_bucket", Some(labels), &[("le", &text)], Value::Unsigned(at_most));
        }
        // OpenMetrics wants both or neither.
        if let Some(sum) = sum {
            self.write("_sum", Some(labels), &[], Value::Float(sum));
            self.write("_count", Some(labels), &[], Value::Unsigned(count));
        }
    }

    fn write(
        &mut self,
        suffix: &str,
        rendered: Option<&Labels>,
        labels: &[(&str, &str)],
        value: Value,
    ) {
        if !self.header_written {
            self.header_written = true;
            self.exposition.begun = Some(self.family.name);
            self.write_header();
        }
        self.write_sample(self.family.name, suffix, rendered, labels, value);
        if let Some(created) = self.created {
            let name = self.family.in_openmetrics().0;
            self.write_sample(name, "_created", rendered, labels, Value::Time(created));
        }
    }

    fn write_sample(
        &mut self,
        name: &str,
        suffix: &str,
        rendered: Option<&Labels>,
        labels: &[(&str, &str)],
        value: Value,
    ) {
        let text = &mut self.exposition.text;
        #[cfg(debug_assertions)]
        let begin = text.len();
        text.push_str(name);
        text.push_str(suffix);
        let constant = self.exposition.labels.as_str();
        let rendered = rendered.map(Labels::as_str).unwrap_or_default();
        let is_bare = constant.is_empty() && rendered.is_empty() && labels.is_empty();
        if !is_bare {
            text.push('{');
            text.push_str(constant);
            if !constant.is_empty() && !rendered.is_empty() {
                text.push(',');
            }
            text.push_str(rendered);
            Labels::append(constant.is_empty() && rendered.is_empty(), labels, text);
            text.push('}');
        }
        #[cfg(debug_assertions)]
        {
            use std::hash::{DefaultHasher, Hash as _, Hasher as _};

            // Hashes: a host of ten thousand domains has a million series.
            let series = text.get(begin..).unwrap_or_default();
            let mut hasher = DefaultHasher::new();
            series.hash(&mut hasher);
            assert!(self.exposition.seen.insert(hasher.finish()), "{series} is there twice");
        }
        text.push(' ');
        value.write(text);
        text.push('\n');
    }

    fn write_header(&mut self) {
        let Family { name, kind, help } = *self.family;
        let is_openmetrics = self.exposition.format == Format::OpenMetrics;
        let (name, word) =
            if is_openmetrics { self.family.in_openmetrics() } else { (name, kind.word()) };
        self.write_line("# HELP ", name, |text| escape(help, is_openmetrics, text));
        self.write_line("# TYPE ", name, |text| text.push_str(word));
        if is_openmetrics && let Some(unit) = Family::unit(name) {
            self.write_line("# UNIT ", name, |text| text.push_str(unit));
        }
    }

    fn write_line(&mut self, start: &str, name: &str, rest: impl FnOnce(&mut String)) {
        let text = &mut self.exposition.text;
        text.push_str(start);
        text.push_str(name);
        text.push(' ');
        rest(text);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

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
    fn a_family_that_is_taken_in_pieces_has_one_header() {
        let mut exposition = Exposition::new(Format::OpenMetrics);
        let mut text = String::new();
        for tank in ["north", "south"] {
            exposition.family(&LEVEL).push(&[("tank", tank)], 1_u64);
            assert!(exposition.pending() > 0);
            text += &exposition.take();
            assert_eq!(exposition.pending(), 0);
        }
        text += &exposition.into_text();
        expect![[r#"
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{tank="north"} 1
            tank_level_metres{tank="south"} 1
            # EOF
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_histogram_ends_with_all_its_observations() {
        const TIME: Family =
            Family { name: "fill_seconds", kind: Kind::Histogram, help: "Time to fill." };
        let mut exposition = Exposition::default();
        let buckets = [(0.5, 1), (10.0, 3)];
        let labels = Labels::new(&[("tank", "north")]);
        exposition.family(&TIME).push_histogram(&labels, &buckets, Some(21.25), 4);
        expect![[r#"
            # HELP fill_seconds Time to fill.
            # TYPE fill_seconds histogram
            fill_seconds_bucket{tank="north",le="0.5"} 1
            fill_seconds_bucket{tank="north",le="10.0"} 3
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
    fn openmetrics_says_types_and_units_its_own_way_and_where_it_ends() {
        const FAMILIES: [Family; 4] = [
            Family { name: "fill_seconds_total", kind: Kind::Counter, help: "Time \"filling\"." },
            // Kept from before there were rules.
            Family { name: "old_bytes", kind: Kind::Counter, help: "Poured." },
            Family { name: "tank_info", kind: Kind::Info, help: "Whose it is." },
            LEVEL,
        ];
        let mut exposition = Exposition::new(Format::OpenMetrics);
        for family in &FAMILIES {
            exposition.family(family).push(&[("tank", "north")], 1_u64);
        }
        expect![[r#"
            # HELP fill_seconds Time \"filling\".
            # TYPE fill_seconds counter
            # UNIT fill_seconds seconds
            fill_seconds_total{tank="north"} 1
            # HELP old_bytes Poured.
            # TYPE old_bytes unknown
            # UNIT old_bytes bytes
            old_bytes{tank="north"} 1
            # HELP tank Whose it is.
            # TYPE tank info
            tank_info{tank="north"} 1
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{tank="north"} 1
            # EOF
        "#]]
        .assert_eq(&exposition.into_text());
    }

    #[test]
    fn labels_that_were_rendered_before_come_first() {
        let mut exposition = Exposition::default();
        let mut samples = exposition.family(&LEVEL);
        samples.push_with(&Labels::new(&[("a", "1"), ("b", "\"")]), &[("c", "\n")], 1_u64);
        samples.push_with(&Labels::new(&[("a", "1")]), &[], 2_u64);
        samples.push_with(&Labels::default(), &[("c", "3")], 3_u64);
        samples.push_with(&Labels::default(), &[], 4_u64);
        expect![[r#"
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{a="1",b="\"",c="\n"} 1
            tank_level_metres{a="1"} 2
            tank_level_metres{c="3"} 3
            tank_level_metres 4
        "#]]
        .assert_eq(&exposition.into_text());
    }

    #[test]
    fn labels_of_every_sample_come_before_its_own() {
        const TIME: Family =
            Family { name: "fill_seconds", kind: Kind::Histogram, help: "Time to fill." };
        let constant = Labels::new(&[("site", "a\"b"), ("row", "1")]);
        let mut exposition = Exposition::default().with_labels(constant);
        let mut samples = exposition.family(&LEVEL);
        samples.push(&[], 1_u64);
        samples.push(&[("tank", "north")], 2_u64);
        samples.push_with(&Labels::new(&[("tank", "south")]), &[], 3_u64);
        samples.push_with(&Labels::new(&[("tank", "south")]), &[("end", "low")], 4_u64);
        let labels = Labels::new(&[("tank", "north")]);
        exposition.family(&TIME).push_histogram(&labels, &[], None, 4);
        expect![[r#"
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{site="a\"b",row="1"} 1
            tank_level_metres{site="a\"b",row="1",tank="north"} 2
            tank_level_metres{site="a\"b",row="1",tank="south"} 3
            tank_level_metres{site="a\"b",row="1",tank="south",end="low"} 4
            # HELP fill_seconds Time to fill.
            # TYPE fill_seconds histogram
            fill_seconds_bucket{site="a\"b",row="1",tank="north",le="+Inf"} 4
        "#]]
        .assert_eq(&exposition.into_text());
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "tank_level_metres{a=\"1\"} is there twice")]
    fn a_series_that_is_there_twice_is_a_defect() {
        let mut exposition = Exposition::default();
        let mut samples = exposition.family(&LEVEL);
        samples.push(&[("a", "1")], 1_u64);
        samples.push_with(&Labels::new(&[("a", "1")]), &[], 2_u64);
    }

    #[test]
    fn openmetrics_says_when_a_counter_began() {
        const FAMILIES: [Family; 3] = [
            Family { name: "poured_total", kind: Kind::Counter, help: "Poured." },
            Family { name: "old_bytes", kind: Kind::Counter, help: "Kept as it was." },
            LEVEL,
        ];
        let text = |format| {
            let mut exposition = Exposition::new(format);
            for family in &FAMILIES {
                let mut samples = exposition.family(family);
                samples.push(&[("tank", "south")], 1_u64);
                samples.set_created(Some(Duration::from_millis(1_500)));
                samples.push(&[("tank", "north")], 2_u64);
            }
            exposition.into_text()
        };
        assert!(!text(Format::Text).contains("_created"));
        expect![[r#"
            # HELP poured Poured.
            # TYPE poured counter
            poured_total{tank="south"} 1
            poured_total{tank="north"} 2
            poured_created{tank="north"} 1.5
            # HELP old_bytes Kept as it was.
            # TYPE old_bytes unknown
            # UNIT old_bytes bytes
            old_bytes{tank="south"} 1
            old_bytes{tank="north"} 2
            # HELP tank_level_metres Height of the water.
            # TYPE tank_level_metres gauge
            tank_level_metres{tank="south"} 1
            tank_level_metres{tank="north"} 2
            # EOF
        "#]]
        .assert_eq(&text(Format::OpenMetrics));
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
