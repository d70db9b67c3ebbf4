//! The text of a file, and where in it something is.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::error::{ConfigError, Mistake, Place};

/// Most bytes of a configuration file. A hundred thousand registered devices fit.
pub(super) const MAX_BYTES: u64 = 32 << 20;

/// A file as read: UTF-8, without a byte order mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// Where it was read from.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) text: String,
}

impl Source {
    /// Reads a file.
    pub(super) fn open(path: &Path) -> io::Result<Result<Self, ConfigError>> {
        Ok(Self::new(path, read_at_most(path, MAX_BYTES)?))
    }

    /// Takes bytes for the content of a file.
    pub(super) fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let path = path.to_owned();
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = match text.strip_prefix('\u{feff}') {
                    Some(rest) => rest.to_owned(),
                    None => text,
                };
                Ok(Self { path, text })
            }
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let place = place(&path, error.as_bytes(), valid);
                Err(ConfigError::Content {
                    place,
                    mistake: Mistake::NotUtf8.into(),
                })
            }
        }
    }

    /// Where the byte at `offset` is.
    pub(super) fn place(&self, offset: usize) -> Place {
        place(&self.path, self.text.as_bytes(), offset)
    }

    /// A mistake at the byte at `offset`.
    pub(super) fn mistake(&self, offset: usize, mistake: Mistake) -> ConfigError {
        ConfigError::Content {
            place: self.place(offset),
            mistake: mistake.into(),
        }
    }

    /// The directory that relative paths in the file start from.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// Reads a file that must not be larger than `limit` bytes.
pub(super) fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let reason = format!("larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(bytes)
}

/// Lines and columns start at 1; a column is a character.
fn place(path: &Path, text: &[u8], offset: usize) -> Place {
    let before = &text[..offset.min(text.len())];
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let is_first_of_char = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    Place {
        file: path.to_owned(),
        line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
        column: 1 + before[line_start..].iter().filter(is_first_of_char).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, offset: usize, expected: (usize, usize)) {
        let source = Source::new(Path::new("f"), text.into()).unwrap();
        let place = source.place(offset);
        assert_eq!((place.line, place.column), expected, "{text:?} at {offset}");
    }

    #[test]
    fn lines_and_columns_start_at_one_and_count_characters() {
        check("", 0, (1, 1));
        check("abc", 2, (1, 3));
        check("a\nbc", 2, (2, 1));
        check("a\r\nbc", 4, (2, 2));
        check("äö = 1", 5, (1, 4));
        check("\u{feff}abc", 2, (1, 3));
        check("abc\n", 99, (2, 1));
    }

    #[test]
    fn bytes_that_are_no_text_have_a_place() {
        let error = Source::new(Path::new("f"), b"ab\nc\xff".to_vec()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "f:2:2: not UTF-8 text; save the file as UTF-8"
        );
    }

    #[test]
    fn a_file_over_the_limit_is_not_read_to_its_end() {
        let error = read_at_most(Path::new("/dev/zero"), 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
