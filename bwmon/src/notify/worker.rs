//! The task of a channel.

use std::{ops::ControlFlow, sync::Arc};

use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    error::{DeliveryError, Kind},
    pace::Pace,
    queue::{Queue, Waiting},
    sender::Sender,
};

/// Delivers what is in the queue of a channel, one event after the other.
pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    pub(super) sender: Sender,
    pub(super) label: String,
    pub(super) pace: Pace,
    /// Says that there is little time left: no more waiting, neither for events nor to try again.
    pub(super) closing: CancellationToken,
    /// The latest failure, after which nothing was delivered.
    pub(super) trouble: Option<Kind>,
}

impl Worker {
    /// Works until the end of the process is near.
    pub(super) async fn run(mut self) {
        loop {
            let oldest = select! {
                biased;
                oldest = self.queue.oldest() => oldest,
                () = self.closing.cancelled() => return,
            };
            if self.deliver(&oldest).await.is_break() {
                return;
            }
        }
    }

    /// Tries until the event is settled, or time is up.
    async fn deliver(&mut self, oldest: &Waiting) -> ControlFlow<()> {
        let Waiting { event, since } = oldest;
        let mut waits = self.pace.waits();
        loop {
            let Err(error) = self.sender.send(std::slice::from_ref(event)).await else {
                self.queue.delivered();
                if self.trouble.take().is_some() {
                    log::info!("channel {}: delivers again", self.label);
                }
                return ControlFlow::Continue(());
            };
            self.queue.failed(error.to_string());
            if error.is_permanent() || since.elapsed() >= self.pace.patience {
                self.queue.given_up();
                log::error!(
                    "channel {}: event {} is lost after {} s: {error}",
                    self.label,
                    event.id,
                    since.elapsed().as_secs(),
                );
                return ControlFlow::Continue(());
            }
            self.warn_once(&error);
            if self.closing.is_cancelled() {
                return ControlFlow::Break(());
            }
            let asked_for = error.retry_after().unwrap_or_default();
            let wait = waits.next().unwrap_or(self.pace.longest);
            select! {
                () = sleep(wait.max(asked_for.min(self.pace.longest_asked_for))) => {}
                () = self.closing.cancelled() => {}
            }
        }
    }

    fn warn_once(&mut self, error: &DeliveryError) {
        let kind = Some(error.kind());
        if self.trouble != kind {
            self.trouble = kind;
            log::warn!(
                "channel {}: cannot deliver, will try again: {error}",
                self.label
            );
        } else {
            log::debug!("channel {}: still cannot deliver: {error}", self.label);
        }
    }
}
