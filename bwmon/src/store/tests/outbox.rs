//! Events and what the core remembers.

use super::*;

fn events(seqs: impl IntoIterator<Item = u64>) -> Checkpoint {
    Checkpoint {
        events: seqs.into_iter().map(event).collect(),
        ..empty()
    }
}

fn waiting(loaded: &Loaded) -> Vec<u64> {
    loaded.outbox.iter().map(|event| event.seq).collect()
}

fn failed(loaded: &Loaded) -> Vec<u64> {
    loaded
        .failed
        .iter()
        .map(|failed| failed.waited.seq)
        .collect()
}

/// After each step the process is killed: what waits is what was not settled.
#[tokio::test]
async fn a_kill_between_any_two_steps_loses_no_event() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, events(1..=3)).await;
    for (settled, left) in [
        (vec![], vec![1, 2, 3]),
        (vec![gone(2)], vec![1, 3]),
        (vec![given_up(1)], vec![3]),
        (vec![gone(3)], vec![]),
        // Nobody knows these any more.
        (vec![gone(2), given_up(3)], vec![]),
    ] {
        if !settled.is_empty() {
            store.settle(settled);
            assert!(matches!(outcome(&mut store).await, Outcome::Durable(_)));
        }
        assert_eq!(waiting(&left_behind(directory.path(), today())), left);
    }
    keep(&mut store, events(4..=5)).await;
    let found = left_behind(directory.path(), today());
    assert_eq!((waiting(&found), failed(&found)), (vec![4, 5], vec![1]));
}

#[tokio::test]
async fn what_is_durable_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    let durable = async |store: &mut Store| match outcome(store).await {
        Outcome::Durable(durable) => (durable.at, durable.event),
        Outcome::Failed(error) => panic!("{error}"),
    };
    store.settle(vec![gone(1)]);
    assert_eq!(durable(&mut store).await, (Timestamp::UNIX_EPOCH, 0));
    store.write(events([7, 8]));
    store.write(events([9]));
    assert_eq!(durable(&mut store).await, (now(), 8));
    assert_eq!(durable(&mut store).await, (now(), 9));
    store.settle(vec![gone(9)]);
    assert_eq!(durable(&mut store).await, (now(), 9));
}

#[tokio::test]
async fn to_close_writes_what_was_settled() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, events([1, 2])).await;
    store.settle(vec![gone(1)]);
    store.settle(vec![gone(2)]);
    store.close().await.unwrap();
    let (store, loaded) = open(directory.path());
    assert_eq!(waiting(&loaded), [0; 0]);
    store.close().await.unwrap();
}

/// A power cut may take back what was not synced.
#[test]
fn what_has_events_in_it_or_was_asked_for_is_synced() {
    const NORMAL: i64 = 1;
    const FULL: i64 = 2;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    let mut writer = Writer::new(schema::open(&path).unwrap(), path);
    let mut settled = Backlog::default();
    settled.settle(vec![gone(1)]);
    let asked_for = Checkpoint {
        outlives: Outlives::PowerCut,
        ..empty()
    };
    for (backlog, expected) in [
        (backlog(empty()), NORMAL),
        (backlog(events([1])), FULL),
        (backlog(empty()), NORMAL),
        (backlog(events([2])), FULL),
        (settled, NORMAL),
        (backlog(asked_for), FULL),
    ] {
        writer.write(&backlog, &HistorySettings::default()).unwrap();
        // It is set before each transaction, and holds for it.
        let found: i64 = writer
            .connection
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, expected, "{backlog:?}");
    }
}

#[tokio::test]
async fn of_what_was_given_up_the_latest_are_kept_for_a_month() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    let mut other = event(1);
    other.channel = "mail".to_owned();
    let mut all = events(2..=131);
    all.events.push(other);
    all.settled = (1..=130).map(given_up).collect();
    keep(&mut store, all).await;
    let found = left_behind(directory.path(), today());
    let latest: Vec<u64> = (31..=130).rev().collect();
    assert_eq!((failed(&found), waiting(&found)), (latest, vec![131]));
    let connection = rusqlite::Connection::open(directory.path().join("bwmon.db")).unwrap();
    let kept = || -> i64 {
        let count = "SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL";
        connection.query_row(count, [], |row| row.get(0)).unwrap()
    };
    // A hundred of one channel, and the one of the other.
    assert_eq!(kept(), 101);

    for (days, left) in [(29, 101), (31, 0)] {
        let ran = Duration::from_secs(days * 24 * 3600);
        let at = now() + ran;
        keep(&mut store, Checkpoint { at, ran, ..empty() }).await;
        assert_eq!(kept(), left, "{days} days");
    }
    assert_eq!(waiting(&left_behind(directory.path(), today())), [131]);
}

#[tokio::test]
async fn memory_is_kept_until_it_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    let remember = |memory| Checkpoint { memory, ..empty() };
    let both = vec![memory("a", "cycle", "1"), memory("a", "profile", "2")];
    keep(&mut store, remember(both.clone())).await;
    assert_eq!(left_behind(directory.path(), today()).memory, both);

    let cycle = vec![memory("a", "cycle", "3"), memory("a", "profile", None)];
    keep(&mut store, remember(cycle.clone())).await;
    assert_eq!(left_behind(directory.path(), today()).memory, cycle[..1]);
}

#[tokio::test]
async fn what_changes_each_minute_is_in_few_pages() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    let profile = "x".repeat(1_200);
    let devices = (0..50).map(|number| format!("02:1b:c3:00:4f:{number:02x}"));
    let (mut cycles, mut profiles) = (Vec::new(), Vec::new());
    for subject in devices {
        let of_it = |kind: &str, state: &str| MemoryRecord {
            subject: subject.clone(),
            kind: kind.to_owned(),
            state: Some(state.to_owned()),
        };
        cycles.push(of_it("cycle", "{}"));
        profiles.push(of_it("profile", &profile));
    }
    let remember = |memory| Checkpoint { memory, ..empty() };
    let log = directory.path().join("bwmon.db-wal");
    let bytes = || fs::metadata(&log).unwrap().len();
    keep(&mut store, remember(profiles)).await;
    let before = bytes();
    keep(&mut store, remember(cycles)).await;
    let pages = (bytes() - before) / 4096;
    assert!(pages <= 5, "{pages}");
}
