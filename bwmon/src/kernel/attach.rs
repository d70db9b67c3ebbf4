//! Attaches the programs of one interface, politely: nobody else's program is ever replaced, and
//! what could not be had is said once, with the reason.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use aya::{
    Ebpf,
    programs::{
        LinkOrder, ProgramError, SchedClassifier, TcAttachType, XdpMode as AyaXdpMode,
        links::{FdLink, LinkError, PinnedLink},
        tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions},
        xdp::XdpLink,
    },
};
use bwmon_common::names;

use super::{
    object::{self, LoadError},
    pins::{Hook, Pins},
};
use crate::config::{TcMode, XdpMode};

/// What frames on an interface start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkLayer {
    /// An Ethernet header.
    Ethernet,
    /// The IP header (tun, WireGuard, PPP).
    Ip,
}

/// An interface as the attach policy sees it.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name now.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// What its frames start with.
    pub link_layer: LinkLayer,
}

/// How frames from the devices are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngressMode {
    /// XDP in the driver.
    Native,
    /// XDP after the driver; only when the configuration forces it.
    Generic,
    /// TC.
    Tc,
}

impl fmt::Display for IngressMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Generic => "generic",
            Self::Tc => "tc",
        })
    }
}

/// How frames to the devices are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EgressMode {
    /// A TCX link (since 6.6).
    Tcx,
    /// A filter of the clsact qdisc.
    Clsact,
}

impl fmt::Display for EgressMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// The programs can't be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// A program can't be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// XDP was asked for by the configuration, and can't be had.
    #[error("cannot attach {mode} xdp to {interface}: {reason}; try xdp_mode = \"auto\"")]
    Xdp {
        /// Its name.
        interface: String,
        /// The mode that was asked for.
        mode: IngressMode,
        /// Why.
        reason: String,
    },
    /// TC can't be had.
    #[error("cannot attach tc {direction} to {interface}: {source}")]
    Tc {
        /// Its name.
        interface: String,
        /// `ingress` or `egress`.
        direction: &'static str,
        /// Why.
        source: ProgramError,
    },
    /// A link can't be pinned.
    #[error(transparent)]
    Pin(#[from] PinnedError),
}

/// A link can't be pinned.
#[derive(Debug, thiserror::Error)]
#[error("cannot pin a link at {path}: {reason}; is that a bpffs? (mount -t bpf bpf DIRECTORY)")]
pub struct PinnedError {
    path: PathBuf,
    reason: String,
}

/// Programs at work. They are detached when this is dropped, but for those that are pinned.
#[derive(Debug)]
pub struct Attached {
    /// How frames from the devices are counted.
    pub ingress: IngressMode,
    /// How frames to the devices are counted.
    pub egress: EgressMode,
    /// Why not in the best mode.
    pub note: Option<String>,
    _links: [Held; 2],
}

/// A link, detached when dropped unless pinned.
#[derive(Debug)]
#[expect(dead_code, reason = "links are held for what dropping them does")]
enum Held {
    Xdp(XdpLink),
    Tc(SchedClassifierLink),
    Pinned(PinnedLink, PathBuf),
}

/// What is wanted.
pub(super) struct Wanted<'a> {
    pub(super) interface: &'a Interface,
    pub(super) xdp_mode: XdpMode,
    pub(super) tc_mode: TcMode,
    pub(super) pins: Option<&'a Pins>,
}

/// Attaches ingress and egress.
pub(super) fn attach(ebpf: &mut Ebpf, wanted: &Wanted<'_>) -> Result<Attached, AttachError> {
    let (ingress_link, ingress, note) = match wanted.xdp_mode {
        XdpMode::Auto => auto(ebpf, wanted)?,
        XdpMode::Native => forced_xdp(ebpf, wanted, IngressMode::Native)?,
        XdpMode::Generic => forced_xdp(ebpf, wanted, IngressMode::Generic)?,
        XdpMode::Tc => {
            let (link, _) = attach_tc(ebpf, wanted, Hook::TcIngress)?;
            (link, IngressMode::Tc, None)
        }
    };
    if ingress != IngressMode::Tc {
        // An earlier run's, which would count the same frames.
        wanted.unpin(Hook::TcIngress);
    }
    let (egress_link, egress) = attach_tc(ebpf, wanted, Hook::TcEgress)?;
    if let Some(pins) = wanted.pins {
        // Of an earlier run in another mode, or on an interface that is gone.
        pins.remove_links_but(&[ingress_link.path(), egress_link.path()]);
    }
    Ok(Attached {
        ingress,
        egress,
        note,
        _links: [ingress_link, egress_link],
    })
}

type Ingress = (Held, IngressMode, Option<String>);

/// Native XDP, else TC with the reason.
fn auto(ebpf: &mut Ebpf, wanted: &Wanted<'_>) -> Result<Ingress, AttachError> {
    let note = match wanted.interface.link_layer {
        LinkLayer::Ip => "it has no ethernet header".to_owned(),
        LinkLayer::Ethernet => match attach_xdp(ebpf, wanted, IngressMode::Native) {
            Ok(link) => return Ok((link, IngressMode::Native, None)),
            Err(reason) => reason,
        },
    };
    let (link, _) = attach_tc(ebpf, wanted, Hook::TcIngress)?;
    Ok((
        link,
        IngressMode::Tc,
        Some(format!("counts in tc, not in native xdp: {note}")),
    ))
}

fn forced_xdp(
    ebpf: &mut Ebpf,
    wanted: &Wanted<'_>,
    mode: IngressMode,
) -> Result<Ingress, AttachError> {
    match attach_xdp(ebpf, wanted, mode) {
        Ok(link) => Ok((link, mode, None)),
        Err(reason) => Err(AttachError::Xdp {
            interface: wanted.interface.name.clone(),
            mode,
            reason,
        }),
    }
}

/// Attaches XDP, or says why it can't be.
fn attach_xdp(ebpf: &mut Ebpf, wanted: &Wanted<'_>, mode: IngressMode) -> Result<Held, String> {
    let (hook, other, flags) = match mode {
        IngressMode::Generic => (Hook::XdpGeneric, Hook::XdpNative, AyaXdpMode::Skb),
        IngressMode::Native | IngressMode::Tc => {
            (Hook::XdpNative, Hook::XdpGeneric, AyaXdpMode::Driver)
        }
    };
    let program = object::xdp(ebpf).map_err(|error| error.to_string())?;
    let update = |link| {
        let id = program.attach_to_link(XdpLink::try_from(link)?)?;
        program.take_link(id).map(drop).map_err(Unusable::from)
    };
    if let Some(held) = wanted.revive(hook, update) {
        return Ok(held);
    }
    // An interface has one XDP hook: a pinned link of ours in the other mode would be in the way.
    wanted.unpin(other);
    let link = program
        .attach_to_if_index(wanted.interface.index, flags)
        .and_then(|id| program.take_link(id))
        .map_err(|error| reason(&error, wanted.interface))?;
    match wanted.pins {
        None => Ok(Held::Xdp(link)),
        Some(pins) => {
            let link = FdLink::try_from(link).map_err(|error| error.to_string())?;
            pin(pins, hook, wanted, link).map_err(|error| error.to_string())
        }
    }
}

/// Attaches TC: a TCX link, else a filter of clsact.
fn attach_tc(
    ebpf: &mut Ebpf,
    wanted: &Wanted<'_>,
    hook: Hook,
) -> Result<(Held, EgressMode), AttachError> {
    let (name, attach_type, direction, order) = match hook {
        // First, to see what came over the wire; last, to see what goes out on it.
        Hook::XdpNative | Hook::XdpGeneric | Hook::TcIngress => (
            names::PROGRAM_TC_INGRESS,
            TcAttachType::Ingress,
            "ingress",
            LinkOrder::first(),
        ),
        Hook::TcEgress => (
            names::PROGRAM_TC_EGRESS,
            TcAttachType::Egress,
            "egress",
            LinkOrder::last(),
        ),
    };
    if hook == Hook::TcIngress {
        // An earlier run's, which would count the same frames.
        wanted.unpin(Hook::XdpNative);
        wanted.unpin(Hook::XdpGeneric);
    }
    let interface = wanted.interface.name.as_str();
    let program = object::tc(ebpf, name)?;
    let fail = |source| AttachError::Tc {
        interface: interface.to_owned(),
        direction,
        source,
    };
    if wanted.tc_mode != TcMode::Clsact {
        match attach_tcx(program, wanted, hook, attach_type, order) {
            Ok(link) => return Ok((link, EgressMode::Tcx)),
            Err(TcxError::Program(error)) if wanted.tc_mode == TcMode::Auto => {
                log::debug!("{interface}: no tcx ({error}), so clsact");
            }
            Err(TcxError::Program(source)) => return Err(fail(source)),
            Err(TcxError::Pin(error)) => return Err(error.into()),
        }
    }
    // "Exists" is fine, and whatever else is wrong shows at the next step.
    if let Err(error) = tc::qdisc_add_clsact(interface) {
        log::debug!("{interface}: clsact was not added: {error}");
    }
    // A filter outlives the process that was killed: ours of an earlier life goes first.
    if tc::qdisc_detach_program(interface, attach_type, name).is_ok() {
        log::info!("{interface}: removed the {direction} filter of an earlier run");
    }
    let options = TcAttachOptions::Netlink(NlOptions::default());
    let id = program
        .attach_with_options(interface, attach_type, options)
        .map_err(fail)?;
    Ok((
        Held::Tc(program.take_link(id).map_err(fail)?),
        EgressMode::Clsact,
    ))
}

fn attach_tcx(
    program: &mut SchedClassifier,
    wanted: &Wanted<'_>,
    hook: Hook,
    attach_type: TcAttachType,
    order: LinkOrder,
) -> Result<Held, TcxError> {
    let update = |link| {
        let id = program.attach_to_link(SchedClassifierLink::try_from(link)?)?;
        program.take_link(id).map(drop).map_err(Unusable::from)
    };
    if let Some(held) = wanted.revive(hook, update) {
        return Ok(held);
    }
    let options = TcAttachOptions::TcxOrder(order);
    let id = program.attach_with_options(&wanted.interface.name, attach_type, options)?;
    let link = program.take_link(id)?;
    match wanted.pins {
        None => Ok(Held::Tc(link)),
        Some(pins) => {
            let link = FdLink::try_from(link).map_err(|error| PinnedError {
                path: pins.link(hook, wanted.interface.index),
                reason: error.to_string(),
            })?;
            Ok(pin(pins, hook, wanted, link)?)
        }
    }
}

/// TCX can't be had, or not be pinned.
#[derive(Debug, thiserror::Error)]
enum TcxError {
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Pin(#[from] PinnedError),
}

fn pin(pins: &Pins, hook: Hook, wanted: &Wanted<'_>, link: FdLink) -> Result<Held, PinnedError> {
    let path = pins.link(hook, wanted.interface.index);
    let pinned = link.pin(&path).map_err(|error| PinnedError {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    Ok(Held::Pinned(pinned, path))
}

/// A pinned link of an earlier run can't be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Held {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Pinned(_, path) => Some(path),
            Self::Xdp(_) | Self::Tc(_) => None,
        }
    }
}

impl Wanted<'_> {
    /// Puts our program in place of an earlier run's, in the link that run pinned to this very
    /// interface, so that not a packet is missed. A link of no use is unpinned.
    fn revive(
        &self,
        hook: Hook,
        update: impl FnOnce(FdLink) -> Result<(), Unusable>,
    ) -> Option<Held> {
        let path = self.pins?.link(hook, self.interface.index);
        let pinned = match PinnedLink::from_pin(&path) {
            Ok(pinned) => pinned,
            Err(LinkError::SyscallError(error))
                if error.io_error.kind() == io::ErrorKind::NotFound =>
            {
                return None;
            }
            Err(error) => {
                log::warn!("cannot use the pinned link {}: {error}", path.display());
                return None;
            }
        };
        let revived = update(pinned.into())
            .map_err(|error| error.to_string())
            .and_then(|()| {
                // What `update` dropped was only one handle of it.
                PinnedLink::from_pin(&path).map_err(|error| error.to_string())
            });
        match revived {
            Ok(pinned) => Some(Held::Pinned(pinned, path)),
            Err(reason) => {
                log::debug!("the pinned link {} is of no use: {reason}", path.display());
                self.unpin(hook);
                None
            }
        }
    }

    fn unpin(&self, hook: Hook) {
        if let Some(pins) = self.pins {
            pins.remove_link(hook, self.interface.index);
        }
    }
}

/// Why the kernel refused XDP, in words.
fn reason(error: &ProgramError, interface: &Interface) -> String {
    let ProgramError::SyscallError(syscall) = error else {
        return error.to_string();
    };
    match syscall.io_error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST) => format!("the xdp hook of {} is taken", interface.name),
        Some(libc::EOPNOTSUPP) => "the driver has none".to_owned(),
        Some(libc::ERANGE) => "the mtu is too large for it".to_owned(),
        _ => syscall.io_error.to_string(),
    }
}

/// The name of a loaded program, whoever loaded it.
pub fn program_name(id: u32) -> Option<String> {
    let program = aya::programs::loaded_programs()
        .flatten()
        .find(|program| program.id() == id)?;
    program
        .name_as_str()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}
