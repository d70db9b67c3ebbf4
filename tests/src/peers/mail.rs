//! A mail server.

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Arc, time::Duration};

use serde::Deserialize;
use tempfile::TempDir;

use super::{Certificate, directory, start};
use crate::{namespace::Namespace, process::Process, wait::wait_until};

const STARTTLS: u16 = 587;
const TLS: u16 = 465;

/// A mail server on the namespace's loopback, at the usual ports. It takes mail only by TLS and
/// after a log-in, and keeps it.
#[derive(Debug)]
pub struct MailServer {
    directory: TempDir,
    _process: Process,
}

/// A mail as the server got it, read by Python's standard library.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// The port it came to.
    pub port: u16,
    /// Who logged in.
    pub login: String,
    /// Of the envelope.
    pub sender: String,
    /// Of the envelope.
    pub recipients: Vec<String>,
    /// All headers, decoded, names in lower case, with the values of each.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Text for people, decoded.
    pub text: String,
}

impl MailServer {
    /// The name to log in with.
    pub const USER: &'static str = "router@example.org";
    /// The password to log in with.
    pub const PASSWORD: &'static str = "tide-smtp-4711";

    /// Starts it.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn start(namespace: &Arc<Namespace>, certificate: &Certificate) -> Self {
        let directory = directory();
        let inbox = directory.path().join("inbox");
        fs::create_dir(&inbox).expect("make the inbox");
        // Debian's own Python is the one that has aiosmtpd.
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/peers/mail_server.py"))
            .args([&certificate.certificate, &certificate.key, &inbox])
            .args([Self::USER, Self::PASSWORD])
            .args([STARTTLS.to_string(), TLS.to_string()]);
        let listens = [STARTTLS, TLS].map(|port| ([127, 0, 0, 1], port).into());
        let log = directory.path().join("log");
        let process = start(namespace, &mut command, &log, &listens);
        Self {
            directory,
            _process: process,
        }
    }

    /// The port that begins without TLS.
    pub fn starttls_port(&self) -> u16 {
        STARTTLS
    }

    /// The port of TLS from the start.
    pub fn tls_port(&self) -> u16 {
        TLS
    }

    /// What came, in order.
    ///
    /// # Panics
    /// When the server wrote something else.
    #[track_caller]
    pub fn inbox(&self) -> Vec<Mail> {
        let entries = fs::read_dir(self.directory.path().join("inbox")).expect("list the inbox");
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
        paths.sort();
        let read = |path| fs::read_to_string(path).expect("read a mail");
        let mails = paths.iter().map(read);
        mails
            .map(|mail| serde_json::from_str(&mail).expect("a mail is JSON"))
            .collect()
    }

    /// Waits for a mail.
    ///
    /// # Panics
    /// When it does not come, with those that did.
    #[track_caller]
    pub fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        matches: impl Fn(&Mail) -> bool,
    ) -> Mail {
        wait_until(what, deadline, || {
            let inbox = self.inbox();
            let found = inbox.iter().find(|mail| matches(mail)).cloned();
            found.ok_or_else(|| {
                let log = fs::read_to_string(self.directory.path().join("log"));
                format!("{inbox:#?}\n{}", log.unwrap_or_default())
            })
        })
    }
}

impl Mail {
    /// The only header of that name.
    ///
    /// # Panics
    /// When there are none or several.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        match self.headers.get(name).map(Vec::as_slice) {
            Some([value]) => value,
            values => panic!("{name}: {values:?} in {self:#?}"),
        }
    }
}
