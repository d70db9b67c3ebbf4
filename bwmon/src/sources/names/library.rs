//! The files that name devices, as they were last read, and what of it was told.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    collected::{Collected, Names},
    hosts,
    leases::leases,
};
use crate::{
    config::{self, interface::matches},
    core::names::{Called, NameFact, NameSource},
};

/// Most of a file that is read.
const MOST_BYTES: u64 = 4 << 20;
/// Most files that one pattern brings.
const MOST_MATCHES: usize = 32;

/// The files and what they say.
#[derive(Default)]
pub(super) struct Library {
    files: HashMap<(NameSource, PathBuf), Shelved>,
    told: BTreeMap<NameSource, Names>,
    /// What was last said of a file in the log.
    said: HashMap<PathBuf, String>,
}

/// A file as it was last read.
struct Shelved {
    stamp: Stamp,
    names: Names,
}

/// What changes with the content of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The files that may name devices: of each source, in the order in which they are believed.
pub(super) fn wanted(settings: &config::Names) -> Vec<(NameSource, &Path)> {
    let each = [
        (NameSource::Dhcp, &settings.dhcp),
        (NameSource::Ethers, &settings.ethers),
        (NameSource::Hosts, &settings.hosts),
    ];
    each.into_iter()
        .flat_map(|(source, files)| files.iter().map(move |file| (source, file.as_path())))
        .collect()
}

/// Whether `path` is that file or one of that pattern.
pub(super) fn is_one_of(pattern: &Path, path: &Path) -> bool {
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    pattern.parent() == path.parent()
        && name(pattern)
            .zip(name(path))
            .is_some_and(|(pattern, name)| matches(&pattern, &name))
}

impl Library {
    /// Reads what is new: what `is_touched`, and what looks different. Returns what is different in
    /// what the files say.
    pub(super) fn look(
        &mut self,
        settings: &config::Names,
        is_touched: impl Fn(&Path) -> bool,
    ) -> Vec<NameFact> {
        let mut listed: Vec<(NameSource, PathBuf)> = Vec::new();
        for (source, pattern) in wanted(settings) {
            for path in files_of(pattern) {
                if !listed.contains(&(source, path.clone())) {
                    listed.push((source, path));
                }
            }
        }
        let is_listed: HashSet<&(NameSource, PathBuf)> = listed.iter().collect();
        self.files.retain(|file, _| is_listed.contains(file));
        self.said
            .retain(|path, _| listed.iter().any(|(_, other)| other == path));
        for (source, path) in &listed {
            self.read(*source, path, is_touched(path));
        }
        let mut facts = Vec::new();
        for source in [NameSource::Dhcp, NameSource::Ethers, NameSource::Hosts] {
            let mut names = Names::new();
            for file in listed.iter().filter(|(of, _)| *of == source) {
                let shelved = self.files.get(file);
                for (whose, called) in shelved.iter().flat_map(|shelved| &shelved.names) {
                    names.entry(*whose).or_insert_with(|| called.clone());
                }
            }
            let told = self.told.insert(source, names.clone()).unwrap_or_default();
            facts.extend(differences(source, &told, &names));
        }
        facts
    }

    fn read(&mut self, source: NameSource, path: &Path, is_touched: bool) {
        let key = (source, path.to_owned());
        let read = fs::metadata(path).and_then(|metadata| {
            let stamp = Stamp::of(&metadata);
            let is_same = |shelved: &Shelved| shelved.stamp == stamp;
            if !is_touched && self.files.get(&key).is_some_and(is_same) {
                return Ok(None);
            }
            if !metadata.is_file() {
                let reason = "it is no regular file";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
            }
            Ok(Some((stamp, text_of(path)?)))
        });
        match read {
            Ok(None) => {}
            Ok(Some((stamp, (text, is_cut)))) => {
                let Collected { names, left_out } = parse(source, &text);
                let said = match (is_cut, left_out) {
                    (true, _) => format!("more than {MOST_BYTES} bytes: the rest is not read"),
                    (false, 0) => String::new(),
                    (false, _) => format!("too many names: {left_out} are left out"),
                };
                self.say(path, said);
                log::debug!("{}: {} names", path.display(), names.len());
                self.files.insert(key, Shelved { stamp, names });
            }
            Err(error) => {
                let said = match error.kind() {
                    // Nobody has all of the usual files, and one may come later.
                    io::ErrorKind::NotFound => String::new(),
                    _ => format!(
                        "cannot be read for the names of devices: {error}; let the user of bwmon \
                         read it, or take it out of [names]"
                    ),
                };
                self.say(path, said);
                self.files.remove(&key);
            }
        }
    }

    /// Says it once.
    fn say(&mut self, path: &Path, what: String) {
        if what.is_empty() {
            self.said.remove(path);
        } else if self.said.get(path) != Some(&what) {
            log::warn!("{}: {what}", path.display());
            self.said.insert(path.to_owned(), what);
        }
    }
}

fn parse(source: NameSource, text: &str) -> Collected {
    match source {
        NameSource::Ethers => hosts::ethers(text),
        NameSource::Hosts => hosts::hosts(text),
        _ => leases(text),
    }
}

/// The file, or those that there are of a pattern, in order.
fn files_of(pattern: &Path) -> Vec<PathBuf> {
    let is_pattern = pattern.to_string_lossy().contains(['*', '?']);
    if !is_pattern {
        return vec![pattern.to_owned()];
    }
    let entries = pattern
        .parent()
        .and_then(|directory| fs::read_dir(directory).ok());
    let paths = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| is_one_of(pattern, path))
        .take(MOST_MATCHES)
        .collect();
    files.sort();
    files
}

/// Up to the last whole line within the limit, and whether there is more.
fn text_of(path: &Path) -> io::Result<(String, bool)> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    let is_cut = bytes.len() as u64 > MOST_BYTES;
    if is_cut {
        let end = bytes.iter().rposition(|&byte| byte == b'\n');
        bytes.truncate(end.unwrap_or_default());
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), is_cut))
}

/// What to tell somebody who knows `told`.
fn differences(source: NameSource, told: &Names, names: &Names) -> Vec<NameFact> {
    let fact = |whose, called: Option<&Called>| NameFact {
        source,
        whose,
        called: called.cloned(),
    };
    let gone = told.keys().filter(|whose| !names.contains_key(whose));
    let gone = gone.map(|whose| fact(*whose, None));
    let new = names
        .iter()
        .filter(|(whose, called)| told.get(whose) != Some(called));
    // What goes makes room first.
    gone.chain(new.map(|(whose, called)| fact(*whose, Some(called))))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::core::names::Whose;

    fn settings(dhcp: &[PathBuf], hosts: &[PathBuf]) -> config::Names {
        config::Names {
            dhcp: dhcp.to_vec(),
            hosts: hosts.to_vec(),
            ethers: Vec::new(),
            ..config::Names::default()
        }
    }

    /// What is told, a line each, in order.
    fn look(library: &mut Library, settings: &config::Names) -> Vec<String> {
        let facts = library.look(settings, |_| false);
        let mut lines: Vec<String> = facts.iter().filter_map(line).collect();
        lines.sort();
        lines
    }

    fn line(fact: &NameFact) -> Option<String> {
        let Whose::Address(address) = fact.whose else {
            return None;
        };
        let name = fact.called.as_ref().map(|called| called.name.to_string());
        let name = name.unwrap_or_else(|| "-".to_owned());
        Some(format!("{} {address} {name}", fact.source.as_str()))
    }

    #[test]
    fn only_differences_are_told_and_a_replaced_file_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("leases");
        let settings = settings(std::slice::from_ref(&file), &[]);
        let mut library = Library::default();
        assert!(
            look(&mut library, &settings).is_empty(),
            "it is not there yet"
        );
        let lease =
            |host: u8, name: &str| format!("1 02:00:00:00:00:{host:02x} 10.0.0.{host} {name} *\n");
        fs::write(&file, lease(5, "laptop") + &lease(6, "tv")).unwrap();
        assert_eq!(
            look(&mut library, &settings),
            ["dhcp 10.0.0.5 laptop", "dhcp 10.0.0.6 tv"]
        );
        assert!(look(&mut library, &settings).is_empty());
        let new = directory.path().join("leases.new");
        fs::write(&new, lease(5, "tablet")).unwrap();
        fs::rename(&new, &file).unwrap();
        assert_eq!(
            look(&mut library, &settings),
            ["dhcp 10.0.0.5 tablet", "dhcp 10.0.0.6 -"]
        );
        fs::remove_file(&file).unwrap();
        assert_eq!(look(&mut library, &settings), ["dhcp 10.0.0.5 -"]);
    }

    #[test]
    fn the_first_file_that_knows_is_believed_and_a_pattern_brings_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("hosts"), "10.0.0.5 first\n").unwrap();
        fs::write(path("odhcpd.a"), "10.0.0.5\tsecond.lan\n10.0.0.6\ttv.lan\n").unwrap();
        fs::write(path("other"), "10.0.0.7 other\n").unwrap();
        let all = settings(&[], &[path("hosts"), path("odhcpd*")]);
        let mut library = Library::default();
        assert_eq!(
            look(&mut library, &all),
            ["hosts 10.0.0.5 first", "hosts 10.0.0.6 tv"]
        );
        // What is configured no more is not known any more.
        assert_eq!(
            look(&mut library, &settings(&[], &[path("odhcpd*")])),
            ["hosts 10.0.0.5 second"]
        );
        assert_eq!(
            look(&mut library, &settings(&[], &[])),
            ["hosts 10.0.0.5 -", "hosts 10.0.0.6 -"]
        );
    }

    #[test]
    fn what_is_touched_is_read_even_if_it_looks_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("hosts");
        let settings = settings(&[], std::slice::from_ref(&file));
        let mut library = Library::default();
        fs::write(&file, "10.0.0.5 one\n").unwrap();
        look(&mut library, &settings);
        let key = (NameSource::Hosts, file.clone());
        fs::write(&file, "10.0.0.5 two\n").unwrap();
        library.files.get_mut(&key).unwrap().stamp = Stamp::of(&fs::metadata(&file).unwrap());
        assert!(look(&mut library, &settings).is_empty());
        let facts = library.look(&settings, |path| path == file);
        assert_eq!(
            facts.iter().filter_map(line).collect::<Vec<_>>(),
            ["hosts 10.0.0.5 two"]
        );
    }

    #[test]
    fn what_can_not_be_read_names_nobody_and_is_said_once() {
        let directory = tempfile::tempdir().unwrap();
        let settings = settings(
            &[],
            &[directory.path().join("."), directory.path().to_owned()],
        );
        let mut library = Library::default();
        assert!(look(&mut library, &settings).is_empty());
        let said = library.said[directory.path()].clone();
        assert!(said.contains("it is no regular file"), "{said}");
    }

    #[test]
    fn of_a_file_that_is_too_long_the_first_whole_lines_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("hosts");
        let line = "# nothing at all\n";
        let lines = MOST_BYTES as usize / line.len();
        let text = format!("10.0.0.5 first\n{}10.0.0.6 last\n", line.repeat(lines));
        fs::write(&file, text).unwrap();
        let settings = settings(&[], std::slice::from_ref(&file));
        let mut library = Library::default();
        assert_eq!(look(&mut library, &settings), ["hosts 10.0.0.5 first"]);
        assert!(library.said[&file].contains("the rest is not read"));
    }

    #[test]
    fn a_pattern_is_of_its_directory() {
        let check = |pattern: &str, path: &str, expected: bool| {
            assert_eq!(
                is_one_of(Path::new(pattern), Path::new(path)),
                expected,
                "{pattern} {path}"
            );
        };
        check("/tmp/hosts/odhcpd*", "/tmp/hosts/odhcpd.br-lan", true);
        check("/tmp/hosts/odhcpd*", "/tmp/odhcpd", false);
        check("/etc/hosts", "/etc/hosts", true);
        check("/etc/hosts", "/etc/hosts~", false);
    }

    #[test]
    fn differences_lead_from_one_to_the_other() {
        let address = |host: u8| Whose::Address(IpAddr::from([10, 0, 0, host]));
        let names = |names: &[(u8, &str)]| -> Names {
            let called = |name: &str| Called {
                name: crate::core::names::Name::of_host(name).unwrap(),
                mac: None,
            };
            names
                .iter()
                .map(|(host, name)| (address(*host), called(name)))
                .collect()
        };
        let (old, new) = (names(&[(1, "a"), (2, "b")]), names(&[(2, "b"), (3, "c")]));
        let mut state = old.clone();
        for fact in differences(NameSource::Hosts, &old, &new) {
            match fact.called {
                Some(called) => state.insert(fact.whose, called),
                None => state.remove(&fact.whose),
            };
        }
        assert_eq!(state, new);
    }
}
