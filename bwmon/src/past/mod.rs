//! What moved, as somebody asks for it: points over time, and tables of who moved how much.
//!
//! Questions are answered out of the database and, for what came after its last checkpoint, out of
//! the samples that are in memory; or out of a database alone. The HTTP interface and the commands
//! ask the same way. It reads files, so it is not for the loop; it changes nothing.

mod amounts;
mod asked;
mod billing;
mod percentile;
mod period;
mod points;
mod report;
mod step;
mod subjects;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use self::subjects::Subjects;
pub use self::{
    amounts::Amounts,
    asked::{HistoryAsked, ReportAsked},
    billing::{CycleRow, ForecastView, Method},
    period::{Period, Range, TimeError},
    points::{HistoryAnswer, HistoryQuestion, Point},
    report::{By, Report, ReportQuestion, Row},
    step::Step,
    subjects::Subject,
};
use crate::{
    core::{
        cycle::Cycle,
        history::{Minute, Moved, Sample},
        policy::{Policy, Scope},
        view::{CycleView, DeviceView, Snapshot, TotalView},
    },
    store::{History, HistoryReader, StoreError, minute_of},
};

/// Most points or rows over time of one answer.
pub const MOST_POINTS: usize = 10_000;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The database can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody goes by that name.
    #[error("there is no device, group or interface {0:?} that anything is known of")]
    Unknown(String),
    /// Several do.
    #[error("there are several devices called {name:?}; ask by id: {}", ids.join(", "))]
    Several {
        /// What was asked for.
        name: String,
        /// Whom it may mean.
        ids: Vec<String>,
    },
    /// A time or a period can't be used.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// The answer would be too long.
    #[error(
        "that would be more than {MOST_POINTS} {0}; ask for a shorter time, or for longer steps"
    )]
    TooMany(&'static str),
}

/// What is known besides the database.
#[derive(Clone, Debug, Default)]
pub struct Present {
    /// What time it is; `None`: that of the last checkpoint, after which nothing is known.
    pub now: Option<Timestamp>,
    /// Devices as they are called now.
    pub devices: Arc<[Arc<DeviceView>]>,
    /// What moved in the last minutes.
    pub recent: Arc<[Arc<Sample>]>,
    /// Groups and interfaces that have rules as a whole.
    pub totals: Vec<TotalView>,
    /// How the owner's bill is counted.
    pub cycle: Cycle,
    /// Which traffic people are shown if they don't say.
    pub scope: Scope,
}

impl Present {
    /// Of a daemon at work.
    pub fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        Self {
            now: Some(now),
            devices: Arc::clone(&snapshot.devices),
            recent: Arc::clone(&snapshot.recent),
            totals: snapshot.totals.clone(),
            cycle: snapshot.cycle,
            scope: match snapshot.status.counts_every_address {
                true => Scope::All,
                false => Scope::Internet,
            },
        }
    }

    /// Of no daemon: of a policy only how the bill is counted is of use.
    pub fn nothing_but(policy: &Policy) -> Self {
        Self {
            cycle: policy.billing_cycle(),
            ..Self::default()
        }
    }
}

/// The past up to one moment.
#[derive(Debug)]
pub struct Past {
    reader: HistoryReader,
    present: Present,
    now: Timestamp,
    subjects: Subjects,
    /// What came after the last checkpoint: when, and of whom.
    fresh: Vec<(Minute, usize, Moved)>,
    /// The first minute that anything is known of.
    begins: Option<Minute>,
}

impl Past {
    /// Reads what is to be known of everybody at once.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn open(history: &History, zone: &TimeZone, present: Present) -> Result<Self, StoreError> {
        let reader = history.open(zone)?;
        let until = reader.until().unwrap_or(Timestamp::UNIX_EPOCH);
        let now = present.now.unwrap_or(until);
        let mut subjects = Subjects::new(reader.series(), &present.devices);
        let mut fresh = Vec::new();
        // The database keeps microseconds.
        let is_new = |sample: &&Arc<Sample>| sample.at.as_microsecond() > until.as_microsecond();
        for sample in present.recent.iter().filter(is_new) {
            for (id, moved) in &sample.moved {
                fresh.push((minute_of(sample.at), subjects.place(id), *moved));
            }
        }
        let first = fresh.iter().map(|(minute, ..)| *minute).min();
        let begins = reader.begins().into_iter().chain(first).min();
        Ok(Self {
            reader,
            present,
            now,
            subjects,
            fresh,
            begins,
        })
    }

    /// The moment up to which all is known.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whose days these are.
    pub fn zone(&self) -> &TimeZone {
        self.reader.zone()
    }

    /// How the owner's bill is counted.
    pub fn cycle(&self) -> Cycle {
        self.present.cycle
    }

    /// What was used in the billing cycle of those that have a quota.
    fn quota_of(&self, id: &str) -> Option<&CycleView> {
        let of_total = self.present.totals.iter().find(|total| total.id == id);
        let cycle = of_total.and_then(|total| total.cycle.as_ref());
        cycle.or_else(|| {
            let mut devices = self.present.devices.iter();
            devices.find(|device| device.id == id)?.cycle.as_ref()
        })
    }

    /// What came after the last checkpoint, of a stretch.
    fn fresh(&self, range: Range) -> impl Iterator<Item = &(Minute, usize, Moved)> {
        let is_in = move |(minute, ..): &&(Minute, usize, Moved)| range.contains(*minute);
        self.fresh.iter().filter(is_in)
    }
}
