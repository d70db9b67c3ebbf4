//! Sizes, rates and durations as people write them: `500 MB`, `20 Mbit/s`, `1h30m`.
//!
//! Spaces do not matter. Units are exact, case included, because `Mb` may mean two things.

use std::{fmt, time::Duration};

/// What a text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Bytes.
    Size,
    /// Bytes per second.
    Rate,
    /// Time.
    Duration,
}

/// The text is no size, rate or duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// There is no number where one should be.
    #[error("{text:?} is not a {quantity}; write {}", .quantity.allowed())]
    NotANumber {
        /// As written.
        text: String,
        /// What it should be.
        quantity: Quantity,
    },
    /// The unit does not exist, or may mean two things.
    #[error("{text:?} is not a {quantity}: unit {unit:?} is unknown; {advice}")]
    UnknownUnit {
        /// As written.
        text: String,
        /// The unit in it.
        unit: String,
        /// What it should be.
        quantity: Quantity,
        /// What to write.
        advice: String,
    },
    /// It is below zero.
    #[error("{text} is negative; write {}", .quantity.allowed())]
    Negative {
        /// As written.
        text: String,
        /// What it should be.
        quantity: Quantity,
    },
    /// A plain number has a fraction.
    #[error("{text} is not a whole number; write {}", .quantity.allowed())]
    NotWhole {
        /// As written.
        text: String,
        /// What it should be.
        quantity: Quantity,
    },
    /// It does not fit.
    #[error("{text} is too large; at most {} {}", u64::MAX, .quantity.base())]
    TooLarge {
        /// As written.
        text: String,
        /// What it should be.
        quantity: Quantity,
    },
}

/// A size in bytes: `500 MB` (10^6), `1.5 GiB` (2^30), `1024`.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    scaled(text, Quantity::Size)
}

/// A rate in bytes per second: `20 Mbit/s`, `2 MB/s`, `1024`. Only zero is rounded to zero.
pub fn parse_rate(text: &str) -> Result<u64, UnitError> {
    scaled(text, Quantity::Rate)
}

/// A duration to the millisecond: `90s`, `1h30m`, `500ms`, `2d`, `90` (seconds).
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let quantity = Quantity::Duration;
    let not_a_number = || UnitError::NotANumber {
        text: text.to_owned(),
        quantity,
    };
    let too_large = || UnitError::TooLarge {
        text: format!("{text:?}"),
        quantity,
    };
    let mut rest = positive(text, quantity)?;
    let mut total: u64 = 0;
    let mut previous = u128::MAX;
    while !rest.is_empty() {
        let (number, after) = Decimal::split(rest).ok_or_else(not_a_number)?;
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let unit = after[..end].trim();
        rest = &after[end..];
        let factor = match quantity.factor(unit) {
            Some(factor) => factor,
            // A plain number, which must be all there is.
            None if unit.is_empty() && (rest.len(), previous) == (0, u128::MAX) => {
                if !number.is_whole() {
                    return Err(UnitError::NotWhole {
                        text: format!("{text:?}"),
                        quantity,
                    });
                }
                1000
            }
            None if unit.is_empty() => return Err(not_a_number()),
            None => return Err(unknown_unit(text, unit, quantity)),
        };
        if factor >= previous {
            return Err(not_a_number());
        }
        previous = factor;
        let part = number.times(factor, 1).ok_or_else(too_large)?;
        total = total.checked_add(part).ok_or_else(too_large)?;
    }
    Ok(Duration::from_millis(total))
}

impl Quantity {
    /// What may be written.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::Size => "a size such as \"500 MB\", or a whole number of bytes",
            Self::Rate => "a rate such as \"20 Mbit/s\", or a whole number of bytes per second",
            Self::Duration => {
                "a duration such as \"90s\" or \"1h30m\", or a whole number of seconds"
            }
        }
    }

    /// What a plain number counts.
    fn base(self) -> &'static str {
        match self {
            Self::Size => "bytes",
            Self::Rate => "bytes per second",
            Self::Duration => "milliseconds",
        }
    }

    /// The units: bytes of a size, bits of a rate, milliseconds of a duration.
    fn units(self) -> &'static [(&'static str, u128)] {
        match self {
            Self::Size => &[
                ("B", 1),
                ("kB", 1000),
                ("KB", 1000),
                ("MB", 1_000_000),
                ("GB", 1_000_000_000),
                ("TB", 1_000_000_000_000),
                ("KiB", 1 << 10),
                ("MiB", 1 << 20),
                ("GiB", 1 << 30),
                ("TiB", 1 << 40),
            ],
            Self::Rate => &[
                ("bit/s", 1),
                ("kbit/s", 1000),
                ("Mbit/s", 1_000_000),
                ("Gbit/s", 1_000_000_000),
                ("Tbit/s", 1_000_000_000_000),
                ("B/s", 8),
                ("kB/s", 8000),
                ("KB/s", 8000),
                ("MB/s", 8_000_000),
                ("GB/s", 8_000_000_000),
                ("TB/s", 8_000_000_000_000),
                ("KiB/s", 8 << 10),
                ("MiB/s", 8 << 20),
                ("GiB/s", 8 << 30),
                ("TiB/s", 8 << 40),
            ],
            Self::Duration => &[
                ("ms", 1),
                ("s", 1000),
                ("m", 60_000),
                ("min", 60_000),
                ("h", 3_600_000),
                ("d", 86_400_000),
            ],
        }
    }

    fn factor(self, unit: &str) -> Option<u128> {
        self.units()
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, factor)| *factor)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Rate => "rate",
            Self::Duration => "duration",
        })
    }
}

/// A number and a unit, or a plain number of bytes.
fn scaled(text: &str, quantity: Quantity) -> Result<u64, UnitError> {
    let (number, unit) =
        Decimal::split(positive(text, quantity)?).ok_or_else(|| UnitError::NotANumber {
            text: text.to_owned(),
            quantity,
        })?;
    let divisor = if quantity == Quantity::Rate { 8 } else { 1 };
    let unit: String = unit.split_whitespace().collect();
    let factor = match quantity.factor(&unit) {
        Some(factor) => factor,
        None if unit.is_empty() && number.is_whole() => divisor,
        None if unit.is_empty() => {
            return Err(UnitError::NotWhole {
                text: format!("{text:?}"),
                quantity,
            });
        }
        None => return Err(unknown_unit(text, &unit, quantity)),
    };
    number
        .times(factor, divisor)
        .ok_or_else(|| UnitError::TooLarge {
            text: format!("{text:?}"),
            quantity,
        })
}

fn positive(text: &str, quantity: Quantity) -> Result<&str, UnitError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(UnitError::NotANumber {
            text: text.to_owned(),
            quantity,
        });
    }
    if trimmed.starts_with('-') {
        return Err(UnitError::Negative {
            text: format!("{text:?}"),
            quantity,
        });
    }
    Ok(trimmed)
}

fn unknown_unit(text: &str, unit: &str, quantity: Quantity) -> UnitError {
    let advice = advice(unit, quantity);
    UnitError::UnknownUnit {
        text: text.to_owned(),
        unit: unit.to_owned(),
        quantity,
        advice,
    }
}

/// What to write instead of a unit that is not there.
fn advice(unit: &str, quantity: Quantity) -> String {
    let lower = unit.to_ascii_lowercase();
    let prefix = lower
        .get(..1)
        .filter(|first| "kmgt".contains(first))
        .unwrap_or("");
    let prefix = if prefix == "k" {
        "k".to_owned()
    } else {
        prefix.to_ascii_uppercase()
    };
    let letters = lower
        .strip_prefix(&prefix.to_ascii_lowercase())
        .unwrap_or(&lower);
    match (quantity, letters) {
        // `Mb`: megabits or megabytes?
        (Quantity::Size | Quantity::Rate, "b" | "bit" | "bits" | "bps" | "b/s" | "bits/s")
        | (Quantity::Size, "bit/s") => match quantity {
            Quantity::Size => {
                format!("write {prefix}B for a size, as {prefix}bit/s is for rates")
            }
            _ => format!("write {prefix}bit/s for bits, {prefix}B/s for bytes"),
        },
        _ => {
            let with_second = format!("{lower}/s");
            let names = || quantity.units().iter().map(|(name, _)| *name);
            let close = |name: &&str| {
                let name = name.to_ascii_lowercase();
                name == lower || name == with_second
            };
            match names().find(close) {
                Some(name) => format!("did you mean {name:?}?"),
                None => format!("allowed are {}", names().collect::<Vec<_>>().join(", ")),
            }
        }
    }
}

/// A decimal number: `digits` / 10^`fraction`.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: u128,
    fraction: u32,
}

impl Decimal {
    /// Digits of a fraction that count. More can't change a byte of any unit.
    const MAX_FRACTION: usize = 12;

    /// The number at the start of a text, and what follows it.
    fn split(text: &str) -> Option<(Self, &str)> {
        let (whole, mut rest) = split_digits(text)?;
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            (fraction, rest) = split_digits(after)?;
        }
        let fraction = &fraction[..fraction.len().min(Self::MAX_FRACTION)];
        // A whole part that does not fit is larger than anything allowed.
        let digits = format!("{whole}{fraction}").parse().unwrap_or(u128::MAX);
        Some((
            Self {
                digits,
                fraction: fraction.len() as u32,
            },
            rest,
        ))
    }

    fn is_whole(self) -> bool {
        self.digits.is_multiple_of(10_u128.pow(self.fraction))
    }

    /// This × `factor` / `divisor`, rounded to the nearest, but never to zero what is not zero.
    fn times(self, factor: u128, divisor: u128) -> Option<u64> {
        let divisor = 10_u128.pow(self.fraction) * divisor;
        let rounded = self.digits.checked_mul(factor)?.checked_add(divisor / 2)? / divisor;
        u64::try_from(rounded.max(u128::from(self.digits != 0))).ok()
    }
}

fn split_digits(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests;
