//! Where tables and links are pinned, so that they outlive the process.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use aya::maps::{Array, Map, MapData, MapInfo, MapType};
use bwmon_common::{
    layout::{Address, CACHE_ROWS, CacheRow, FIRST_ADDRESS_SLOT, LAYOUT_VERSION, Row},
    names,
    networks::Networks,
};

use super::{object::LoadError, table::Shape};

/// The pins of one interface: `<bpffs directory>/v<layout>/<interface>/`.
#[derive(Clone, Debug)]
pub struct Pins {
    directory: PathBuf,
}

impl Pins {
    /// The pins of an interface; makes their directory.
    pub fn new(base: &Path, interface: &str) -> io::Result<Self> {
        let directory = Self::path(base, interface);
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// Where they would be.
    pub fn path(base: &Path, interface: &str) -> PathBuf {
        base.join(format!("v{LAYOUT_VERSION}")).join(interface)
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a map is pinned.
    pub(super) fn map(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Where the link to an interface is pinned. The index is in the name, so that a link is never
    /// taken for that of another interface which has the name now.
    pub(super) fn link(&self, hook: Hook, index: u32) -> PathBuf {
        self.directory.join(format!("{}{index}", hook.prefix()))
    }

    /// Removes the pin of a link, which detaches it.
    pub(super) fn remove_link(&self, hook: Hook, index: u32) {
        remove(&self.link(hook, index));
    }

    /// Removes the pins of every link but these, which detaches them.
    pub(super) fn remove_links_but(&self, kept: &[Option<&Path>]) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        let paths = entries.flatten().map(|entry| entry.path());
        for path in paths.filter(|path| !kept.contains(&Some(path.as_path()))) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if Hook::ALL.iter().any(|hook| name.starts_with(hook.prefix())) {
                remove(&path);
            }
        }
    }

    /// The size of the pinned tables; `None` when there are none. Tables whose set-up was cut short
    /// have counted nothing and are removed.
    ///
    /// aya takes a pinned map as it is; one of another layout would be read out of bounds, so each
    /// is compared with what this version makes.
    pub(super) fn shape(&self, cpus: u32) -> Result<Option<Shape>, LoadError> {
        let unfit = || LoadError::Pins {
            directory: self.directory.clone(),
        };
        let present = names::MAPS
            .iter()
            .filter(|name| self.map(name).exists())
            .count();
        if present == 0 {
            return Ok(None);
        }
        if present < names::MAPS.len() || !self.is_set_up().ok_or_else(unfit)? {
            log::warn!(
                "{}: tables were never set up, so made anew",
                self.directory.display()
            );
            self.remove_maps()?;
            return Ok(None);
        }
        let counters = self
            .info(names::MAP_COUNTERS)
            .ok_or_else(unfit)?
            .max_entries();
        let hashed = self
            .info(names::MAP_ADDRESSES)
            .ok_or_else(unfit)?
            .max_entries();
        let slots = counters / cpus;
        if counters % cpus != 0 || hashed > slots || slots - hashed < FIRST_ADDRESS_SLOT {
            return Err(unfit());
        }
        let shape = Shape {
            cpus,
            slots,
            hash_base: slots - hashed,
        };
        let fits = expected(&shape)
            .into_iter()
            .all(|(name, kind, key, value, entries)| {
                self.info(name).is_some_and(|info| {
                    info.map_type().is_ok_and(|found| found == kind)
                        && info.key_size() == key
                        && info.value_size() == value
                        && info.max_entries() == entries
                })
            });
        if fits { Ok(Some(shape)) } else { Err(unfit()) }
    }

    fn info(&self, name: &str) -> Option<MapInfo> {
        MapInfo::from_pin(self.map(name)).ok()
    }

    /// Whether a configuration was ever written, which is the last step of setting up.
    fn is_set_up(&self) -> Option<bool> {
        let info = self.info(names::MAP_NETWORKS)?;
        if info.value_size() as usize != size_of::<Networks>() {
            return None;
        }
        let data = MapData::from_pin(self.map(names::MAP_NETWORKS)).ok()?;
        let map: Array<MapData, Networks> = Map::Array(data).try_into().ok()?;
        Some(
            map.iter()
                .flatten()
                .any(|networks| networks.generation != 0),
        )
    }

    fn remove_maps(&self) -> Result<(), LoadError> {
        let fail = |source| LoadError::PinIo {
            directory: self.directory.clone(),
            source,
        };
        for name in names::MAPS {
            match fs::remove_file(self.map(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Type, key size, value size and entries of each map.
fn expected(shape: &Shape) -> [(&'static str, MapType, u32, u32, u32); names::MAPS.len()] {
    const fn size<T>() -> u32 {
        size_of::<T>() as u32
    }
    let key = size::<u32>();
    let rows = shape.slots * shape.cpus;
    let cache = shape.cpus * CACHE_ROWS;
    [
        (
            names::MAP_COUNTERS,
            MapType::Array,
            key,
            size::<Row>(),
            rows,
        ),
        (
            names::MAP_ADDRESSES,
            MapType::Array,
            key,
            size::<Address>(),
            shape.hashed(),
        ),
        (
            names::MAP_SLOTS,
            MapType::Hash,
            size::<Address>(),
            size::<u32>(),
            shape.hashed(),
        ),
        (
            names::MAP_FREE,
            MapType::Queue,
            0,
            size::<u32>(),
            shape.hashed(),
        ),
        (
            names::MAP_CACHE,
            MapType::Array,
            key,
            size::<CacheRow>(),
            cache,
        ),
        (
            names::MAP_NETWORKS,
            MapType::Array,
            key,
            size::<Networks>(),
            2,
        ),
        (names::MAP_ACTIVE, MapType::Array, key, size::<u32>(), 1),
    ]
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("cannot remove the pinned link {}: {error}", path.display());
        }
        _ => {}
    }
}

/// A place a program is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    XdpNative,
    XdpGeneric,
    TcIngress,
    TcEgress,
}

impl Hook {
    const ALL: [Self; 4] = [
        Self::XdpNative,
        Self::XdpGeneric,
        Self::TcIngress,
        Self::TcEgress,
    ];

    fn prefix(self) -> &'static str {
        match self {
            Self::XdpNative => "link_xdp_",
            Self::XdpGeneric => "link_xdpgeneric_",
            Self::TcIngress => "link_ingress_",
            Self::TcEgress => "link_egress_",
        }
    }
}
