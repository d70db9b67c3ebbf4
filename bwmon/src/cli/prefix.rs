//! Ids, of which people write the first characters.

use std::collections::HashSet;

use super::printable::printable;

/// Fewer characters are too easily those of another id tomorrow.
const SHORTEST: usize = 4;

/// What was written names no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PrefixError {
    /// It could be too many.
    #[error("{0:?} is too short: write at least {SHORTEST} characters of the id")]
    TooShort(String),
    /// It is none.
    #[error("there is no {what} whose id begins with {text:?}")]
    None {
        /// What was looked for.
        what: &'static str,
        /// What was written.
        text: String,
    },
    /// It is several.
    #[error("there are several {what}s whose ids begin with {text:?}: {}", .ids.join(", "))]
    Several {
        /// What was looked for.
        what: &'static str,
        /// What was written.
        text: String,
        /// All of them.
        ids: Vec<String>,
    },
}

/// The id that is this text, else the only one that begins with it.
pub(super) fn find<'a>(
    what: &'static str,
    ids: impl IntoIterator<Item = &'a str>,
    text: &str,
) -> Result<&'a str, PrefixError> {
    let found: Vec<&str> = ids.into_iter().filter(|id| id.starts_with(text)).collect();
    if let Some(id) = found.iter().find(|id| **id == text) {
        return Ok(id);
    }
    if text.chars().count() < SHORTEST {
        return Err(PrefixError::TooShort(text.to_owned()));
    }
    let text = text.to_owned();
    match found[..] {
        [] => Err(PrefixError::None { what, text }),
        [id] => Ok(id),
        _ => Err(PrefixError::Several {
            what,
            text,
            ids: found.iter().map(|id| printable(id).into_owned()).collect(),
        }),
    }
}

/// How ids are shown: as short as they differ.
pub(super) struct Shown(usize);

impl Shown {
    pub(super) fn of<'a>(ids: impl Iterator<Item = &'a str>) -> Self {
        let ids: Vec<&str> = ids.collect();
        let longest = ids.iter().map(|id| id.chars().count()).max();
        let differ = |length: &usize| {
            let mut seen = HashSet::new();
            ids.iter().all(|id| seen.insert(first(id, *length)))
        };
        let length = (SHORTEST..longest.unwrap_or_default()).find(differ);
        Self(length.or(longest).unwrap_or_default())
    }

    pub(super) fn cut(&self, id: &str) -> String {
        printable(first(id, self.0)).into_owned()
    }
}

fn first(id: &str, length: usize) -> &str {
    id.char_indices()
        .nth(length)
        .map_or(id, |(end, _)| &id[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 5] = ["abcd-1", "abcd-2", "abce", "abcef", "ünïq"];

    #[test]
    fn the_first_characters_of_an_id_name_it_if_they_are_enough() {
        for (text, expected) in [
            ("abcd-1", Ok("abcd-1")),
            ("abce", Ok("abce")),
            ("abcef", Ok("abcef")),
            ("ünïq", Ok("ünïq")),
            (
                "ünï",
                Err("\"ünï\" is too short: write at least 4 characters of the id"),
            ),
            (
                "",
                Err("\"\" is too short: write at least 4 characters of the id"),
            ),
            (
                "abcd",
                Err("there are several mutes whose ids begin with \"abcd\": abcd-1, abcd-2"),
            ),
            (
                "x\u{1b}yz",
                Err("there is no mute whose id begins with \"x\\u{1b}yz\""),
            ),
        ] {
            let found = find("mute", IDS, text).map_err(|error| error.to_string());
            assert_eq!(
                found.as_ref().map_err(String::as_str),
                expected.as_ref().map_err(|text| *text),
                "{text}"
            );
        }
    }

    #[test]
    fn ids_are_shown_as_short_as_they_differ() {
        for (ids, expected) in [
            (&["abcdef", "bcdefg"][..], &["abcd", "bcde"][..]),
            (&["abcdef", "abcdxx"], &["abcde", "abcdx"]),
            (&["abcd", "abcdef"], &["abcd", "abcde"]),
            (&["a1"], &["a1"]),
            (&[], &[]),
        ] {
            let shown = Shown::of(ids.iter().copied());
            let cut: Vec<String> = ids.iter().map(|id| shown.cut(id)).collect();
            assert_eq!(cut, expected);
        }
    }
}
