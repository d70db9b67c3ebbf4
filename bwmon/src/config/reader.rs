//! Reads the values of `bwmon.toml`, and gives their mistakes a key and a place.

use toml::Spanned;

use super::{
    error::{ConfigError, Mistake},
    secret::{Secret, SecretError, SecretOrigin},
    source::Source,
    value::{Scalar, ValueError},
};

/// What a secret may be.
pub(super) type ReadSecret = fn(SecretOrigin) -> Result<Secret, SecretError>;

/// Reads the values of one file.
pub(super) struct Reader<'a> {
    /// What is read.
    pub(super) source: &'a Source,
    /// What the owner should know.
    pub(super) warnings: Vec<String>,
}

impl Reader<'_> {
    /// Reads the value of a key.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        value: &Spanned<Scalar>,
        read: impl FnOnce(&Scalar) -> Result<T, ValueError>,
    ) -> Result<T, ConfigError> {
        read(value.get_ref()).map_err(|reason| {
            self.source
                .mistake(value.span().start, Mistake::Value { key, reason })
        })
    }

    /// Reads the value of a key if it is there.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        value: Option<&Spanned<Scalar>>,
        read: impl FnOnce(&Scalar) -> Result<T, ValueError>,
    ) -> Result<Option<T>, ConfigError> {
        value.map(|value| self.read(key, value, read)).transpose()
    }

    /// Reads the secret in the file that a key names.
    pub(super) fn read_secret(
        &mut self,
        key: &'static str,
        value: &Spanned<Scalar>,
        read: ReadSecret,
    ) -> Result<Secret, ConfigError> {
        let directory = self.source.directory();
        let allowed = "a file that holds the secret, \"env:NAME\" or \"credential:NAME\"";
        let (secret, warning) = self.read(key, value, |value| {
            let text = value.path(allowed).and_then(|_| value.text(allowed))?;
            let origin = SecretOrigin::of_file_key(text, directory);
            let warning = origin.warning();
            Ok((read(origin)?, warning))
        })?;
        self.warnings.extend(warning);
        Ok(secret)
    }

    /// Reads the secret that a key holds.
    pub(super) fn read_value(
        &self,
        key: &'static str,
        value: &Spanned<Scalar>,
        read: ReadSecret,
    ) -> Result<Secret, ConfigError> {
        let allowed = "text, \"env:NAME\" or \"credential:NAME\"";
        self.read(key, value, |value| {
            Ok(read(SecretOrigin::of_key(value.text(allowed)?))?)
        })
    }

    /// Reads the secret in the file that a key names, if it does.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        value: Option<&Spanned<Scalar>>,
    ) -> Result<Option<Secret>, ConfigError> {
        value
            .map(|value| self.read_secret(key, value, SecretOrigin::read))
            .transpose()
    }
}
