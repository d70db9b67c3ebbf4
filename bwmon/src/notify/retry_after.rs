//! How long a receiver wants to be left alone (RFC 9110, 10.2.3).

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

/// Most that is taken for a number of seconds; nobody waits for so long.
const LONGEST: f64 = 1e9;

/// From an answer that came at `now`: from its headers, or else from what Telegram, Discord and
/// Matrix put into its body.
pub(super) fn retry_after(headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Duration> {
    in_headers(headers, now).or_else(|| in_body(body))
}

fn in_headers(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // The date of HTTP is one that mail would accept.
    let at = rfc2822::parse(value).ok()?.timestamp();
    // What is over already asks for nothing.
    Some(Duration::try_from(now.duration_until(at)).unwrap_or_default())
}

fn in_body(body: &[u8]) -> Option<Duration> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let seconds = body
        .pointer("/parameters/retry_after")
        .or(body.get("retry_after"))
        .and_then(Value::as_f64);
    let milliseconds = || Some(body.get("retry_after_ms")?.as_f64()? / 1000.0);
    let seconds = seconds.or_else(milliseconds)?;
    Duration::try_from_secs_f64(seconds.min(LONGEST)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<u64>) {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        let expected = expected.map(Duration::from_secs);
        assert_eq!(retry_after(&headers, b"", now), expected, "{value}");
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
        assert_eq!(
            retry_after(&HeaderMap::new(), b"", Timestamp::UNIX_EPOCH),
            None
        );
    }

    #[test]
    fn some_say_it_in_the_body() {
        for (body, expected) in [
            (
                r#"{"ok":false,"parameters":{"retry_after":35}}"#,
                Some(35_000),
            ),
            (r#"{"message":"slow down","retry_after":0.65}"#, Some(650)),
            (
                r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}"#,
                Some(2000),
            ),
            (r#"{"retry_after":-1}"#, None),
            (r#"{"retry_after":1e300}"#, Some(1_000_000_000_000)),
            (r#"{"retry_after":"soon"}"#, None),
            ("slow down", None),
        ] {
            let now = Timestamp::UNIX_EPOCH;
            let found = retry_after(&HeaderMap::new(), body.as_bytes(), now);
            assert_eq!(found, expected.map(Duration::from_millis), "{body}");
        }
    }
}
