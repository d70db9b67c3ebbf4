//! What devices are called by files, resolvers and themselves.
//!
//! Two tasks work apart from the loop: one follows files, one asks and listens. They tell what is new
//! over a bounded channel, and wait when it is full. What the loop hands over is dropped when they
//! can't keep up; it offers addresses again and again.

mod ask;
mod collected;
mod files;
mod hosts;
mod leases;
mod library;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::ask::{Ask, Reach};
use crate::{
    config,
    core::names::{NameFact, NameSource},
};

/// News that wait for the loop.
const MOST_TOLD: usize = 16;
/// Lists of addresses that wait to be asked about.
const MOST_ASKED: usize = 16;

/// Something is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Some names.
    Facts(Vec<NameFact>),
    /// This source is not asked any more: what it said counts no more.
    Nothing(NameSource),
}

/// The two tasks. They end when this is dropped.
pub struct Names {
    settings: watch::Sender<config::Names>,
    reach: watch::Sender<Reach>,
    asks: mpsc::Sender<Vec<Ask>>,
    told: mpsc::Receiver<Told>,
    _stop: DropGuard,
}

impl Names {
    /// Starts both tasks.
    pub fn start(settings: config::Names) -> Self {
        let stop = CancellationToken::new();
        let (settings, of_files) = watch::channel(settings);
        let of_asking = settings.subscribe();
        let (reach, around) = watch::channel(Reach::default());
        let (asks, asked) = mpsc::channel(MOST_ASKED);
        let (tell, told) = mpsc::channel(MOST_TOLD);
        let files = files::follow(of_files, tell.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(files));
        let asking = ask::answer(of_asking, around, asked, tell);
        tokio::spawn(stop.clone().run_until_cancelled_owned(asking));
        Self {
            settings,
            reach,
            asks,
            told,
            _stop: stop.drop_guard(),
        }
    }

    /// Waits for something new.
    pub async fn told(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            // Both tasks ended, and have said why.
            None => std::future::pending().await,
        }
    }

    /// Takes in other settings.
    pub fn reconfigure(&self, new: config::Names) {
        self.settings.send_if_modified(|settings| {
            let is_new = *settings != new;
            *settings = new;
            is_new
        });
    }

    /// Takes in what may be asked about, and where to listen.
    pub fn set_reach(&self, new: Reach) {
        self.reach.send_if_modified(|reach| {
            let is_new = *reach != new;
            *reach = new;
            is_new
        });
    }

    /// Addresses that somebody may be asked about. Returns whether they are taken.
    pub fn ask(&self, addresses: Vec<Ask>) -> bool {
        addresses.is_empty() || self.asks.try_send(addresses).is_ok()
    }
}
