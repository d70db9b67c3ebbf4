//! Programs and tables, run and read.

use std::net::IpAddr;

use aya::programs::{Program, ProgramError, TestRun as _, TestRunOptions};
use bwmon::{
    core::meter::{Baseline, plus},
    kernel::{Counting, LinkLayer, Shape, possible_cpus},
};
use bwmon_common::{
    layout::{Address, FIRST_ADDRESS_SLOT, Row},
    names,
    networks::{Networks, Prefix4, Prefix6},
};

/// Every program, the verdict that passes a packet on, and the direction it counts.
pub(crate) const PROGRAMS: [(&str, u32, bool); 4] = [
    (names::PROGRAM_XDP_FRAGS, XDP_PASS, true),
    (names::PROGRAM_XDP, XDP_PASS, true),
    (names::PROGRAM_TC_INGRESS, TCX_NEXT, true),
    (names::PROGRAM_TC_EGRESS, TCX_NEXT, false),
];

pub(crate) const XDP_PASS: u32 = 2;
/// `TCX_NEXT`, as the kernel returns it.
pub(crate) const TCX_NEXT: u32 = u32::MAX;

pub(crate) const HASHED: u32 = 64;
pub(crate) const LAN: Prefix4 = Prefix4 {
    network: 0xc0a8_0100,
    mask: 0xffff_ff00,
    base: FIRST_ADDRESS_SLOT,
    padding: 0,
};
/// Local too, but too large for slots of its own.
pub(crate) const LARGE: Prefix4 = Prefix4 {
    network: 0x0a00_0000,
    mask: 0xff00_0000,
    base: u32::MAX,
    padding: 0,
};

/// Programs and tables, and what was read of them last.
pub(crate) struct Bench {
    pub(crate) counting: Counting,
    baseline: Baseline,
}

/// What one run of a program did.
#[derive(Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) verdict: u32,
    pub(crate) slots: Vec<(u32, Row)>,
}

impl Bench {
    pub(crate) fn new(link_layer: LinkLayer) -> Self {
        let hash_base = FIRST_ADDRESS_SLOT + 256;
        let shape = Shape {
            cpus: possible_cpus().unwrap(),
            slots: hash_base + HASHED,
            hash_base,
        };
        let mut counting = Counting::load(shape, link_layer, None).unwrap();
        counting.table_mut().configure(&networks()).unwrap();
        Self {
            counting,
            baseline: Baseline::new(shape.slots as usize, []),
        }
    }

    pub(crate) fn run(&mut self, program: &str, frame: &[u8]) -> Counted {
        self.run_with(program, frame, None)
    }

    pub(crate) fn run_with(
        &mut self,
        program: &str,
        frame: &[u8],
        context: Option<&[u8]>,
    ) -> Counted {
        let options = TestRunOptions {
            data_in: Some(frame),
            ctx_in: context,
            repeat: 1,
            ..Default::default()
        };
        let result = match self.counting.ebpf_mut().program_mut(program).unwrap() {
            Program::Xdp(xdp) => {
                loaded(xdp.load());
                xdp.test_run(options)
            }
            Program::SchedClassifier(tc) => {
                loaded(tc.load());
                tc.test_run(options)
            }
            _ => panic!("{program} is of another type"),
        };
        let verdict = result.unwrap().return_value;
        Counted {
            verdict,
            slots: self.changed(),
        }
    }

    fn changed(&mut self) -> Vec<(u32, Row)> {
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        self.counting.table().read(&mut rows);
        self.baseline
            .advance(&rows, |slot, row| slots.push((slot, row)));
        slots
    }

    pub(crate) fn total(&self) -> Row {
        let mut rows = Vec::new();
        self.counting.table().read(&mut rows);
        rows.into_iter().fold(Row::default(), plus)
    }

    /// The slot that an address must be counted at, once it was counted.
    pub(crate) fn is_slot_of(&self, slot: u32, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) if u32::from(address) & LAN.mask == LAN.network => {
                slot == LAN.base + (u32::from(address) & !LAN.mask)
            }
            _ => self.counting.table().owner(slot) == Some(address),
        }
    }
}

fn loaded(result: Result<(), ProgramError>) {
    assert!(
        matches!(result, Ok(()) | Err(ProgramError::AlreadyLoaded)),
        "{result:?}"
    );
}

pub(crate) fn networks() -> Networks {
    let mut networks = Networks {
        v4_len: 2,
        v6_len: 1,
        ..Networks::default()
    };
    networks.v4[..2].copy_from_slice(&[LAN, LARGE]);
    networks.v6[0] = Prefix6 {
        network: Address::from_words([0xfd00 << 48, 0]),
        mask: Address::from_words([u64::MAX, 0]),
    };
    networks
}
