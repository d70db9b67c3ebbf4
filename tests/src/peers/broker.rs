//! Eclipse Mosquitto, and its own client as the subscriber.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Certificate, directory, server, start};
use crate::{
    namespace::Namespace,
    process::{Process, finish},
    wait::{SOON, wait_until},
};

const PLAIN: u16 = 1883;
const TLS: u16 = 8883;

/// A broker on the namespace's loopback, at the usual ports, that takes one login only.
#[derive(Debug)]
pub struct Broker {
    namespace: Arc<Namespace>,
    directory: TempDir,
    _process: Process,
    subscriber: Option<Process>,
}

/// A message as the subscriber got it.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where to.
    pub topic: String,
    /// How sure its delivery is: 0, 1 or 2.
    pub qos: u64,
    /// The text.
    pub payload: Value,
}

impl Broker {
    /// The name to log in with.
    pub const USER: &'static str = "bwmon";
    /// The password to log in with.
    pub const PASSWORD: &'static str = "tide-mqtt-4711";

    /// Starts it. With a certificate it also speaks TLS.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn start(namespace: &Arc<Namespace>, certificate: &Certificate) -> Self {
        let directory = directory();
        let path = |name: &str| directory.path().join(name);
        let mut hash = server("mosquitto_passwd");
        hash.args(["-c", "-b"]).arg(path("passwords"));
        let hashed = finish(hash.args([Self::USER, Self::PASSWORD]));
        assert!(hashed.status.success(), "{hashed:?}");
        let Certificate { certificate, key } = certificate;
        let config = format!(
            "user root\n\
             persistence false\n\
             allow_anonymous false\n\
             password_file {}\n\
             log_type all\n\
             log_dest stderr\n\
             listener {PLAIN} 127.0.0.1\n\
             listener {TLS} 127.0.0.1\n\
             certfile {}\n\
             keyfile {}\n",
            path("passwords").display(),
            certificate.display(),
            key.display(),
        );
        fs::write(path("config"), config).expect("write the configuration of the broker");
        let mut command = server("mosquitto");
        command.arg("-c").arg(path("config"));
        let listens = [PLAIN, TLS].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let process = start(namespace, &mut command, &path("log"), &listens);
        Self {
            namespace: Arc::clone(namespace),
            directory,
            _process: process,
            subscriber: None,
        }
    }

    /// Its address without TLS.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{PLAIN}")
    }

    /// Its address with TLS.
    pub fn tls_url(&self) -> String {
        format!("mqtts://127.0.0.1:{TLS}")
    }

    /// Subscribes to a topic, and waits until the broker knows.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn subscribe(&mut self, topic: &str) {
        let received = fs::File::create(self.received()).expect("make a file for what is received");
        let mut command = Command::new("mosquitto_sub");
        command
            .args(["-h", "127.0.0.1", "-p", &PLAIN.to_string(), "-q", "1"])
            .args(["-u", Self::USER, "-P", Self::PASSWORD, "-t", topic])
            // A line of JSON for each message.
            .args(["-F", "%j"])
            .stdin(Stdio::null())
            .stdout(received);
        self.subscriber = Some(self.namespace.enter(|| Process::spawn(&mut command)));
        wait_until("the broker to know the subscriber", SOON, || {
            let log = self.log();
            if log.contains("Sending SUBACK to") {
                Ok(())
            } else {
                Err(log)
            }
        });
    }

    /// What the broker said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// All that the subscriber got, in order.
    ///
    /// # Panics
    /// When the subscriber wrote something else.
    #[track_caller]
    pub fn published(&self) -> Vec<Published> {
        let lines = fs::read_to_string(self.received()).expect("read what was received");
        // The last line may not be complete yet.
        let complete = lines.rfind('\n').map_or("", |end| &lines[..end]);
        complete.lines().map(Published::read).collect()
    }

    /// Waits for a message.
    ///
    /// # Panics
    /// When it does not come, with those that did.
    #[track_caller]
    pub fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        matches: impl Fn(&Published) -> bool,
    ) -> Published {
        wait_until(what, deadline, || {
            let published = self.published();
            let found = published.iter().find(|message| matches(message)).cloned();
            found.ok_or_else(|| format!("{published:#?}\n{}", self.log()))
        })
    }

    fn received(&self) -> PathBuf {
        self.directory.path().join("received")
    }
}

impl Published {
    #[track_caller]
    fn read(line: &str) -> Self {
        let message: Value = serde_json::from_str(line).expect("a line of mosquitto_sub is JSON");
        let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
        let payload = text("payload");
        Self {
            topic: text("topic"),
            qos: message["qos"].as_u64().unwrap_or_default(),
            payload: serde_json::from_str(&payload).unwrap_or(Value::String(payload)),
        }
    }
}
