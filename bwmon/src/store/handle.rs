//! The end of the store that the loop holds, and the thread at the other end.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel, error::TryRecvError},
    time::timeout,
};

use super::{
    backlog::Backlog,
    desk::{Desk, Written},
    error::StoreError,
    history::{History, HistorySettings},
    records::{Checkpoint, Loaded, Settled},
};

/// How long [`Store::close`] waits.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Keeps checkpoints in the database of a state directory.
///
/// A checkpoint that was handed over is kept here until it is durable: when it can't be written,
/// it is merged with the next one and tried again with that. Only a process that dies loses it.
#[derive(Debug)]
pub struct Store {
    backlog: Backlog,
    in_flight: Option<Arc<Backlog>>,
    /// Came in while nobody waited for it.
    untold: Option<Outcome>,
    durable: Durable,
    settings: Arc<HistorySettings>,
    history: History,
    /// As of the last write.
    bytes: u64,
    anew: Option<String>,
    /// `None`: nothing is kept.
    thread: Option<WriterThread>,
}

/// What became of what was handed over.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// All that was handed over before this was written is durable.
    Durable(Durable),
    /// Nothing was written. The next [`Store::write`] tries again.
    Failed(StoreError),
}

/// How far all is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// Up to the checkpoint of this time; the epoch before the first one.
    pub at: Timestamp,
    /// Up to the event of this place, and a power cut can't take that back; 0 before the first one.
    pub event: u64,
}

#[derive(Debug)]
struct WriterThread {
    jobs: Sender<Job>,
    results: Receiver<Result<Written, StoreError>>,
    handle: JoinHandle<()>,
}

/// What is to be written, and how history is kept by then.
type Job = (Arc<Backlog>, Arc<HistorySettings>);

impl Store {
    /// Opens the database in `directory`, both of which are made where they are not there, and
    /// reads what it holds, with the usage of the local day `day`.
    ///
    /// A database that is damaged, another program's, or of a newer bwmon is moved aside;
    /// [`Loaded::warnings`] then says so. Where nothing can be written now, as the disk is full or
    /// read-only, what is there is read, and each [`Store::write`] tries again.
    ///
    /// # Errors
    ///
    /// When another daemon has the directory, when this user may not write there, or when what is in
    /// the way can't be moved.
    pub fn open(directory: &Path, day: Date) -> Result<(Self, Loaded), StoreError> {
        let (desk, loaded) = Desk::open(directory, day)?;
        let store = Self {
            backlog: Backlog::default(),
            in_flight: None,
            untold: None,
            durable: Durable::default(),
            settings: Arc::default(),
            history: History::at(desk.database()),
            bytes: desk.bytes(),
            anew: None,
            thread: Some(WriterThread::start(desk)?),
        };
        Ok((store, loaded))
    }

    /// One that keeps nothing, for who only looks on: it touches no file, and takes over what is
    /// handed to it as if it were written.
    pub fn nowhere() -> Self {
        Self {
            backlog: Backlog::default(),
            in_flight: None,
            untold: None,
            durable: Durable::default(),
            settings: Arc::default(),
            history: History::at(PathBuf::new()),
            bytes: 0,
            anew: None,
            thread: None,
        }
    }

    /// Whether what is handed over gets into a database.
    pub fn keeps(&self) -> bool {
        self.thread.is_some()
    }

    /// Keeps history like that from the next write on.
    pub fn keep_history(&mut self, settings: HistorySettings) {
        self.settings = Arc::new(settings);
    }

    /// Where it can be read.
    pub fn history(&self) -> History {
        self.history.clone()
    }

    /// Bytes of the database and its log, as of the last write.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many records wait to be written.
    pub fn waiting(&self) -> usize {
        let in_flight = self.in_flight.as_deref().map_or(0, Backlog::len);
        self.backlog.len() + in_flight
    }

    /// Whether the database was begun anew since the last call, and why: it holds only what was
    /// written since, so all that is known is to be written again.
    pub fn take_anew(&mut self) -> Option<String> {
        self.anew.take()
    }

    /// Takes a checkpoint over, to be written as soon as the one before is. Never waits.
    pub fn write(&mut self, checkpoint: Checkpoint) {
        self.collect();
        self.backlog.push(checkpoint);
        self.hand_over();
    }

    /// Takes over what became of events, to be written likewise. It costs less than a checkpoint.
    pub fn settle(&mut self, settled: Vec<Settled>) {
        self.collect();
        self.backlog.settle(settled);
        self.hand_over();
    }

    /// Waits until the outcome of a write is known, for ever if there is none. Nothing is lost
    /// when this future is dropped.
    pub async fn outcome(&mut self) -> Outcome {
        if let Some(outcome) = self.untold.take() {
            return outcome;
        }
        let Some(thread) = self.thread.as_mut().filter(|_| self.in_flight.is_some()) else {
            return std::future::pending().await;
        };
        let result = thread.results.recv().await;
        let outcome = self.conclude(result.unwrap_or(Err(StoreError::Stopped)));
        // What came while this was written. After a failure it waits for the next checkpoint.
        if let Outcome::Durable(_) = outcome {
            self.hand_over();
        }
        outcome
    }

    /// Writes all that is not durable yet, and closes the database. Waits up to five seconds.
    pub async fn close(self) -> Result<(), StoreError> {
        match timeout(CLOSE_WITHIN, self.finish()).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::TimedOut(CLOSE_WITHIN)),
        }
    }

    async fn finish(mut self) -> Result<(), StoreError> {
        if let Some(thread) = self.thread.as_mut().filter(|_| self.in_flight.is_some()) {
            let result = thread.results.recv().await;
            if let Outcome::Failed(error) =
                self.conclude(result.unwrap_or(Err(StoreError::Stopped)))
            {
                log::debug!("the write before the last one failed: {error}");
            }
        }
        self.hand_over();
        let is_writing = self.in_flight.is_some();
        let Some(WriterThread {
            jobs,
            mut results,
            handle,
        }) = self.thread
        else {
            return Ok(());
        };
        let mut next = async || results.recv().await.unwrap_or(Err(StoreError::Stopped));
        let written = match is_writing {
            true => next().await.map(|_| ()),
            false => Ok(()),
        };
        // This is what the thread ends on.
        drop(jobs);
        let closed = next().await;
        // Nothing but its end comes after the last result.
        if handle.join().is_err() {
            return Err(StoreError::Stopped);
        }
        written.and(closed.map(|_| ()))
    }

    /// Takes in a result that came since, without waiting for one.
    fn collect(&mut self) {
        let Some(thread) = self.thread.as_mut().filter(|_| self.in_flight.is_some()) else {
            return;
        };
        let result = match thread.results.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err(StoreError::Stopped),
        };
        self.untold = Some(self.conclude(result));
    }

    fn conclude(&mut self, result: Result<Written, StoreError>) -> Outcome {
        let written = self
            .in_flight
            .take()
            .map(Arc::unwrap_or_clone)
            .unwrap_or_default();
        match result {
            Ok(Written { anew, bytes }) => {
                self.bytes = bytes;
                self.anew = anew.or(self.anew.take());
                let Durable { at, event } = &mut self.durable;
                *at = written.steps().last().map_or(*at, |step| step.at);
                *event = written.last_event().map_or(*event, |last| last.max(*event));
                Outcome::Durable(self.durable)
            }
            Err(error) => {
                self.backlog.put_back(written);
                Outcome::Failed(error)
            }
        }
    }

    fn hand_over(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        let Some(backlog) = self.backlog.take() else {
            return;
        };
        let backlog = Arc::new(backlog);
        let Some(thread) = &self.thread else {
            self.in_flight = Some(backlog);
            self.untold = Some(self.conclude(Ok(Written::default())));
            return;
        };
        // It can only fail when the thread is gone, which its results then say too.
        let job = (Arc::clone(&backlog), Arc::clone(&self.settings));
        if thread.jobs.try_send(job).is_err() {
            log::debug!("the thread that writes the database has ended");
        }
        self.in_flight = Some(backlog);
    }
}

impl WriterThread {
    /// The directory stays locked until the thread ends, whoever still waits for it.
    fn start(desk: Desk) -> Result<Self, StoreError> {
        // One job and its result are all there is at a time; after it the result of closing.
        let (jobs, incoming) = channel(1);
        let (outgoing, results) = channel(2);
        let handle = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(desk, incoming, &outgoing))
            .map_err(StoreError::Thread)?;
        Ok(Self {
            jobs,
            results,
            handle,
        })
    }
}

fn serve(mut desk: Desk, mut jobs: Receiver<Job>, results: &Sender<Result<Written, StoreError>>) {
    while let Some((backlog, settings)) = jobs.blocking_recv() {
        let result = desk.write(&backlog, &settings);
        // The other end gets its own back, without a copy.
        drop(backlog);
        if results.blocking_send(result).is_err() {
            break;
        }
    }
    let closed = desk.close().map(|()| Written::default());
    if let Err(Err(error)) = results.blocking_send(closed).map_err(|unsent| unsent.0) {
        log::debug!("nobody waits to be told: {error}");
    }
}
