//! One interface's kernel half: programs and tables.

use aya::Ebpf;
use aya_log::EbpfLogger;

use super::{
    attach::{self, AttachError, Attached, Interface, LinkLayer, Wanted},
    object::{self, LoadError},
    pins::Pins,
    table::{Shape, Table},
};
use crate::config::{TcMode, XdpMode};

/// The programs and tables that count one interface's traffic.
///
/// The tables live as long as this; the links, until [`Self::detach`], so that an interface that is
/// deleted and made anew goes on with the same counters.
pub struct Counting {
    ebpf: Ebpf,
    table: Table,
    pins: Option<Pins>,
    attached: Option<Attached>,
    link_layer: LinkLayer,
    is_resumed: bool,
    log: Option<EbpfLogger<&'static dyn log::Log>>,
}

impl Counting {
    /// Creates the tables, or takes those that are pinned, whatever their size. Attaches nothing.
    pub fn load(
        shape: Shape,
        link_layer: LinkLayer,
        pins: Option<Pins>,
    ) -> Result<Self, LoadError> {
        let pinned = match &pins {
            Some(pins) => pins.shape(shape.cpus)?,
            None => None,
        };
        let shape = pinned.unwrap_or(shape);
        let mut ebpf = object::load(&shape, link_layer, pins.as_ref())?;
        let is_resumed = pinned.is_some();
        let table = Table::new(&mut ebpf, shape, !is_resumed)?;
        let log = object::wants_log()
            .then(|| EbpfLogger::init(&mut ebpf))
            .and_then(|log| {
                log.inspect_err(|error| log::debug!("the kernel half can't log: {error}"))
                    .ok()
            });
        Ok(Self {
            ebpf,
            table,
            pins,
            attached: None,
            link_layer,
            is_resumed,
            log,
        })
    }

    /// Attaches the programs to an interface, unless they are.
    pub fn attach(
        &mut self,
        interface: &Interface,
        xdp_mode: XdpMode,
        tc_mode: TcMode,
    ) -> Result<&Attached, AttachError> {
        let attached = match self.attached.take() {
            Some(attached) => attached,
            None => {
                let wanted = Wanted {
                    interface,
                    xdp_mode,
                    tc_mode,
                    pins: self.pins.as_ref(),
                };
                attach::attach(&mut self.ebpf, &wanted)?
            }
        };
        Ok(self.attached.insert(attached))
    }

    /// Detaches the programs, but for pinned ones, which go on counting.
    pub fn detach(&mut self) {
        self.attached = None;
    }

    /// How the programs are attached; `None` when they are not.
    pub fn attached(&self) -> Option<&Attached> {
        self.attached.as_ref()
    }

    /// Whether the tables are those of an earlier run.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// What frames must start with.
    pub fn link_layer(&self) -> LinkLayer {
        self.link_layer
    }

    /// Passes on what the kernel half had to say since the last call.
    pub fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// The tables.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The tables, to change them.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// The loaded object, for `BPF_PROG_TEST_RUN` and for the kernel's log lines.
    pub fn ebpf_mut(&mut self) -> &mut Ebpf {
        &mut self.ebpf
    }
}
