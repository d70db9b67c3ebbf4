//! Much more than usual.

use std::time::Duration;

use super::event::Basis;

/// How much more than usual is a surge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// So many times what is expected.
    pub factor: f64,
    /// Below so many bytes per second nothing is.
    pub floor: u64,
    /// How long the subject has to be known first.
    pub learn: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            factor: 3.0,
            floor: 5_000_000 / 8,
            learn: Duration::from_secs(24 * 3600),
        }
    }
}

/// What is usual for a subject at this hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The rate that is usual, in bytes per second.
    pub expected: u64,
    /// Above so many bytes per second it is a surge.
    pub threshold: u64,
    /// How much of its past is known.
    pub learned: Duration,
    /// What it rests on.
    pub basis: Basis,
}
