//! Which address is asked about when: each at most once an hour, few at a time, no more than there is
//! room for.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::{Duration, Instant},
};

use super::Ask;
use crate::core::names::{Called, Name, NameFact, NameSource, Whose};

/// How long a name is believed.
const NAMED_FOR: Duration = Duration::from_secs(3600);
/// How long it is believed that there is none.
const NAMELESS_FOR: Duration = Duration::from_secs(4 * 3600);
/// When somebody who did not answer is asked again.
const SILENT_FOR: Duration = Duration::from_secs(10 * 60);
/// Addresses that are remembered, those that wait included.
const MOST_ADDRESSES: usize = 8192;
/// Questions under way.
const MOST_RUNNING: usize = 4;

/// What came of asking about an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Somebody knows.
    Found(NameSource, Name),
    /// There is no name.
    Nobody,
    /// It is not known whether there is.
    Failed,
}

/// All addresses that were asked about, or are to be.
#[derive(Default)]
pub(super) struct Schedule {
    states: HashMap<IpAddr, State>,
    waiting: VecDeque<IpAddr>,
    running: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// `true`: the address has another owner since it was asked about.
    Running(bool),
    Until(Instant),
}

impl Schedule {
    /// Somebody wants to know who an address is.
    pub(super) fn offer(&mut self, ask: Ask, now: Instant) {
        let is_due = |until: Instant| ask.is_anew || now >= until;
        match self.states.get_mut(&ask.address) {
            Some(State::Waiting) => return,
            Some(State::Running(is_stale)) => {
                *is_stale |= ask.is_anew;
                return;
            }
            Some(State::Until(until)) if !is_due(*until) => return,
            Some(State::Until(_)) => {}
            None => {
                if self.states.len() >= MOST_ADDRESSES {
                    self.states
                        .retain(|_, state| !matches!(state, State::Until(until) if now >= *until));
                }
                if self.states.len() >= MOST_ADDRESSES {
                    return;
                }
            }
        }
        self.states.insert(ask.address, State::Waiting);
        self.waiting.push_back(ask.address);
    }

    /// Whether there is something to ask, and room to.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() && self.running < MOST_RUNNING
    }

    /// The address to ask about now.
    pub(super) fn next(&mut self) -> Option<IpAddr> {
        if self.running >= MOST_RUNNING {
            return None;
        }
        let address = self.waiting.pop_front()?;
        self.states.insert(address, State::Running(false));
        self.running += 1;
        Some(address)
    }

    /// A question has no answer, and nobody knows whom it was about: it is asked again when the
    /// address is offered the next time.
    pub(super) fn lost(&mut self) {
        self.running = 0;
        self.states
            .retain(|_, state| !matches!(state, State::Running(_)));
    }

    /// What came of it. Returns what that says of names.
    pub(super) fn done(
        &mut self,
        address: IpAddr,
        outcome: Outcome,
        now: Instant,
    ) -> Vec<NameFact> {
        self.running = self.running.saturating_sub(1);
        if self.states.get(&address) == Some(&State::Running(true)) {
            self.states.insert(address, State::Waiting);
            self.waiting.push_back(address);
            return Vec::new();
        }
        let patience = match outcome {
            Outcome::Found(..) => NAMED_FOR,
            Outcome::Nobody => NAMELESS_FOR,
            Outcome::Failed => SILENT_FOR,
        };
        self.states.insert(address, State::Until(now + patience));
        let found = match outcome {
            Outcome::Found(source, name) => Some((source, name)),
            Outcome::Nobody => None,
            Outcome::Failed => return Vec::new(),
        };
        let fact = |source, called| NameFact {
            source,
            whose: Whose::Address(address),
            called,
        };
        // Not what was heard over multicast DNS: who says its name need not answer questions.
        let gone = [NameSource::Llmnr, NameSource::Netbios, NameSource::Dns]
            .into_iter()
            .filter(|source| found.as_ref().is_none_or(|(by, _)| by != source))
            .map(|source| fact(source, None));
        let mut facts: Vec<NameFact> = gone.collect();
        if let Some((source, name)) = found {
            facts.push(fact(source, Some(Called { name, mac: None })));
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(host: u16) -> IpAddr {
        let [high, low] = host.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    fn ask(host: u16) -> Ask {
        Ask {
            address: ip(host),
            is_anew: false,
        }
    }

    fn anew(host: u16) -> Ask {
        Ask {
            is_anew: true,
            ..ask(host)
        }
    }

    fn named(name: &str) -> Outcome {
        Outcome::Found(NameSource::Dns, Name::of_host(name).unwrap())
    }

    #[test]
    fn an_answer_is_believed_for_its_time() {
        for (outcome, seconds) in [
            (named("laptop"), 3_600),
            (Outcome::Nobody, 4 * 3_600),
            (Outcome::Failed, 600),
        ] {
            let (mut schedule, start) = (Schedule::default(), Instant::now());
            schedule.offer(ask(5), start);
            assert_eq!(schedule.next(), Some(ip(5)));
            schedule.done(ip(5), outcome.clone(), start);
            schedule.offer(ask(5), start + Duration::from_secs(seconds - 1));
            assert_eq!(schedule.next(), None, "{outcome:?}");
            schedule.offer(ask(5), start + Duration::from_secs(seconds));
            assert_eq!(schedule.next(), Some(ip(5)), "{outcome:?}");
        }
    }

    #[test]
    fn an_address_with_another_owner_is_asked_about_at_once() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        schedule.offer(ask(5), now);
        schedule.offer(anew(5), now);
        assert_eq!((schedule.next(), schedule.next()), (Some(ip(5)), None));
        // The answer is about the owner before.
        schedule.offer(anew(5), now);
        assert!(schedule.done(ip(5), named("old"), now).is_empty());
        assert_eq!(schedule.next(), Some(ip(5)));
        assert!(!schedule.done(ip(5), named("new"), now).is_empty());
        schedule.offer(anew(5), now);
        assert_eq!(schedule.next(), Some(ip(5)));
    }

    #[test]
    fn what_nobody_says_any_more_is_taken_back_and_silence_says_nothing() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        let facts = schedule.done(ip(5), named("laptop"), now);
        let said = |facts: &[NameFact]| -> Vec<(NameSource, bool)> {
            facts
                .iter()
                .map(|fact| (fact.source, fact.called.is_some()))
                .collect()
        };
        use NameSource::{Dns, Llmnr, Netbios};
        assert_eq!(
            said(&facts),
            [(Llmnr, false), (Netbios, false), (Dns, true)]
        );
        let facts = schedule.done(ip(5), Outcome::Nobody, now);
        assert_eq!(
            said(&facts),
            [(Llmnr, false), (Netbios, false), (Dns, false)]
        );
        assert!(schedule.done(ip(5), Outcome::Failed, now).is_empty());
    }

    #[test]
    fn few_are_asked_about_at_a_time_and_not_more_than_there_is_room_for() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        for host in 0..20_000 {
            schedule.offer(ask(host), now);
        }
        assert_eq!(schedule.states.len(), MOST_ADDRESSES);
        let first: Vec<_> = std::iter::from_fn(|| schedule.next()).collect();
        assert_eq!(first.len(), MOST_RUNNING);
        assert!(!schedule.is_waiting());
        schedule.done(first[0], Outcome::Nobody, now);
        assert!(schedule.is_waiting());
        schedule.lost();
        assert_eq!(std::iter::from_fn(|| schedule.next()).count(), MOST_RUNNING);
        // Room is made of what is not believed any more.
        schedule.offer(ask(20_001), now + NAMELESS_FOR);
        assert!(schedule.states.contains_key(&ip(20_001)));
    }
}
