//! The page at `/` where only targets are asked: which there are, and how each is.

use std::fmt::{self, Display, Write};

use super::page::Escaped;
use crate::flags::MetricsPath;

/// What a browser lets the page do: nothing. The hash is that of the style.
pub(super) const POLICY: &str = include_str!("page/listing-policy.txt");

const TEMPLATE: &str = include_str!("page/listing.html");
const STYLE: &str = include_str!("page/listing.css");

/// The page, with a line for each target: its name, and how it is in words.
pub(super) fn html(targets: &[(String, String)], metrics_path: &MetricsPath) -> String {
    let mut rows = String::new();
    for (name, state) in targets {
        let (query, name, state) = (Encoded(name).to_string(), Escaped(name), Escaped(state));
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\"><a href=\"./probe?target={query}\">{name}</a></th><td>{state}</td></tr>"
        );
    }
    TEMPLATE
        .replace("{metrics_path}", &Escaped(metrics_path).to_string())
        .replace("{version}", &Escaped(env!("CARGO_PKG_VERSION")).to_string())
        .replace("{style}", STYLE)
        .replace("{count}", &targets.len().to_string())
        .replace("{rows}", &rows)
}

/// Text as it stands in a query.
struct Encoded<'t>(&'t str);

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    f.write_char(byte.into())?;
                }
                other => write!(f, "%{other:02X}")?,
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

    #[test]
    fn each_target_has_a_line_in_which_it_stays_text() {
        let targets = [
            ("compute-1".to_owned(), "domains: 5 running".to_owned()),
            ("a&b<\"{version}".to_owned(), "without libvirtd: <script>".to_owned()),
        ];
        let html = html(&targets, &"/metrics".parse().unwrap());
        for line in [
            "<a href=\"./probe?target=compute-1\">compute-1</a></th><td>domains: 5 running</td>",
            "<a href=\"./probe?target=a%26b%3C%22%7Bversion%7D\">a&amp;b&lt;&quot;{version}</a></th>\
             <td>without libvirtd: &lt;script&gt;</td>",
            "<p>2 in the targets file.",
            "<a href=\"./metrics\">",
            STYLE,
        ] {
            assert!(html.contains(line), "{line} in {html}");
        }
        assert!(!html.contains("{rows}") && !html.contains("{count}") && !html.contains("{style}"));
    }

    #[test]
    fn the_policy_knows_the_style_and_nothing_else() {
        let hash = BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        );
        expect_file!["page/listing-policy.txt"].assert_eq(&policy);
    }
}
