//! Questions as they are written, in a URL or on a command line.

use jiff::{Span, Timestamp};

use super::{
    By, HistoryAnswer, HistoryQuestion, Past, PastError, Period, Range, Report, ReportQuestion,
    Step, TimeError,
    period::{beginning, ending},
};
use crate::core::policy::Scope;

/// About points over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryAsked {
    /// A device by its id, address or name, `group:NAME` or `interface:NAME`; without it all devices
    /// together.
    pub device: Option<String>,
    /// When it begins; without it a day before its end.
    pub from: Option<String>,
    /// When it ends; without it now.
    pub to: Option<String>,
    /// How long a step is.
    pub step: Option<String>,
}

/// About who moved how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportAsked {
    /// When it begins, without it today; or a time in the period.
    pub from: Option<String>,
    /// When it ends; without it now.
    pub to: Option<String>,
    /// All of a period, as far as it has come.
    pub period: Option<Period>,
    /// What a row is about.
    pub by: By,
    /// Which traffic.
    pub scope: Option<Scope>,
    /// How many rows before all others are one.
    pub top: Option<usize>,
    /// Whether 95th percentiles are wanted.
    pub p95: bool,
}

impl Past {
    /// What moved over time.
    ///
    /// # Errors
    ///
    /// When there is a mistake in the question, or the database can't be read.
    pub fn answer_history(&self, asked: &HistoryAsked) -> Result<HistoryAnswer, PastError> {
        let to = self.end(asked.to.as_deref())?;
        let from = match &asked.from {
            Some(text) => self.begin(text)?,
            None => to.checked_sub(Span::new().hours(24)).unwrap_or(to),
        };
        self.history(&HistoryQuestion {
            device: asked.device.clone(),
            range: Range::new(from, to, self.now(), self.zone())?,
            step: asked.step.as_deref().map(Step::read).transpose()?,
        })
    }

    /// Who moved how much.
    ///
    /// # Errors
    ///
    /// When there is a mistake in the question, or the database can't be read.
    pub fn answer_report(&self, asked: &ReportAsked) -> Result<Report, PastError> {
        let range = match (asked.period, asked.from.as_deref(), asked.to.as_deref()) {
            (Some(_), _, Some(_)) => return Err(TimeError::PeriodWithEnd.into()),
            (Some(period), from, None) => self.period(period, from)?,
            (None, None, None) => self.period(Period::Day, None)?,
            (None, from, to) => {
                let to = self.end(to)?;
                let from = match from {
                    Some(text) => self.begin(text)?,
                    None => self.midnight_before(to),
                };
                Range::new(from, to, self.now(), self.zone())?
            }
        };
        self.report(&ReportQuestion {
            range,
            period: asked.period,
            by: asked.by,
            scope: asked.scope,
            top: asked.top,
            p95: asked.p95,
        })
    }

    fn period(&self, period: Period, within: Option<&str>) -> Result<Range, PastError> {
        let at = match within {
            Some(text) => self.begin(text)?,
            None => self.now(),
        };
        let zone = self.zone();
        let day = at.to_zoned(zone.clone()).date();
        let (from, until) = period.days(day, self.cycle());
        let midnight = |day: jiff::civil::Date| {
            let zoned = day.to_zoned(zone.clone());
            zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        Ok(Range::new(
            midnight(from),
            midnight(until),
            self.now(),
            zone,
        )?)
    }

    fn begin(&self, text: &str) -> Result<Timestamp, TimeError> {
        beginning(text, self.now(), self.zone())
    }

    fn end(&self, text: Option<&str>) -> Result<Timestamp, TimeError> {
        match text {
            Some(text) => ending(text, self.now(), self.zone()),
            None => Ok(self.now()),
        }
    }

    /// The last one, on a day that has begun.
    fn midnight_before(&self, at: Timestamp) -> Timestamp {
        let before = at.checked_sub(Span::new().nanoseconds(1)).unwrap_or(at);
        let zoned = before.to_zoned(self.zone().clone()).start_of_day();
        zoned.map_or(at, |zoned| zoned.timestamp())
    }
}
