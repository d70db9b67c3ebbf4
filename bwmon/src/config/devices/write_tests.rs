use std::os::unix::fs::symlink;

use serde_json::json;

use super::*;

const FILE: &str = "registered_devices.json";

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn set(path: &Path, key: &str, name: &str) -> Result<Changed, WriteError> {
    let whom = Whom::key(key).unwrap();
    let fields = [("name".to_owned(), json!(name))].into_iter().collect();
    change_file(path, &whom, &Change::Merge(fields))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn the_new_file_has_the_mode_of_the_old_one_and_nothing_is_left_over() {
    let directory = directory();
    let path = directory.path().join(FILE);
    fs::write(&path, "\u{feff}{ } # mine\r\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o660)).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(set(&path, "::1", "TV").unwrap().is_new);
    let expected = "\u{feff}{\r\n  \"::1\": { \"name\": \"TV\" }\r\n} # mine\r\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let now = fs::metadata(&path).unwrap();
    assert_eq!(now.mode() & 0o7777, 0o660);
    assert_ne!(now.ino(), inode, "it was written in place");
    assert_eq!(names(directory.path()), [FILE]);

    let before = now.ino();
    assert!(!set(&path, "::1", "TV").unwrap().is_new);
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
}

#[test]
fn a_missing_file_is_made() {
    let directory = directory();
    let path = directory.path().join(FILE);
    set(&path, "::1", "TV").unwrap();
    let expected = "{\n  \"::1\": { \"name\": \"TV\" }\n}\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, MODE);
    let whom = Whom::key("::1").unwrap();
    let entry = read_entry(&path, &whom).unwrap().unwrap();
    assert_eq!(
        (entry.key.as_str(), entry.value),
        ("::1", json!({ "name": "TV" }))
    );
}

#[test]
fn a_link_stays_one_and_what_it_leads_to_is_changed() {
    let directory = directory();
    let (real, link) = (directory.path().join("real"), directory.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink("real/devices.json", &link).unwrap();
    for name in ["TV", "Radio"] {
        let changed = set(&link, "::1", name).unwrap();
        assert_eq!(changed.file, directory.path().join("real/devices.json"));
        assert!(link.is_symlink());
        let text = fs::read_to_string(&link).unwrap();
        assert!(text.contains(name), "{text}");
    }
    let circle = directory.path().join("circle");
    symlink("circle", &circle).unwrap();
    let error = set(&circle, "::1", "TV").unwrap_err().to_string();
    assert!(error.contains("from link to link"), "{error}");
    let error = set(&real, "::1", "TV").unwrap_err().to_string();
    assert!(error.contains("is no file"), "{error}");
}

#[test]
fn a_file_with_a_mistake_stays_as_it_is() {
    let directory = directory();
    let path = directory.path().join(FILE);
    let text = "{\n  \"::1\": { \"name\": 5 }\n}";
    fs::write(&path, text).unwrap();
    let error = set(&path, "::2", "TV").unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}:2:20: ", path.display())),
        "{error}"
    );
    assert!(
        error.ends_with("mend that first, nothing was changed"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(names(directory.path()), [FILE]);
}

#[test]
fn what_others_write_meanwhile_is_not_overwritten() {
    let directory = directory();
    let path = directory.path().join(FILE);
    fs::write(&path, "{}").unwrap();
    let old = Old::read(&path).unwrap();
    fs::write(&path, "{ }").unwrap();
    let locked = Directory::lock(&path).unwrap();
    let outcome = locked.replace(&path, &old, b"{ \"::1\": {} }");
    assert!(matches!(outcome, Err(Failed::Overtaken)));
    let none = Old(None);
    let outcome = locked.replace(&path, &none, b"{}");
    assert!(matches!(outcome, Err(Failed::Overtaken)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ }");
    assert_eq!(names(directory.path()), [FILE]);
}

#[test]
fn all_of_many_at_once_are_in_the_file() {
    let directory = directory();
    let path = directory.path().join(FILE);
    thread::scope(|scope| {
        for number in 1..=8 {
            let path = &path;
            scope.spawn(move || set(path, &format!("::{number}"), "TV").unwrap());
        }
    });
    let text = fs::read_to_string(&path).unwrap();
    for number in 1..=8 {
        assert!(text.contains(&format!("\"::{number}\"")), "{text}");
    }
}

#[test]
fn a_directory_that_stays_locked_is_not_waited_for_for_ever() {
    let directory = directory();
    let path = directory.path().join(FILE);
    let _lock = Directory::lock(&path).unwrap();
    let error = set(&path, "::1", "TV").unwrap_err();
    assert!(matches!(error, WriteError::Changing { .. }), "{error}");
}
