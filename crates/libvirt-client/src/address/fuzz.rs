//! Any text as an address.

#![expect(clippy::expect_used, reason = "what must not happen here is meant to panic")]

use super::Address;

/// Reads a text as an address: one that leads somewhere, or something that is wrong with it. With a
/// password in it, it is refused, and nobody sees the password.
pub fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(address) = text.parse::<Address>() {
        leads_somewhere(&address, &text);
    }
    if let Some((scheme, rest)) = text.split_once("://").filter(|_| !text.starts_with('/')) {
        let text = format!("{scheme}://nova:{PASSWORD}@{rest}");
        let error = text.parse::<Address>().expect_err("there is a password in it");
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
    }
}

/// What no text comes up with by itself.
const PASSWORD: &str = "correct-horse-battery";

fn leads_somewhere(address: &Address, text: &str) {
    assert_eq!(address.to_string(), text);
    assert!(!address.peer().is_empty());
    let candidates = address.candidates();
    match address.is_remote() {
        true => assert!(candidates.is_empty() && address.socket().is_none()),
        false => assert!(address.socket().is_some_and(|socket| candidates.contains(&socket))),
    }
    // ssh would take such a host for an option.
    assert!(!address.host().starts_with('-'), "{text}");
    let (driver, _) = address.name().split_once(':').unwrap_or_default();
    // `name=` can be anything.
    let is_named = text.to_ascii_lowercase().contains("name");
    assert!(is_named || !driver.is_empty() && !driver.contains('+'), "{}", address.name());
}
