//! Captures of real traffic, and the truth about them.

use std::{
    collections::BTreeMap,
    env, fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{api::Counted, link::Link, requirement::missing};

/// A capture, and what it holds for each address.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The file.
    pub path: PathBuf,
    /// Frames, and their bytes.
    pub total: Counted,
    /// By source address.
    pub sources: Truth,
    /// By destination address.
    pub destinations: Truth,
}

/// What to find in one direction.
#[derive(Clone, Debug)]
pub struct Truth {
    /// Of each address.
    pub addresses: BTreeMap<IpAddr, Counted>,
    /// Without an IP header.
    pub non_ip: Counted,
}

impl Capture {
    /// All captures of the directory `BWMON_CAPTURES`, by default `shared/captures` beside the
    /// project; `None`, and a word to the reader, where it is missing.
    ///
    /// # Panics
    /// When the directory is there, but not what it should hold.
    #[track_caller]
    pub fn all() -> Option<Vec<Self>> {
        let directory = env::var_os("BWMON_CAPTURES").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures"),
            PathBuf::from,
        );
        let Ok(text) = fs::read_to_string(directory.join("truth.json")) else {
            missing(&format!(
                "{} with captures and truth.json",
                directory.display()
            ));
            return None;
        };
        let entries: BTreeMap<String, Entry> =
            serde_json::from_str(&text).expect("truth.json is as its README says");
        let captures: Vec<_> = entries
            .into_iter()
            .map(|(name, entry)| Self {
                path: directory.join(name),
                total: Counted {
                    bytes: entry.bytes,
                    packets: entry.packets,
                },
                sources: truth(entry.sources),
                destinations: truth(entry.destinations),
            })
            .collect();
        assert!(!captures.is_empty(), "truth.json tells of no capture");
        Some(captures)
    }

    /// The file's name.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// Sends a capture out of an interface, frame by frame as it is.
///
/// # Panics
/// When tcpreplay is missing or can't send it.
#[track_caller]
pub fn replay(link: &Link, capture: &Path) {
    // Slow enough for a veth's queue of 256 frames, fast enough for a test.
    replay_at(link, capture, 20_000);
}

/// The same with so many frames a second.
///
/// # Panics
/// When tcpreplay is missing or can't send it.
#[track_caller]
pub fn replay_at(link: &Link, capture: &Path, frames_per_sec: u32) {
    let capture = capture.to_string_lossy();
    let args = [
        "--quiet",
        &format!("--pps={frames_per_sec}"),
        "--intf1",
        &link.name,
        capture.as_ref(),
    ];
    link.namespace.run("tcpreplay", &args);
}

#[derive(Deserialize)]
struct Entry {
    packets: u64,
    bytes: u64,
    sources: BTreeMap<String, (u64, u64)>,
    destinations: BTreeMap<String, (u64, u64)>,
}

fn truth(rows: BTreeMap<String, (u64, u64)>) -> Truth {
    let mut truth = Truth {
        addresses: BTreeMap::new(),
        non_ip: Counted::default(),
    };
    for (address, (packets, bytes)) in rows {
        let counted = Counted { bytes, packets };
        if address == "-" {
            truth.non_ip = counted;
        } else {
            let address = address.parse().expect("truth.json names addresses");
            truth.addresses.insert(address, counted);
        }
    }
    truth
}
