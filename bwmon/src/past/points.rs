//! What moved over time: a point for each step.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    MOST_POINTS, Past, PastError, Range,
    amounts::{Amounts, Number},
    period::told,
    step::{Step, grid},
    subjects::Who,
};
use crate::{
    core::{
        history::{Minute, Moved, Sample},
        policy::Scope,
        time::rfc3339,
    },
    store::{minute_of, time_of},
};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuestion {
    /// Of whom: as [`Past`] knows them; of all devices together without it.
    pub device: Option<String>,
    /// When.
    pub range: Range,
    /// How finely; `None`: so that there are some hundred points.
    pub step: Option<Step>,
}

/// What moved over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryAnswer {
    /// When the first point begins: RFC 3339. Points are whole steps, so it may be earlier than what
    /// was asked for; it is later where nothing is known of before.
    #[schema(format = DateTime)]
    pub from: String,
    /// When the last point ends: RFC 3339. The step that has just begun is told as far as it has come.
    #[schema(format = DateTime)]
    pub to: String,
    /// Usual length of a step.
    pub step_seconds: u64,
    /// Which traffic people are shown if they don't say: internet traffic, or all on a machine that does
    /// not route.
    pub scope: Scope,
    /// The id of the device, group or interface; `null`: all devices together.
    pub device: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// What moved, in the order of time, without a gap.
    pub points: Vec<Point>,
}

/// What moved in a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// When it begins: RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
    /// How long it is. Longer than the others where nothing so fine is kept any more.
    pub seconds: f64,
    /// How much.
    #[serde(flatten)]
    pub amounts: Amounts,
}

impl AsRef<Self> for Point {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Past {
    /// What moved over time.
    ///
    /// # Errors
    ///
    /// When nobody goes by that name, there would be too many points, or the database can't be read.
    pub fn history(&self, question: &HistoryQuestion) -> Result<HistoryAnswer, PastError> {
        let who = self.who(question.device.as_deref())?;
        let range = question.range;
        let step = question.step.unwrap_or_else(|| Step::usual(range));
        let (device, name) = match &who {
            Who::All => (None, None),
            Who::One { id, name, .. } => (Some(id.clone()), Some(name.clone())),
            Who::Group(name) => (
                Some(super::subjects::group_id(Some(name))),
                Some(name.clone()),
            ),
        };
        let zone = self.zone();
        let turn = match step {
            Step::Sample => self.samples_begin().clamp(range.from, range.to),
            _ => range.to,
        };
        let mut stretches = self.stretches(&who, step, Range { to: turn, ..range })?;
        let samples = self.samples(
            &who,
            Range {
                from: turn,
                ..range
            },
        );
        if stretches.len() + samples.len() > MOST_POINTS {
            return Err(PastError::TooMany("points"));
        }
        let number = match who {
            Who::One { .. } => Number::One,
            Who::All | Who::Group(_) => Number::Several,
        };
        let is_last = |end: Minute| samples.is_empty() && time_of(end) > self.now;
        let mut points: Vec<Point> = Vec::with_capacity(stretches.len() + samples.len());
        for Stretch { from, to, moved } in stretches.drain(..) {
            let end = if is_last(to) { self.now } else { time_of(to) };
            points.push(Point {
                at: told(from, zone),
                seconds: seconds(end.duration_since(time_of(from))),
                amounts: Amounts::new(&moved, number),
            });
        }
        points.extend(samples.iter().map(|(at, elapsed, moved)| Point {
            at: to_the_millisecond(*at, zone),
            seconds: seconds(*elapsed),
            amounts: Amounts::new(moved, number),
        }));
        let last = samples.last().map(|(at, elapsed, _)| *at + *elapsed);
        let to = last.unwrap_or_else(|| time_of(range.to).min(self.now));
        Ok(HistoryAnswer {
            from: points
                .first()
                .map_or_else(|| told(range.from, zone), |point| point.at.clone()),
            to: rfc3339(to.max(time_of(range.from)), zone),
            step_seconds: step.seconds(),
            scope: self.present.scope,
            device,
            name,
            points,
        })
    }

    /// What moved in each step of a range, as far as anything is known of it.
    pub(super) fn stretches(
        &self,
        who: &Who,
        step: Step,
        range: Range,
    ) -> Result<Vec<Stretch>, PastError> {
        let Some(begins) = self.begins.filter(|begins| *begins < range.to) else {
            return Ok(Vec::new());
        };
        let range = Range {
            from: range.from.max(begins),
            ..range
        };
        let zone = self.zone();
        let regions = self.reader.regions(step.tier(), range.from, range.to);
        let edges = grid(step, &regions, range, zone)?;
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
            return Ok(Vec::new());
        };
        let whole = Range {
            from: *first,
            to: *last,
        };
        let mut stretches: Vec<Stretch> = edges
            .windows(2)
            .map(|pair| Stretch {
                from: pair[0],
                to: pair[1],
                moved: Moved::default(),
            })
            .collect();
        let mut add = |minute: Minute, moved: &Moved| {
            let after = stretches.partition_point(|stretch| stretch.from <= minute);
            if let Some(place) = after.checked_sub(1) {
                stretches[place].moved.add(moved);
            }
        };
        let one = self.series(who);
        if one.is_some() || !matches!(who, Who::One { .. }) {
            self.reader
                .scan(step.tier(), one, whole.from, whole.to, &mut |bucket| {
                    if self.belongs(bucket.series, who) {
                        add(bucket.start, &bucket.moved);
                    }
                })?;
        }
        for (minute, place, moved) in self.fresh(whole) {
            if self.belongs(*place, who) {
                add(*minute, moved);
            }
        }
        Ok(stretches)
    }

    /// The first minute of which every sample is in memory.
    fn samples_begin(&self) -> Minute {
        let first = self.present.recent.first();
        first.map_or(Minute::MAX, |sample| minute_of(begin(sample)) + 1)
    }

    /// When each sample of a range began, how long it was, and what moved in it.
    fn samples(&self, who: &Who, range: Range) -> Vec<(Timestamp, SignedDuration, Moved)> {
        let is_in = |sample: &&std::sync::Arc<Sample>| range.contains(minute_of(sample.at));
        let belongs = |id: &str| {
            let place = self.subjects.find(id);
            place.is_some_and(|place| self.belongs(place, who))
        };
        self.present
            .recent
            .iter()
            .filter(is_in)
            .map(|sample| {
                let mut sum = Moved::default();
                for (id, moved) in &sample.moved {
                    if belongs(id) {
                        sum.add(moved);
                    }
                }
                let at = begin(sample);
                (at, sample.at.duration_since(at), sum)
            })
            .collect()
    }
}

/// What moved in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: Minute,
    pub(super) to: Minute,
    pub(super) moved: Moved,
}

fn begin(sample: &Sample) -> Timestamp {
    let elapsed = SignedDuration::try_from(sample.elapsed).unwrap_or_default();
    sample.at.checked_sub(elapsed).unwrap_or(sample.at)
}

/// To the millisecond.
fn seconds(duration: SignedDuration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

fn to_the_millisecond(at: Timestamp, zone: &TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}
