//! The ELF with the programs, and loading it.

use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::MapError,
    programs::{ProgramError, SchedClassifier, Xdp},
};
use bwmon_common::{layout::CACHE_ROWS, names};

use super::{attach::LinkLayer, pins::Pins, table::Shape};

/// The kernel half, as built by `cargo xtask build-ebpf`.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("BWMON_EBPF_OBJECT"));

/// The kernel half can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The object itself, its maps or their pins.
    #[error("cannot load the kernel half (needs Linux 5.10, CAP_BPF and CAP_NET_ADMIN)")]
    Object(#[source] EbpfError),
    /// The verifier refused a program.
    #[error(
        "the kernel refused program {program} (CAP_PERFMON is needed, too): {}",
        in_short(error)
    )]
    Program {
        /// Its name.
        program: &'static str,
        /// Why; its text may hold the verifier's whole log.
        error: ProgramError,
    },
    /// The object lacks something it must have.
    #[error("the kernel half has no {0}; it was built from other sources than this binary")]
    Missing(&'static str),
    /// A map can't be used.
    #[error("cannot use map {map}: {source}")]
    Map {
        /// Its name.
        map: &'static str,
        /// Why.
        source: MapError,
    },
    /// The number of CPUs is not to be had.
    #[error("cannot read the number of possible cpus: {0}")]
    Cpus(std::io::Error),
    /// A map can't be mapped.
    #[error("cannot map {map} into memory: {source}")]
    Mmap {
        /// Its name.
        map: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Pins are there that don't fit.
    #[error(
        "the tables pinned in {directory} do not fit this version of bwmon; remove that directory to start anew"
    )]
    Pins {
        /// Where.
        directory: std::path::PathBuf,
    },
    /// A directory or a pin can't be made or read.
    #[error("cannot pin in {directory} (is it a bpffs?): {source}")]
    PinIo {
        /// Where.
        directory: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why, in a line: the verifier's log is for who asks for it.
fn in_short(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError {
            io_error,
            verifier_log,
        } => {
            log::debug!("the verifier: {verifier_log}");
            io_error.to_string()
        }
        other => other.to_string(),
    }
}

/// Loads the maps, and no program yet.
pub(super) fn load(
    shape: &Shape,
    link_layer: LinkLayer,
    pins: Option<&Pins>,
) -> Result<Ebpf, LoadError> {
    let rows = shape.slots * shape.cpus;
    let ethernet: u32 = match link_layer {
        LinkLayer::Ethernet => 1,
        LinkLayer::Ip => 0,
    };
    let log_level: u8 = if wants_log() { DEBUG } else { OFF };
    let mut loader = EbpfLoader::new();
    loader
        .override_global(names::GLOBAL_SLOTS, &shape.slots, true)
        .override_global(names::GLOBAL_HASH_BASE, &shape.hash_base, true)
        .override_global(names::GLOBAL_ETHERNET, &ethernet, true)
        .override_global("AYA_LOG_LEVEL", &log_level, true)
        .map_max_entries(names::MAP_COUNTERS, rows)
        .map_max_entries(names::MAP_ADDRESSES, shape.hashed())
        .map_max_entries(names::MAP_SLOTS, shape.hashed())
        .map_max_entries(names::MAP_FREE, shape.hashed())
        .map_max_entries(names::MAP_CACHE, shape.cpus * CACHE_ROWS);
    if let Some(pins) = pins {
        for map in names::MAPS {
            loader.map_pin_path(map, pins.map(map));
        }
    }
    loader.load(OBJECT).map_err(LoadError::Object)
}

/// Levels of `AYA_LOG_LEVEL`. Off, the verifier removes the calls.
const OFF: u8 = 0;
const DEBUG: u8 = 4;

/// Whether the kernel half is to log the rare events that it can log.
pub(super) fn wants_log() -> bool {
    log::log_enabled!(log::Level::Debug)
}

/// Loads the XDP program: the one for multi-buffer frames, else (before 5.18) the plain one.
pub(super) fn xdp(ebpf: &mut Ebpf) -> Result<&mut Xdp, LoadError> {
    let name = match load_xdp(ebpf, names::PROGRAM_XDP_FRAGS) {
        Ok(()) => names::PROGRAM_XDP_FRAGS,
        Err(error) => {
            log::debug!("multi-buffer xdp is not to be had: {error}");
            load_xdp(ebpf, names::PROGRAM_XDP)?;
            names::PROGRAM_XDP
        }
    };
    xdp_program(ebpf, name)
}

fn load_xdp(ebpf: &mut Ebpf, name: &'static str) -> Result<(), LoadError> {
    let program = xdp_program(ebpf, name)?;
    match program.load() {
        Ok(()) | Err(ProgramError::AlreadyLoaded) => Ok(()),
        Err(error) => Err(LoadError::Program {
            program: name,
            error,
        }),
    }
}

fn xdp_program<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, LoadError> {
    let program = ebpf.program_mut(name).ok_or(LoadError::Missing(name))?;
    program.try_into().map_err(|error| LoadError::Program {
        program: name,
        error,
    })
}

/// Loads a TC program.
pub(super) fn tc<'a>(
    ebpf: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut SchedClassifier, LoadError> {
    let fail = |error| LoadError::Program {
        program: name,
        error,
    };
    let program = ebpf.program_mut(name).ok_or(LoadError::Missing(name))?;
    let program: &mut SchedClassifier = program.try_into().map_err(fail)?;
    match program.load() {
        Ok(()) | Err(ProgramError::AlreadyLoaded) => Ok(program),
        Err(source) => Err(fail(source)),
    }
}
