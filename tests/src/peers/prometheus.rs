//! Prometheus itself: scrapes, evaluates rules, and answers queries.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{directory, server, start};
use crate::{http::exchange, namespace::Namespace, process::Process};

const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 9090);

/// A Prometheus on the namespace's loopback that scrapes one target often.
#[derive(Debug)]
pub struct Prometheus {
    namespace: Arc<Namespace>,
    _process: Process,
    _directory: TempDir,
}

impl Prometheus {
    /// Starts it, with `target` for the job `job`, and these rules.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn start(namespace: &Arc<Namespace>, job: &str, target: SocketAddr, rules: &Path) -> Self {
        let directory = directory();
        let config = directory.path().join("prometheus.yml");
        let rules = fs::canonicalize(rules).expect("find the rules");
        let text = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}\n\
             rule_files: ['{}']\n\
             scrape_configs: [{{ job_name: '{job}', static_configs: [{{ targets: ['{target}'] }}] }}]\n",
            rules.display()
        );
        fs::write(&config, text).expect("write the configuration of Prometheus");
        let address = SocketAddr::from(ADDRESS);
        let mut command = server("prometheus");
        let data = directory.path().join("data");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(directory.path());
        let log = directory.path().join("log");
        let process = start(namespace, &mut command, &log, &[address]);
        Self {
            namespace: Arc::clone(namespace),
            _process: process,
            _directory: directory,
        }
    }

    /// What a query yields now: its series, each with `metric` and `value`.
    ///
    /// # Errors
    /// When it does not understand the query.
    pub fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let data = self.ask(&format!("/api/v1/query?query={}", encoded(query)))?;
        let result = data["result"].as_array().cloned();
        result.ok_or_else(|| format!("{query}: no series: {data}"))
    }

    /// The values of a label of these series.
    ///
    /// # Errors
    /// When it does not understand what series these are.
    pub fn label_values(&self, series: &str, label: &str) -> Result<Vec<String>, String> {
        let data = self.ask(&format!(
            "/api/v1/label/{label}/values?match[]={}",
            encoded(series)
        ))?;
        serde_json::from_value(data).map_err(|error| error.to_string())
    }

    /// Its rules, with what became of them.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn rules(&self) -> Result<Vec<Value>, String> {
        let data = self.ask("/api/v1/rules")?;
        let groups = data["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        Ok(rules.cloned().collect())
    }

    fn ask(&self, path: &str) -> Result<Value, String> {
        let address = SocketAddr::from(ADDRESS);
        let stream = self.namespace.enter(|| TcpStream::connect(address));
        let response = stream
            .and_then(|stream| exchange(stream, "GET", &address.to_string(), path, &[]))
            .map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&response.body)
            .map_err(|error| format!("{error} in {}", response.body))?;
        if answer["status"] != "success" {
            return Err(format!("{path}: {answer}"));
        }
        Ok(answer["data"].take())
    }
}

/// For a query string, whatever is in it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
