//! How long a scrape may take.

use std::time::Duration;

use hyper::HeaderMap;

/// Says within which time a request with these headers wants its answer.
///
/// Prometheus tells its timeout in seconds; a tenth of it stays for the way there and back.
/// Who names none gets `default`.
pub(super) fn deadline(headers: &HeaderMap, default: Duration) -> Duration {
    timeout(headers).map_or(default, |timeout| timeout.mul_f64(0.9).clamp(SHORTEST, LONGEST))
}

/// Reads the peer's timeout; `None` where it names none, or none that anybody can mean.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(HEADER)?.to_str().ok()?.trim().parse().ok()?;
    // Refuses what is negative, infinite or not a number at all.
    let timeout = Duration::try_from_secs_f64(seconds).ok()?;
    (!timeout.is_zero() && timeout <= BELIEVABLE).then_some(timeout)
}

/// Sent by Prometheus with every scrape.
const HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// In less than this no daemon under load answers anything.
const SHORTEST: Duration = Duration::from_millis(100);

/// A survey that takes longer tells of another time than its scrape.
const LONGEST: Duration = Duration::from_mins(1);

/// Longer timeouts than this are mistakes.
const BELIEVABLE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    const DEFAULT: Duration = Duration::from_secs(7);

    fn of(value: &[u8]) -> Duration {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value).unwrap());
        deadline(&headers, DEFAULT)
    }

    #[test]
    fn a_tenth_is_left_for_the_way() {
        assert_eq!(of(b"10"), Duration::from_secs(9));
        assert_eq!(of(b"10.000000"), Duration::from_secs(9));
        assert_eq!(of(b"0.5"), Duration::from_millis(450));
        assert_eq!(of(b" 2 "), Duration::from_millis(1_800));
        assert_eq!(of(b"1e1"), Duration::from_secs(9));
    }

    #[test]
    fn a_deadline_is_neither_too_short_nor_too_long() {
        assert_eq!(of(b"0.001"), SHORTEST);
        assert_eq!(of(b"1e-9"), SHORTEST);
        assert_eq!(of(b"120"), LONGEST);
        assert_eq!(of(b"3600"), LONGEST);
    }

    #[test]
    fn nonsense_is_as_good_as_nothing() {
        assert_eq!(deadline(&HeaderMap::new(), DEFAULT), DEFAULT);
        let nonsense: [&[u8]; 15] = [
            b"", b" ", b"0", b"-0", b"-1", b"1e-99", b"3601", b"1e300", b"1e999", b"inf", b"-inf",
            b"NaN", b"10s", b"1,5", b"\xff",
        ];
        for value in nonsense {
            assert_eq!(of(value), DEFAULT, "{value:?}");
        }
    }
}
