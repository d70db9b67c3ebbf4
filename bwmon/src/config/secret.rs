//! Secrets: where they are kept, and that nobody sees them.

use std::{
    env, fmt, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{error::shown, source::read_at_most};

/// Most bytes of a file that holds a secret.
const MAX_BYTES: u64 = 64 << 10;

/// Text that never shows in a log, an error or the API.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` to itself.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// What a file holds.
    pub fn of_file(path: &Path) -> Result<Self, SecretError> {
        SecretOrigin::File(path.to_owned()).read()
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// There is no usable secret where one should be. Never says what is there.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read.
    #[error("{}: cannot be read: {reason}", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The environment variable does not exist.
    #[error("the environment variable {0:?} is not set")]
    Unset(String),
    /// There is nothing.
    #[error("{0} is empty; put the secret in, on one line")]
    Empty(SecretOrigin),
    /// There is more than one line, or something that is no text.
    #[error(
        "{0} is not one line of plain text; a secret has only printable ASCII characters and no spaces"
    )]
    NotPlain(SecretOrigin),
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The configuration itself.
    Here(Secret),
}

impl fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown(path)),
            Self::Variable(name) => write!(f, "the environment variable {name:?}"),
            Self::Here(_) => f.write_str("the value"),
        }
    }
}

impl SecretOrigin {
    /// Reads the value of a key that names a file, or is `env:NAME`; `directory` is where relative
    /// paths start.
    pub(super) fn of_file_key(value: &str, directory: &Path) -> Self {
        match value.strip_prefix("env:") {
            Some(name) => Self::Variable(name.to_owned()),
            None => Self::File(directory.join(value)),
        }
    }

    /// Reads the value of a key that is a secret itself, or `env:NAME`.
    pub(super) fn of_key(value: &str) -> Self {
        match value.strip_prefix("env:") {
            Some(name) => Self::Variable(name.to_owned()),
            None => Self::Here(Secret::new(value.to_owned())),
        }
    }

    /// Reads the secret from where it is.
    pub(super) fn read(self) -> Result<Secret, SecretError> {
        let bytes = match &self {
            Self::File(path) => {
                read_at_most(path, MAX_BYTES).map_err(|reason| SecretError::Unreadable {
                    path: path.clone(),
                    reason,
                })?
            }
            Self::Variable(name) => {
                // An empty name, or one with `=` or a zero, would panic or never be set.
                let valid = !name.is_empty() && !name.contains(['=', '\0']);
                let value = valid.then(|| env::var_os(name)).flatten();
                value
                    .ok_or_else(|| SecretError::Unset(name.clone()))?
                    .into_encoded_bytes()
            }
            Self::Here(secret) => secret.reveal().as_bytes().to_vec(),
        };
        let line = bytes.trim_ascii_end();
        if line.is_empty() {
            return Err(SecretError::Empty(self));
        }
        match str::from_utf8(line) {
            Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Secret::new(text.to_owned()))
            }
            _ => Err(SecretError::NotPlain(self)),
        }
    }

    /// What the owner should know about how it is kept.
    pub(super) fn warning(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        let mode = path.metadata().ok()?.mode();
        (mode & 0o004 != 0).then(|| {
            let path = shown(path);
            format!("{path} holds a secret and can be read by every user; run chmod o-r on it")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn check(content: &[u8], expected: Result<&str, &str>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, content).unwrap();
        let read = SecretOrigin::of_file_key("token", directory.path()).read();
        let path = path.display().to_string();
        let read = read.map_err(|error| error.to_string().replace(&path, "FILE"));
        assert_eq!(
            read.as_ref().map(Secret::reveal).map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn a_secret_is_one_line() {
        check(b"hunter2", Ok("hunter2"));
        check(b"hunter2\n", Ok("hunter2"));
        check(b"hunter2\r\n", Ok("hunter2"));
        let empty = Err("FILE is empty; put the secret in, on one line");
        check(b"", empty);
        check(b"\n", empty);
        let not_plain = Err(
            "FILE is not one line of plain text; a secret has only printable ASCII \
                             characters and no spaces",
        );
        check(b"one\ntwo\n", not_plain);
        check(b"one two", not_plain);
        check(b"\xff", not_plain);
        check(
            &[b'x'; 1 << 17],
            Err("FILE: cannot be read: larger than 65536 bytes"),
        );
    }

    #[test]
    fn a_secret_comes_from_the_environment() {
        let read = |value: &str| SecretOrigin::of_file_key(value, Path::new("")).read();
        let directory = read("env:CARGO_MANIFEST_DIR").unwrap();
        assert_eq!(directory.reveal(), env!("CARGO_MANIFEST_DIR"));
        for name in ["", "NO SUCH VARIABLE", "A=B", "A\0"] {
            let error = read(&format!("env:{name}")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the environment variable {name:?} is not set"),
            );
        }
    }

    #[test]
    fn a_file_that_everybody_can_read_is_warned_of() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let origin = SecretOrigin::File(file.path().to_owned());
        for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true)] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(origin.warning().is_some(), expected, "{mode:o}");
        }
    }

    #[test]
    fn a_secret_shows_nowhere() {
        assert_eq!(
            format!("{:?}", Secret::new("hunter2".to_owned())),
            "Secret(…)"
        );
    }
}
