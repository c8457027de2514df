//! XML whose reading takes no longer than its length allows for.

use std::iter;

use roxmltree::{Document, Error};

/// Reads XML.
///
/// The library resolves namespaces in time that grows with the cube of how many there are, and
/// looks for attributes that come twice in the square: 64 KB of the one take 10 s, 1 MB of the
/// other as long. No domain has so many of either.
///
/// # Errors
///
/// When it is not XML, or could take long.
pub(super) fn parse(xml: &str) -> Result<Document<'_>, Error> {
    // XML has no `<` in a value, so each is the beginning of a tag, or of what is none.
    let tags = || xml.split('<').skip(1);
    let namespaces = tags().flat_map(attributes).filter(|name| name.starts_with("xmlns"));
    if namespaces.count() > NAMESPACES_MAX {
        return Err(Error::NamespacesLimitReached);
    }
    if tags().any(|tag| attributes(tag).count() > ATTRIBUTES_MAX) {
        return Err(Error::AttributesLimitReached);
    }
    Document::parse(xml)
}

/// The names of a tag's attributes, without what stands in their values and after the tag: that
/// may be a tenant's.
fn attributes(tag: &str) -> impl Iterator<Item = &str> {
    let mut rest = tag;
    iter::from_fn(move || {
        let (before, after) = rest.split_at_checked(rest.find(['=', '>'])?)?;
        let value = after.strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        (_, rest) = value.strip_prefix(quote)?.split_once(quote)?;
        before.split_whitespace().next_back()
    })
}

/// Namespaces in a document. libvirt writes two or three; each application's metadata has one.
const NAMESPACES_MAX: usize = 256;

/// Attributes of an element. libvirt's longest has some twenty.
const ATTRIBUTES_MAX: usize = 1024;

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
        for equals in ["=", " = ", "\n=\n", "='>' b="] {
            let error = parse(&attributes(1025, equals)).unwrap_err();
            assert_eq!(error, Error::AttributesLimitReached);
        }
        assert!(parse("<a b='<'/>").is_err(), "or else there would be more than are counted");
    }

    #[test]
    fn depth_and_length_alone_are_no_reason() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        assert!(parse(&deep).is_ok());
        let long = "<a b='c=d'/>".repeat(50_000);
        assert!(parse(&format!("<a>{long}</a>")).is_ok());
    }

    #[test]
    fn what_a_tenant_types_is_counted_as_nothing() {
        let typed = " xmlns:a='b'".repeat(2000);
        assert!(parse(&format!("<a b=\"{typed}\">{typed}</a>")).is_ok());
        assert!(parse(&format!("<a b=\"&gt;{typed}\" c='>'>&gt;{typed}</a>")).is_ok());
    }
}
