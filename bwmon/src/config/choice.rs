//! Settings that are one of a few words.

use std::{fmt, str::FromStr};

use super::{TcMode, XdpMode, error::hint};

/// The word is none of those allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not allowed; {}", hint(.found, .allowed))]
pub struct ChoiceError {
    /// As written.
    pub found: String,
    /// What may be.
    pub allowed: Vec<&'static str>,
}

impl XdpMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Native, Self::Generic, Self::Tc];

    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Generic => "generic",
            Self::Tc => "tc",
        }
    }
}

impl TcMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Tcx, Self::Clsact];

    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }
}

impl fmt::Display for XdpMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TcMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for XdpMode {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choose(text, &Self::ALL, Self::as_str)
    }
}

impl FromStr for TcMode {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        choose(text, &Self::ALL, Self::as_str)
    }
}

pub(super) fn choose<T: Copy>(
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, ChoiceError> {
    all.iter()
        .copied()
        .find(|choice| name(*choice) == text)
        .ok_or_else(|| ChoiceError {
            found: text.to_owned(),
            allowed: all.iter().copied().map(name).collect(),
        })
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn what_is_shown_is_read_in_the_file_and_on_the_command_line() {
        for mode in XdpMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(
                <XdpMode as ValueEnum>::from_str(mode.as_str(), false),
                Ok(mode)
            );
        }
        for mode in TcMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(
                <TcMode as ValueEnum>::from_str(mode.as_str(), false),
                Ok(mode)
            );
        }
    }

    #[test]
    fn another_word_is_answered_with_those_allowed() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<TcMode>().unwrap_err().to_string(), expected);
        };
        check("tc", "\"tc\" is not allowed; did you mean \"tcx\"?");
        check("Auto", "\"Auto\" is not allowed; did you mean \"auto\"?");
        check(
            "fast",
            "\"fast\" is not allowed; allowed here: \"auto\", \"tcx\", \"clsact\"",
        );
    }
}
