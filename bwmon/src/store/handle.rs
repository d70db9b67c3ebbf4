//! The end of the store that the loop holds, and the thread at the other end.

use std::{
    path::Path,
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
    directory::Directory,
    error::StoreError,
    history::{History, HistorySettings},
    load,
    records::{Checkpoint, Loaded, Settled},
    schema,
    write::Writer,
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
    thread: WriterThread,
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
    results: Receiver<Result<(), StoreError>>,
    handle: JoinHandle<()>,
}

/// What is to be written, and how history is kept by then.
type Job = (Arc<Backlog>, Arc<HistorySettings>);

impl Store {
    /// Opens the database in `directory`, both of which are made where they are not there, and
    /// reads what it holds, with the usage of the local day `day`.
    ///
    /// A damaged database is moved aside; [`Loaded::warnings`] then says so.
    pub fn open(directory: &Path, day: Date) -> Result<(Self, Loaded), StoreError> {
        let directory = Directory::open(directory)?;
        let (writer, loaded) = match open(&directory, day) {
            Err(StoreError::Corrupt { path, what }) => {
                let aside = directory.move_aside(Timestamp::now())?;
                let (writer, mut loaded) = open(&directory, day)?;
                loaded.warnings.push(format!(
                    "the database {} was damaged ({what}); it was moved to {}, and history begins anew",
                    path.display(),
                    aside.display(),
                ));
                (writer, loaded)
            }
            result => result?,
        };
        let history = History::at(directory.database());
        let thread = WriterThread::start(writer, directory)?;
        let backlog = Backlog::default();
        Ok((
            Self {
                backlog,
                in_flight: None,
                untold: None,
                durable: Durable::default(),
                settings: Arc::default(),
                history,
                thread,
            },
            loaded,
        ))
    }

    /// Keeps history like that from the next write on.
    pub fn keep_history(&mut self, settings: HistorySettings) {
        self.settings = Arc::new(settings);
    }

    /// Where it can be read.
    pub fn history(&self) -> History {
        self.history.clone()
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
        if self.in_flight.is_none() {
            return std::future::pending().await;
        }
        let result = self.thread.results.recv().await;
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
        if self.in_flight.is_some() {
            let result = self.thread.results.recv().await;
            if let Outcome::Failed(error) =
                self.conclude(result.unwrap_or(Err(StoreError::Stopped)))
            {
                log::debug!("the write before the last one failed: {error}");
            }
        }
        self.hand_over();
        let is_writing = self.in_flight.is_some();
        let WriterThread {
            jobs,
            mut results,
            handle,
        } = self.thread;
        let mut next = async || results.recv().await.unwrap_or(Err(StoreError::Stopped));
        let written = if is_writing { next().await } else { Ok(()) };
        // This is what the thread ends on.
        drop(jobs);
        let closed = next().await;
        // Nothing but its end comes after the last result.
        if handle.join().is_err() {
            return Err(StoreError::Stopped);
        }
        written.and(closed)
    }

    /// Takes in a result that came since, without waiting for one.
    fn collect(&mut self) {
        if self.in_flight.is_none() {
            return;
        }
        let result = match self.thread.results.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err(StoreError::Stopped),
        };
        self.untold = Some(self.conclude(result));
    }

    fn conclude(&mut self, result: Result<(), StoreError>) -> Outcome {
        let written = self
            .in_flight
            .take()
            .map(Arc::unwrap_or_clone)
            .unwrap_or_default();
        match result {
            Ok(()) => {
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
        // It can only fail when the thread is gone, which its results then say too.
        let job = (Arc::clone(&backlog), Arc::clone(&self.settings));
        if self.thread.jobs.try_send(job).is_err() {
            log::debug!("the thread that writes the database has ended");
        }
        self.in_flight = Some(backlog);
    }
}

fn open(directory: &Directory, day: Date) -> Result<(Writer, Loaded), StoreError> {
    let path = directory.database();
    let connection = schema::open(&path)?;
    let loaded = load::load(&connection, day)
        .map_err(|source| StoreError::new(path.clone(), "read", source))?;
    Ok((Writer::new(connection, path), loaded))
}

impl WriterThread {
    /// The directory stays locked until the thread ends, whoever still waits for it.
    fn start(writer: Writer, directory: Directory) -> Result<Self, StoreError> {
        // One job and its result are all there is at a time; after it the result of closing.
        let (jobs, incoming) = channel(1);
        let (outgoing, results) = channel(2);
        let handle = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(writer, directory, incoming, &outgoing))
            .map_err(StoreError::Thread)?;
        Ok(Self {
            jobs,
            results,
            handle,
        })
    }
}

fn serve(
    mut writer: Writer,
    directory: Directory,
    mut jobs: Receiver<Job>,
    results: &Sender<Result<(), StoreError>>,
) {
    while let Some((backlog, settings)) = jobs.blocking_recv() {
        let result = writer.write(&backlog, &settings);
        // The other end gets its own back, without a copy.
        drop(backlog);
        if results.blocking_send(result).is_err() {
            break;
        }
    }
    let closed = writer.close();
    drop(directory);
    if let Err(Err(error)) = results.blocking_send(closed).map_err(|unsent| unsent.0) {
        log::debug!("nobody waits to be told: {error}");
    }
}
