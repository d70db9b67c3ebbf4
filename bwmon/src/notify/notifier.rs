//! All channels.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    pace::Pace,
    queue::{CAPACITY, Counts, Queue, Room},
    sender::Sender,
    worker::Worker,
};
use crate::{config::Channel, core::event::Event};

/// Delivers events to all channels. Nothing but [`shutdown`](Self::shutdown) ever waits.
#[derive(Debug)]
pub struct Notifier {
    lines: Mutex<Vec<Line>>,
    pace: Pace,
    closing: CancellationToken,
}

/// What a channel did since it is there, for `status` and metrics.
///
/// Every event that was sent to it is delivered, dropped or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStats {
    /// What it is called.
    pub name: String,
    /// Events that arrived.
    pub delivered: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Events that are lost: there was no room for them, or they were refused, or too many tries
    /// failed.
    pub dropped: u64,
    /// Events that are still to be delivered.
    pub waiting: usize,
    /// Why the latest try failed; `None` once one succeeds.
    pub last_error: Option<String>,
}

/// A channel with its queue and its task.
#[derive(Debug)]
struct Line {
    settings: Channel,
    label: String,
    queue: Arc<Queue>,
    task: JoinHandle<()>,
}

impl Notifier {
    /// Starts a task for each channel. To be called from within a tokio runtime, like
    /// [`reconfigure`](Self::reconfigure).
    pub fn new(channels: Vec<Channel>) -> Self {
        Self::with_pace(channels, Pace::default())
    }

    pub(super) fn with_pace(channels: Vec<Channel>, pace: Pace) -> Self {
        let notifier = Self {
            lines: Mutex::default(),
            pace,
            closing: CancellationToken::new(),
        };
        notifier.reconfigure(channels);
        notifier
    }

    /// Gives an event to every channel. Never waits: where a queue is full, its oldest event goes.
    pub fn send(&self, event: Arc<Event>) {
        for line in self.lock().iter() {
            match line.queue.push(Arc::clone(&event)) {
                Room::Enough | Room::StillNone => {}
                Room::NoMore => log::error!(
                    "channel {}: {CAPACITY} events wait already, so the oldest are lost until some arrive",
                    line.label,
                ),
            }
        }
    }

    /// Makes `channels` the ones in force.
    ///
    /// Channels that stay as they are go on undisturbed. One whose settings changed, known by its
    /// name, keeps what waits for it, and tries again at once.
    pub fn reconfigure(&self, channels: Vec<Channel>) {
        let mut lines = self.lock();
        let mut old = mem::take(&mut *lines);
        // First all that stay, so that none of them lends its queue to another of the same name.
        let same: Vec<_> = channels
            .iter()
            .map(|new| take(&mut old, |line| line.settings == *new))
            .collect();
        for (settings, same) in channels.into_iter().zip(same) {
            let line = same.unwrap_or_else(|| {
                let before = take(&mut old, |line| line.settings.name == settings.name);
                self.line(settings, before)
            });
            lines.push(line);
        }
        drop(lines);
        for gone in old {
            gone.task.abort();
            let waiting = gone.queue.len();
            if waiting > 0 {
                log::warn!(
                    "channel {}: removed while {waiting} events were waiting",
                    gone.label
                );
            }
        }
    }

    /// What each channel did, in the order of the configuration.
    pub fn stats(&self) -> Vec<ChannelStats> {
        let lines = self.lock();
        let stats = lines.iter().map(|line| {
            let Counts {
                delivered,
                failed,
                dropped,
                last_error,
            } = line.queue.counts();
            let (name, waiting) = (line.settings.name.clone(), line.queue.len());
            ChannelStats {
                name,
                delivered,
                failed,
                dropped,
                waiting,
                last_error,
            }
        });
        stats.collect()
    }

    /// Delivers what can be delivered within two seconds, and ends. Events sent later stay where
    /// they are.
    pub async fn shutdown(&self) {
        self.closing.cancel();
        let deadline = Instant::now() + self.pace.farewell;
        let tasks: Vec<_> = self.lock().iter_mut().map(take_task).collect();
        for mut task in tasks {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
        for line in self.lock().iter() {
            let left = line.queue.len();
            if left > 0 {
                log::error!(
                    "channel {}: {left} events are lost, since bwmon ends",
                    line.label
                );
            }
        }
    }

    fn line(&self, settings: Channel, before: Option<Line>) -> Line {
        let sender = Sender::new(&settings);
        let label = sender.label();
        let (queue, predecessor) = match before {
            Some(Line { queue, task, .. }) => (queue, Some(task)),
            None => (Arc::default(), None),
        };
        let worker = Worker {
            queue: Arc::clone(&queue),
            sender,
            label: label.clone(),
            pace: self.pace,
            closing: self.closing.clone(),
            trouble: None,
        };
        let task = tokio::spawn(async move {
            if let Some(predecessor) = predecessor {
                // Two at a queue would settle each other's events.
                predecessor.abort();
                predecessor.await.ok();
            }
            worker.run().await;
        });
        Line {
            settings,
            label,
            queue,
            task,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves a task in its place that is over at once.
fn take_task(line: &mut Line) -> JoinHandle<()> {
    mem::replace(&mut line.task, tokio::spawn(async {}))
}

fn take(lines: &mut Vec<Line>, is_wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    let place = lines.iter().position(is_wanted)?;
    Some(lines.remove(place))
}
