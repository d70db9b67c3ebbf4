//! Prometheus' Alertmanager.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{directory, server, start};
use crate::{http::exchange, namespace::Namespace, process::Process};

const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 9093);

/// An Alertmanager on the namespace's loopback that tells nobody.
#[derive(Debug)]
pub struct Alertmanager {
    namespace: Arc<Namespace>,
    _process: Process,
    _directory: TempDir,
}

impl Alertmanager {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn start(namespace: &Arc<Namespace>) -> Self {
        let directory = directory();
        let config = directory.path().join("config.yml");
        fs::write(
            &config,
            "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n",
        )
        .expect("write the configuration of the Alertmanager");
        let address = SocketAddr::from(ADDRESS);
        let mut command = server("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", directory.path().display()))
            .arg(format!("--web.listen-address={address}"))
            // One alone.
            .arg("--cluster.listen-address=");
        let log = directory.path().join("log");
        let process = start(namespace, &mut command, &log, &[address]);
        Self {
            namespace: Arc::clone(namespace),
            _process: process,
            _directory: directory,
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", SocketAddr::from(ADDRESS))
    }

    /// The alerts that it holds for active, as API v2 has them.
    ///
    /// # Errors
    /// When it does not answer so.
    pub fn alerts(&self) -> Result<Vec<Value>, String> {
        let address = SocketAddr::from(ADDRESS);
        let stream = self.namespace.enter(|| TcpStream::connect(address));
        let path = "/api/v2/alerts";
        let response = stream
            .and_then(|stream| exchange(stream, "GET", &address.to_string(), path, &[]))
            .map_err(|error| error.to_string())?;
        serde_json::from_str(&response.body)
            .map_err(|error| format!("{error} in {}", response.body))
    }
}
