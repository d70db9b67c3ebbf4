//! One `[[notify]]`: reads its keys, and tells mistakes with their place.
//!
//! Keys are named with their table, as messages name them: `notify.url`.

use std::fs;

use toml::Spanned;

use super::{
    super::{
        Secret,
        error::{ConfigError, Mistake},
        reader::{ReadSecret, Reader},
        secret::SecretOrigin,
        source::read_at_most,
        value::{Scalar, ValueError},
    },
    Authorities, ChannelError, Login,
    value::{Table, Value},
};

/// Before the name of a key.
const PREFIX: &str = "notify.";
/// Most bytes of a file that a key names.
const MAX_BYTES: u64 = 256 << 10;

pub(super) struct Entry<'a, 'r, 's> {
    pub(super) table: &'a Table<Value>,
    /// Where it starts.
    pub(super) start: usize,
    pub(super) reader: &'r mut Reader<'s>,
}

impl<'a> Entry<'a, '_, '_> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Spanned<Value>> {
        self.table.get(key.strip_prefix(PREFIX).unwrap_or(key))
    }

    /// The value of a key, where it is there.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Scalar) -> Result<T, ValueError>,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.scalar(key);
        self.reader.get(key, value.as_ref(), read)
    }

    /// The value of a key that must be there.
    pub(super) fn must<T>(
        &self,
        key: &'static str,
        allowed: &'static str,
        read: impl FnOnce(&Scalar) -> Result<T, ValueError>,
    ) -> Result<T, ConfigError> {
        self.read(key, read)?
            .ok_or_else(|| self.missing(key, allowed))
    }

    /// A text that must be there: one line, not empty.
    pub(super) fn line(
        &self,
        key: &'static str,
        allowed: &'static str,
    ) -> Result<String, ConfigError> {
        self.must(key, allowed, |value| line(value, allowed))
    }

    /// The values of a key that takes one or several.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        mut read: impl FnMut(&Scalar) -> Result<T, ValueError>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match value.get_ref() {
            Value::List(list) if list.is_empty() => {
                Err(self.mistake(key, value, ChannelError::EmptyList))
            }
            Value::List(list) => list
                .iter()
                .map(|item| self.reader.read(key, item, &mut read))
                .collect::<Result<Vec<_>, _>>()
                .map(Some),
            _ => Ok(self.read(key, read)?.map(|value| vec![value])),
        }
    }

    /// A secret, in the key or in the file that the other key names.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
    ) -> Result<Option<Secret>, ConfigError> {
        self.secret_by(key, file_key, SecretOrigin::read)
    }

    fn secret_by(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        read: ReadSecret,
    ) -> Result<Option<Secret>, ConfigError> {
        self.only_one(key, file_key)?;
        if let Some(value) = self.scalar(key) {
            return self.reader.read_value(key, &value, read).map(Some);
        }
        let value = self.scalar(file_key);
        let value = value.as_ref();
        value
            .map(|value| self.reader.read_secret(file_key, value, read))
            .transpose()
    }

    /// A secret that must be there.
    pub(super) fn must_secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        allowed: &'static str,
    ) -> Result<Secret, ConfigError> {
        self.secret(key, file_key)?
            .ok_or_else(|| self.missing(key, allowed))
    }

    /// Name and password, both or neither.
    pub(super) fn login(&mut self) -> Result<Option<Login>, ConfigError> {
        const NAME: &str = "the name to log in with";
        let username = self.read("notify.username", |value| line(value, NAME))?;
        let (key, file_key) = ("notify.password", "notify.password_file");
        let password = self.secret_by(key, file_key, SecretOrigin::read_line)?;
        match (username, password) {
            (Some(username), Some(password)) => Ok(Some(Login { username, password })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(self.missing("notify.username", NAME)),
            (Some(_), None) => {
                let allowed = "that of username, or password_file a file with it";
                Err(self.missing("notify.password", allowed))
            }
        }
    }

    /// The authorities in `ca_file`.
    pub(super) fn authorities(&self) -> Result<Option<Authorities>, ConfigError> {
        const KEY: &str = "notify.ca_file";
        self.read(KEY, |value| {
            let pem = self.file(value, "a file with certificates in PEM")?;
            Ok(Authorities::from_pem(&pem).ok_or(ChannelError::NoCertificates)?)
        })
    }

    /// What is in the file that a key names.
    pub(super) fn file(&self, value: &Scalar, allowed: &str) -> Result<Vec<u8>, ValueError> {
        let path = self.reader.source.directory().join(value.path(allowed)?);
        // A directory would only be told by its number.
        let read = fs::metadata(&path).and_then(|_| read_at_most(&path, MAX_BYTES));
        read.map_err(|reason| ValueError::Unreadable { path, reason })
    }

    /// Refuses two keys that say the same.
    pub(super) fn only_one(
        &self,
        key: &'static str,
        other: &'static str,
    ) -> Result<(), ConfigError> {
        match (self.get(key), self.get(other)) {
            (Some(_), Some(value)) => {
                let bare = |key: &'static str| key.strip_prefix(PREFIX).unwrap_or(key);
                let reason = ChannelError::Twice(bare(key), bare(other));
                Err(self.mistake(other, value, reason))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn missing(&self, key: &'static str, allowed: &'static str) -> ConfigError {
        let mistake = Mistake::MissingKey { key, allowed };
        self.reader.source.mistake(self.start, mistake)
    }

    pub(super) fn mistake(
        &self,
        key: &'static str,
        value: &Spanned<Value>,
        reason: ChannelError,
    ) -> ConfigError {
        let reason = reason.into();
        let mistake = Mistake::Value { key, reason };
        self.reader.source.mistake(value.span().start, mistake)
    }

    fn scalar(&self, key: &'static str) -> Option<Spanned<Scalar>> {
        let value = self.get(key)?;
        Some(Spanned::new(value.span(), value.get_ref().scalar()))
    }
}

/// Text of one line; `allowed` says of which kind.
pub(super) fn line(value: &Scalar, allowed: &str) -> Result<String, ValueError> {
    match value.text(allowed)? {
        text if text.trim().is_empty() || text.contains(char::is_control) => {
            Err(ValueError::NotAllowed {
                found: value.to_string(),
                allowed: allowed.to_owned(),
            })
        }
        text => Ok(text.to_owned()),
    }
}
