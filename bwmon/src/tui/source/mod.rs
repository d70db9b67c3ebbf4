//! Where samples come from: a daemon, by its live stream, or the engine in this process.
//!
//! Either is a task that sends what is new over a bounded channel, and waits when nobody takes it.

mod alone;
mod daemon;
mod events;

use std::{future::Future, sync::Arc};

use anyhow::Context;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::model::{Past, Want};
use crate::{cli::Client, config::Config, core::view::AlertView, live::LiveSnapshot};

/// News that wait to be taken.
const WAITING: usize = 4;

/// What is new.
#[derive(Debug)]
pub(crate) enum Update {
    /// The machine is called so.
    Host(String),
    /// A sample.
    Sample(Box<LiveSnapshot>),
    /// Something happened to an alert.
    Alert(Arc<AlertView>),
    /// No samples come any more, for this reason. It is being tried again.
    Lost(String),
    /// What was wanted of the past.
    Past(Want, Past),
}

/// Brings samples until it is closed.
#[derive(Debug)]
pub(crate) struct Source {
    updates: mpsc::Receiver<Update>,
    want: watch::Sender<Option<Want>>,
    end: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// The other end.
struct Outlet {
    updates: mpsc::Sender<Update>,
    want: watch::Receiver<Option<Want>>,
    end: CancellationToken,
}

/// Nobody takes updates any more.
struct Closed;

impl Source {
    /// What a daemon tells.
    pub(crate) fn of_daemon(client: Client) -> Self {
        Self::start(|outlet| daemon::follow(client, outlet))
    }

    /// What is counted in this process, and ends with it.
    pub(crate) fn alone(config: Config) -> Self {
        Self::start(|outlet| alone::count(config, outlet))
    }

    fn start<F>(task: impl FnOnce(Outlet) -> F) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let (sender, updates) = mpsc::channel(WAITING);
        let (want, wanted) = watch::channel(None);
        let end = CancellationToken::new();
        let task = tokio::spawn(task(Outlet {
            updates: sender,
            want: wanted,
            end: end.clone(),
        }));
        Self {
            updates,
            want,
            end,
            task,
        }
    }

    /// The next thing that is new; `None`: there will be no more, and [`Self::close`] says why.
    pub(crate) async fn next(&mut self) -> Option<Update> {
        self.updates.recv().await
    }

    /// What of the past is to be told, now and each minute.
    pub(super) fn want(&self, want: Option<Want>) {
        self.want.send_if_modified(|wanted| {
            let is_other = *wanted != want;
            *wanted = want;
            is_other
        });
    }

    /// Ends it, and waits until nothing is left of it.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let Self {
            updates,
            want: _,
            end,
            task,
        } = self;
        end.cancel();
        drop(updates);
        task.await.context("the source of samples ended badly")?
    }
}

impl Outlet {
    async fn send(&self, update: Update) -> Result<(), Closed> {
        self.updates.send(update).await.map_err(|_| Closed)
    }
}
