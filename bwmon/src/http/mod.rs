//! The HTTP interface: what the last snapshot says, as JSON, and the few things that can be changed.
//!
//! It reads snapshots and facts through channels and holds nothing up: no handler that reads waits
//! for the loop, and no client, however slow, keeps more than one connection's small buffers busy.
//! What is to be changed is a [`Request`] to the loop; but for what the owner says of single devices,
//! which is changed in its file, and read from there. [`routes`] says how a route is added.

mod alerts;
mod array;
mod commands;
mod conditional;
mod csv;
mod dashboard;
mod devices;
mod format;
mod guard;
mod health;
mod history;
mod listen;
mod metrics;
mod openapi;
mod page;
mod pieces;
mod problem;
mod query;
mod registered;
mod report;
mod routes;
mod server;
mod shapes;
mod stall;
mod status;
mod stream;
mod tables;
mod usage_report;

#[cfg(test)]
pub(crate) mod fixture;

use std::{
    fmt::Display,
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::registered::Editing;
pub use self::{
    commands::{Refused, Reply, Request},
    health::Heartbeat,
    history::Archive,
    listen::{Bound, SocketFile, bind},
    registered::{Registered, Registration, Reload},
    status::StatusReport,
};
use self::{
    conditional::{Start, Tag},
    format::Format,
    stream::Streams,
};
pub(crate) use self::{
    csv::{Record, csv_text},
    problem::ProblemBody,
};
use crate::{config::Secret, core::view::Snapshot};

/// What the interface is made of.
#[derive(Debug)]
pub struct Deps {
    /// The listener, from [`bind`].
    pub listen: Bound,
    /// What is shown.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// What is shown and does not come from samples.
    pub facts: Arc<Process>,
    /// The last sample, for `/healthz`; `None` before the first.
    pub heartbeat: watch::Receiver<Option<Heartbeat>>,
    /// What readers must show. A reload may change it.
    pub token: watch::Receiver<Option<Secret>>,
    /// What is to be changed.
    pub requests: mpsc::Sender<Request>,
    /// Where the registered devices are.
    pub registered: Registered,
    /// What moved, for years.
    pub archive: Archive,
}

/// This process.
#[derive(Debug)]
pub struct Process {
    /// Of bwmon.
    pub version: String,
    /// The machine it runs on.
    pub host: String,
    /// When it started: RFC 3339 with offset.
    pub started_at: String,
    /// The same on the monotonic clock.
    pub started: Instant,
    /// The configuration in force, without secrets. A reload changes it.
    pub configuration: watch::Receiver<Arc<serde_json::Value>>,
    /// How many devices have metrics of their own. A reload changes it.
    pub max_metrics: watch::Receiver<usize>,
}

/// Why the interface does not work.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, is not ours, or needs privileges.
    #[error("cannot listen on {listen} (http.listen or --listen chooses another address)")]
    Bind {
        /// Where it should have listened.
        listen: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// Another process answers on the Unix socket.
    #[error(
        "cannot listen on unix:{}: another process answers on it (is bwmon running already?)",
        path.display()
    )]
    SocketInUse {
        /// Of the socket.
        path: PathBuf,
    },
    /// The path of the Unix socket holds something else, which is left alone.
    #[error("cannot listen on unix:{}: there is a file that is not a socket", path.display())]
    NotASocket {
        /// Of the file.
        path: PathBuf,
    },
    /// A socket file of an earlier process could not be examined or removed.
    #[error("cannot take over the socket left at {}", path.display())]
    StaleSocket {
        /// Of the socket.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The description of the API could not be written as JSON.
    #[error("cannot describe the API as JSON (this is a fault of bwmon; please report it)")]
    Describe {
        /// What serde says.
        source: serde_json::Error,
    },
    /// The listener could not be handed to the event loop.
    #[error("cannot serve on {listen}")]
    Serve {
        /// Where it listens.
        listen: String,
        /// What the kernel says.
        source: io::Error,
    },
}

/// Serves until `shutdown`, then gives open requests a second to end.
///
/// # Errors
///
/// When the listener can't be used at all. A connection that fails concerns nobody else.
pub async fn serve(deps: Deps, shutdown: CancellationToken) -> Result<(), HttpError> {
    let Deps {
        listen,
        snapshot,
        facts,
        heartbeat,
        token,
        requests,
        registered,
        archive,
    } = deps;
    let app = App {
        snapshot,
        facts,
        heartbeat,
        token,
        requests,
        editing: Arc::new(Editing::new(registered)),
        archive,
        reach: listen.reach(),
        start: Start::new(),
        streams: Streams::new(shutdown.clone()),
    };
    let router = routes::router(app).map_err(|source| HttpError::Describe { source })?;
    server::run(listen, router, LIMITS, shutdown).await
}

/// Fits a router with 128 MB: 64 clients that each ask for 65,536 addresses (27 MB) and read none of
/// them cost 3.4 MB in all, and after the time-out nothing.
const LIMITS: server::Limits = server::Limits {
    connections: 64,
    head: Duration::from_secs(10),
    stall: Duration::from_secs(10),
    grace: Duration::from_secs(1),
};

/// What every handler can see.
#[derive(Debug)]
struct App {
    snapshot: watch::Receiver<Arc<Snapshot>>,
    facts: Arc<Process>,
    heartbeat: watch::Receiver<Option<Heartbeat>>,
    token: watch::Receiver<Option<Secret>>,
    requests: mpsc::Sender<Request>,
    editing: Arc<Editing>,
    archive: Archive,
    reach: guard::Reach,
    start: Start,
    streams: Streams,
}

impl App {
    /// The latest snapshot. It is borrowed only to count up its `Arc`.
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Whether one who may read may also change something.
    fn can_change(&self) -> bool {
        self.reach == guard::Reach::Unix || self.token.borrow().is_some()
    }

    /// Of a list in this format that has a version.
    fn tag(&self, version: impl Display, format: Format) -> Tag {
        let format = format.as_str();
        self.start.tag(format_args!("{version}.{format}"))
    }
}
