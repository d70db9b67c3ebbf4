//! The kernel half, seen from user space: load, attach, read.
//!
//! The only module that knows aya, and the only one with `unsafe`. One [`Counting`] exists for each
//! watched interface, with tables of its own: what is in them passed that interface, so that their
//! sum can be held against the interface's own counters, and a flood on one interface can't take
//! the slots of another.
//!
//! Nothing here knows what a device is, or decides anything but how to attach.

mod attach;
mod capabilities;
mod clock;
mod counting;
mod link_counters;
mod object;
mod pins;
mod table;

pub use attach::{
    AttachError, Attached, EgressMode, IngressMode, Interface, LinkLayer, program_name,
};
pub use capabilities::keep_capabilities_from_programs;
pub use clock::{boot_id, host_name, now, possible_cpus};
pub use counting::Counting;
pub use link_counters::{LinkCounters, link_counters};
pub use object::{LoadError, OBJECT};
pub use pins::Pins;
pub use table::{Shape, Table, TableError};
