//! Text of others inside of markup. A device chooses its own name, so a name must be able to show
//! itself and nothing else: no markup, no mention, no link, no line of its own.

use crate::core::text::is_harmless;

/// How text is marked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// Not at all.
    Plain,
    /// Slack's.
    Mrkdwn,
    /// Discord's.
    Markdown,
    /// Telegram's and Matrix's.
    Html,
}

impl Markup {
    /// `text` so that it shows as it is.
    pub(super) fn escape(self, text: &str) -> String {
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            match self {
                Self::Plain => escaped.push(c),
                Self::Html => match entity(c) {
                    Some(entity) => escaped.push_str(entity),
                    None => escaped.push(c),
                },
                // Slack has entities for three characters, and nothing that takes their meaning
                // from the others. So these give way to some that look like them.
                Self::Mrkdwn => match (c, entity(c)) {
                    ('*', _) => escaped.push('\u{2217}'),
                    ('_', _) => escaped.push('\u{ff3f}'),
                    ('~', _) => escaped.push('\u{223c}'),
                    ('`', _) => escaped.push('\u{2cb}'),
                    ('"', _) | (_, None) => escaped.push(c),
                    (_, Some(entity)) => escaped.push_str(entity),
                },
                Self::Markdown => {
                    if c.is_ascii_punctuation() {
                        escaped.push('\\');
                    }
                    escaped.push(c);
                }
            }
        }
        escaped
    }

    /// Text that is escaped already, set apart.
    pub(super) fn bold(self, escaped: &str) -> String {
        match self {
            Self::Plain => escaped.to_owned(),
            Self::Mrkdwn => format!("*{escaped}*"),
            Self::Markdown => format!("**{escaped}**"),
            Self::Html => format!("<b>{escaped}</b>"),
        }
    }
}

fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        _ => None,
    }
}

/// `text` on one line, of at most so many characters, in which no program finds a link, a mention, a
/// tag or a command that it would make alive of its own accord. What would be one is written with
/// characters that look alike.
pub(super) fn defused(text: &str, most: usize) -> String {
    let visible: String = text
        .chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' => Some(' '),
            c => is_harmless(c).then_some(c),
        })
        .collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line: Vec<char> = words.join(" ").chars().collect();
    let mut defused = String::new();
    for (place, &c) in line.iter().enumerate().take(most) {
        let before = place.checked_sub(1).and_then(|place| line.get(place));
        let after = line.get(place + 1);
        let starts = before.is_none_or(|c| !c.is_alphanumeric());
        defused.push(match c {
            '@' => '\u{ff20}',
            '#' => '\u{ff03}',
            // example.org, but neither 4.5 GB nor 10.0.0.1.
            '.' if !starts && after.is_some_and(|c| c.is_alphabetic()) => '\u{2024}',
            // http://, /command, but not Mbit/s.
            '/' if starts => '\u{2215}',
            // mailto:x, tel:1, but neither 14:03 nor fe80::1 nor "Sent: 5 MB".
            ':' if before.is_some_and(|c| c.is_alphabetic() && !c.is_ascii_hexdigit())
                && after.is_some_and(|c| *c != ' ') =>
            {
                '\u{a789}'
            }
            c => c,
        });
    }
    if line.len() > most {
        defused.pop();
        defused.push('…');
    }
    defused
}

/// The value of a header: as it is where that is ASCII, else as RFC 2047 has it, in words of at most
/// 75 characters.
pub(super) fn header(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};

    /// Bytes of which base64 makes the 63 characters that a word has room for.
    const WORD_BYTES: usize = 45;
    let is_plain = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && !text.contains("=?");
    if is_plain {
        return text.trim().to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        // No character is in two words.
        if word.len() + c.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(defused(text, 100), expected, "{text:?}");
    }

    #[test]
    fn what_would_come_alive_is_defused() {
        check("@everyone <!channel>", "＠everyone <!channel>");
        check("http://evil.example/x", "http꞉∕∕evil․example/x");
        check("/start #tag", "∕start ＃tag");
        check("tel:112", "tel꞉112");
        check("a\r\nBcc: b\u{202e}c\0", "a Bcc: bc");
        check(&"x".repeat(200), &format!("{}…", "x".repeat(99)));
    }

    #[test]
    fn what_bwmon_says_itself_stays() {
        for text in [
            "Laptop (192.123.4.5) has used 4.5 GB today, over its threshold of 500 MB. Sent: 12 MB.",
            "TV (fd00::1:2) moved 12.3 Mbit/s for 10 s; MAC 02:1b:c3:00:4f:9e",
            "2026-03-08T14:03:11+01:00",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn each_markup_shows_text_as_it_is() {
        let text = r#"<a href="x">*b* _c_ `d` & [e](f)"#;
        for (markup, expected) in [
            (Markup::Plain, text),
            (
                Markup::Html,
                "&lt;a href=&quot;x&quot;&gt;*b* _c_ `d` &amp; [e](f)",
            ),
            (
                Markup::Mrkdwn,
                "&lt;a href=\"x\"&gt;∗b∗ ＿c＿ ˋdˋ &amp; [e](f)",
            ),
            (
                Markup::Markdown,
                r#"\<a href\=\"x\"\>\*b\* \_c\_ \`d\` \& \[e\]\(f\)"#,
            ),
        ] {
            assert_eq!(markup.escape(text), expected);
        }
    }

    #[test]
    fn a_header_is_ascii() {
        assert_eq!(header("Laptop: high rate"), "Laptop: high rate");
        assert_eq!(header("Küche"), "=?UTF-8?B?S8O8Y2hl?=");
        assert_eq!(
            header("=?UTF-8?B?eA==?="),
            "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?="
        );
    }

    proptest! {
        #[test]
        fn no_text_comes_alive(text in r#"([a-z@#/:.<>*_~`&"\[\]()!\\\r\n \u{202e}\u{200b}ä]|\PC){0,60}"#) {
            let defused = defused(&text, 80);
            prop_assert!(defused.chars().all(is_harmless));
            prop_assert!(!defused.contains(['@', '#']) && !defused.contains("://"), "{defused}");
            let chars: Vec<char> = defused.chars().collect();
            for three in chars.windows(3) {
                let is_domain = three[0].is_alphanumeric() && three[1] == '.' && three[2].is_alphabetic();
                prop_assert!(!is_domain, "{defused}");
            }
        }

        #[test]
        fn no_text_is_markup(text in any::<String>()) {
            let html = Markup::Html.escape(&text);
            prop_assert!(!html.contains(['<', '>', '"']));
            let mrkdwn = Markup::Mrkdwn.escape(&text);
            prop_assert!(!mrkdwn.contains(['<', '>', '*', '_', '~', '`']));
            for text in [html, mrkdwn] {
                let entities = text.split('&').skip(1);
                for entity in entities {
                    prop_assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|e| entity.starts_with(e)));
                }
            }
            let markdown = Markup::Markdown.escape(&text);
            let mut chars = markdown.chars();
            while let Some(c) = chars.next() {
                prop_assert!(c == '\\' || !c.is_ascii_punctuation());
                if c == '\\' {
                    prop_assert!(chars.next().is_some_and(|c| c.is_ascii_punctuation()));
                }
            }
        }

        #[test]
        fn no_header_has_a_line_of_its_own(text in any::<String>()) {
            let header = header(&defused(&text, 200));
            prop_assert!(header.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
            prop_assert!(header.split(' ').all(|word| !word.starts_with("=?") || word.len() <= 75));
        }
    }
}
