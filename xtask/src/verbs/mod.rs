//! The verbs, one file each.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod build_ebpf;
pub(crate) mod build_web;
pub(crate) mod demo;
pub(crate) mod install;
pub(crate) mod lint;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod test;
