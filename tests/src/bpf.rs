//! The few bpf(2) calls that the tools at hand can't make for us: bpftool 7.1 does not know TCX.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

pub(crate) const PROG_TYPE_SCHED_CLS: u32 = 3;
pub(crate) const PROG_TYPE_XDP: u32 = 6;
pub(crate) const ATTACH_XDP: u32 = 37;
pub(crate) const ATTACH_TCX_INGRESS: u32 = 46;
pub(crate) const ATTACH_TCX_EGRESS: u32 = 47;
pub(crate) const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_PROG_GET_FD_BY_ID: libc::c_long = 13;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_PROG_QUERY: libc::c_long = 16;
const BPF_LINK_CREATE: libc::c_long = 28;

const MOST_PROGRAMS: usize = 16;

/// Loads a program that returns `verdict` and does nothing else.
pub(crate) fn load(
    program_type: u32,
    attach_type: u32,
    verdict: i32,
    name: &str,
) -> io::Result<OwnedFd> {
    let instructions = [
        // r0 = verdict
        Instruction {
            opcode: 0xb7,
            registers: 0,
            offset: 0,
            immediate: verdict,
        },
        // exit
        Instruction {
            opcode: 0x95,
            registers: 0,
            offset: 0,
            immediate: 0,
        },
    ];
    let mut program_name = [0; 16];
    // The last byte stays 0.
    for (byte, letter) in program_name[..15].iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    let mut attributes = ProgLoad {
        program_type,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        name: program_name,
        // An XDP program without multi-buffer support has no expected attach type.
        expected_attach_type: if attach_type == ATTACH_XDP {
            0
        } else {
            attach_type
        },
        ..ProgLoad::default()
    };
    bpf_fd(BPF_PROG_LOAD, &mut attributes)
}

/// Attaches a program to an interface of the calling thread's namespace, by a bpf_link.
pub(crate) fn create_link(
    program: &OwnedFd,
    interface: u32,
    attach_type: u32,
    flags: u32,
) -> io::Result<OwnedFd> {
    let program = program.as_raw_fd() as u32;
    bpf_fd(
        BPF_LINK_CREATE,
        &mut LinkCreate {
            program,
            interface,
            attach_type,
            flags,
        },
    )
}

/// The ids of the programs on a TCX hook of an interface of the calling thread's namespace.
pub(crate) fn query(interface: u32, attach_type: u32) -> io::Result<Vec<u32>> {
    let mut ids = [0_u32; MOST_PROGRAMS];
    let mut attributes = ProgQuery {
        interface,
        attach_type,
        program_ids: ids.as_mut_ptr() as u64,
        count: ids.len() as u32,
        ..ProgQuery::default()
    };
    bpf(BPF_PROG_QUERY, &mut attributes)?;
    Ok(ids[..attributes.count as usize].to_vec())
}

/// The id of a program.
pub(crate) fn id_of(program: &OwnedFd) -> io::Result<u32> {
    Ok(info(program)?.id)
}

/// The name of a program, as far as the kernel keeps it.
pub(crate) fn name_of(id: u32) -> io::Result<String> {
    let program = bpf_fd(
        BPF_PROG_GET_FD_BY_ID,
        &mut FdById {
            id,
            next: 0,
            flags: 0,
        },
    )?;
    let info = info(&program)?;
    let name = CStr::from_bytes_until_nul(&info.name).unwrap_or_default();
    Ok(name.to_string_lossy().into_owned())
}

fn info(program: &OwnedFd) -> io::Result<ProgInfo> {
    let mut info = ProgInfo::default();
    let mut attributes = InfoByFd {
        fd: program.as_raw_fd() as u32,
        info_len: size_of::<ProgInfo>() as u32,
        info: (&raw mut info) as u64,
    };
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attributes)?;
    Ok(info)
}

fn bpf_fd<T: Attributes>(command: libc::c_long, attributes: &mut T) -> io::Result<OwnedFd> {
    let fd = bpf(command, attributes)?;
    // SAFETY: the kernel just made this file descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bpf<T: Attributes>(command: libc::c_long, attributes: &mut T) -> io::Result<i32> {
    let length = size_of_val(attributes);
    // SAFETY: the attributes are laid out as the kernel reads and writes them for this command, their
    // length is given, and what they point at outlives the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            (&raw mut *attributes).cast::<libc::c_void>(),
            length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result as i32)
    }
}

/// One member of the kernel's `union bpf_attr`, from its start and as far as the kernel writes.
trait Attributes {}

#[repr(C)]
struct Instruction {
    opcode: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    expected_attach_type: u32,
}
impl Attributes for ProgLoad {}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}
impl Attributes for LinkCreate {}

#[repr(C)]
#[derive(Default)]
struct ProgQuery {
    interface: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    program_ids: u64,
    count: u32,
    padding: u32,
    program_attach_flags: u64,
    link_ids: u64,
    link_attach_flags: u64,
    revision: u64,
}
impl Attributes for ProgQuery {}

#[repr(C)]
struct FdById {
    id: u32,
    next: u32,
    flags: u32,
}
impl Attributes for FdById {}

#[repr(C)]
struct InfoByFd {
    fd: u32,
    info_len: u32,
    info: u64,
}
impl Attributes for InfoByFd {}

/// The start of `struct bpf_prog_info`, up to the name.
#[repr(C)]
#[derive(Default)]
struct ProgInfo {
    program_type: u32,
    id: u32,
    tag: [u8; 8],
    jited_len: u32,
    translated_len: u32,
    jited: u64,
    translated: u64,
    load_time: u64,
    uid: u32,
    map_count: u32,
    map_ids: u64,
    name: [u8; 16],
}
