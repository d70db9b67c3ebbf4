//! All channels.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    clock::Clock,
    hours::QuietHours,
    pace::Pace,
    queue::{Counts, MOST_BYTES, MOST_EVENTS, Shed, Waiting},
    results::{Failed, Fate, Results, Settled},
    sender::Sender,
    worker::{Mood, Shared, Worker},
};
use crate::{config::Channel, core::event::Event};

/// Delivers events to all channels. Nothing but [`shutdown`](Self::shutdown) and
/// [`settled`](Self::settled) ever waits.
///
/// An event that is [pushed](Self::push) is kept by the caller, and goes once it is
/// [released](Self::release).
#[derive(Debug)]
pub struct Notifier {
    state: Mutex<State>,
    results: Arc<Results>,
    zone: TimeZone,
    clock: Clock,
    pace: Pace,
    closing: CancellationToken,
}

/// An event that waits for a channel: what is to be kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place: a channel is told in this order.
    pub seq: u64,
    /// The name of the channel.
    pub channel: String,
    /// The event.
    pub event: Arc<Event>,
    /// The event as JSON.
    pub body: Arc<str>,
    /// When it happened.
    pub at: Timestamp,
    /// How long bwmon had [run](Notifier::ran) by then.
    pub ran: Duration,
}

/// What an earlier run left.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// What still waits, in order.
    pub waiting: Vec<Entry>,
    /// The latest that were given up, the newest first.
    pub failed: Vec<Failed>,
    /// The last place that was taken.
    pub last_seq: u64,
    /// How long bwmon had run.
    pub ran: Duration,
}

/// What a channel did since it is there, for `status` and metrics.
///
/// Every event that was sent to it is delivered, given up, shed or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStats {
    /// What it is called.
    pub name: String,
    /// Events that arrived.
    pub delivered: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Events that got too old, or can't be put into a request.
    pub given_up: u64,
    /// Events that there was no room for.
    pub shed: u64,
    /// Events that are still to be delivered.
    pub waiting: usize,
    /// Those of them that wait for quiet hours to end.
    pub held: usize,
    /// When the oldest of them happened.
    pub oldest: Option<Timestamp>,
    /// Why the latest try failed; `None` once one succeeds.
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    /// The last place that was taken.
    last_seq: u64,
}

/// A channel with its queue and its task.
#[derive(Debug)]
struct Line {
    settings: Channel,
    label: String,
    shared: Arc<Shared>,
    hours: QuietHours,
    task: JoinHandle<()>,
}

impl Notifier {
    /// Starts a task for each channel, and goes on with what an earlier run left. Quiet hours are
    /// in local time of `zone`. To be called from within a tokio runtime, like
    /// [`reconfigure`](Self::reconfigure).
    pub fn new(channels: Vec<Channel>, restored: Restored, zone: TimeZone) -> Self {
        let clock = Clock::new(restored.ran, Timestamp::now);
        Self::with(channels, restored, zone, clock, Pace::default())
    }

    pub(super) fn with(
        channels: Vec<Channel>,
        restored: Restored,
        zone: TimeZone,
        clock: Clock,
        pace: Pace,
    ) -> Self {
        let Restored {
            waiting,
            failed,
            last_seq,
            ran: _,
        } = restored;
        let notifier = Self {
            state: Mutex::default(),
            results: Arc::new(Results::new(failed)),
            zone,
            clock,
            pace,
            closing: CancellationToken::new(),
        };
        notifier.lock().last_seq = last_seq;
        notifier.reconfigure(channels);
        notifier.restore(waiting);
        notifier
    }

    fn restore(&self, entries: Vec<Entry>) {
        let state = self.lock();
        let mut homeless: HashMap<String, Vec<u64>> = HashMap::new();
        for entry in entries {
            let mut lines = state.lines.iter();
            match lines.find(|line| line.settings.name == entry.channel) {
                Some(line) => {
                    let waiting = Waiting {
                        seq: entry.seq,
                        event: entry.event,
                        bytes: entry.body.len(),
                        at: entry.at,
                        ran: entry.ran,
                    };
                    self.add(line, waiting);
                }
                None => homeless.entry(entry.channel).or_default().push(entry.seq),
            }
        }
        state.release(state.last_seq);
        drop(state);
        for (channel, seqs) in homeless {
            self.dismiss(&channel, seqs);
        }
    }

    /// Takes an event of the time `at` for every channel that it is meant for, and returns what is
    /// to be kept of that. Where too much waits, something else goes.
    pub fn push(&self, event: &Arc<Event>, at: Timestamp) -> Vec<Entry> {
        let body: Arc<str> = match serde_json::to_string(event) {
            Ok(body) => body.into(),
            Err(error) => {
                log::error!("event {} is no json: {error}", event.id);
                return Vec::new();
            }
        };
        let ran = self.clock.ran();
        let mut entries = Vec::new();
        let mut state = self.lock();
        let State { lines, last_seq } = &mut *state;
        for line in lines
            .iter()
            .filter(|line| line.settings.routing.takes(event))
        {
            *last_seq += 1;
            let seq = *last_seq;
            let waiting = Waiting {
                seq,
                event: Arc::clone(event),
                bytes: body.len(),
                at,
                ran,
            };
            self.add(line, waiting);
            entries.push(Entry {
                seq,
                channel: line.settings.name.clone(),
                event: Arc::clone(event),
                body: Arc::clone(&body),
                at,
                ran,
            });
        }
        entries
    }

    fn add(&self, line: &Line, waiting: Waiting) {
        let Shed { seqs, is_news } = line.shared.queue().push(waiting);
        if is_news {
            log::error!(
                "channel {}: {MOST_EVENTS} events or {} KiB wait already, so some are shed until others arrive",
                line.label,
                MOST_BYTES / 1024,
            );
        }
        if !seqs.is_empty() {
            self.results.settle(seqs, &Fate::Shed);
        }
    }

    /// Lets events go, up to this place: they are safe.
    pub fn release(&self, through: u64) {
        self.lock().release(through);
    }

    /// Lets all events go: better told than safe.
    pub fn release_all(&self) {
        let state = self.lock();
        state.release(state.last_seq);
    }

    /// Whether events wait to be released.
    pub fn awaits_release(&self) -> bool {
        let state = self.lock();
        let mut lines = state.lines.iter();
        lines.any(|line| line.shared.queue().awaits_release())
    }

    /// Waits until some events wait no more. Nothing is lost when this future is dropped.
    pub async fn settled(&self) {
        self.results.some().await;
    }

    /// What became of events since the last call: these are not to be kept any longer.
    pub fn take_settled(&self) -> Vec<Settled> {
        self.results.take()
    }

    /// The latest events that were given up, the newest first.
    pub fn failed(&self) -> Vec<Failed> {
        self.results.failed()
    }

    /// How long bwmon has run, in this run and all before it. This is to be kept, too: the age of
    /// an event is measured by it.
    pub fn ran(&self) -> Duration {
        self.clock.ran()
    }

    /// Makes `channels` the ones in force.
    ///
    /// Channels that stay as they are go on undisturbed. One whose settings changed, known by its
    /// name, keeps what waits for it, and tries again at once. What waits for one that is gone is
    /// given up.
    pub fn reconfigure(&self, channels: Vec<Channel>) {
        let mut state = self.lock();
        let mut old = mem::take(&mut state.lines);
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
            state.lines.push(line);
        }
        drop(state);
        for gone in old {
            gone.task.abort();
            let waiting = gone.shared.queue().clear();
            let seqs: Vec<u64> = waiting.iter().map(|waiting| waiting.seq).collect();
            if !seqs.is_empty() {
                self.dismiss(&gone.label, seqs);
            }
        }
    }

    fn dismiss(&self, channel: &str, seqs: Vec<u64>) {
        log::warn!(
            "channel {channel}: removed while {} events were waiting, which are given up",
            seqs.len()
        );
        self.results.settle(seqs, &Fate::Removed);
    }

    /// What each channel did, in the order of the configuration.
    pub fn stats(&self) -> Vec<ChannelStats> {
        let now = self.clock.now();
        let state = self.lock();
        state.lines.iter().map(|line| line.stats(now)).collect()
    }

    /// Delivers what can be delivered within two seconds, and ends. What is left waits for the next
    /// run, if it was kept.
    pub async fn shutdown(&self) {
        self.closing.cancel();
        let deadline = Instant::now() + self.pace.farewell;
        let tasks: Vec<_> = self.lock().lines.iter_mut().map(take_task).collect();
        for mut task in tasks {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
        for line in &self.lock().lines {
            let left = line.shared.queue().len();
            if left > 0 {
                log::info!(
                    "channel {}: {left} events wait for the next start",
                    line.label
                );
            }
        }
    }

    fn line(&self, settings: Channel, before: Option<Line>) -> Line {
        let sender = Sender::new(&settings);
        let label = sender.label();
        let hours = QuietHours {
            schedule: settings.quiet_hours.clone(),
            zone: self.zone.clone(),
        };
        let (shared, predecessor) = match before {
            Some(Line { shared, task, .. }) => (shared, Some(task)),
            None => (Arc::default(), None),
        };
        let worker = Worker {
            shared: Arc::clone(&shared),
            results: Arc::clone(&self.results),
            sender,
            name: settings.name.clone(),
            label: label.clone(),
            hours: hours.clone(),
            max_age: settings.max_age,
            clock: self.clock.clone(),
            pace: self.pace,
            closing: self.closing.clone(),
            mood: Mood::default(),
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
            shared,
            hours,
            task,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn release(&self, through: u64) {
        for line in &self.lines {
            line.shared.queue().release(through);
            line.shared.changed.notify_one();
        }
    }
}

impl Line {
    fn stats(&self, now: Timestamp) -> ChannelStats {
        let queue = self.shared.queue();
        let Counts {
            delivered,
            failed,
            given_up,
            shed,
            last_error,
        } = queue.counts();
        ChannelStats {
            name: self.settings.name.clone(),
            delivered,
            failed,
            given_up,
            shed,
            waiting: queue.len(),
            held: queue.held(now, &self.hours),
            oldest: queue.oldest(),
            last_error,
        }
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
