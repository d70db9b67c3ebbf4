//! Merged checkpoints say the same as one after the other.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::store::{backlog::Backlog, write::Writer};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_waited_is_written_as_if_it_had_not(
        checkpoints in vec(checkpoint(), 1..6),
        failures in 0..3_usize,
    ) {
        let one_by_one = written(checkpoints.iter().map(std::slice::from_ref));

        let mut backlog = Backlog::default();
        for (number, checkpoint) in checkpoints.into_iter().enumerate() {
            let taken = (number < failures).then(|| backlog.take()).flatten();
            backlog.push(checkpoint);
            if let Some(taken) = taken {
                backlog.put_back(taken);
            }
        }
        let merged = written([backlog.steps()].into_iter());
        prop_assert_eq!(merged, one_by_one);
    }
}

#[test]
fn only_renames_make_a_backlog_longer() {
    let mut backlog = Backlog::default();
    for _ in 0..100 {
        backlog.push(full());
    }
    assert_eq!(backlog.steps(), [full()]);
    let renamed = vec![("a".to_owned(), "b".to_owned())];
    backlog.push(Checkpoint { renamed, ..full() });
    for _ in 0..100 {
        backlog.push(full());
    }
    assert_eq!(backlog.steps().len(), 3);
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
        (id(), id()).prop_map(|(number, id)| alert(number, id, now())),
        0..2,
    );
    let addresses = vec(id().prop_map(|id| address("192.168.1.1", id)), 0..2);
    let tables = vec(
        (0..9_u64).prop_map(|seed| table("br-lan", vec![(3, row(seed))])),
        0..2,
    );
    let lifecycle = proptest::option::of("[a-z]{3}");
    (usages, renames, alerts, addresses, tables, lifecycle).prop_map(
        |(usage, renamed, alerts, addresses, tables, lifecycle)| Checkpoint {
            renamed,
            devices: ["a", "b", "c"].map(device).to_vec(),
            usage,
            alerts,
            addresses,
            tables,
            lifecycle,
            ..empty()
        },
    )
}

/// What the database holds after these transactions.
fn written<'a>(transactions: impl Iterator<Item = &'a [Checkpoint]>) -> [Loaded; 2] {
    let memory = Path::new(":memory:");
    let mut writer = Writer::new(schema::open(memory).unwrap(), memory.to_owned());
    for steps in transactions {
        writer.write(steps).unwrap();
    }
    [today(), day("2026-03-07")].map(|day| {
        let mut loaded = load(&writer.connection, day).unwrap();
        // The order is that in which they were made.
        loaded.devices.sort_by(|a, b| a.id.cmp(&b.id));
        loaded.usage.sort_by(|a, b| a.device.cmp(&b.device));
        loaded
    })
}
