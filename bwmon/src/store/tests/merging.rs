//! Merged checkpoints say the same as one after the other.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::store::{Outlives, PENDING};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_waited_is_written_as_if_it_had_not(
        steps in vec((checkpoint(), happenings()), 1..6).prop_map(with_events),
        failures in 0..3_usize,
    ) {
        let one_by_one = steps.iter().flat_map(|(checkpoint, settled)| {
            let mut after = Backlog::default();
            after.settle(settled.clone());
            [backlog(checkpoint.clone()), after]
        });
        let one_by_one = written(one_by_one);

        let mut backlog = Backlog::default();
        for (number, (checkpoint, settled)) in steps.into_iter().enumerate() {
            let taken = (number < failures).then(|| backlog.take()).flatten();
            backlog.push(checkpoint);
            // As when it is in flight, and when it is not.
            let also_taken = (number < failures && taken.is_none())
                .then(|| backlog.take())
                .flatten();
            backlog.settle(settled);
            for taken in also_taken.into_iter().chain(taken) {
                backlog.put_back(taken);
            }
        }
        prop_assert_eq!(written([backlog]), one_by_one);
    }
}

#[test]
fn only_renames_make_a_backlog_longer() {
    let quiet = || Checkpoint {
        history: vec![],
        events: vec![],
        settled: vec![],
        ..full()
    };
    let mut backlog = Backlog::default();
    for _ in 0..100 {
        backlog.push(quiet());
    }
    assert_eq!(backlog.steps(), [quiet()]);
    let renamed = vec![("a".to_owned(), "b".to_owned())];
    backlog.push(Checkpoint { renamed, ..quiet() });
    for _ in 0..100 {
        backlog.push(quiet());
    }
    assert_eq!(backlog.steps().len(), 3);
}

#[test]
fn what_waits_is_bounded_though_devices_are_renamed_each_minute() {
    let mut backlog = Backlog::default();
    let mut most = 0;
    for minute in 0..200 {
        let stranger = format!("10.0.0.{minute}");
        backlog.push(Checkpoint {
            renamed: vec![(stranger, "tv".to_owned())],
            devices: (0..100).map(|id| device(&id.to_string())).collect(),
            usage: (0..100)
                .map(|id| usage(&id.to_string(), today(), minute))
                .collect(),
            history: (0..100)
                .map(|id| tiers::moved(&id.to_string(), 0, 1))
                .collect(),
            ..empty()
        });
        most = most.max(backlog.len());
    }
    assert!(most < 1000, "{most}");
    let (_, history) = written([backlog]);
    assert!(
        history.iter().all(|row| row.contains(" 200 ")),
        "{history:?}"
    );

    let mut backlog = Backlog::default();
    for round in 0..200 {
        let renamed = (0..100).map(|id| (format!("{round}.{id}"), "tv".to_owned()));
        backlog.push(Checkpoint {
            renamed: renamed.collect(),
            history: vec![tiers::moved("tv", 0, 1)],
            ..empty()
        });
    }
    assert!(backlog.len() < 11_000, "{}", backlog.len());
    let (_, history) = written([backlog]);
    assert!(history[0].contains(" tv the tv 200 "), "{history:?}");
}

#[test]
fn an_event_that_came_and_went_needs_no_row() {
    let mut backlog = Backlog::default();
    for seq in 1..=100 {
        backlog.push(Checkpoint {
            events: vec![event(seq)],
            ..empty()
        });
        backlog.settle(vec![gone(seq)]);
    }
    assert_eq!(backlog.steps(), [empty()]);
    assert_eq!(backlog.outlives(), Outlives::Crash);
}

/// How many events a checkpoint has, and which fates it and the time after it bring, to which
/// of those that came before.
type Happenings = (u64, [Vec<(usize, bool)>; 2]);

fn happenings() -> impl Strategy<Value = Happenings> {
    let fates = || vec((0..100_usize, any::<bool>()), 0..3);
    (0..4_u64, [fates(), fates()])
}

/// Each event has one place and one fate.
fn with_events(steps: Vec<(Checkpoint, Happenings)>) -> Vec<(Checkpoint, Vec<Settled>)> {
    let (mut last, mut open) = (0, vec![]);
    let steps = steps.into_iter().map(|(checkpoint, (count, fates))| {
        let seqs = last + 1..=last + count;
        last += count;
        open.extend(seqs.clone());
        let [during, after] = fates.map(|fates| {
            let mut settled = vec![];
            for (place, is_gone) in fates {
                if !open.is_empty() {
                    let seq = open.remove(place % open.len());
                    settled.push(if is_gone { gone(seq) } else { given_up(seq) });
                }
            }
            settled
        });
        let checkpoint = Checkpoint {
            events: seqs.map(event).collect(),
            settled: during,
            ran: Duration::from_secs(last),
            ..checkpoint
        };
        (checkpoint, after)
    });
    steps.collect()
}

fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    let id = || select(vec!["a", "b", "c"]);
    let days = || select(vec![today(), day("2026-03-07")]);
    let usages = vec((id(), days(), 0..1000_u64), 0..4).prop_map(|usages| {
        usages
            .into_iter()
            .map(|(id, day, sent)| usage(id, day, sent))
            .collect()
    });
    let renames = prop_oneof![
        2 => Just(vec![]),
        1 => vec((id(), id()).prop_map(|(old, new)| (old.to_owned(), new.to_owned())), 1..3),
    ];
    let alerts = vec(
        (id(), id()).prop_map(|(number, id)| {
            let mut alert = alert(number, id, now());
            // One that somebody was told of is never pending again.
            if number == "c" {
                alert.state = PENDING.to_owned();
            }
            alert
        }),
        0..2,
    );
    let undated = vec(
        (id(), days()).prop_map(|(id, day)| (id.to_owned(), day)),
        0..2,
    );
    let addresses = vec(id().prop_map(|id| address("192.168.1.1", id)), 0..2);
    let tables = vec(
        (0..9_u64).prop_map(|seed| table("br-lan", vec![(3, row(seed))])),
        0..2,
    );
    let lifecycle = proptest::option::of("[a-z]{3}");
    let states = || select(vec![Some("1"), Some("2"), None]);
    let things = vec(
        (id(), states()).prop_map(|(id, state)| memory(id, "cycle", state)),
        0..4,
    );
    let moved = vec((id(), 0..40_i64, 0..1000_u64), 0..4).prop_map(|moved| {
        let moved = moved.into_iter();
        moved
            .map(|(id, minute, sent)| tiers::moved(id, tiers::START + minute, sent))
            .collect()
    });
    (
        usages, renames, alerts, addresses, tables, lifecycle, things, undated, moved,
    )
        .prop_map(
            |(usage, renamed, alerts, addresses, tables, lifecycle, memory, undated, history)| {
                Checkpoint {
                    history,
                    memory,
                    undated,
                    renamed,
                    devices: ["a", "b", "c"].map(device).to_vec(),
                    usage,
                    alerts,
                    addresses,
                    tables,
                    lifecycle,
                    ..empty()
                }
            },
        )
}

/// What the database holds after these transactions.
fn written(transactions: impl IntoIterator<Item = Backlog>) -> ([Loaded; 2], Vec<String>) {
    let memory = Path::new(":memory:");
    let mut writer = Writer::new(schema::open(memory).unwrap(), memory.to_owned());
    for backlog in transactions {
        writer.write(&backlog, &HistorySettings::default()).unwrap();
    }
    let loaded = [today(), day("2026-03-07")].map(|day| {
        let mut loaded = load(&writer.connection, day).unwrap();
        // The order is that in which they were made.
        loaded.devices.sort_by(|a, b| a.id.cmp(&b.id));
        for days in [&mut loaded.usage, &mut loaded.finished] {
            days.sort_by(|a, b| (&a.device, a.day).cmp(&(&b.device, b.day)));
        }
        loaded
    });
    (loaded, tiers::dump(&writer.connection))
}
