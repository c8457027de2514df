//! How many of libvirtd's workers calls that hang may take.

use super::error::ValueError;

/// Reads a number of calls.
///
/// # Errors
///
/// When the text is no number, or one that leaves libvirtd no workers.
pub(super) fn parse(text: &str) -> Result<usize, ValueError> {
    let expected = "expected 1 to 16, of libvirtd's 20 workers";
    match text.parse() {
        Ok(count @ 1..=16) => Ok(count),
        Ok(_) => Err(ValueError::new(text, &format!("is out of range, {expected}"))),
        Err(_) => Err(ValueError::new(text, &format!("is not a number, {expected}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_workers_are_left_to_libvirtd() {
        assert_eq!(parse("1").unwrap(), 1);
        assert_eq!(parse("16").unwrap(), 16);
        for (text, complaint) in [
            ("0", "0 is out of range, expected 1 to 16, of libvirtd's 20 workers"),
            ("17", "17 is out of range, expected 1 to 16, of libvirtd's 20 workers"),
            ("-1", "-1 is not a number, expected 1 to 16, of libvirtd's 20 workers"),
            ("", "\"\" is not a number, expected 1 to 16, of libvirtd's 20 workers"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), complaint);
        }
    }
}
