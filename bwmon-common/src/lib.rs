//! What both halves of bwmon agree on: the layout of the maps, the names in the ELF, and the one
//! parser that the kernel programs, the tests and the replay of a capture share.
//!
//! Nothing here allocates, does I/O, or knows aya's loader; the feature `user` only adds the marker
//! that lets aya copy these types in and out of maps.
#![no_std]

pub mod layout;
pub mod names;
pub mod networks;
pub mod parse;
