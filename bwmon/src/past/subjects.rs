//! Whom history is about, and what they are called.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::{Past, PastError};
use crate::{
    core::{history::OTHERS, view::DeviceView},
    store::Series,
};

const GROUP: &str = "group:";
const INTERFACE: &str = "interface:";

/// A device or an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its id.
    pub id: String,
    /// What it is called now, else what it was last called, else its id.
    pub name: String,
    /// The group it is in now, else the one it was last in.
    pub group: Option<String>,
}

/// Of whom something is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// All devices together.
    All,
    /// One, which may have moved nothing yet.
    One {
        /// Its place among the subjects.
        place: Option<usize>,
        id: String,
        name: String,
    },
    /// All devices of a group.
    Group(String),
}

/// All of them: first those of the database, in its order, then those that it does not know yet.
#[derive(Debug)]
pub(super) struct Subjects {
    all: Vec<Subject>,
    by_id: HashMap<String, usize>,
}

impl Subject {
    /// Whether it is an interface: what it carried is in its devices, too.
    pub(super) fn is_interface(&self) -> bool {
        self.id.starts_with(INTERFACE)
    }
}

impl Subjects {
    pub(super) fn new(series: &[Series], devices: &[Arc<DeviceView>]) -> Self {
        let live: HashMap<&str, &DeviceView> = devices
            .iter()
            .map(|device| (device.id.as_str(), &**device))
            .collect();
        let all: Vec<_> = series
            .iter()
            .map(|series| {
                let kept = series.name.as_deref().filter(|name| !name.is_empty());
                match live.get(series.subject.as_str()) {
                    Some(device) => Subject {
                        id: device.id.clone(),
                        name: name_of(device, kept),
                        group: device.group.clone(),
                    },
                    None => {
                        let subject = Subject::unknown(&series.subject);
                        Subject {
                            name: kept.map_or(subject.name, str::to_owned),
                            group: series.group.clone(),
                            id: subject.id,
                        }
                    }
                }
            })
            .collect();
        let places = all.iter().enumerate();
        let by_id = places
            .map(|(place, subject)| (subject.id.clone(), place))
            .collect();
        let mut subjects = Self { all, by_id };
        for device in devices {
            let place = subjects.place(&device.id);
            // Those of the database have theirs already.
            if place >= series.len() {
                subjects.all[place].name = name_of(device, None);
                subjects.all[place].group.clone_from(&device.group);
            }
        }
        subjects
    }

    pub(super) fn all(&self) -> &[Subject] {
        &self.all
    }

    /// The place of the one with this id.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The place of the one with this id, which may be a new one.
    pub(super) fn place(&mut self, id: &str) -> usize {
        if let Some(place) = self.by_id.get(id) {
            return *place;
        }
        self.all.push(Subject::unknown(id));
        self.by_id.insert(id.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }
}

/// What a device is called. One without a name goes by an address, which may not be known any more.
fn name_of(device: &DeviceView, kept: Option<&str>) -> String {
    match kept {
        Some(kept) if device.name == device.id => kept.to_owned(),
        _ => device.name.clone(),
    }
}

impl Subject {
    fn unknown(id: &str) -> Self {
        let name = match id {
            OTHERS => "others",
            id => id.strip_prefix(INTERFACE).unwrap_or(id),
        };
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            group: None,
        }
    }
}

impl Past {
    /// Whom `text` means: a device by its id, address or name, `group:NAME` or `interface:NAME`; all
    /// devices together without it.
    pub(super) fn who(&self, text: Option<&str>) -> Result<Who, PastError> {
        let Some(text) = text else {
            return Ok(Who::All);
        };
        let unknown = || PastError::Unknown(text.to_owned());
        if let Some(name) = text.strip_prefix(GROUP) {
            let is_in = |subject: &Subject| subject.group.as_deref() == Some(name);
            let is_known = self.subjects.all.iter().any(is_in)
                || self.present.totals.iter().any(|total| total.id == text);
            return is_known
                .then(|| Who::Group(name.to_owned()))
                .ok_or_else(unknown);
        }
        let by_id = |id: &str| {
            let mut places = self.subjects.all.iter();
            places.position(|subject| subject.id.eq_ignore_ascii_case(id))
        };
        let by_address = || {
            let address: IpAddr = text.parse().ok()?;
            let mut devices = self.present.devices.iter();
            let has_it = |device: &&Arc<DeviceView>| device.addresses.contains(&address);
            devices.find(has_it).and_then(|device| by_id(&device.id))
        };
        if let Some(place) = by_id(text).or_else(by_address) {
            return Ok(self.one(place));
        }
        let is_called = |(_, subject): &(usize, &Subject)| {
            !subject.is_interface() && subject.name.to_lowercase() == text.to_lowercase()
        };
        let subjects = self.subjects.all.iter().enumerate();
        let called: Vec<_> = subjects.filter(is_called).collect();
        match called[..] {
            [(place, _)] => Ok(self.one(place)),
            [] => {
                let total = self.present.totals.iter().find(|total| total.id == text);
                let total = total.ok_or_else(unknown)?;
                Ok(Who::One {
                    place: None,
                    id: total.id.clone(),
                    name: Subject::unknown(&total.id).name,
                })
            }
            [..] => Err(PastError::Several {
                name: text.to_owned(),
                ids: called.iter().map(|(_, each)| each.id.clone()).collect(),
            }),
        }
    }

    fn one(&self, place: usize) -> Who {
        let Subject { id, name, .. } = &self.subjects.all[place];
        Who::One {
            place: Some(place),
            id: id.clone(),
            name: name.clone(),
        }
    }

    /// Its place in the database, if it has one there.
    pub(super) fn series(&self, who: &Who) -> Option<usize> {
        match who {
            Who::One {
                place: Some(place), ..
            } if *place < self.reader.series().len() => Some(*place),
            _ => None,
        }
    }

    /// Whether what the subject at `place` moved belongs to it.
    pub(super) fn belongs(&self, place: usize, who: &Who) -> bool {
        let subject = &self.subjects.all[place];
        match who {
            Who::All => !subject.is_interface(),
            Who::One { place: wanted, .. } => *wanted == Some(place),
            Who::Group(name) => {
                !subject.is_interface() && subject.group.as_deref() == Some(name.as_str())
            }
        }
    }
}

/// The id of a group; of devices that are in none without a name.
pub(super) fn group_id(name: Option<&str>) -> String {
    format!("{GROUP}{}", name.unwrap_or_default())
}
