//! Text of others on a terminal.
//!
//! A device chooses its own name, so it must be able neither to move the cursor, nor to set the
//! title or the clipboard, nor to turn the reading direction, nor to hide.

use std::borrow::Cow;

use crate::core::text::is_harmless;

/// `text` with every character that does something, or nothing visible at all, replaced by `�`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let harmless = |c| {
        if is_harmless(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    Cow::Owned(text.chars().map(harmless).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["", "Laptop", "Küche", "居間のテレビ", "תמר", "📺 TV", "a b"] {
            assert!(
                matches!(printable(name), Cow::Borrowed(same) if same == name),
                "{name}"
            );
        }
    }

    #[test]
    fn what_steers_a_terminal_is_made_visible() {
        for (name, expected) in [
            ("\x1b[31mred", "�[31mred"),
            ("\x1b]0;title\x07", "�]0;title�"),
            ("\u{9b}2J", "�2J"),
            ("a\nb\r\tc\0", "a�b��c�"),
            ("gpj\u{202e}exe", "gpj�exe"),
            ("a\u{2066}b\u{2069}", "a�b�"),
            ("a\u{200b}b\u{feff}", "a�b�"),
            ("a\u{2028}b", "a�b"),
            ("\u{7f}", "�"),
            ("\u{e0041}", "�"),
        ] {
            assert_eq!(printable(name), expected, "{name:?}");
        }
    }
}
