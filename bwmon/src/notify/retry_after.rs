//! How long a receiver wants to be left alone (RFC 9110, 10.2.3).

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// From the headers of an answer that came at `now`.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // The date of HTTP is one that mail would accept.
    let at = rfc2822::parse(value).ok()?.timestamp();
    // What is over already asks for nothing.
    Some(Duration::try_from(now.duration_until(at)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<u64>) {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        let expected = expected.map(Duration::from_secs);
        assert_eq!(retry_after(&headers, now), expected, "{value}");
    }

    #[test]
    fn both_forms_are_read() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("18446744073709551615", Some(u64::MAX));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(37));
        check("Sun, 06 Nov 1994 08:48:37 GMT", Some(0));
        for value in [
            "",
            "-1",
            "1.5",
            "soon",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "18446744073709551616",
        ] {
            check(value, None);
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }
}
