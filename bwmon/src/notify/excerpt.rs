//! What a receiver said, fit for a log.

use reqwest::Url;

use crate::{config::Secret, core::text::is_harmless};

/// Characters shown.
const SHOWN: usize = 200;
/// Shorter parts of a URL are words such as `api`.
const SHORTEST_SECRET: usize = 4;

/// What must not be shown: many receivers repeat the path when they refuse it.
#[derive(Clone)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// All of `url` but the host, and others.
    pub(super) fn new(url: &Url, others: &[&Secret]) -> Self {
        let mut secrets = vec![url.path().to_owned()];
        secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        if let Some(query) = url.query() {
            secrets.extend([
                format!("{}?{query}", url.path()),
                format!("?{query}"),
                query.to_owned(),
            ]);
        }
        for (key, value) in url.query_pairs() {
            secrets.extend([key.into_owned(), value.into_owned()]);
        }
        secrets.extend([url.username(), url.password().unwrap_or_default()].map(str::to_owned));
        secrets.extend(others.iter().map(|secret| secret.reveal().to_owned()));
        Self::longest_first(secrets)
    }

    /// These, where there is no URL.
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let secrets = secrets.into_iter().map(|secret| secret.reveal().to_owned());
        Self::longest_first(secrets.collect())
    }

    fn longest_first(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.chars().count() >= SHORTEST_SECRET);
        // A part must not tear a hole into the whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }
}

/// A colon and the first printable characters of `body`; empty if there are none.
pub(super) fn excerpt(body: &[u8], secrets: &Secrets) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in &secrets.0 {
        text = text.replace(secret, "…");
    }
    let printable: String = text
        .chars()
        .map(|c| {
            if is_harmless(c) && c != char::REPLACEMENT_CHARACTER {
                c
            } else {
                ' '
            }
        })
        .collect();
    let words: Vec<&str> = printable.split_whitespace().collect();
    match words.join(" ").chars().take(SHOWN).collect::<String>() {
        text if text.is_empty() => text,
        text => format!(": {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let url = "https://user:pass1234@example.org/api/hook/T0K3N%20X?key=hunter2&x=1";
        let secrets = Secrets::new(&url.parse().unwrap(), &[&Secret::new("b34r3r".to_owned())]);
        assert_eq!(excerpt(body.as_bytes(), &secrets), expected);
    }

    #[test]
    fn what_is_said_is_shown_on_one_line() {
        check("", "");
        check(" \r\n\t", "");
        check(
            "no such\n thing\u{1b}[31m\u{202e}!",
            ": no such thing [31m !",
        );
        check(&"ä".repeat(5000), &format!(": {}", "ä".repeat(200)));
    }

    #[test]
    fn secrets_are_not_repeated() {
        check(
            "Cannot POST /api/hook/T0K3N%20X?key=hunter2&x=1",
            ": Cannot POST …",
        );
        check(
            "bad T0K3N%20X or hunter2 or b34r3r or pass1234",
            ": bad … or … or … or …",
        );
        check(
            r#"{"path":"\/api\/hook\/T0K3N%20X"}"#,
            r#": {"path":"\/api\/…\/…"}"#,
        );
    }
}
