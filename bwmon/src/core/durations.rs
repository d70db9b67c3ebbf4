//! How many samples took how long.

/// Upper limits in seconds, inclusive; beyond the last there is one more.
const LIMITS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
];

/// A histogram of durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durations {
    /// Of each range on its own.
    counts: [u64; LIMITS.len() + 1],
    sum: f64,
}

impl Durations {
    /// Takes in one.
    pub fn add(&mut self, seconds: f64) {
        let range = LIMITS.iter().take_while(|limit| seconds > **limit).count();
        if let Some(count) = self.counts.get_mut(range) {
            *count += 1;
        }
        self.sum += seconds;
    }

    /// The upper limit of each range in seconds, as text, and how many were at most so long.
    pub fn buckets(&self) -> impl Iterator<Item = (String, u64)> {
        let limits = LIMITS.iter().map(f64::to_string);
        let limits = limits.chain(["+Inf".to_owned()]);
        limits.zip(self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        }))
    }

    /// All together, in seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_its_range_and_in_all_above() {
        let mut durations = Durations::default();
        for seconds in [0.0001, 0.001, 0.0011, 5.0] {
            durations.add(seconds);
        }
        let buckets: Vec<_> = durations.buckets().collect();
        assert_eq!(buckets.len(), 12);
        assert_eq!(buckets[0], ("0.0005".to_owned(), 1));
        assert_eq!(buckets[1], ("0.001".to_owned(), 2));
        assert_eq!(buckets[2], ("0.0025".to_owned(), 3));
        assert_eq!(buckets[10], ("1".to_owned(), 3));
        assert_eq!(buckets[11], ("+Inf".to_owned(), 4));
        assert_eq!(durations.count(), 4);
        assert!((durations.sum_seconds() - 5.0022).abs() < 1e-9);
    }
}
