//! Who moved how much in a stretch of time, the most first; or how much moved in each hour or day.

use std::{cmp::Reverse, collections::HashMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Amounts, CycleRow, Past, PastError, Period, Range, Step,
    amounts::Number,
    period::told,
    points::Stretch,
    subjects::{Subject, Who, group_id},
};
use crate::{
    core::{
        history::{Minute, Moved},
        policy::Scope,
        time::rfc3339,
    },
    store::time_of,
};

/// What a row is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A device.
    #[default]
    Device,
    /// A group of devices; those in none are one.
    Group,
    /// What an interface carried, its devices among it.
    Interface,
    /// An hour, of all devices together.
    Hour,
    /// A day, likewise.
    Day,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuestion {
    /// When.
    pub range: Range,
    /// Of which period that is all there is so far.
    pub period: Option<Period>,
    /// What a row is about.
    pub by: By,
    /// Which traffic decides on the order; `None`: as people are shown if they don't say.
    pub scope: Option<Scope>,
    /// How many rows at most before all others are told as one.
    pub top: Option<usize>,
    /// Whether 95th percentiles are wanted, for which much has to be read.
    pub p95: bool,
}

/// Who moved how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// When it begins: RFC 3339.
    #[schema(format = DateTime)]
    pub from: String,
    /// When it ends: RFC 3339; now, if that comes first.
    #[schema(format = DateTime)]
    pub to: String,
    /// What a row is about.
    pub by: By,
    /// Which traffic `total`, `share` and percentiles are about.
    pub scope: Scope,
    /// Length of the steps that percentiles were taken of; `null` without them.
    pub p95_step_seconds: Option<u64>,
    /// How many rows there are in all, those on other pages among them.
    pub count: usize,
    /// Those that moved most in scope first; hours and days in the order of time.
    pub rows: Vec<Row>,
    /// All those together that `top` left out, if there are any.
    pub rest: Option<Row>,
    /// All together.
    pub sum: Row,
}

/// Whose traffic, and how much.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Row {
    /// The id of the device, `group:NAME`, `interface:NAME`, or when the hour or day begins; `rest`
    /// and `sum` of those.
    pub id: String,
    /// What it is called now, else what it was last called.
    pub name: String,
    /// The group that a device is in, or was last.
    pub group: Option<String>,
    /// How much, in all scopes.
    #[serde(flatten)]
    pub amounts: Amounts,
    /// The 95th percentile of what was uploaded in scope in each step, bytes per second.
    pub p95_sent_rate: Option<u64>,
    /// The same of downloads.
    pub p95_received_rate: Option<u64>,
    /// Bytes of both directions in scope.
    pub total: u64,
    /// Its part of the sum, 0 to 1.
    pub share: f64,
    /// The billing cycle, in a report on the one that lasts.
    pub cycle: Option<CycleRow>,
}

impl AsRef<Self> for Row {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Rows whose amounts are yet to be found, and to which of them each subject belongs.
pub(super) struct Lines {
    pub(super) heads: Vec<Subject>,
    of: Vec<Option<usize>>,
}

impl Lines {
    /// The row that a subject belongs to.
    pub(super) fn of(&self, place: usize) -> Option<usize> {
        self.of.get(place).copied().flatten()
    }
}

impl Past {
    /// Who moved how much.
    ///
    /// # Errors
    ///
    /// When there would be too many rows over time, or the database can't be read.
    pub fn report(&self, question: &ReportQuestion) -> Result<Report, PastError> {
        let scope = question.scope.unwrap_or(self.present.scope);
        let range = question.range;
        let lines = self.lines(question.by);
        let mut moved = vec![Moved::default(); lines.heads.len()];
        let mut rows = match question.by {
            By::Device | By::Group | By::Interface => {
                self.add_up(range, &lines, &mut moved)?;
                lines.rows(&moved, question.by, scope)
            }
            By::Hour => self.over_time(Step::Hours(1), range, scope)?,
            By::Day => self.over_time(Step::Days(1), range, scope)?,
        };
        let mut sum = together("sum", &rows, scope);
        let mut p95_step_seconds = None;
        if question.p95
            && let Some(found) = self.percentiles(range, &lines, scope)?
        {
            p95_step_seconds = Some(found.step_seconds);
            let (rates, of_sum) = (found.rates, found.sum);
            set_rates(&mut sum, of_sum);
            if lines.heads.len() == rows.len() {
                for (row, rates) in rows.iter_mut().zip(rates) {
                    set_rates(row, rates);
                }
            }
        }
        if question.period == Some(Period::Cycle) && lines.heads.len() == rows.len() {
            self.add_cycles(range, &lines, &mut rows, &mut sum, scope)?;
        }
        if !matches!(question.by, By::Hour | By::Day) {
            rows.retain(|row| !is_empty(row));
            rows.sort_by(|a, b| {
                let key = |row: &Row| Reverse(row.total);
                let names = || a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id));
                key(a).cmp(&key(b)).then_with(names)
            });
        }
        for row in &mut rows {
            row.share = share(row.total, sum.total);
        }
        let count = rows.len();
        let top = question.top.unwrap_or(count).min(count);
        let left_out = rows.split_off(top);
        let rest = (!left_out.is_empty()).then(|| {
            let mut rest = together("rest", &left_out, scope);
            rest.name = format!("{} more", left_out.len());
            rest.share = share(rest.total, sum.total);
            rest
        });
        let zone = self.zone();
        let end = time_of(range.to).min(self.now());
        Ok(Report {
            from: told(range.from, zone),
            to: rfc3339(end.max(time_of(range.from)), zone),
            by: question.by,
            scope,
            p95_step_seconds,
            count,
            rows,
            rest,
            sum,
        })
    }

    /// Which rows there may be. Of all hours and days, one for everything.
    fn lines(&self, by: By) -> Lines {
        let mut heads: Vec<Subject> = Vec::new();
        let mut groups: HashMap<Option<&str>, usize> = HashMap::new();
        let mut of = Vec::new();
        for subject in self.subjects.all() {
            let place = match by {
                By::Device if !subject.is_interface() => {
                    heads.push(subject.clone());
                    Some(heads.len() - 1)
                }
                By::Interface if subject.is_interface() => {
                    heads.push(subject.clone());
                    Some(heads.len() - 1)
                }
                By::Group if !subject.is_interface() => {
                    let group = subject.group.as_deref();
                    Some(*groups.entry(group).or_insert_with(|| {
                        heads.push(of_group(group));
                        heads.len() - 1
                    }))
                }
                By::Hour | By::Day if !subject.is_interface() => {
                    if heads.is_empty() {
                        heads.push(of_group(None));
                    }
                    Some(0)
                }
                _ => None,
            };
            of.push(place);
        }
        Lines { heads, of }
    }

    fn add_up(&self, range: Range, lines: &Lines, moved: &mut [Moved]) -> Result<(), PastError> {
        for (place, what) in self.reader.totals(range.from, range.to)? {
            if let Some(line) = lines.of(place) {
                moved[line].add(&what);
            }
        }
        for (_, place, what) in self.fresh(range) {
            if let Some(line) = lines.of(*place) {
                moved[line].add(what);
            }
        }
        Ok(())
    }

    fn over_time(&self, step: Step, range: Range, scope: Scope) -> Result<Vec<Row>, PastError> {
        let stretches = self.stretches(&Who::All, step, range)?;
        let row = |Stretch { from, to, moved }| {
            let amounts = Amounts::new(&moved, Number::Several);
            Row {
                id: told(from, self.zone()),
                name: self.called(from, to),
                total: amounts.total(scope),
                amounts,
                ..Row::default()
            }
        };
        Ok(stretches.into_iter().map(row).collect())
    }

    /// `2026-03-08 14:00` of an hour, `2026-03-08` of more.
    fn called(&self, from: Minute, to: Minute) -> String {
        let at = time_of(from).to_zoned(self.zone().clone());
        let format = match to - from {
            ..=120 => "%Y-%m-%d %H:%M",
            _ => "%Y-%m-%d",
        };
        at.strftime(format).to_string()
    }
}

impl Lines {
    fn rows(&self, moved: &[Moved], by: By, scope: Scope) -> Vec<Row> {
        let number = match by {
            By::Group => Number::Several,
            _ => Number::One,
        };
        let rows = self.heads.iter().zip(moved);
        rows.map(|(head, moved)| {
            let amounts = Amounts::new(moved, number);
            Row {
                id: head.id.clone(),
                name: head.name.clone(),
                group: head.group.clone(),
                total: amounts.total(scope),
                amounts,
                ..Row::default()
            }
        })
        .collect()
    }
}

fn of_group(group: Option<&str>) -> Subject {
    Subject {
        id: group_id(group),
        name: group.unwrap_or("(no group)").to_owned(),
        group: group.map(str::to_owned),
    }
}

/// Several rows as one.
fn together(id: &str, rows: &[Row], scope: Scope) -> Row {
    let add = |sum: u64, more: u64| sum.saturating_add(more);
    let amounts = rows.iter().fold(Amounts::default(), |sum, row| {
        let row = &row.amounts;
        Amounts {
            sent: add(sum.sent, row.sent),
            received: add(sum.received, row.received),
            sent_local: add(sum.sent_local, row.sent_local),
            received_local: add(sum.received_local, row.received_local),
            sent_packets: add(sum.sent_packets, row.sent_packets),
            received_packets: add(sum.received_packets, row.received_packets),
            sent_local_packets: add(sum.sent_local_packets, row.sent_local_packets),
            received_local_packets: add(sum.received_local_packets, row.received_local_packets),
            peak_sent_rate: None,
            peak_received_rate: None,
        }
    });
    let total = amounts.total(scope);
    Row {
        id: id.to_owned(),
        name: id.to_owned(),
        share: share(total, total),
        total,
        amounts,
        ..Row::default()
    }
}

fn set_rates(row: &mut Row, (sent, received): (u64, u64)) {
    row.p95_sent_rate = Some(sent);
    row.p95_received_rate = Some(received);
}

fn is_empty(row: &Row) -> bool {
    let Amounts { sent, received, .. } = row.amounts;
    let has_quota = row
        .cycle
        .as_ref()
        .is_some_and(|cycle| cycle.quota.is_some());
    sent == 0 && received == 0 && !has_quota
}

/// To four decimal places.
fn share(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        whole => (part as f64 / whole as f64 * 1e4).round() / 1e4,
    }
}
