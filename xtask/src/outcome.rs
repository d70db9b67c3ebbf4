//! How a verb can end other than well, and the exit code of each: 1 when a check found something, 2
//! when something could not be done.

use std::fmt;
use std::process::ExitCode;

/// An end that the person at the keyboard has to act on.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A check or a test ran and did not pass.
    Found(String),
    /// Something is missing that xtask cannot install itself.
    ByHand {
        /// What is missing, and why xtask stopped there.
        why: String,
        /// What to type, one command a line.
        commands: Vec<String>,
    },
}

impl Outcome {
    /// An [`Outcome::ByHand`] from anything that turns into strings.
    pub(crate) fn by_hand<I>(why: impl Into<String>, commands: I) -> anyhow::Error
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let commands = commands.into_iter().map(Into::into).collect();
        let why = why.into();
        Self::ByHand { why, commands }.into()
    }

    /// An [`Outcome::Found`].
    pub(crate) fn found(what: impl Into<String>) -> anyhow::Error {
        Self::Found(what.into()).into()
    }
}

impl std::error::Error for Outcome {}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(what) => f.write_str(what),
            Self::ByHand { why, commands } => {
                write!(f, "{why}; type this, then try again:")?;
                commands
                    .iter()
                    .try_for_each(|command| write!(f, "\n    {command}"))
            }
        }
    }
}

/// Prints `error` and says which exit code it means.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("xtask: {error:#}");
    match error.downcast_ref() {
        Some(Outcome::Found(_)) => ExitCode::from(1),
        Some(Outcome::ByHand { .. }) | None => ExitCode::from(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_type_stand_one_a_line() {
        let error = Outcome::by_hand("no compiler", ["apt-get update", "apt-get install x"]);
        assert_eq!(
            error.to_string(),
            "no compiler; type this, then try again:\n    apt-get update\n    apt-get install x"
        );
    }
}
