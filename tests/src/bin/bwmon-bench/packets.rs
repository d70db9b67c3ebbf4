//! Nanoseconds a packet, by `BPF_PROG_TEST_RUN`.

use std::{fs, time::Duration};

use aya::{
    Ebpf,
    programs::{Program, ProgramError, TestRun as _, TestRunOptions},
};
use bwmon::kernel::{Counting, LinkLayer, Shape, possible_cpus};
use bwmon_common::{
    layout::{Address, FIRST_ADDRESS_SLOT},
    names,
    networks::{Networks, Prefix4, Prefix6},
};
use bwmon_tests::{DEVICE_MAC, Frame, ROUTER_MAC, ip, project};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};
use serde::Serialize;

const ROUNDS: usize = 11;
const RUNS: u32 = 1_000_000;
const HASHED: u32 = 8192;

/// What one kind of packet costs on one hook.
#[derive(Serialize)]
pub(crate) struct Cost {
    hook: &'static str,
    packet: &'static str,
    /// Median of the rounds.
    nanoseconds: f64,
    /// The empty program's, in the same rounds.
    empty_nanoseconds: f64,
    /// Median of the rounds' differences.
    added_nanoseconds: f64,
}

pub(crate) fn measure() -> Vec<Cost> {
    // On one CPU, so that caches and clocks are the same for both.
    let mut cpu = CpuSet::new();
    cpu.set(0).expect("CPU 0 exists");
    sched_setaffinity(Pid::from_raw(0), &cpu).expect("stay on one CPU");
    let mut ours = counting();
    let object = project().join("target/bpfel-unknown-none/release/empty");
    let object =
        fs::read(object).expect("read the empty programs: `cargo xtask build-ebpf` makes them");
    let mut empty = Ebpf::load(&object).expect("load the empty programs");

    let udp = |source: &str, destination: &str| {
        Frame::udp((DEVICE_MAC, ROUTER_MAC), (ip(source), ip(destination)))
    };
    let packets = [
        (
            "IPv4",
            udp("192.168.1.5", "203.0.113.9"),
            udp("203.0.113.9", "192.168.1.5"),
        ),
        (
            "IPv4, VLAN tag",
            udp("192.168.1.5", "203.0.113.9").vlan(7),
            udp("203.0.113.9", "192.168.1.5").vlan(7),
        ),
        (
            "IPv6, hot",
            udp("fd00::5", "2001:db8::9"),
            udp("2001:db8::9", "fd00::5"),
        ),
        (
            "outside",
            udp("198.51.100.5", "203.0.113.9"),
            udp("203.0.113.9", "198.51.100.5"),
        ),
    ];
    let hooks = [
        ("xdp ingress", "empty_xdp", names::PROGRAM_XDP_FRAGS),
        ("tc ingress", "empty_tc", names::PROGRAM_TC_INGRESS),
        ("tc egress", "empty_tc", names::PROGRAM_TC_EGRESS),
    ];
    let mut costs = Vec::new();
    for (hook, idle, program) in hooks {
        for (packet, up, down) in &packets {
            let frame = if program == names::PROGRAM_TC_EGRESS {
                down
            } else {
                up
            };
            let frame = frame.clone().length(frame.build().len().max(60)).build();
            // Alternately, so that whatever else the machine does meets both.
            let rounds: Vec<(f64, f64)> = (0..ROUNDS)
                .map(|_| {
                    (
                        run(&mut empty, idle, &frame),
                        run(ours.ebpf_mut(), program, &frame),
                    )
                })
                .collect();
            costs.push(Cost {
                hook,
                packet,
                nanoseconds: super::median(rounds.iter().map(|(_, ours)| *ours).collect()),
                empty_nanoseconds: super::median(rounds.iter().map(|(empty, _)| *empty).collect()),
                added_nanoseconds: super::median(
                    rounds.iter().map(|(empty, ours)| ours - empty).collect(),
                ),
            });
        }
    }
    let mut all = CpuSet::new();
    for cpu in 0..possible_cpus().expect("count the CPUs") as usize {
        all.set(cpu).expect("the CPU exists");
    }
    sched_setaffinity(Pid::from_raw(0), &all).expect("use every CPU again");
    costs
}

fn counting() -> Counting {
    let hash_base = FIRST_ADDRESS_SLOT + 256;
    let cpus = possible_cpus().expect("count the CPUs");
    let shape = Shape {
        cpus,
        slots: hash_base + HASHED,
        hash_base,
    };
    let mut ours = Counting::load(shape, LinkLayer::Ethernet, None).expect("load the kernel half");
    let mut networks = Networks {
        v4_len: 1,
        v6_len: 1,
        ..Networks::default()
    };
    networks.v4[0] = Prefix4 {
        network: 0xc0a8_0100,
        mask: 0xffff_ff00,
        base: FIRST_ADDRESS_SLOT,
        padding: 0,
    };
    networks.v6[0] = Prefix6 {
        network: Address::from_words([0xfd00 << 48, 0]),
        mask: Address::from_words([u64::MAX, 0]),
    };
    ours.table_mut()
        .configure(&networks)
        .expect("set the local networks");
    ours
}

/// Nanoseconds a run, of CPU time: what others do on this machine is left out. The kernel's own figure
/// is of wall time, and in whole nanoseconds, too coarse for differences of a few.
fn run(ebpf: &mut Ebpf, program: &str, frame: &[u8]) -> f64 {
    let options = TestRunOptions {
        data_in: Some(frame),
        repeat: RUNS,
        ..Default::default()
    };
    let loaded = |result: Result<(), ProgramError>| match result {
        Ok(()) | Err(ProgramError::AlreadyLoaded) => {}
        Err(error) => panic!("load {program}: {error}"),
    };
    let program = ebpf
        .program_mut(program)
        .expect("the program is in the object");
    let (started, result) = match program {
        Program::Xdp(xdp) => {
            loaded(xdp.load());
            (cpu_time(), xdp.test_run(options))
        }
        Program::SchedClassifier(tc) => {
            loaded(tc.load());
            (cpu_time(), tc.test_run(options))
        }
        other => panic!("{other:?} is of another type"),
    };
    let used = cpu_time() - started;
    result.expect("run the program");
    used.as_secs_f64() * 1e9 / f64::from(RUNS)
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .expect("the clock exists")
        .into()
}

pub(crate) fn print(costs: &[Cost]) {
    println!(
        "nanoseconds a packet (BPF_PROG_TEST_RUN, median of {ROUNDS} interleaved rounds of {RUNS})"
    );
    println!(
        "{:<12} {:<16} {:>7} {:>7} {:>7}",
        "hook", "packet", "empty", "bwmon", "added"
    );
    for Cost {
        hook,
        packet,
        nanoseconds,
        empty_nanoseconds,
        added_nanoseconds,
    } in costs
    {
        println!(
            "{hook:<12} {packet:<16} {empty_nanoseconds:>7.1} {nanoseconds:>7.1} {added_nanoseconds:>+7.1}"
        );
    }
}
