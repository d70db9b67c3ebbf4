//! Nothing is lost on the way to the disk.

use super::*;

#[tokio::test]
async fn all_that_was_written_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let (store, loaded) = open(directory.path());
    assert_eq!(loaded, Loaded::default());
    close(store, full()).await;

    let (store, loaded) = open(directory.path());
    assert_eq!(loaded, full_loaded());
    close(
        store,
        Checkpoint {
            tables: full().tables,
            ran: full().ran,
            ..empty()
        },
    )
    .await;

    let (_, loaded) = open(directory.path());
    assert_eq!(loaded, full_loaded());
}

#[tokio::test]
async fn records_replace_earlier_ones() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, full()).await;
    let mut second = full();
    second.usage[0] = usage("02:1b:c3:00:4f:9e", today(), u64::MAX);
    second.alerts[0].state = "resolved".to_owned();
    second.alerts[0].ended_at = Some(now());
    second.devices[0].addresses.clear();
    second.addresses[0].total = row(8);
    second.tables = vec![table("br-lan", vec![(5, row(9))])];
    second.lifecycle = None;
    close(store, second.clone()).await;

    let (_, loaded) = open(directory.path());
    // The state is exact; amounts that no line can carry are cut.
    let usage = &mut second.usage[0];
    for amount in [&mut usage.sent, &mut usage.received] {
        *amount = (*amount).min(i64::MAX as u64 / 2);
    }
    assert_eq!(loaded.usage, second.usage);
    assert_eq!(loaded.alerts, second.alerts);
    assert_eq!(loaded.devices, second.devices);
    assert_eq!(loaded.addresses, second.addresses);
    assert_eq!(loaded.tables, second.tables);
    assert_eq!(loaded.lifecycle, full().lifecycle);
}

#[tokio::test]
async fn a_killed_process_leaves_the_last_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, full()).await;
    assert_eq!(left_behind(directory.path(), today()), full_loaded());

    // Without `close`, the thread finishes by itself and lets go of the directory.
    drop(store);
    let (_, loaded) = eventually_open(directory.path()).await;
    assert_eq!(loaded, full_loaded());
}

#[tokio::test]
async fn to_close_empties_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, full()).await;
    close(store, full()).await;
    assert!(!directory.path().join("bwmon.db-wal").exists());
}

#[tokio::test]
async fn checkpoints_that_come_while_one_is_written_follow_it() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    for sent in 1..=50 {
        let usage = vec![
            usage("a", today(), sent),
            usage(&format!("only {sent}"), today(), sent),
        ];
        store.write(Checkpoint {
            at: now() + Duration::from_secs(sent),
            usage,
            ..empty()
        });
    }
    let last = now() + Duration::from_secs(50);
    while !matches!(outcome(&mut store).await, Outcome::Durable(durable) if durable.at == last) {}
    let loaded = left_behind(directory.path(), today());
    assert_eq!(loaded.usage.len(), 51);
    assert!(loaded.usage.contains(&usage("a", today(), 50)));
    assert_eq!(loaded.at, Some(last));
}

/// On a full disk, `max_page_count` says the same as the file system would.
#[test]
fn a_full_disk_keeps_what_was_there_and_takes_more_later() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    let connection = schema::open(&path).unwrap();
    let pages: u32 = connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    connection
        .pragma_update(None, "max_page_count", pages + 2)
        .unwrap();
    // A second connection reads, as the first one belongs to the writer.
    let reader = schema::open(&path).unwrap();
    let read = || load(&reader, today()).unwrap();
    let mut large = full();
    large.tables = vec![table(
        "br-lan",
        (0..10_000).map(|slot| (slot, row(1))).collect(),
    )];

    let mut writer = Writer::new(connection, path);
    writer
        .write(&backlog(full()), &HistorySettings::default())
        .unwrap();
    large.usage[0] = usage("02:1b:c3:00:4f:9e", today(), 99);
    assert!(matches!(
        writer.write(&backlog(large.clone()), &HistorySettings::default()),
        Err(StoreError::Full { .. })
    ));
    assert_eq!(read(), full_loaded());

    writer
        .write(&backlog(full()), &HistorySettings::default())
        .unwrap();
    writer
        .connection
        .pragma_update(None, "max_page_count", 1_000_000)
        .unwrap();
    writer
        .write(&backlog(large.clone()), &HistorySettings::default())
        .unwrap();
    assert_eq!(read().usage, large.usage);
    assert_eq!(read().tables, large.tables);
}

#[tokio::test]
async fn what_could_not_be_written_is_written_with_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(
        &mut store,
        Checkpoint {
            usage: vec![usage("a", today(), 1)],
            ..empty()
        },
    )
    .await;

    let other = rusqlite::Connection::open(directory.path().join("bwmon.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.write(Checkpoint {
        usage: vec![usage("b", today(), 2)],
        ..empty()
    });
    assert!(matches!(
        outcome(&mut store).await,
        Outcome::Failed(StoreError::Database { .. })
    ));
    assert_eq!(
        left_behind(directory.path(), today()).usage,
        [usage("a", today(), 1)]
    );

    other.execute_batch("ROLLBACK").unwrap();
    keep(
        &mut store,
        Checkpoint {
            usage: vec![usage("c", today(), 3)],
            ..empty()
        },
    )
    .await;
    let expected = [
        usage("a", today(), 1),
        usage("b", today(), 2),
        usage("c", today(), 3),
    ];
    assert_eq!(left_behind(directory.path(), today()).usage, expected);
}

#[tokio::test]
async fn to_close_writes_what_failed_before() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    let other = rusqlite::Connection::open(directory.path().join("bwmon.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.write(Checkpoint {
        usage: vec![usage("a", today(), 1)],
        ..empty()
    });
    assert!(matches!(outcome(&mut store).await, Outcome::Failed(_)));
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    close(
        store,
        Checkpoint {
            usage: vec![usage("b", today(), 2)],
            ..empty()
        },
    )
    .await;

    let (_, loaded) = open(directory.path());
    assert_eq!(
        loaded.usage,
        [usage("a", today(), 1), usage("b", today(), 2)]
    );
}

async fn eventually_open(directory: &Path) -> (Store, Loaded) {
    let attempts = async {
        loop {
            match Store::open(directory, today()) {
                Err(StoreError::InUse { .. }) => tokio::task::yield_now().await,
                result => return result.unwrap(),
            }
        }
    };
    timeout(Duration::from_secs(30), attempts).await.unwrap()
}
