//! The state directory and what may be found in it.

use std::{
    io::Write,
    os::unix::{fs::PermissionsExt, net::UnixListener},
};

use super::*;

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

#[test]
fn a_database_of_a_newer_bwmon_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.db");
    let connection = schema::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = fails(directory.path());
    assert!(
        matches!(error, StoreError::TooNew { found: 99, .. }),
        "{error}"
    );
    assert!(path.exists());
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
