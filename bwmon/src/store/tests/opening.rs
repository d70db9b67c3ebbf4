//! The state directory and what may be found in it.

use std::{
    io::Write,
    os::unix::{fs::PermissionsExt, net::UnixListener},
};

use super::*;
use crate::store::opening;

fn fails(directory: &Path) -> StoreError {
    Store::open(directory, today()).map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_made_for_the_owner() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state/bwmon");
    let (mut store, _) = open(&directory);
    keep(&mut store, full()).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory) & 0o027, 0);
    for file in ["bwmon.db", "bwmon.db-wal", "bwmon.db-shm", "bwmon.lock"] {
        assert_eq!(mode(&directory.join(file)) & 0o137, 0, "{file}");
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_named_with_what_to_do() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = fails(&file.join("state"));
    assert!(matches!(error, StoreError::Create { .. }), "{error}");
    assert!(
        error.to_string().contains("file/state: Not a directory"),
        "{error}"
    );
    assert!(error.to_string().contains("--state-dir DIR"), "{error}");

    // In place of what permissions do to those who are not root.
    for name in ["bwmon.lock", "bwmon.db"] {
        let directory = parent.path().join(name);
        fs::create_dir_all(directory.join(name)).unwrap();
        let error = fails(&directory);
        assert!(matches!(error, StoreError::NotWritable { .. }), "{error}");
        assert!(error.to_string().contains("--state-dir DIR"), "{error}");
    }
}

#[tokio::test]
async fn two_daemons_do_not_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = open(directory.path());
    let error = fails(directory.path());
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    let process = format!("in use by another bwmon (process {})", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
    close(store, empty()).await;
    open(directory.path());
}

#[tokio::test]
async fn a_damaged_database_is_moved_aside() {
    let header = |database: &mut Vec<u8>| database[..100].fill(0x5a);
    let middle = |database: &mut Vec<u8>| database[4096..].fill(0x5a);
    let cut = |database: &mut Vec<u8>| database.truncate(10_000);
    let value = |_: &mut Vec<u8>| {};
    for damage in [&header as &dyn Fn(&mut Vec<u8>), &middle, &cut, &value] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bwmon.db");
        let (store, _) = open(directory.path());
        close(store, full()).await;
        let mut database = fs::read(&path).unwrap();
        let whole = database.clone();
        damage(&mut database);
        if database == whole {
            let connection = schema::open(&path).unwrap();
            connection
                .execute("UPDATE device SET mac = 'none'", [])
                .unwrap();
            drop(connection);
            database = fs::read(&path).unwrap();
        }
        fs::write(&path, &database).unwrap();

        let (mut store, loaded) = open(directory.path());
        let [warning] = &loaded.warnings[..] else {
            panic!("{:?}", loaded.warnings)
        };
        assert!(warning.contains("was damaged"), "{warning}");
        assert_eq!(
            loaded,
            Loaded {
                warnings: loaded.warnings.clone(),
                ..Loaded::default()
            }
        );
        let (_, aside) = warning.split_once("moved to ").unwrap();
        let (aside, _) = aside.split_once(',').unwrap();
        assert!(aside.contains("/bwmon.db.corrupt-2"), "{aside}");
        assert!(fs::read(aside).unwrap() == database, "{aside} has changed");
        keep(&mut store, full()).await;
        assert_eq!(left_behind(directory.path(), today()), full_loaded());
    }
}

#[tokio::test]
async fn a_torn_log_costs_only_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, full()).await;
    let copy = tempfile::tempdir().unwrap();
    for file in ["bwmon.db", "bwmon.db-wal"] {
        fs::copy(directory.path().join(file), copy.path().join(file)).unwrap();
    }
    let log = fs::OpenOptions::new()
        .append(true)
        .open(copy.path().join("bwmon.db-wal"));
    log.unwrap().write_all(&[0x5a; 5000]).unwrap();
    let (_, loaded) = open(copy.path());
    assert_eq!(loaded, full_loaded());
}

/// A database that has to give way, whole, is found where the warning says, and may come back.
async fn check_aside(prepare: impl Fn(&Path), kind: &str, words: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    prepare(&path);
    let before = fs::read(&path).unwrap();
    let (mut store, loaded) = open(directory.path());
    let [warning] = &loaded.warnings[..] else {
        panic!("{:?}", loaded.warnings)
    };
    assert!(warning.contains(words), "{warning}");
    let (_, aside) = warning.split_once("moved to ").unwrap();
    let (aside, _) = aside.split_once(',').unwrap();
    assert!(aside.contains(&format!("/bwmon.db.{kind}-2")), "{aside}");
    assert!(fs::read(aside).unwrap() == before, "{aside} has changed");
    keep(&mut store, full()).await;
    assert_eq!(left_behind(directory.path(), today()), full_loaded());
}

fn foreign(path: &Path, pragmas: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(&format!("CREATE TABLE theirs (value); {pragmas}"))
        .unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_bwmon_is_moved_aside_and_can_come_back() {
    let newer = |path: &Path| {
        let connection = schema::open(path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
    };
    check_aside(newer, "newer", "was of a newer bwmon (version 99, ").await;
    check_aside(
        newer,
        "newer",
        "stop bwmon, move it back, and start the newer one",
    )
    .await;
}

#[tokio::test]
async fn a_database_of_another_program_is_moved_aside() {
    for (pragmas, words) in [
        ("", "was another program's (version 0, 1 tables"),
        (
            "PRAGMA user_version = 2",
            "was another program's (version 2, 1 tables",
        ),
        (
            "PRAGMA user_version = 9",
            "was another program's (version 9, 1 tables",
        ),
        (
            "PRAGMA application_id = 252006673; PRAGMA user_version = 2",
            "was another program's (application id 0x0f055111, version 2)",
        ),
    ] {
        check_aside(|path| foreign(path, pragmas), "foreign", words).await;
    }
}

#[tokio::test]
async fn what_is_no_database_at_all_is_moved_aside() {
    let text = |path: &Path| fs::write(path, "shopping list\n".repeat(1000)).unwrap();
    check_aside(text, "corrupt", "was damaged (file is not a database)").await;
}

#[test]
fn a_new_database_is_marked_as_bwmons() {
    let directory = tempfile::tempdir().unwrap();
    let connection = schema::open(&directory.path().join("bwmon.db")).unwrap();
    let id: i64 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .unwrap();
    assert_eq!(id, i64::from(u32::from_be_bytes(*b"bwmn")));
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_read_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path());
    keep(&mut store, full()).await;
    let read = |directory: &Path| {
        let before: Vec<_> = fs::read_dir(directory).unwrap().flatten().collect();
        let (_, loaded) = opening::read(directory, today()).unwrap();
        let after: Vec<_> = fs::read_dir(directory).unwrap().flatten().collect();
        assert_eq!(after.len(), before.len(), "files were made");
        loaded
    };
    // As a process that was killed left it, the log and all; and after a clean stop.
    for clean in [false, true] {
        let copy = tempfile::tempdir().unwrap();
        // A name that means something else in a URI.
        let place = copy.path().join("a?b#c%20");
        fs::create_dir(&place).unwrap();
        let files: &[&str] = match clean {
            false => &["bwmon.db", "bwmon.db-wal"],
            true => &["bwmon.db"],
        };
        if clean {
            let connection = schema::open(&directory.path().join("bwmon.db")).unwrap();
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
        }
        for file in files {
            fs::copy(directory.path().join(file), place.join(file)).unwrap();
        }
        assert_eq!(read(&place), full_loaded(), "clean: {clean}");
    }
}

#[test]
fn what_cannot_be_written_and_is_of_no_use_is_told_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    let loaded = || opening::read(directory.path(), today()).unwrap().1;
    assert_eq!(loaded(), Loaded::default());
    foreign(&path, "");
    let before = fs::read(&path).unwrap();
    let warnings = loaded().warnings;
    assert!(
        warnings[0].contains("was another program's") && warnings[0].contains("is to be moved"),
        "{warnings:?}"
    );
    assert!(fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn a_file_system_without_shared_memory_will_do() {
    let directory = tempfile::tempdir().unwrap();
    // What stands here can't be opened as a file, let alone mapped.
    let _socket = UnixListener::bind(directory.path().join("bwmon.db-shm")).unwrap();
    let (store, _) = open(directory.path());
    close(store, full()).await;
    let (_, loaded) = open(directory.path());
    assert_eq!(loaded, full_loaded());
}

#[test]
fn the_connection_is_set_up_for_a_small_machine() {
    let directory = tempfile::tempdir().unwrap();
    let connection = schema::open(&directory.path().join("bwmon.db")).unwrap();
    let pragma = |name: &str| -> String {
        let value = connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .unwrap();
        match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => panic!("{other:?}"),
        }
    };
    for (name, expected) in [
        ("journal_mode", "wal"),
        ("synchronous", "1"),
        ("foreign_keys", "1"),
        ("auto_vacuum", "2"),
        ("cache_size", "-2048"),
        ("mmap_size", "0"),
        ("wal_autocheckpoint", "256"),
        ("busy_timeout", "1000"),
        ("user_version", "4"),
    ] {
        assert_eq!(pragma(name), expected, "{name}");
    }
}
