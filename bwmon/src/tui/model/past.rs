//! What a device moved over a longer time.

use crate::{core::policy::Scope, past::HistoryAnswer};

/// How far back a chart goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Span {
    /// What every bwmon has in memory.
    #[default]
    Minutes,
    Day,
    Week,
    Month,
}

/// Which past somebody looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    /// The id of the device.
    pub(crate) device: String,
    pub(crate) span: Span,
}

/// What is known of it.
#[derive(Clone, Debug)]
pub(crate) enum Past {
    Known(Chart),
    /// Why it is not.
    Failed(String),
}

/// What moved over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart {
    /// RFC 3339.
    pub(crate) from: String,
    /// RFC 3339.
    pub(crate) to: String,
    /// Oldest first, without a gap.
    pub(crate) steps: Vec<Step>,
}

/// What moved in a stretch of time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) seconds: f64,
    /// Bytes.
    pub(crate) sent: u64,
    /// Bytes.
    pub(crate) received: u64,
}

impl Span {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Minutes => Self::Day,
            Self::Day => Self::Week,
            Self::Week => Self::Month,
            Self::Month => Self::Minutes,
        }
    }

    /// In words.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Minutes => "last 10 minutes",
            Self::Day => "last 24 hours",
            Self::Week => "last 7 days",
            Self::Month => "last 30 days",
        }
    }
}

/// All traffic, as in the table.
impl From<HistoryAnswer> for Chart {
    fn from(answer: HistoryAnswer) -> Self {
        let steps = answer.points.iter().map(|point| {
            let (sent, received) = point.amounts.each(Scope::All);
            Step {
                seconds: point.seconds,
                sent,
                received,
            }
        });
        Self {
            steps: steps.collect(),
            from: answer.from,
            to: answer.to,
        }
    }
}
