//! Values of keys: what they may be, and what they are read as.

use std::{fmt, io, ops::RangeInclusive, path::PathBuf, time::Duration};

use super::{
    channel::ChannelError,
    choice::ChoiceError,
    error::shown,
    interface::InterfaceError,
    listen::ListenError,
    network::NetworkError,
    schedule::ScheduleError,
    secret::SecretError,
    units::{Quantity, UnitError, parse_duration, parse_rate, parse_size},
    zone::ZoneError,
};
use crate::core::policy::Setting;

/// Most characters of a name.
const MAX_LABEL: usize = 64;
/// Most characters of a value that a message repeats.
const MAX_SHOWN: usize = 80;
/// The largest double below which every whole number is one.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Why a value is not allowed, and what is.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// It is of another kind, or out of range.
    #[error("must be {allowed}, not {found}")]
    NotAllowed {
        /// What is there.
        found: String,
        /// What may be.
        allowed: String,
    },
    /// It is no size, rate or duration.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// It is none of a few words.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// It is no interface.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// It is no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// It is no place to listen at.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It is no time of the week.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// It is no time zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// It leads to no secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It makes no channel.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The file it names can't be read.
    #[error("{}: cannot be read: {reason}", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

/// A value that is neither list nor table, or the word for what it is instead.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Other(&'static str),
}

/// As a message repeats it.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(text) => match text.char_indices().nth(MAX_SHOWN) {
                Some((end, _)) => write!(f, "{:?}…", &text[..end]),
                None => write!(f, "{text:?}"),
            },
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl Scalar {
    /// Says that this is not what is allowed.
    pub(super) fn not(&self, allowed: impl Into<String>) -> ValueError {
        ValueError::NotAllowed {
            found: self.to_string(),
            allowed: allowed.into(),
        }
    }

    /// Text; `allowed` says of which kind.
    pub(super) fn text(&self, allowed: &str) -> Result<&str, ValueError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.not(allowed)),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Result<bool, ValueError> {
        match self {
            Self::Bool(value) => Ok(*value),
            _ => Err(self.not("true or false")),
        }
    }

    /// A name that people gave.
    pub(super) fn label(&self) -> Result<String, ValueError> {
        const ALLOWED: &str = "text of 1 to 64 characters without control characters";
        let text = self.text(ALLOWED)?;
        let length = text.chars().count();
        if text.trim().is_empty() || length > MAX_LABEL || text.contains(char::is_control) {
            return Err(self.not(ALLOWED));
        }
        Ok(text.to_owned())
    }

    /// A file or directory.
    pub(super) fn path(&self, allowed: &str) -> Result<PathBuf, ValueError> {
        match self.text(allowed)? {
            text if text.is_empty() || text.contains('\0') => Err(self.not(allowed)),
            text => Ok(PathBuf::from(text)),
        }
    }

    /// Bytes.
    pub(super) fn size(&self) -> Result<u64, ValueError> {
        match self {
            Self::Text(text) => Ok(parse_size(text)?),
            _ => self.whole(Quantity::Size),
        }
    }

    /// Bytes per second.
    pub(super) fn rate(&self) -> Result<u64, ValueError> {
        match self {
            Self::Text(text) => Ok(parse_rate(text)?),
            _ => self.whole(Quantity::Rate),
        }
    }

    /// Time; plain numbers are seconds.
    pub(super) fn duration(&self) -> Result<Duration, ValueError> {
        match self {
            Self::Text(text) => Ok(parse_duration(text)?),
            _ => Ok(Duration::from_secs(self.whole(Quantity::Duration)?)),
        }
    }

    /// Time within limits, which `allowed` describes.
    pub(super) fn duration_within(
        &self,
        limits: RangeInclusive<Duration>,
        allowed: &str,
    ) -> Result<Duration, ValueError> {
        let duration = self.duration()?;
        if limits.contains(&duration) {
            Ok(duration)
        } else {
            Err(self.not(allowed))
        }
    }

    /// A whole number within limits, which `allowed` describes.
    pub(super) fn integer_within(
        &self,
        limits: RangeInclusive<u32>,
        allowed: &str,
    ) -> Result<u32, ValueError> {
        match self {
            Self::Integer(value) => u32::try_from(*value).ok(),
            _ => None,
        }
        .filter(|value| limits.contains(value))
        .ok_or_else(|| self.not(allowed))
    }

    /// A threshold: a value, or `off`.
    pub(super) fn setting<T>(
        &self,
        read: fn(&Self) -> Result<T, ValueError>,
    ) -> Result<Setting<T>, ValueError> {
        if self.is_off() {
            return Ok(Setting::Off);
        }
        match read(self) {
            Ok(value) => Ok(Setting::At(value)),
            Err(ValueError::NotAllowed { found, allowed }) => {
                let allowed = format!("{allowed}, or \"off\"");
                Err(ValueError::NotAllowed { found, allowed })
            }
            Err(error) => Err(error),
        }
    }

    /// The word `off`.
    pub(super) fn is_off(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().eq_ignore_ascii_case("off"))
    }

    /// A plain number.
    fn whole(&self, quantity: Quantity) -> Result<u64, ValueError> {
        let text = self.to_string();
        let negative = || UnitError::Negative {
            text: text.clone(),
            quantity,
        };
        let too_large = || UnitError::TooLarge {
            text: text.clone(),
            quantity,
        };
        match *self {
            Self::Integer(value) if value < 0 => Err(negative().into()),
            Self::Integer(value) => Ok(u64::try_from(value).map_err(|_| too_large())?),
            Self::Float(value) if value < 0.0 => Err(negative().into()),
            // As some programs write 1000000000: `1e9`.
            Self::Float(value) if value.fract() == 0.0 && value <= MAX_EXACT => Ok(value as u64),
            Self::Float(value) if value > MAX_EXACT => Err(too_large().into()),
            Self::Float(value) if value.is_finite() => Err(UnitError::NotWhole {
                text: text.clone(),
                quantity,
            }
            .into()),
            _ => Err(self.not(quantity.allowed())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: fmt::Debug>(read: Result<T, ValueError>, expected: &str) {
        let text = match read {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected);
    }

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    #[test]
    fn plain_numbers_are_bytes_and_seconds() {
        check(Scalar::Integer(5).size(), "5");
        check(
            Scalar::Integer(u64::MAX.into()).rate(),
            "18446744073709551615",
        );
        check(Scalar::Integer(90).duration(), "90s");
        check(Scalar::Float(1e9).size(), "1000000000");
        check(Scalar::Float(-0.0).size(), "0");
        let size = "write a size such as \"500 MB\", or a whole number of bytes";
        check(
            Scalar::Integer(-5).size(),
            &format!("-5 is negative; {size}"),
        );
        check(
            Scalar::Float(-0.5).size(),
            &format!("-0.5 is negative; {size}"),
        );
        check(
            Scalar::Float(0.5).size(),
            &format!("0.5 is not a whole number; {size}"),
        );
        let too_large = "is too large; at most 18446744073709551615 bytes";
        check(
            Scalar::Integer(1 << 64).size(),
            &format!("18446744073709551616 {too_large}"),
        );
        check(
            Scalar::Float(f64::INFINITY).size(),
            &format!("inf {too_large}"),
        );
        check(
            Scalar::Float(f64::NAN).size(),
            "must be a size such as \"500 MB\", or a whole number of bytes, not NaN",
        );
    }

    #[test]
    fn a_threshold_may_be_off() {
        check(text("off").setting(Scalar::size), "Off");
        check(text(" OFF ").setting(Scalar::size), "Off");
        check(text("1 kB").setting(Scalar::size), "At(1000)");
        check(
            Scalar::Bool(false).setting(Scalar::size),
            "must be a size such as \"500 MB\", or a whole number of bytes, or \"off\", not false",
        );
    }

    #[test]
    fn names_are_short_and_visible() {
        const ALLOWED: &str = "must be text of 1 to 64 characters without control characters";
        check(text("Café 📷").label(), "\"Café 📷\"");
        check(
            text(&"é".repeat(64)).label(),
            &format!("{:?}", "é".repeat(64)),
        );
        check(text("").label(), &format!("{ALLOWED}, not \"\""));
        check(text(" ").label(), &format!("{ALLOWED}, not \" \""));
        check(text("a\nb").label(), &format!("{ALLOWED}, not \"a\\nb\""));
        let long = "x".repeat(1000);
        check(
            text(&long).label(),
            &format!("{ALLOWED}, not {:?}…", &long[..80]),
        );
        check(Scalar::Integer(5).label(), &format!("{ALLOWED}, not 5"));
    }
}
