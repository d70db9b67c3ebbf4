//! Copies of a database that is being written.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use jiff::tz::TimeZone;

use super::{
    tiers::{START, moved},
    *,
};
use crate::store::{Existing, History, backup};

/// A store with a minute of history, and where its copies go.
async fn kept() -> (tempfile::TempDir, Store, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let (mut store, _) = Store::open(&state, now().to_zoned(TimeZone::UTC).date()).unwrap();
    write(&mut store, 5).await;
    let copy = directory.path().join("copy.db");
    (directory, store, copy)
}

async fn write(store: &mut Store, sent: u64) {
    store.write(Checkpoint {
        history: vec![moved("tv", START, sent)],
        ..empty()
    });
    let outcome = store.outcome().await;
    assert!(matches!(outcome, Outcome::Durable(_)), "{outcome:?}");
}

fn sent(path: PathBuf) -> u64 {
    let reader = History::at(path).open(&TimeZone::UTC).unwrap();
    let totals = reader.totals(START - 60, START + 60).unwrap();
    totals.iter().map(|(_, moved)| moved.row.sent.bytes).sum()
}

#[tokio::test]
async fn a_copy_is_whole_and_private_while_the_database_is_written() {
    let (directory, mut store, copy) = kept().await;
    let state = directory.path().join("state");
    let bytes = backup(&state, &copy, Existing::Keep).unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().len(), bytes);
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o640
    );
    write(&mut store, 7).await;
    assert_eq!(sent(copy.clone()), 5);
    assert_eq!(sent(state.join("bwmon.db")), 12);
    // It is a database to go on with.
    let restored = directory.path().join("restored");
    fs::create_dir(&restored).unwrap();
    fs::copy(&copy, restored.join("bwmon.db")).unwrap();
    let (mut other, loaded) = Store::open(&restored, now().to_zoned(TimeZone::UTC).date()).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    write(&mut other, 1).await;
    assert_eq!(sent(restored.join("bwmon.db")), 6);
    let names = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(names, 3, "nothing is left over");
}

#[tokio::test]
async fn a_file_that_is_in_the_way_stays_unless_it_may_be_replaced() {
    let (directory, mut store, copy) = kept().await;
    let state = directory.path().join("state");
    fs::write(&copy, "precious").unwrap();
    let error = backup(&state, &copy, Existing::Keep).unwrap_err();
    assert!(matches!(error, StoreError::BackupExists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&copy).unwrap(), "precious");
    write(&mut store, 7).await;
    backup(&state, &copy, Existing::Replace).unwrap();
    assert_eq!(sent(copy), 12);
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_leaves_nothing_behind() {
    let (directory, _store, copy) = kept().await;
    let error = backup(directory.path(), &copy, Existing::Keep).unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("may you read it?"), "{error}");
    let nowhere = directory.path().join("no/such/place.db");
    let error = backup(&directory.path().join("state"), &nowhere, Existing::Keep).unwrap_err();
    assert!(matches!(error, StoreError::Backup { .. }), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_database_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    fs::write(
        &path,
        "no database at all, but long enough to be taken for one".repeat(100),
    )
    .unwrap();
    let error = History::at(path).open(&TimeZone::UTC).unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
}
