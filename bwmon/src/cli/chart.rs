//! Bars over time, for a terminal: rates, each column some steps together.

use std::{env, time::Duration};

use crate::core::human;

/// Lines that bars have.
const HEIGHT: usize = 6;
/// Parts of a line that a block has.
const PARTS: usize = 8;
/// For `123 Mbit/s`, which is before a bar.
const LABEL: usize = 11;

/// What bars are drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyphs {
    /// Eighths of a block.
    Blocks,
    /// What every terminal has.
    Ascii,
}

impl Glyphs {
    /// What the locale says that the terminal can show.
    pub(crate) fn of_locale() -> Self {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"];
        let values = names.into_iter().filter_map(env::var_os);
        let mut set = values.filter(|value| !value.is_empty());
        Self::of(set.next().unwrap_or_default().to_str().unwrap_or_default())
    }

    fn of(locale: &str) -> Self {
        let locale = locale.to_ascii_lowercase();
        match locale.contains("utf-8") || locale.contains("utf8") {
            true => Self::Blocks,
            false => Self::Ascii,
        }
    }

    /// So many eighths of a line.
    pub(crate) fn part(self, eighths: usize) -> char {
        const BLOCKS: [char; PARTS + 1] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        match (self, eighths) {
            (_, 0) => ' ',
            (Self::Blocks, eighths) => BLOCKS[eighths.min(PARTS)],
            (Self::Ascii, 1..=3) => '.',
            (Self::Ascii, _) => '#',
        }
    }

    /// Beside the bars, and below them.
    fn frame(self) -> (char, char, char) {
        match self {
            Self::Blocks => ('│', '└', '─'),
            Self::Ascii => ('|', '+', '-'),
        }
    }
}

/// A bar for each column.
pub(super) struct Bars {
    /// Bytes per second.
    rates: Vec<f64>,
    /// Bytes in all.
    total: u64,
    /// Of a column.
    seconds: f64,
}

impl Bars {
    /// Of steps: how long each is, and its bytes.
    pub(super) fn new(steps: impl Iterator<Item = (f64, u64)>, width: u16) -> Self {
        let steps: Vec<_> = steps.collect();
        let room = usize::from(width).saturating_sub(LABEL + 2).max(1);
        let together = steps.len().div_ceil(room).max(1);
        let columns = steps.chunks(together).map(|steps| {
            let seconds: f64 = steps.iter().map(|(seconds, _)| seconds).sum();
            let bytes: f64 = steps.iter().map(|(_, bytes)| *bytes as f64).sum();
            (seconds, if seconds > 0.0 { bytes / seconds } else { 0.0 })
        });
        let columns: Vec<_> = columns.collect();
        Self {
            rates: columns.iter().map(|(_, rate)| *rate).collect(),
            total: steps
                .iter()
                .fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes)),
            // The last one may just have begun, and the first one be coarser.
            seconds: columns
                .get(columns.len() / 2)
                .map_or(0.0, |(seconds, _)| *seconds),
        }
    }

    /// What it is, how much in all, and how long a column is.
    pub(super) fn title(&self, what: &str) -> String {
        let column = human::duration(Duration::from_secs_f64(self.seconds.max(0.0)));
        format!(
            "{what}: {}, a column is {column}\n",
            human::bytes(self.total)
        )
    }

    /// The bars, and what the highest is.
    pub(super) fn render(&self, glyphs: Glyphs) -> String {
        let highest = self.rates.iter().copied().fold(0.0, f64::max);
        let eighths: Vec<usize> = self
            .rates
            .iter()
            .map(|rate| match highest > 0.0 && *rate > 0.0 {
                // What is there is seen, however little it is.
                true => ((rate / highest * (HEIGHT * PARTS) as f64).round() as usize).max(1),
                false => 0,
            })
            .collect();
        let (side, ..) = glyphs.frame();
        (0..HEIGHT)
            .rev()
            .map(|line| {
                let label = match line + 1 {
                    HEIGHT => human::bits_per_sec(highest.round() as u64),
                    _ => String::new(),
                };
                let bars: String = eighths
                    .iter()
                    .map(|eighths| glyphs.part(eighths.saturating_sub(line * PARTS).min(PARTS)))
                    .collect();
                format!("{label:>LABEL$} {side}{}\n", bars.trim_end())
            })
            .collect()
    }

    /// The line below, and when it begins and ends.
    pub(super) fn axis(&self, from: &str, to: &str, glyphs: Glyphs) -> String {
        let (_, corner, line) = glyphs.frame();
        let columns = self.rates.len();
        let line: String = std::iter::repeat_n(line, columns).collect();
        let gap = columns.saturating_sub(from.len() + to.len()).max(1);
        format!(
            "{:>LABEL$} {corner}{line}\n{:LABEL$}  {from}{:gap$}{to}\n",
            "0", "", ""
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_says_what_can_be_shown() {
        for (locale, expected) in [
            ("en_US.UTF-8", Glyphs::Blocks),
            ("C.utf8", Glyphs::Blocks),
            ("C", Glyphs::Ascii),
            ("", Glyphs::Ascii),
            ("de_DE@euro", Glyphs::Ascii),
        ] {
            assert_eq!(Glyphs::of(locale), expected, "{locale}");
        }
    }

    #[test]
    fn columns_are_as_many_as_there_is_room_for_and_leave_nothing_out() {
        for count in [0_usize, 1, 67, 68, 500, 10_000] {
            let bars = Bars::new((0..count).map(|_| (1.0, 3)), 80);
            assert!(bars.rates.len() <= 67, "{count}");
            assert_eq!(bars.total, 3 * count as u64, "{count}");
            assert!(
                bars.rates.iter().all(|rate| (*rate - 3.0).abs() < 1e-9),
                "{count}"
            );
            let text =
                bars.render(Glyphs::Blocks) + &bars.axis("2026-03-07 14:03", "now", Glyphs::Blocks);
            assert!(
                text.lines().all(|line| line.chars().count() <= 80),
                "{text}"
            );
        }
    }
}
