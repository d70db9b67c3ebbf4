//! The queue by itself: what goes when, and what has to go when it is too much.

use std::collections::BTreeSet;

use jiff::civil::time;
use proptest::{collection::vec, prelude::*, sample::select};

use EventState::{Firing, Reminder, Resolved};

use super::*;
use crate::{
    core::schedule::{Days, Window},
    notify::{
        hours::QuietHours,
        queue::{Queue, Waiting},
    },
};

fn waiting(seq: u64, alert: u64, state: EventState, bytes: usize) -> Waiting {
    Waiting {
        seq,
        event: event_of(seq, alert, state),
        bytes,
        at: now(),
        ran: Duration::ZERO,
    }
}

fn always() -> QuietHours {
    hours(None)
}

fn hours(schedule: Option<Schedule>) -> QuietHours {
    QuietHours {
        schedule,
        zone: TimeZone::UTC,
    }
}

/// Takes the next one up and says which.
fn next(queue: &mut Queue) -> Vec<u64> {
    let batch = queue.take_up(now(), &always(), 50);
    batch.iter().map(|waiting| waiting.seq).collect()
}

/// Fills a queue with firing events of alerts 1000 and up, after `first`; then `newest` comes.
fn check(first: &[(u64, EventState)], newest: (u64, EventState), on_the_way: bool, shed: &[u64]) {
    let mut queue = Queue::default();
    let fill = MOST_EVENTS - first.len();
    let filler = (1000..).map(|alert| (alert, Firing)).take(fill);
    let all = first.iter().copied().chain(filler);
    for (seq, (alert, state)) in (1..).zip(all) {
        assert_eq!(queue.push(waiting(seq, alert, state, 1)).seqs, [0; 0]);
    }
    queue.release(u64::MAX);
    if on_the_way {
        assert_eq!(next(&mut queue), [1]);
    }
    let seq = MOST_EVENTS as u64 + 1;
    let found = queue.push(waiting(seq, newest.0, newest.1, 1));
    assert_eq!(found.seqs, shed, "{first:?} {newest:?}");
    assert!(found.is_news);
}

#[test]
fn reminders_go_first_and_then_the_oldest_alert() {
    let newest = MOST_EVENTS as u64 + 1;
    let pair = [(1, Firing), (2, Firing), (1, Resolved)];
    check(
        &[(1, Firing), (1, Reminder), (2, Reminder)],
        (9, Firing),
        false,
        &[2],
    );
    check(&[], (9, Reminder), false, &[newest]);
    check(&pair, (9, Firing), false, &[1, 3]);
    check(&[(1, Firing)], (1, Resolved), false, &[1, newest]);
    // What they are just being told of is not taken back, and neither is its end.
    check(&pair, (9, Firing), true, &[2]);
    check(&[(1, Reminder), (2, Firing)], (9, Firing), true, &[2]);
}

#[test]
fn a_full_queue_is_news_once_until_there_is_room() {
    let mut queue = Queue::default();
    queue.release(u64::MAX);
    let mut news = vec![];
    for seq in 1..=3 * MOST_EVENTS as u64 {
        if queue.push(waiting(seq, seq, Firing, 1)).is_news {
            news.push(seq);
        }
        if seq == 2 * MOST_EVENTS as u64 {
            for _ in 0..=MOST_EVENTS / 2 {
                next(&mut queue);
                queue.delivered();
            }
        }
    }
    assert_eq!(news, [1001, 2000 + 502]);
}

#[test]
fn an_event_that_is_too_large_does_not_push_out_the_others() {
    let mut queue = Queue::default();
    queue.push(waiting(1, 1, Reminder, 1));
    assert_eq!(queue.push(waiting(2, 2, Firing, MOST_BYTES + 1)).seqs, [2]);
    assert_eq!(queue.len(), 1);
}

#[test]
fn what_was_held_up_goes_together_up_to_a_limit() {
    let night = Window {
        days: Days::ALL,
        from: time(22, 0, 0, 0),
        to: time(6, 0, 0, 0),
    };
    let hours = hours(Some(Schedule(vec![night])));
    let mut queue = Queue::default();
    for seq in 1..=60 {
        let mut waiting = waiting(seq, seq, Firing, 1);
        if seq <= 55 {
            waiting.at = "2026-03-08T02:00:00Z".parse().unwrap();
        }
        queue.push(waiting);
    }
    queue.release(58);
    let mut batches = |most| {
        let batch = queue.take_up(now(), &hours, most);
        queue.delivered();
        let first = batch.first().map(|waiting| waiting.seq);
        (first.unwrap_or_default(), batch.len())
    };
    let found = [1, 50, 50, 50, 50, 50, 50].map(&mut batches);
    // Those of the day go one by one, and what is not released not at all.
    let expected = [(1, 1), (2, 50), (52, 4), (56, 1), (57, 1), (58, 1), (0, 0)];
    assert_eq!(found, expected);
}

#[derive(Clone, Debug)]
enum Step {
    Push(u64, EventState, usize),
    Release,
    TakeUp,
    Delivered,
    Failed(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let states = select(vec![Firing, Reminder, Resolved]);
    // Some forty of them fill the queue.
    let push = (0..9_u64, states, 1..MOST_BYTES / 20)
        .prop_map(|(alert, state, bytes)| Step::Push(alert, state, bytes));
    prop_oneof![
        6 => push,
        2 => Just(Step::Release),
        2 => Just(Step::TakeUp),
        1 => Just(Step::Delivered),
        1 => any::<bool>().prop_map(Step::Failed),
    ]
}

proptest! {
    #[test]
    fn every_event_is_delivered_in_order_or_given_up_or_shed(
        steps in vec(step(), 1..300),
        many in any::<bool>(),
    ) {
        let most = if many { 50 } else { 1 };
        let mut queue = Queue::default();
        let (mut seq, mut released) = (0, 0);
        let mut open = BTreeSet::new();
        let mut reminders = BTreeSet::new();
        let mut current: Vec<u64> = vec![];
        let mut last_delivered = 0;
        for step in steps {
            match step {
                Step::Push(alert, state, bytes) => {
                    seq += 1;
                    open.insert(seq);
                    if state == Reminder {
                        reminders.insert(seq);
                    }
                    for shed in queue.push(waiting(seq, alert, state, bytes)).seqs {
                        prop_assert!(open.remove(&shed), "{} is settled twice", shed);
                        prop_assert!(!current.contains(&shed), "{} was on the way", shed);
                        let mut left = reminders.iter().copied();
                        let left = left.find(|seq| !current.contains(seq));
                        prop_assert!(reminders.contains(&shed) || left.is_none());
                        if reminders.remove(&shed) {
                            prop_assert_eq!(left, Some(shed));
                        }
                    }
                    prop_assert!(queue.len() <= MOST_EVENTS);
                    prop_assert!(queue.bytes() <= MOST_BYTES);
                }
                Step::Release => {
                    queue.release(seq);
                    released = seq;
                }
                Step::TakeUp => {
                    let batch = queue.take_up(now(), &always(), most);
                    current = batch.iter().map(|waiting| waiting.seq).collect();
                    let first = open.iter().next().filter(|seq| **seq <= released);
                    prop_assert_eq!(current.first(), first);
                }
                Step::Delivered => {
                    let gone = queue.delivered();
                    prop_assert_eq!(&gone, &current);
                    for gone in gone {
                        prop_assert!(gone > last_delivered);
                        last_delivered = gone;
                        prop_assert!(open.remove(&gone));
                        reminders.remove(&gone);
                    }
                    current.clear();
                }
                Step::Failed(is_hopeless) => {
                    let tried = current.clone();
                    let gone = queue.failed("no".to_owned(), |waiting| {
                        is_hopeless && tried.contains(&waiting.seq)
                    });
                    for gone in gone {
                        prop_assert!(tried.contains(&gone.seq) && open.remove(&gone.seq));
                        reminders.remove(&gone.seq);
                    }
                    current.clear();
                }
            }
            prop_assert_eq!(queue.len(), open.len());
        }
        let counts = queue.counts();
        let all = counts.delivered + counts.given_up + counts.shed + open.len() as u64;
        prop_assert_eq!(all, seq);
    }
}
