//! Follows the files: inotify says when one changes, also when it is replaced, and all of them are
//! looked at once a minute for what it does not tell.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;
use inotify::{EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask};
use tokio::{
    sync::{mpsc, watch},
    task, time,
};

use super::{
    Told,
    library::{Library, is_one_of, wanted},
};
use crate::config;

/// How often all files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Servers write a file in several steps: it is read when so much time has passed since the first.
const SETTLE: Duration = Duration::from_millis(200);
/// Facts that are told at once, so that the loop is never held up.
const AT_ONCE: usize = 256;
/// Room for events; those of a crowded directory come in several readings.
const BUFFER: usize = 4096;

/// Follows the files until nobody wants to know.
pub(super) async fn follow(mut settings: watch::Receiver<config::Names>, told: mpsc::Sender<Told>) {
    let mut events = Events::new();
    let mut library = Library::default();
    let mut look = time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        let mut touched = Touched::default();
        let current = settings.borrow().clone();
        // Before the files are read, so that nothing falls between.
        events.watch(&current);
        tokio::select! {
            _ = look.tick() => {}
            changed = settings.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = events.touch(&current, &mut touched) => {
                let settled = time::sleep(SETTLE);
                tokio::pin!(settled);
                loop {
                    tokio::select! {
                        () = &mut settled => break,
                        () = events.touch(&current, &mut touched) => {}
                    }
                }
            }
        }
        let current = settings.borrow_and_update().clone();
        events.watch(&current);
        let looked = task::spawn_blocking(move || {
            let facts = library.look(&current, |path| touched.has(path));
            (library, facts)
        });
        let Ok((back, facts)) = looked.await else {
            log::error!("the files that name devices are not followed any more; restart bwmon");
            return;
        };
        library = back;
        for facts in facts.chunks(AT_ONCE) {
            if told.send(Told::Facts(facts.to_vec())).await.is_err() {
                return;
            }
        }
    }
}

/// Which files changed.
#[derive(Default)]
struct Touched {
    files: HashSet<PathBuf>,
    /// More happened than there was room to tell.
    all: bool,
}

impl Touched {
    fn has(&self, path: &Path) -> bool {
        self.all || self.files.contains(path)
    }
}

/// What inotify tells of the directories that the files are in.
struct Events {
    stream: Option<EventStream<Vec<u8>>>,
    directories: HashMap<WatchDescriptor, PathBuf>,
}

impl Events {
    fn new() -> Self {
        let stream = Inotify::init().and_then(|inotify| inotify.into_event_stream(vec![0; BUFFER]));
        let stream = stream.inspect_err(|error| {
            log::warn!(
                "cannot watch files ({error}): those that name devices are looked at every {} s",
                LOOK_EVERY.as_secs()
            );
        });
        Self {
            stream: stream.ok(),
            directories: HashMap::new(),
        }
    }

    /// Watches the directories of all files, those that were not there before too.
    fn watch(&mut self, settings: &config::Names) {
        let Some(stream) = &self.stream else {
            return;
        };
        let mut watches = stream.watches();
        let wanted = wanted(settings);
        let wanted: HashSet<&Path> = wanted
            .iter()
            .filter_map(|(_, file)| file.parent())
            .collect();
        let unwanted = self
            .directories
            .extract_if(|_, directory| !wanted.contains(directory.as_path()));
        for (descriptor, _) in unwanted {
            // It is gone with its directory.
            watches.remove(descriptor).ok();
        }
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::MODIFY
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::ATTRIB
            | WatchMask::ONLYDIR;
        for directory in wanted {
            // The same directory has the same descriptor; one that was made anew has another.
            match watches.add(directory, mask) {
                Ok(descriptor) => {
                    self.directories.insert(descriptor, directory.to_owned());
                }
                Err(error) => log::trace!("cannot watch {}: {error}", directory.display()),
            }
        }
    }

    /// Waits until something happens to one of the files.
    async fn touch(&mut self, settings: &config::Names, touched: &mut Touched) {
        loop {
            let Some(stream) = &mut self.stream else {
                return std::future::pending().await;
            };
            match stream.next().await {
                Some(Ok(event)) => {
                    if self.is_about(event, settings, touched) {
                        return;
                    }
                }
                Some(Err(error)) => {
                    log::warn!("files are watched no more, and looked at once a minute: {error}");
                    self.stream = None;
                }
                None => self.stream = None,
            }
        }
    }

    fn is_about(
        &mut self,
        event: EventOwned,
        settings: &config::Names,
        touched: &mut Touched,
    ) -> bool {
        let Some(directory) = self.directories.get(&event.wd) else {
            let is_overflow = event.mask.contains(inotify::EventMask::Q_OVERFLOW);
            touched.all |= is_overflow;
            return is_overflow;
        };
        if event.mask.contains(inotify::EventMask::IGNORED) {
            // Of a directory that is gone; if it comes back, the next look finds it.
            self.directories.remove(&event.wd);
            touched.all = true;
            return true;
        }
        let Some(name) = event.name else {
            return false;
        };
        let path = directory.join(name);
        let is_ours = wanted(settings)
            .iter()
            .any(|(_, pattern)| is_one_of(pattern, &path));
        if is_ours {
            touched.files.insert(path);
        }
        is_ours
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::core::names::NameFact;

    /// Long enough for anything, and far shorter than the next look.
    const SOON: Duration = Duration::from_secs(20);

    async fn next(told: &mut mpsc::Receiver<Told>) -> Vec<NameFact> {
        match time::timeout(SOON, told.recv()).await.unwrap().unwrap() {
            Told::Facts(facts) => facts,
            other => panic!("{other:?}"),
        }
    }

    fn names(facts: &[NameFact]) -> Vec<Option<String>> {
        let name = |fact: &NameFact| Some(fact.called.as_ref()?.name.to_string());
        facts.iter().map(name).collect()
    }

    #[tokio::test]
    async fn a_file_that_comes_changes_and_is_replaced_is_followed_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("hosts");
        let settings = config::Names {
            dhcp: Vec::new(),
            ethers: Vec::new(),
            hosts: vec![file.clone()],
            ..config::Names::default()
        };
        let (reconfigure, settings) = watch::channel(settings);
        let (sender, mut told) = mpsc::channel(4);
        let task = tokio::spawn(follow(settings, sender));
        fs::write(&file, "10.0.0.5 first\n").unwrap();
        assert_eq!(names(&next(&mut told).await), [Some("first".to_owned())]);
        // In place, as dnsmasq does.
        fs::write(&file, "10.0.0.5 second\n").unwrap();
        assert_eq!(names(&next(&mut told).await), [Some("second".to_owned())]);
        // In one step, as most others do.
        let new = directory.path().join("hosts.new");
        fs::write(&new, "10.0.0.5 third\n").unwrap();
        fs::rename(&new, &file).unwrap();
        assert_eq!(names(&next(&mut told).await), [Some("third".to_owned())]);
        // Another file, by the configuration.
        let other = directory.path().join("other");
        fs::write(&other, "10.0.0.5 fourth\n").unwrap();
        reconfigure.send_modify(|settings| settings.hosts = vec![other]);
        assert_eq!(names(&next(&mut told).await), [Some("fourth".to_owned())]);
        drop(reconfigure);
        time::timeout(SOON, task).await.unwrap().unwrap();
    }
}
