//! An authority that nobody trusts unless told to.

use std::path::PathBuf;

use tempfile::TempDir;

use super::directory;
use crate::process::run;

/// A private authority; its files are gone when it is dropped.
#[derive(Debug)]
pub struct Authority {
    directory: TempDir,
}

/// What a server shows, and the key to it, in PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one with a new key.
    ///
    /// # Panics
    /// When openssl is missing.
    #[track_caller]
    pub fn new() -> Self {
        let authority = Self {
            directory: directory(),
        };
        authority.openssl(&[
            "-keyout",
            &authority.path("ca.key"),
            "-out",
            &authority.path("ca.pem"),
            "-subj",
            "/CN=Authority of a test",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ]);
        authority
    }

    /// Its own certificate: what `ca_file` is to name.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for a server on loopback, by address and by `localhost`.
    ///
    /// # Panics
    /// When openssl fails.
    #[track_caller]
    pub fn for_loopback(&self) -> Certificate {
        self.openssl(&[
            "-CA",
            &self.path("ca.pem"),
            "-CAkey",
            &self.path("ca.key"),
            "-keyout",
            &self.path("server.key"),
            "-out",
            &self.path("server.pem"),
            "-subj",
            "/CN=localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
        ]);
        Certificate {
            certificate: self.directory.path().join("server.pem"),
            key: self.directory.path().join("server.key"),
        }
    }

    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    /// A new certificate with a new key.
    #[track_caller]
    fn openssl(&self, more: &[&str]) {
        let new = "req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        run("openssl", new.split(' ').chain(more.iter().copied()));
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
