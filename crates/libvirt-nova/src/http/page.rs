//! The page at `/`, for whoever comes with a browser.

use std::fmt::{self, Display, Write};

use bytes::Bytes;

use crate::flags::MetricsPath;

/// The page: one file, which asks for nothing but its own events.
#[derive(Clone, Debug)]
pub(super) struct Page {
    html: Bytes,
}

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// One script of several files: whoever reads one of them needs the others for their names alone.
const SCRIPT: &str = concat!(
    include_str!("page/dom.js"),
    include_str!("page/format.js"),
    include_str!("page/minute.js"),
    include_str!("page/instance.js"),
    include_str!("page/columns.js"),
    include_str!("page/choice.js"),
    include_str!("page/table.js"),
    include_str!("page/host.js"),
    include_str!("page/banner.js"),
    include_str!("page/details.js"),
    include_str!("page/stream.js"),
    include_str!("page/page.js"),
);

/// What a browser lets the page do: run this script, look like this, ask us for data. The hashes
/// are those of style and script; a test renews them.
pub(super) const POLICY: &str = include_str!("page/policy.txt");

impl Page {
    /// The page, with a link to the metrics.
    pub(super) fn new(metrics_path: &MetricsPath) -> Self {
        let html = TEMPLATE
            .replace("{metrics_path}", &Escaped(metrics_path).to_string())
            .replace("{version}", &Escaped(env!("CARGO_PKG_VERSION")).to_string())
            .replace("{style}", STYLE)
            .replace("{script}", SCRIPT);
        Self { html: html.into() }
    }

    /// The page as it is sent.
    pub(super) fn html(&self) -> Bytes {
        self.html.clone()
    }
}

/// Text that stays text in HTML, also between quotes.
pub(super) struct Escaped<T>(pub(super) T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                _ => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use expect_test::expect_file;
    use ring::digest::{SHA256, digest};

    use super::*;

    fn page(metrics_path: &str) -> String {
        let html = Page::new(&metrics_path.parse().unwrap()).html();
        String::from_utf8(html.into()).unwrap()
    }

    #[test]
    fn the_page_is_whole() {
        let page = page("/metrics");
        assert!(page.contains("<a href=\"./metrics\">"), "{page}");
        assert!(page.contains(STYLE) && page.contains(SCRIPT));
        assert!(!page.contains("{metrics_path}") && !page.contains("{version}"));
        assert_eq!(page.matches("</script>").count(), 1, "the script would end before its end");
    }

    /// A browser runs nothing but what has these hashes.
    #[test]
    fn the_policy_knows_script_and_style() {
        let hash = |text: &str| BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; \
             connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
            hash(SCRIPT),
            hash(STYLE)
        );
        expect_file!["page/policy.txt"].assert_eq(&policy);
    }

    #[test]
    fn a_path_stays_inside_its_quotes() {
        let page = page("/\"><script>alert('1')</script>&amp;");
        assert!(
            page.contains(
                "\"./&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;\">"
            ),
            "{page}"
        );
        assert!(!page.contains("<script>alert"));
    }
}
