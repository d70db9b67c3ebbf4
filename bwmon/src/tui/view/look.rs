//! How things look: colours, signs, and text of others made harmless and made to fit.

use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar;

use crate::cli::{Glyphs, printable};

/// What the terminal can show and its owner wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) colours: bool,
    pub(crate) glyphs: Glyphs,
}

/// What is told by a style. All are legible on a light and on a dark ground, which is the terminal's
/// own; no text is told by its colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// What everything else is about.
    Strong,
    /// What is there to be found when it is looked for.
    Quiet,
    Received,
    Sent,
    Good,
    Warning,
    Alarm,
}

/// Signs that the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) received: &'static str,
    pub(super) sent: &'static str,
    pub(super) firing: &'static str,
    pub(super) pending: &'static str,
    pub(super) known: &'static str,
    pub(super) ascending: &'static str,
    pub(super) descending: &'static str,
    pub(super) nothing: &'static str,
    pub(super) ellipsis: &'static str,
    pub(super) between: &'static str,
    pub(super) up_down: &'static str,
    pub(super) enter: &'static str,
    pub(super) cursor: &'static str,
    pub(super) full: &'static str,
    pub(super) empty: &'static str,
}

const UNICODE: Signs = Signs {
    received: "↓",
    sent: "↑",
    firing: "▲",
    pending: "△",
    known: "✓",
    ascending: "▴",
    descending: "▾",
    nothing: "·",
    ellipsis: "…",
    between: "·",
    up_down: "↑↓",
    enter: "⏎",
    cursor: "▏",
    full: "━",
    empty: "─",
};

const ASCII: Signs = Signs {
    received: "v",
    sent: "^",
    firing: "!",
    pending: "?",
    known: "+",
    ascending: "^",
    descending: "v",
    nothing: "-",
    ellipsis: "~",
    between: "-",
    up_down: "up/down",
    enter: "enter",
    cursor: "_",
    full: "=",
    empty: ".",
};

impl Look {
    pub(super) fn style(self, tone: Tone) -> Style {
        let style = match tone {
            Tone::Plain | Tone::Received | Tone::Sent | Tone::Good => Style::new(),
            Tone::Strong | Tone::Warning | Tone::Alarm => Style::new().add_modifier(Modifier::BOLD),
            Tone::Quiet => Style::new().add_modifier(Modifier::DIM),
        };
        let colour = match tone {
            Tone::Plain | Tone::Strong | Tone::Quiet => None,
            Tone::Received => Some(Color::Cyan),
            Tone::Sent => Some(Color::Magenta),
            Tone::Good => Some(Color::Green),
            Tone::Warning => Some(Color::Yellow),
            Tone::Alarm => Some(Color::Red),
        };
        match colour {
            Some(colour) if self.colours => style.fg(colour),
            _ => style,
        }
    }

    pub(super) fn signs(self) -> &'static Signs {
        match self.glyphs {
            Glyphs::Blocks => &UNICODE,
            Glyphs::Ascii => &ASCII,
        }
    }

    /// A bar of so many eighths of a line; 0 is nothing.
    pub(super) fn level(self, eighths: usize) -> char {
        const ASCII: [char; 9] = [' ', '_', '.', ':', '-', '=', '+', '*', '#'];
        match self.glyphs {
            Glyphs::Blocks => self.glyphs.part(eighths),
            Glyphs::Ascii => ASCII[eighths.min(8)],
        }
    }

    /// Text of others in lines of at most `width` columns, broken between words, and harmless. At most
    /// three; more than that ends in an ellipsis.
    pub(super) fn wrap(self, text: &str, width: u16) -> Vec<String> {
        const MOST: usize = 3;
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let count = lines.len();
            let Some(line) = lines.last_mut() else {
                break;
            };
            let longer = match line.is_empty() {
                true => word.to_owned(),
                false => format!("{line} {word}"),
            };
            // The last one takes all the rest.
            if count == MOST || line.is_empty() || columns(&longer) <= usize::from(width) {
                *line = longer;
            } else {
                lines.push(word.to_owned());
            }
        }
        lines.iter().map(|line| self.fit(line, width)).collect()
    }

    /// Text of others in at most `width` columns, harmless, and ended by an ellipsis where it is
    /// longer.
    pub(super) fn fit(self, text: &str, width: u16) -> String {
        let text = printable(text);
        let width = usize::from(width);
        let mut kept = String::new();
        let mut used = 0;
        // How much of it is left if there is more than fits.
        let mut cut = 0;
        // A character may carry any number that take no room.
        let most = 4 * width;
        for (count, c) in text.chars().enumerate() {
            let c = match self.glyphs {
                Glyphs::Ascii if !c.is_ascii() => '?',
                _ => c,
            };
            let columns = c.width().unwrap_or_default();
            if used + columns > width || count >= most {
                kept.truncate(cut);
                if width > 0 {
                    kept.push_str(self.signs().ellipsis);
                }
                return kept;
            }
            used += columns;
            kept.push(c);
            if used < width {
                cut = kept.len();
            }
        }
        kept
    }
}

fn columns(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::core::text::is_harmless;

    const LOOK: Look = Look {
        colours: true,
        glyphs: Glyphs::Blocks,
    };

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        for (text, width, expected) in [
            ("Laptop", 6, "Laptop"),
            ("Laptop", 5, "Lapt…"),
            ("Laptop", 1, "…"),
            ("Laptop", 0, ""),
            ("居間のテレビ", 12, "居間のテレビ"),
            ("居間のテレビ", 11, "居間のテレ…"),
            ("居間のテレビ", 10, "居間のテ…"),
            ("\x1b[31mred", 8, "�[31mred"),
            ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"),
        ] {
            assert_eq!(LOOK.fit(text, width), expected, "{text} {width}");
        }
        let ascii = Look {
            glyphs: Glyphs::Ascii,
            ..LOOK
        };
        assert_eq!(ascii.fit("Küche", 5), "K?che");
        assert_eq!(ascii.fit("Küche", 4), "K?c~");
    }

    #[test]
    fn lines_break_between_words() {
        for (text, expected) in [
            ("one two", &["one two"][..]),
            ("one two three", &["one two", "three"]),
            (
                "a b c d e f g h i j k l m n",
                &["a b c d", "e f g h", "i j k l…"],
            ),
            ("incomprehensible one", &["incompr…", "one"]),
            ("", &[""]),
        ] {
            assert_eq!(LOOK.wrap(text, 8), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_fits_and_does_nothing(text in any::<String>(), width in 0_u16..40) {
            let fitted = LOOK.fit(&text, width);
            prop_assert!(columns(&fitted) <= usize::from(width));
            prop_assert!(LOOK.wrap(&text, width).len() <= 3);
            prop_assert!(fitted.width() <= usize::from(width) * 2);
            prop_assert!(fitted.chars().all(is_harmless));
        }
    }
}
