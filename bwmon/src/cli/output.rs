//! Printing, in one place: whole, to a locked stdout, with its errors told.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal, Write},
};

use anstyle::Style;
use clap::ColorChoice;

/// Width that tables fit into when the terminal does not say.
const WIDTH: u16 = 80;

/// The text could not be printed.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout")]
pub struct OutputError(#[from] io::Error);

impl OutputError {
    /// Whether the reader has gone, which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Prints to stdout.
pub(super) fn print(text: &str) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// How text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Columns that a line may have.
    pub(super) width: u16,
    /// What a style becomes.
    pub(super) paint: Paint,
}

/// What a style becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Nothing.
    Plain,
    /// ANSI escape sequences.
    Colours,
}

/// What decides on that.
#[derive(Debug, Default)]
struct Surroundings {
    is_terminal: bool,
    term: Option<OsString>,
    no_color: Option<OsString>,
    columns: Option<OsString>,
}

impl Look {
    /// What stdout can show and its owner wants.
    pub(super) fn of_stdout(choice: ColorChoice) -> Self {
        let surroundings = Surroundings {
            is_terminal: io::stdout().is_terminal(),
            term: env::var_os("TERM"),
            no_color: env::var_os("NO_COLOR"),
            columns: env::var_os("COLUMNS"),
        };
        Self::new(choice, &surroundings)
    }

    fn new(choice: ColorChoice, surroundings: &Surroundings) -> Self {
        let Surroundings {
            is_terminal,
            term,
            no_color,
            columns,
        } = surroundings;
        let wanted = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                // https://no-color.org: not empty, whatever it is.
                let refused = no_color.as_ref().is_some_and(|value| !value.is_empty());
                let is_dumb = term.as_ref().is_some_and(|term| term == "dumb");
                *is_terminal && !is_dumb && !refused
            }
        };
        let columns = columns
            .as_ref()
            .and_then(|columns| columns.to_str()?.parse().ok());
        Self {
            width: columns.unwrap_or(WIDTH).max(WIDTH),
            paint: if wanted { Paint::Colours } else { Paint::Plain },
        }
    }
}

impl Paint {
    /// `text` in `style`.
    pub(super) fn apply(self, style: Style, text: &str) -> String {
        match self {
            Self::Colours if !style.is_plain() => format!("{style}{text}{style:#}"),
            Self::Colours | Self::Plain => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings {
        Surroundings {
            is_terminal: true,
            term: Some("xterm".into()),
            ..Default::default()
        }
    }

    #[test]
    fn colours_are_for_terminals_unless_somebody_says_otherwise() {
        let pipe = || Surroundings {
            is_terminal: false,
            ..terminal()
        };
        let dumb = || Surroundings {
            term: Some("dumb".into()),
            ..terminal()
        };
        let refusing = |value: &str| Surroundings {
            no_color: Some(value.into()),
            ..terminal()
        };
        for (choice, surroundings, expected) in [
            (ColorChoice::Auto, terminal(), Paint::Colours),
            (ColorChoice::Auto, pipe(), Paint::Plain),
            (ColorChoice::Auto, dumb(), Paint::Plain),
            (ColorChoice::Auto, refusing("1"), Paint::Plain),
            (ColorChoice::Auto, refusing(""), Paint::Colours),
            (ColorChoice::Always, pipe(), Paint::Colours),
            (ColorChoice::Always, refusing("1"), Paint::Colours),
            (ColorChoice::Never, terminal(), Paint::Plain),
        ] {
            assert_eq!(
                Look::new(choice, &surroundings).paint,
                expected,
                "{choice:?} {surroundings:?}"
            );
        }
    }

    #[test]
    fn a_wide_terminal_is_used_and_a_narrow_one_is_not_believed() {
        for (columns, expected) in [
            (None, 80),
            (Some("132"), 132),
            (Some("40"), 80),
            (Some("wide"), 80),
        ] {
            let columns = columns.map(OsString::from);
            let look = Look::new(
                ColorChoice::Auto,
                &Surroundings {
                    columns,
                    ..terminal()
                },
            );
            assert_eq!(look.width, expected);
        }
    }
}
