//! The task of a channel.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    select,
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    clock::Clock,
    error::{DeliveryError, Kind},
    hours::QuietHours,
    pace::Pace,
    queue::{Queue, Waiting},
    results::{Failed, Fate, Results},
    sender::Sender,
};

/// Events that go together at most, once quiet hours are over.
const DIGEST: usize = 50;

/// A queue between those who fill it and the one who empties it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// There may be something to send.
    pub(super) changed: Notify,
}

impl Shared {
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that can panic is done while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers what is in the queue of a channel, one try after the other.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) results: Arc<Results>,
    pub(super) sender: Sender,
    /// The name of the channel.
    pub(super) name: String,
    /// What it is called in logs.
    pub(super) label: String,
    pub(super) hours: QuietHours,
    /// How long an event is worth trying.
    pub(super) max_age: Duration,
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    /// Says that there is little time left: no more waiting, neither for events nor to try again.
    pub(super) closing: CancellationToken,
    pub(super) mood: Mood,
}

/// What a worker remembers of the tries before.
#[derive(Default)]
pub(super) struct Mood {
    /// The latest failure, after which nothing was delivered.
    trouble: Option<Kind>,
    /// Of several events together one can't be put into a request, so they go alone to find it.
    is_searching: bool,
    /// How long bwmon had run at the first failure after which nothing was delivered.
    failing_since: Option<Duration>,
}

impl Worker {
    /// Works until the end of the process is near.
    pub(super) async fn run(mut self) {
        // A worker before this one may have been stopped in the middle of a try.
        self.shared.queue().put_down();
        let mut waits = self.pace.waits();
        loop {
            let closing = self.closing.clone();
            let batch = select! {
                biased;
                batch = self.batch() => batch,
                () = closing.cancelled() => return,
            };
            let events: Vec<_> = batch.iter().map(|each| Arc::clone(&each.event)).collect();
            let Err(error) = self.sender.send(&events).await else {
                self.delivered();
                waits = self.pace.waits();
                continue;
            };
            self.failed(&batch, &error);
            if error.is_permanent() {
                continue;
            }
            if self.closing.is_cancelled() {
                return;
            }
            let asked_for = error.retry_after().unwrap_or_default();
            let wait = waits.next().unwrap_or(self.pace.longest);
            select! {
                () = sleep(wait.max(asked_for.min(self.pace.longest_asked_for))) => {}
                () = self.closing.cancelled() => {}
            }
        }
    }

    /// What is to be sent next, as soon as there is something.
    async fn batch(&mut self) -> Vec<Waiting> {
        loop {
            let now = self.clock.now();
            let go_together = self.sender.digests() && !self.mood.is_searching;
            let most = if go_together { DIGEST } else { 1 };
            let (batch, held) = {
                let mut queue = self.shared.queue();
                let batch = queue.take_up(now, &self.hours, most);
                (batch, queue.held(now, &self.hours))
            };
            if !batch.is_empty() {
                return batch;
            }
            let changed = self.shared.changed.notified();
            if held == 0 {
                changed.await;
            } else {
                // The hours end by a clock that may be set at any time. Either is a reason to look.
                timeout(self.pace.look, changed).await.ok();
            }
        }
    }

    fn delivered(&mut self) {
        let seqs = self.shared.queue().delivered();
        self.results.settle(seqs, &Fate::Delivered);
        self.mood.failing_since = None;
        if self.mood.trouble.take().is_some() {
            log::info!("channel {}: delivers again", self.label);
        }
    }

    /// Gives up what can't be sent or is too old; the rest waits for another try. What quiet hours
    /// held up is as old as the trouble, since it was not tried in them.
    fn failed(&mut self, batch: &[Waiting], error: &DeliveryError) {
        let is_tried = |waiting: &Waiting| batch.iter().any(|tried| tried.seq == waiting.seq);
        let (now, ran) = (self.clock.now(), self.clock.ran());
        let failing_since = *self.mood.failing_since.get_or_insert(ran);
        let text = error.to_string();
        let given_up = if error.is_permanent() {
            let is_alone = batch.len() == 1;
            self.mood.is_searching = !is_alone;
            let mut queue = self.shared.queue();
            queue.failed(text.clone(), |waiting| is_alone && is_tried(waiting))
        } else {
            // What follows would have failed, too, unless it is not its time.
            let is_quiet = self.hours.contain(now);
            self.shared.queue().failed(text.clone(), |waiting| {
                let was_held = self.hours.held(&waiting.event, waiting.at);
                let since = if was_held {
                    failing_since.max(waiting.ran)
                } else {
                    waiting.ran
                };
                (is_tried(waiting) || !is_quiet) && ran.saturating_sub(since) >= self.max_age
            })
        };
        if given_up.is_empty() {
            self.warn_once(error);
            return;
        }
        log::error!(
            "channel {}: {} events are given up: {text}",
            self.label,
            given_up.len()
        );
        for Waiting { event, .. } in &given_up {
            self.results.remember(Failed {
                channel: self.name.clone(),
                event: Arc::clone(event),
                at: now,
                error: text.clone(),
            });
        }
        let seqs = given_up.iter().map(|waiting| waiting.seq);
        let fate = Fate::Failed {
            at: now,
            error: text,
        };
        self.results.settle(seqs, &fate);
    }

    fn warn_once(&mut self, error: &DeliveryError) {
        let kind = Some(error.kind());
        if self.mood.trouble != kind {
            self.mood.trouble = kind;
            log::warn!(
                "channel {}: cannot deliver, will try again: {error}",
                self.label
            );
        } else {
            log::debug!("channel {}: still cannot deliver: {error}", self.label);
        }
    }
}
