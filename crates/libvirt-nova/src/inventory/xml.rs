//! XML, read in one place.

use roxmltree::{Document, Error};

/// Reads XML.
///
/// # Errors
///
/// When it is not XML.
pub(super) fn parse(xml: &str) -> Result<Document<'_>, Error> {
    Document::parse(xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_to_read_is_refused() {
        let nested = |count| -> String {
            let open = (0..count).map(|at| format!("<a xmlns:a{at}='b'>"));
            open.chain((0..count).map(|_| "</a>".to_owned())).collect()
        };
        let attributes = |count, equals| -> String {
            let attributes = (0..count).map(|at| format!(" a{at}{equals}'b'"));
            format!("<a{}/>", attributes.collect::<String>())
        };
        assert!(parse(&nested(256)).is_ok());
        assert_eq!(parse(&nested(257)).unwrap_err(), Error::NamespacesLimitReached);
        assert!(parse(&attributes(1024, "=")).is_ok());
        for equals in ["=", " = ", "\n=\n"] {
            let error = parse(&attributes(1025, equals)).unwrap_err();
            assert_eq!(error, Error::AttributesLimitReached);
        }
        assert!(parse("<a b='<'/>").is_err(), "or else there would be more than are counted");
    }

    #[test]
    fn depth_and_length_alone_are_no_reason() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        assert!(parse(&deep).is_ok());
        let long = "<a b='c=d'>== = = =</a>".repeat(50_000);
        assert!(parse(&format!("<a>{long}</a>")).is_ok());
    }
}
