//! Days, and amounts that are spread over them.

use bwmon_common::layout::Counter;
use jiff::{ToSpan, civil::Date};

/// Longest period whose total is worth spreading over its days.
const MOST_DAYS: i32 = 366;

/// Some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

impl Period {
    /// `None` where the last day is before the first, or they are more than a year.
    pub fn new(from: Date, to: Date) -> Option<Self> {
        let days = crate::core::cycle::days_between(from, to);
        (0..MOST_DAYS).contains(&days).then_some(Self { from, to })
    }

    /// A month from a day on.
    pub fn month_from(from: Date) -> Option<Self> {
        let next = from.checked_add(1.month()).ok()?;
        Self::new(from, next.yesterday().ok()?)
    }

    /// Each of them.
    pub fn days(self) -> impl Iterator<Item = Date> {
        self.from
            .series(1.day())
            .take_while(move |day| *day <= self.to)
    }

    /// The one in a file's name: a day in it, `2026-03-01` or `20260301`, begins it, and a second one
    /// is its last. nlbwmon begins a database each month, so alone it is the first of a month.
    pub fn in_name(name: &str) -> Option<Self> {
        let mut days = dates(name);
        let from = days.next()?;
        match days.next() {
            Some(to) => Self::new(from, to),
            None => Self::month_from(from),
        }
    }
}

/// Dates in a text.
fn dates(text: &str) -> impl Iterator<Item = Date> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
            let digits_and_dashes = |letter: char| letter.is_ascii_digit() || letter == '-';
            let word = &rest[start..];
            let length = word.find(|letter| !digits_and_dashes(letter));
            let (word, after) = word.split_at(length.unwrap_or(word.len()));
            // 2026-03-01-2026-03-31 has two.
            let (found, used) = match word.get(..10).filter(|word| word.as_bytes()[4] == b'-') {
                Some(day) => (day.parse().ok(), 10),
                None => (word.get(..8).and_then(compact), 8),
            };
            if let Some(found) = found {
                rest = &rest[start + used..];
                return Some(found);
            }
            rest = after;
        }
        None
    })
}

fn compact(text: &str) -> Option<Date> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i16>().ok();
    let small = |range| number(range).and_then(|number| i8::try_from(number).ok());
    Date::new(number(0..4)?, small(4..6)?, small(6..8)?).ok()
}

/// Cuts an amount into so many shares, as even as they can be: their sum is the amount.
pub fn spread(amount: Counter, shares: usize) -> impl Iterator<Item = Counter> {
    let share = move |all: u64, place: usize| {
        let upto = |place: usize| u128::from(all) * place as u128 / shares as u128;
        u64::try_from(upto(place + 1) - upto(place)).unwrap_or(u64::MAX)
    };
    (0..shares).map(move |place| Counter {
        bytes: share(amount.bytes, place),
        packets: share(amount.packets, place),
    })
}
