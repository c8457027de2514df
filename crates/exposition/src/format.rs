//! The formats that there are, and which one a peer wants.

/// A format of an exposition.
///
/// A sample has the same name and labels in each, so that a Prometheus that begins
/// to ask for another one sees no other series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4, for whoever does not say what he wants.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Returns the `Content-Type`. Prometheus 3 refuses a scrape without one that it knows.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Returns the format that an `Accept` header prefers.
    ///
    /// Media ranges are weighed by their `q`. OpenMetrics is for those who name it: a
    /// wildcard, a version that nobody here writes and a header that makes no sense all
    /// get the text format.
    pub fn negotiate(accept: &str) -> Self {
        let mut openmetrics = 0;
        let mut text = 0;
        for range in accept.split(',') {
            let Some(Range { media_type, version, weight }) = Range::parse(range) else { continue };
            match (&*media_type, version) {
                ("application/openmetrics-text", None | Some("1.0.0")) => {
                    openmetrics = weight.max(openmetrics);
                }
                ("text/plain", None | Some("0.0.4")) => text = weight.max(text),
                _ => {}
            }
        }
        if openmetrics > 0 && openmetrics >= text { Self::OpenMetrics } else { Self::Text }
    }
}

/// A media range of an `Accept` header, RFC 9110 section 12.5.1.
struct Range<'a> {
    /// In lower case.
    media_type: String,
    version: Option<&'a str>,
    /// The `q`, in thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    /// `None` where its weight makes no sense.
    fn parse(range: &'a str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next()?.to_ascii_lowercase();
        let mut parsed = Self { media_type, version: None, weight: 1000 };
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "version" => parsed.version = Some(value),
                "q" => parsed.weight = weight(value)?,
                // As `escaping`, of which our names have no need.
                _ => {}
            }
        }
        Some(parsed)
    }
}

/// Reads a weight: 0 to 1, with at most three decimals.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_scrapes_gets_the_best_that_he_names() {
        let prometheus_2_42 = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,\
            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,\
            */*;q=0.1";
        for (accept, format) in [
            (prometheus_2_42, Format::OpenMetrics),
            (prometheus_3, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1.0", Format::OpenMetrics),
            ("text/plain;q=0.5, application/openmetrics-text;q=0.5", Format::OpenMetrics),
            ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;q=0.599", Format::Text),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=2", Format::Text),
            ("application/openmetrics-text;q=0.0001", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/*", Format::Text),
            ("*/*", Format::Text),
            (",;q=,=;", Format::Text),
            ("", Format::Text),
        ] {
            assert_eq!(Format::negotiate(accept), format, "{accept}");
        }
    }
}
