//! The page at `/`, for whoever comes with a browser.

use std::fmt::{self, Display, Write};

use crate::flags::MetricsPath;

/// Writes the page, which links to the metrics and loads nothing.
pub(super) fn page(metrics_path: &MetricsPath) -> String {
    let path = Escaped(metrics_path);
    let version = Escaped(env!("CARGO_PKG_VERSION"));
    format!(
        "\
<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>libvirt_nova</title>
</head>
<body>
<h1>libvirt_nova</h1>
<p>Prometheus exporter for the Nova instances of this compute host, version {version}.</p>
<p><a href=\"{path}\">Metrics</a></p>
</body>
</html>
"
    )
}

/// Text that stays text in HTML, also between quotes.
struct Escaped<T>(T);

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
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_page_links_to_the_metrics() {
        let page = page(&"/metrics".parse().unwrap());
        let page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        expect![[r#"
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            <title>libvirt_nova</title>
            </head>
            <body>
            <h1>libvirt_nova</h1>
            <p>Prometheus exporter for the Nova instances of this compute host, version VERSION.</p>
            <p><a href="/metrics">Metrics</a></p>
            </body>
            </html>
        "#]]
        .assert_eq(&page);
    }

    #[test]
    fn a_path_stays_inside_its_quotes() {
        let path = "/\"><script>alert('1')</script>&amp;";
        let page = page(&path.parse().unwrap());
        assert!(
            page.contains(
                "<a href=\"/&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;\">"
            ),
            "{page}"
        );
        assert!(!page.contains("<script"));
    }
}
