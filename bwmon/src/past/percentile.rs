//! The 95th percentile of rates, as lines are billed: the nearest rank.
//!
//! Of `n` steps, of which those without traffic are zero, it is the one at rank ⌈0.95 · n⌉ when they
//! are in ascending order. Only those above it need to be known, so no more are kept.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{Past, PastError, Range, Step, amounts::in_scope, report::Lines};
use crate::core::{
    history::{Minute, Moved},
    policy::Scope,
};

/// Of each row, in each direction: bytes per second.
#[derive(Debug)]
pub(super) struct Percentiles {
    pub(super) step_seconds: u64,
    /// In the order of the rows.
    pub(super) rates: Vec<(u64, u64)>,
    /// Of all rows together.
    pub(super) sum: (u64, u64),
}

impl Past {
    /// The 95th percentile of each row, of the finest steps that the whole range is kept in: five
    /// minutes, a quarter of an hour, or an hour. `None` where nothing so fine is kept, or no step is
    /// over yet.
    pub(super) fn percentiles(
        &self,
        range: Range,
        lines: &Lines,
        scope: Scope,
    ) -> Result<Option<Percentiles>, PastError> {
        // What was before anything is known of is not zero.
        let from = range.from.max(self.begins.unwrap_or(Minute::MAX));
        let is_whole = |step: &&Step| {
            let regions = self.reader.regions(step.tier(), from, range.to);
            regions.iter().all(|region| region.tier == step.tier())
        };
        let steps = [Step::Minutes(5), Step::Minutes(15), Step::Hours(1)];
        let Some(step) = steps.iter().find(is_whole) else {
            return Ok(None);
        };
        let zone = self.zone();
        let length = i64::try_from(step.seconds() / 60).unwrap_or(1);
        let (from, to) = (step.start(from, zone), step.start(range.to, zone));
        let count = usize::try_from((to - from) / length).unwrap_or_default();
        if from >= to || count == 0 {
            return Ok(None);
        }
        let mut columns = Columns::new(lines.heads.len(), count);
        let mut at = (Minute::MIN, Minute::MIN);
        let mut add = |minute: Minute, place: usize, moved: &Moved| {
            let Some(line) = lines.of(place) else { return };
            // Many rows are of one time, and asking the time zone takes its own.
            if at.0 != minute {
                at = (minute, step.start(minute, zone));
            }
            columns.add(at.1, line, in_scope(&moved.row, scope));
        };
        self.reader
            .scan(step.tier(), None, from, to, &mut |bucket| {
                add(bucket.start, bucket.series, &bucket.moved);
            })?;
        for (minute, place, moved) in self.fresh(Range { from, to }) {
            add(*minute, *place, moved);
        }
        Ok(Some(columns.finish(step.seconds())))
    }
}

/// The largest steps of each row and of their sum, which is the last.
struct Columns {
    largest: Vec<[Largest; 2]>,
    /// What moved in the step that is being added up.
    now: Vec<(u64, u64)>,
    touched: Vec<usize>,
    step: Minute,
}

impl Columns {
    fn new(lines: usize, steps: usize) -> Self {
        let largest = || [Largest::of(steps), Largest::of(steps)];
        Self {
            largest: (0..=lines).map(|_| largest()).collect(),
            now: vec![(0, 0); lines + 1],
            touched: Vec::new(),
            step: Minute::MIN,
        }
    }

    /// Steps come in order.
    fn add(&mut self, step: Minute, line: usize, (sent, received): (u64, u64)) {
        if step != self.step {
            self.end_step();
            self.step = step;
        }
        let sum = self.now.len() - 1;
        for line in [line, sum] {
            let now = &mut self.now[line];
            if *now == (0, 0) {
                self.touched.push(line);
            }
            now.0 = now.0.saturating_add(sent);
            now.1 = now.1.saturating_add(received);
        }
    }

    fn end_step(&mut self) {
        for line in self.touched.drain(..) {
            let (sent, received) = std::mem::take(&mut self.now[line]);
            let [of_sent, of_received] = &mut self.largest[line];
            of_sent.take(sent);
            of_received.take(received);
        }
    }

    fn finish(mut self, step_seconds: u64) -> Percentiles {
        self.end_step();
        let rate = |largest: &Largest| largest.percentile() / step_seconds.max(1);
        let mut rates: Vec<_> = self
            .largest
            .iter()
            .map(|[sent, received]| (rate(sent), rate(received)))
            .collect();
        let sum = rates.pop().unwrap_or_default();
        Percentiles {
            step_seconds,
            rates,
            sum,
        }
    }
}

/// The largest of many amounts.
#[derive(Debug)]
pub(super) struct Largest {
    most: usize,
    kept: BinaryHeap<Reverse<u64>>,
}

impl Largest {
    /// For the percentile of so many steps.
    pub(super) fn of(steps: usize) -> Self {
        let rank = (steps * 95).div_ceil(100);
        Self {
            most: steps - rank + usize::from(steps > 0),
            kept: BinaryHeap::new(),
        }
    }

    /// Takes in the amount of a step. Those that are zero may be left out.
    pub(super) fn take(&mut self, amount: u64) {
        if amount == 0 {
            return;
        }
        if self.kept.len() == self.most {
            match self.kept.peek() {
                Some(Reverse(least)) if *least < amount => self.kept.pop(),
                _ => return,
            };
        }
        self.kept.push(Reverse(amount));
    }

    /// The 95th percentile; zero of no steps.
    pub(super) fn percentile(&self) -> u64 {
        match self.kept.peek() {
            Some(Reverse(least)) if self.kept.len() == self.most => *least,
            // What was left out.
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn check(amounts: &[u64], steps: usize, expected: u64) {
        let mut largest = Largest::of(steps);
        for amount in amounts {
            largest.take(*amount);
        }
        assert_eq!(largest.percentile(), expected, "{amounts:?} of {steps}");
    }

    #[test]
    fn it_is_the_nearest_rank_and_steps_without_traffic_count() {
        let twenty: Vec<u64> = (1..=20).collect();
        check(&twenty, 20, 19);
        check(&twenty, 40, 18);
        check(&twenty, 400, 0);
        check(&[7], 1, 7);
        check(&[7], 19, 7);
        check(&[7], 20, 0);
        check(&[], 20, 0);
        check(&[], 0, 0);
        check(&[7], 0, 0);
    }

    proptest! {
        #[test]
        fn it_is_that_of_all_of_them_in_order(mut amounts in vec(0_u64..50, 1..500)) {
            let mut largest = Largest::of(amounts.len());
            amounts.iter().filter(|amount| **amount > 0).for_each(|amount| largest.take(*amount));
            amounts.sort_unstable();
            let rank = (0.95 * amounts.len() as f64 - 1e-9).ceil() as usize;
            prop_assert_eq!(largest.percentile(), amounts[rank - 1]);
            prop_assert!(largest.kept.len() <= amounts.len() / 20 + 1);
        }
    }
}
