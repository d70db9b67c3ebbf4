//! Secrets: where they are kept, and that nobody sees them.

use std::{
    env, fmt, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{error::shown, source::read_at_most};

/// Most bytes of a file that holds a secret.
const MAX_BYTES: u64 = 64 << 10;
/// Where systemd puts what it hands over.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

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
    /// systemd hands over no credentials, or the name is that of no file.
    #[error(
        "there is no credential {0:?}; name it in LoadCredential= of the unit, and start bwmon by systemd"
    )]
    NoCredential(String),
    /// There is nothing.
    #[error("{0} is empty; put the secret in, on one line")]
    Empty(SecretOrigin),
    /// There is more than one line, or something that is no text.
    #[error(
        "{0} is not one line of plain text; a secret has only printable ASCII characters, and but for passwords and headers no spaces"
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
    /// A file that systemd hands over, by its name.
    Credential(String),
    /// The configuration itself.
    Here(Secret),
}

impl fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown(path)),
            Self::Variable(name) => write!(f, "the environment variable {name:?}"),
            Self::Credential(name) => write!(f, "the credential {name:?}"),
            Self::Here(_) => f.write_str("the value"),
        }
    }
}

impl SecretOrigin {
    /// Reads the value of a key that names a file, or is `env:NAME` or `credential:NAME`; `directory`
    /// is where relative paths start.
    pub(super) fn of_file_key(value: &str, directory: &Path) -> Self {
        Self::elsewhere(value).unwrap_or_else(|| Self::File(directory.join(value)))
    }

    /// Reads the value of a key that is a secret itself, or `env:NAME` or `credential:NAME`.
    pub(super) fn of_key(value: &str) -> Self {
        Self::elsewhere(value).unwrap_or_else(|| Self::Here(Secret::new(value.to_owned())))
    }

    fn elsewhere(value: &str) -> Option<Self> {
        let (place, name) = value.split_once(':')?;
        match place {
            "env" => Some(Self::Variable(name.to_owned())),
            "credential" => Some(Self::Credential(name.to_owned())),
            _ => None,
        }
    }

    /// Reads a token or an address: it has no spaces.
    pub(super) fn read(self) -> Result<Secret, SecretError> {
        let secret = self.clone().read_line()?;
        if secret.reveal().contains(' ') {
            return Err(SecretError::NotPlain(self));
        }
        Ok(secret)
    }

    /// Reads what people chose, or what goes into a header: there may be spaces in it.
    pub(super) fn read_line(self) -> Result<Secret, SecretError> {
        let bytes = match &self {
            Self::File(path) => read_file(path)?,
            Self::Credential(name) => {
                // Only what systemd put there, so nothing that leads out of it.
                let is_name = !matches!(name.as_str(), "" | "." | "..") && !name.contains('/');
                let directory = env::var_os(CREDENTIALS).filter(|_| is_name);
                let directory = directory.ok_or_else(|| SecretError::NoCredential(name.clone()))?;
                read_file(&Path::new(&directory).join(name))?
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
            Ok(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
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

fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    read_at_most(path, MAX_BYTES).map_err(|reason| SecretError::Unreadable {
        path: path.to_owned(),
        reason,
    })
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
                             characters, and but for passwords and headers no spaces",
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
    fn a_password_may_have_spaces() {
        let read = |value: &str| SecretOrigin::of_key(value).read_line();
        assert_eq!(read("Basic abc ").unwrap().reveal(), "Basic abc");
        assert!(read("a\nb").is_err() && read("ä").is_err() && read(" ").is_err());
    }

    #[test]
    fn a_credential_is_a_file_of_systemd() {
        for name in ["hook", "", "..", "a/b"] {
            let error = SecretOrigin::of_key(&format!("credential:{name}")).read();
            let error = error.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("there is no credential {name:?}")),
                "{error}"
            );
        }
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
