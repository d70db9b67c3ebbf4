//! What can be wrong with the configuration, where, and what is allowed instead.
//!
//! Every message is one line, complete in itself, and starts with the place: `file:line:column`, or
//! the option of the command line.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::value::ValueError;

/// Everything that is wrong: the first mistake of each file and of each option.
#[derive(Debug, thiserror::Error)]
pub struct ConfigErrors(pub(super) Vec<ConfigError>);

impl ConfigErrors {
    /// The mistakes, in the order they were found; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

/// One line for each.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that is there can't be read.
    #[error("{}: cannot be read: {reason}", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// What a file says is not allowed.
    #[error("{place}: {mistake}")]
    Content {
        /// Where it says so.
        place: Place,
        /// What is wrong with it.
        mistake: Box<Mistake>,
    },
    /// What an option of the command line says is not allowed.
    #[error("{option}: {reason}")]
    Option {
        /// As typed: `--listen`.
        option: &'static str,
        /// What is wrong with its value.
        reason: ValueError,
    },
}

/// A place in a file; line and column start at 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", shown(&self.file), self.line, self.column)
    }
}

/// What is wrong at a place.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    /// It is not text.
    #[error("not UTF-8 text; save the file as UTF-8")]
    NotUtf8,
    /// A comment has no end.
    #[error("the comment that starts here has no end; close it with */")]
    OpenComment,
    /// There is nothing in it.
    #[error("the file is empty; write {{}} to register no device")]
    Empty,
    /// What the reader of the format said.
    #[error("{0}")]
    Format(String),
    /// A key that does not exist.
    #[error("unknown key {key:?}; {}", hint(.key, .allowed))]
    UnknownKey {
        /// As written.
        key: String,
        /// Those that exist there.
        allowed: Vec<String>,
    },
    /// A key that was there before.
    #[error("duplicate key {key:?}; keep one of them")]
    DuplicateKey {
        /// As written.
        key: String,
    },
    /// A key that must be there.
    #[error("{key} is missing; it must be {allowed}")]
    MissingKey {
        /// Its name.
        key: &'static str,
        /// What to write.
        allowed: &'static str,
    },
    /// The value of a key is not allowed.
    #[error("{key}: {reason}")]
    Value {
        /// Its name, with the table it is in.
        key: &'static str,
        /// Why, and what is.
        reason: ValueError,
    },
}

/// What to write instead of `found`: the one that looks like it, or else all of them.
pub(super) fn hint(found: &str, allowed: &[impl AsRef<str>]) -> String {
    let allowed = allowed.iter().map(AsRef::as_ref);
    match allowed.clone().find(|name| resembles(found, name)) {
        Some(name) => format!("did you mean {name:?}?"),
        None => {
            let names: Vec<_> = allowed.map(|name| format!("{name:?}")).collect();
            format!("allowed here: {}", names.join(", "))
        }
    }
}

/// Whether `found` may be a slip of the pen for `name`, or its beginning.
fn resembles(found: &str, name: &str) -> bool {
    let found = found.trim().to_lowercase();
    // The first guard bounds the work.
    found.len() <= 2 * name.len()
        && (found.len() >= 3 && name.starts_with(&found)
            || distance(found.as_bytes(), name.as_bytes()) <= name.len().div_ceil(5))
}

/// Levenshtein's distance: how many bytes to insert, remove or replace.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// What serde says about a value of the wrong kind, in our words; other messages as they are.
pub(super) fn wording(message: &str) -> String {
    let parts = message
        .strip_prefix("invalid type: ")
        // What is expected is our text, what is found may be any.
        .and_then(|rest| rest.rsplit_once(", expected "));
    let Some((found, expected)) = parts else {
        return escaped(message);
    };
    let found = match found {
        "sequence" => "a list",
        "map" => "a table",
        // string "a"; integer `5`
        _ => found
            .strip_prefix("string ")
            .or_else(|| found.split('`').nth(1))
            .unwrap_or(found),
    };
    escaped(&format!("must be {expected}, not {found}"))
}

/// A path for a message.
pub(super) fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// Text for a message, with control characters, line breaks and their like as escapes. Quotes and
/// backslashes stay.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => result.push(character),
            _ => result.extend(character.escape_debug()),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &str, expected: &str) {
        assert_eq!(
            hint(found, &["interfaces", "pin", "poll_interval"]),
            expected,
            "{found}"
        );
    }

    #[test]
    fn a_hint_names_the_key_that_was_meant_or_all() {
        check("intefaces", "did you mean \"interfaces\"?");
        check("Interface", "did you mean \"interfaces\"?");
        check("poll", "did you mean \"poll_interval\"?");
        check("pim", "did you mean \"pin\"?");
        let all = "allowed here: \"interfaces\", \"pin\", \"poll_interval\"";
        check("frequency", all);
        check("", all);
        check(&"x".repeat(10_000), all);
    }

    #[test]
    fn text_for_a_message_is_one_line() {
        assert_eq!(
            escaped("a\nb\u{1b}[31m \"c\" \\d é"),
            "a\\nb\\u{1b}[31m \"c\" \\d é"
        );
    }
}
