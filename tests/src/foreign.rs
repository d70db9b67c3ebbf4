//! Somebody else's program on the hooks, made without a compiler.

use std::{io, os::fd::OwnedFd};

use nix::net::if_::if_nametoindex;

use crate::{
    bpf::{
        ATTACH_TCX_EGRESS, ATTACH_TCX_INGRESS, ATTACH_XDP, PROG_TYPE_SCHED_CLS, PROG_TYPE_XDP,
        XDP_FLAGS_DRV_MODE, create_link, id_of, load,
    },
    link::Link,
};

/// Where a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// XDP in the driver.
    Xdp,
    /// TCX ingress.
    TcxIngress,
    /// TCX egress.
    TcxEgress,
}

/// A program of two instructions that passes every packet, attached until dropped.
#[derive(Debug)]
pub struct ForeignProgram {
    /// Its name in the kernel.
    pub name: String,
    /// Its id in the kernel.
    pub id: u32,
    _link: OwnedFd,
}

const XDP_PASS: i32 = 2;
const TCX_NEXT: i32 = -1;

impl ForeignProgram {
    /// Loads one and attaches it to an interface.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn attach(link: &Link, hook: Hook, name: &str) -> Self {
        match attach(link, hook, name) {
            Ok(program) => program,
            Err(error) => panic!("attach a program to {} at {hook:?}: {error}", link.name),
        }
    }
}

fn attach(link: &Link, hook: Hook, name: &str) -> io::Result<ForeignProgram> {
    let (program_type, attach_type, verdict, flags) = match hook {
        Hook::Xdp => (PROG_TYPE_XDP, ATTACH_XDP, XDP_PASS, XDP_FLAGS_DRV_MODE),
        Hook::TcxIngress => (PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS, TCX_NEXT, 0),
        Hook::TcxEgress => (PROG_TYPE_SCHED_CLS, ATTACH_TCX_EGRESS, TCX_NEXT, 0),
    };
    let program = load(program_type, attach_type, verdict, name)?;
    let id = id_of(&program)?;
    // An index means something in one namespace only, and the kernel takes the caller's.
    let attached = link.namespace.enter(|| {
        let interface = if_nametoindex(link.name.as_str())?;
        create_link(&program, interface, attach_type, flags)
    })?;
    Ok(ForeignProgram {
        name: name.to_owned(),
        id,
        _link: attached,
    })
}
