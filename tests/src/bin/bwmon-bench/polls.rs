//! Microseconds and system calls a poll of the counter table.

use std::time::Instant;

use bwmon::{
    core::meter::Baseline,
    kernel::{Counting, LinkLayer, Shape, possible_cpus},
};
use bwmon_common::{layout::FIRST_ADDRESS_SLOT, networks::Networks};
use nix::{
    sys::{
        ptrace,
        signal::{Signal, raise},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, fork, getppid},
};
use serde::Serialize;

const ROUNDS: usize = 101;
const COUNTED_POLLS: u64 = 100;

/// What a poll costs at one size.
#[derive(Serialize)]
pub(crate) struct Cost {
    slots: u32,
    cpus: u32,
    /// Median of the rounds: the table read and compared with the reading before.
    microseconds: f64,
    /// Counted by ptrace.
    system_calls: f64,
}

pub(crate) fn measure() -> Vec<Cost> {
    let cpus = possible_cpus().expect("count the CPUs");
    [256, 4_096, 65_536]
        .into_iter()
        .map(|slots| {
            let shape = Shape {
                cpus,
                slots,
                hash_base: FIRST_ADDRESS_SLOT,
            };
            let mut counting =
                Counting::load(shape, LinkLayer::Ethernet, None).expect("load the kernel half");
            counting
                .table_mut()
                .configure(&Networks::default())
                .expect("set no networks");
            let mut poll = Poll::new(&counting, slots);
            let rounds = (0..ROUNDS).map(|_| {
                let started = Instant::now();
                poll.once();
                started.elapsed().as_secs_f64() * 1e6
            });
            let microseconds = super::median(rounds.collect());
            Cost {
                slots,
                cpus,
                microseconds,
                system_calls: system_calls(&mut poll),
            }
        })
        .collect()
}

struct Poll<'a> {
    counting: &'a Counting,
    baseline: Baseline,
    rows: Vec<bwmon_common::layout::Row>,
}

impl<'a> Poll<'a> {
    fn new(counting: &'a Counting, slots: u32) -> Self {
        let mut poll = Self {
            counting,
            baseline: Baseline::new(slots as usize, []),
            rows: Vec::new(),
        };
        // The first one allocates.
        poll.once();
        poll
    }

    fn once(&mut self) {
        self.counting.table().read(&mut self.rows);
        self.baseline.advance(&self.rows, |slot, row| {
            std::hint::black_box((slot, row));
        });
    }
}

/// System calls a poll makes: a child polls between two calls of `getppid`, and is traced.
fn system_calls(poll: &mut Poll<'_>) -> f64 {
    // SAFETY: the child only polls, which neither allocates nor locks, and ends by a signal.
    let child = match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            ptrace::traceme().expect("be traced");
            raise(Signal::SIGSTOP).expect("stop for the tracer");
            getppid();
            for _ in 0..COUNTED_POLLS {
                poll.once();
            }
            getppid();
            raise(Signal::SIGKILL).expect("end");
            unreachable!("killed");
        }
        ForkResult::Parent { child } => child,
    };
    waitpid(child, None).expect("wait for the child");
    ptrace::setoptions(child, ptrace::Options::PTRACE_O_TRACESYSGOOD).expect("set up tracing");
    let (mut marks, mut calls, mut is_entry) = (0, 0, true);
    while marks < 2 {
        ptrace::syscall(child, None).expect("go on to the next system call");
        match waitpid(child, None).expect("wait for the child") {
            WaitStatus::PtraceSyscall(_) if is_entry => {
                let info = ptrace::syscall_info(child).expect("ask what it calls");
                // SAFETY: the stop is an entry, so the kernel filled in this part.
                let number = unsafe { info.u.entry }.nr;
                if number == libc::SYS_getppid as u64 {
                    marks += 1;
                } else if marks == 1 {
                    calls += 1;
                }
                is_entry = false;
            }
            WaitStatus::PtraceSyscall(_) => is_entry = true,
            other => panic!("the child did something else: {other:?}"),
        }
    }
    ptrace::kill(child).expect("end the child");
    waitpid(child, None).expect("wait for its end");
    f64::from(calls) / COUNTED_POLLS as f64
}

pub(crate) fn print(costs: &[Cost]) {
    println!("\na poll of the counter table (median of {ROUNDS})");
    println!(
        "{:>7} {:>5} {:>13} {:>13}",
        "slots", "cpus", "microseconds", "system calls"
    );
    for Cost {
        slots,
        cpus,
        microseconds,
        system_calls,
    } in costs
    {
        println!("{slots:>7} {cpus:>5} {microseconds:>13.1} {system_calls:>13.2}");
    }
}
