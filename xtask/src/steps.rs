//! Named steps, how each ended and how long it took, and the table of them at the end.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::outcome::Outcome;

/// What a step has to say for itself beyond having passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// For want of something the machine lacks.
    pub(crate) skipped: u64,
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Steps {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    took: Duration,
    ended: Ended,
    tally: Tally,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Passed,
    Failed,
    /// It could not be tried.
    Broken,
}

impl Steps {
    /// Runs a step. An error is told at once, and what the step counted is kept.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce(&mut Tally) -> Result<()>) {
        eprintln!("==> {name}");
        let start = Instant::now();
        let mut tally = Tally::default();
        let ended = match step(&mut tally) {
            Ok(()) => Ended::Passed,
            Err(error) => {
                eprintln!("{name}: {error:#}");
                match error.downcast_ref() {
                    Some(Outcome::ByHand { .. }) => Ended::Broken,
                    Some(Outcome::Found(_)) | None => Ended::Failed,
                }
            }
        };
        let took = start.elapsed();
        self.rows.push(Row {
            name,
            took,
            ended,
            tally,
        });
    }

    /// Whether to go on to the next step.
    pub(crate) fn all_passed(&self) -> bool {
        self.rows.iter().all(|row| row.ended == Ended::Passed)
    }

    /// Prints the table to standard output and ends the verb.
    ///
    /// # Errors
    /// When a step did not pass, with the names of those.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n{self}");
        let failed = self.rows.iter().filter(|row| row.ended != Ended::Passed);
        let failed: Vec<&str> = failed.map(|row| row.name).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Outcome::found(format!(
            "{} did not pass: what it said is above",
            failed.join(", ")
        )))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut total = Tally::default();
        for Row {
            name,
            took,
            ended,
            tally,
        } in &self.rows
        {
            let seconds = took.as_secs_f64();
            write!(f, "{name:<24} {seconds:>7.1} s  {ended}")?;
            if *tally != Tally::default() {
                write!(f, ", tests: {tally}")?;
            }
            writeln!(f)?;
            total.passed += tally.passed;
            total.failed += tally.failed;
            total.skipped += tally.skipped;
        }
        if total != Tally::default() {
            writeln!(f, "\ntests: {total}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::Broken => "could not be tried",
        })
    }
}
