//! The newer format: sections of blocks; interfaces, and frames of them.
//!
//! As in the Internet draft "PCAP Next Generation Capture File Format"
//! (draft-ietf-opsawg-pcapng). Blocks of other kinds are left out, whatever their length.

use std::io::Read;

use jiff::Timestamp;

use super::{
    LinkType, MAX_RECORD, Record,
    source::{Order, Source, Stop},
};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
/// Of files before 2009.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// Type and length before a block, and the length once more after it.
const BLOCK_LEN: u32 = 12;
/// Of the words before a frame in a packet block, with type and length.
const PACKET_HEAD: usize = 28;
const SIMPLE_HEAD: usize = 12;
/// Of an interface block, with type and length.
const INTERFACE_HEAD: usize = 16;
/// More than any machine has; each takes memory.
const MAX_INTERFACES: usize = 4096;

/// The section of a file that is being read.
pub(super) struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
}

/// What is said of an interface.
struct Interface {
    link: Result<LinkType, u16>,
    /// Longest part of a frame that is kept; zero: all.
    snap_len: u32,
    clock: Option<Clock>,
}

/// How times are told.
#[derive(Clone, Copy, Debug)]
struct Clock {
    ticks_per_sec: u64,
    offset_secs: i64,
}

impl Pcapng {
    /// Reads the first section block, whose first four bytes are in `buffer`.
    pub(super) fn open<R: Read>(
        source: &mut Source<R>,
        buffer: &mut Vec<u8>,
    ) -> Result<Self, Stop> {
        let mut section = Self {
            order: Order::Little,
            interfaces: Vec::new(),
        };
        source.append(buffer, 4)?;
        section.begin(0, source, buffer)?;
        Ok(section)
    }

    /// The next frame.
    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        buffer: &mut Vec<u8>,
    ) -> Result<Record, Stop> {
        loop {
            let start = source.offset();
            source.begin(buffer, 8)?;
            match self.order.u32(buffer, 0) {
                SECTION => self.begin(start, source, buffer)?,
                INTERFACE => {
                    self.body(start, source, buffer)?;
                    if self.interfaces.len() == MAX_INTERFACES {
                        return Err(source.damaged(start, "more interfaces than there can be"));
                    }
                    let interface = self.interface(buffer);
                    let interface =
                        interface.ok_or_else(|| source.damaged(start, "an interface cut short"))?;
                    self.interfaces.push(interface);
                }
                kind @ (PACKET | ENHANCED_PACKET | SIMPLE_PACKET) => {
                    self.body(start, source, buffer)?;
                    let record = match kind {
                        SIMPLE_PACKET => self.simple_packet(buffer),
                        _ => self.packet(buffer, kind),
                    };
                    return record.map_err(|what| source.damaged(start, what));
                }
                _ => {
                    let len = self.block_len(start, source, buffer)?;
                    source.skip(len - BLOCK_LEN)?;
                    source.begin(buffer, 4).map_err(within)?;
                    self.check_end(start, source, buffer, len)?;
                }
            }
        }
    }

    /// Reads the rest of a section block, of which type and length are in `buffer`.
    fn begin<R: Read>(
        &mut self,
        start: u64,
        source: &mut Source<R>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        source.append(buffer, 4)?;
        self.order = match (
            Order::Little.u32(buffer, 8) == BYTE_ORDER,
            Order::Big.u32(buffer, 8) == BYTE_ORDER,
        ) {
            (true, _) => Order::Little,
            (_, true) => Order::Big,
            _ => return Err(source.damaged(start, "a section without a byte order")),
        };
        self.interfaces.clear();
        let len = self.block_len(start, source, buffer)?;
        let read = buffer.len() as u32;
        if len < read + 4 {
            return Err(source.damaged(start, "a section cut short"));
        }
        source.skip(len - read - 4)?;
        source.begin(buffer, 4).map_err(within)?;
        self.check_end(start, source, buffer, len)
    }

    /// Reads the rest of a block, of which type and length are in `buffer`, which then has all but
    /// the length at its end.
    fn body<R: Read>(
        &self,
        start: u64,
        source: &mut Source<R>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let len = self.block_len(start, source, buffer)?;
        if len > MAX_RECORD {
            let what = format!("no frame or interface takes {len} bytes");
            return Err(source.damaged(start, what));
        }
        source.append(buffer, len - 8)?;
        let end = buffer.split_off(len as usize - 4);
        self.check_end(start, source, &end, len)
    }

    fn block_len<R: Read>(
        &self,
        start: u64,
        source: &Source<R>,
        buffer: &[u8],
    ) -> Result<u32, Stop> {
        let len = self.order.u32(buffer, 4);
        if len < BLOCK_LEN || !len.is_multiple_of(4) {
            return Err(source.damaged(start, format!("no block has {len} bytes")));
        }
        Ok(len)
    }

    fn check_end<R: Read>(
        &self,
        start: u64,
        source: &Source<R>,
        end: &[u8],
        len: u32,
    ) -> Result<(), Stop> {
        match self.order.u32(end, 0) {
            again if again == len => Ok(()),
            again => {
                let what = format!("a block begins with length {len} and ends with {again}");
                Err(source.damaged(start, what))
            }
        }
    }

    fn interface(&self, block: &[u8]) -> Option<Interface> {
        let mut options = block.get(INTERFACE_HEAD..)?;
        let number = self.order.u16(block, 8);
        let mut ticks_per_sec = Some(1_000_000);
        let mut offset_secs = 0;
        while options.len() >= 4 {
            let (code, len) = (self.order.u16(options, 0), self.order.u16(options, 2));
            let Some(value) = options.get(4..4 + usize::from(len)) else {
                break;
            };
            match (code, value) {
                (OPTION_END, _) => break,
                (OPTION_TIME_RESOLUTION, [resolution, ..]) => {
                    ticks_per_sec = ticks(*resolution);
                }
                (OPTION_TIME_OFFSET, value) => {
                    if let Some(bytes) = value.first_chunk() {
                        offset_secs = match self.order {
                            Order::Little => i64::from_le_bytes(*bytes),
                            Order::Big => i64::from_be_bytes(*bytes),
                        };
                    }
                }
                _ => {}
            }
            let padded = 4 + usize::from(len).next_multiple_of(4);
            options = options.get(padded..).unwrap_or_default();
        }
        Some(Interface {
            link: LinkType::of(number).ok_or(number),
            snap_len: self.order.u32(block, 12),
            clock: ticks_per_sec.map(|ticks_per_sec| Clock {
                ticks_per_sec,
                offset_secs,
            }),
        })
    }

    fn packet(&self, block: &[u8], kind: u32) -> Result<Record, &'static str> {
        const CUT_SHORT: &str = "a frame longer than its block";
        let word = |at: usize| self.order.u32(block, at);
        let interface = match kind {
            PACKET => u32::from(self.order.u16(block, 8)),
            _ => word(8),
        };
        let data = PACKET_HEAD..PACKET_HEAD.saturating_add(word(20) as usize);
        if block.len() < data.end {
            return Err(CUT_SHORT);
        }
        let interface = self.interface_at(interface)?;
        let ticks = u64::from(word(12)) << 32 | u64::from(word(16));
        Ok(Record {
            at: interface.clock.and_then(|clock| clock.time(ticks)),
            link: interface.link,
            len: u64::from(word(24)),
            data,
        })
    }

    /// A frame of the first interface, of which only the length is told.
    fn simple_packet(&self, block: &[u8]) -> Result<Record, &'static str> {
        let interface = self.interface_at(0)?;
        let len = self.order.u32(block, 8);
        let limit = match interface.snap_len {
            0 => len,
            limit => len.min(limit),
        };
        let end = block.len().min(SIMPLE_HEAD.saturating_add(limit as usize));
        Ok(Record {
            at: None,
            link: interface.link,
            len: u64::from(len),
            data: SIMPLE_HEAD.min(end)..end,
        })
    }

    fn interface_at(&self, index: u32) -> Result<&Interface, &'static str> {
        let interface = usize::try_from(index)
            .ok()
            .and_then(|index| self.interfaces.get(index));
        interface.ok_or("a frame of an interface that there is not")
    }
}

impl Clock {
    /// The time of so many ticks; `None` for one that no clock shows.
    fn time(self, ticks: u64) -> Option<Timestamp> {
        let seconds = i64::try_from(ticks / self.ticks_per_sec).ok()?;
        let rest = u128::from(ticks % self.ticks_per_sec);
        let nanoseconds = rest * 1_000_000_000 / u128::from(self.ticks_per_sec);
        let seconds = seconds.checked_add(self.offset_secs)?;
        Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
    }
}

/// Ticks in a second: a power of ten, or with the highest bit set of two.
fn ticks(resolution: u8) -> Option<u64> {
    let exponent = u32::from(resolution & 0x7f);
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent)
}

/// The file is over, and that is within a block.
fn within(stop: Stop) -> Stop {
    match stop {
        Stop::End => Stop::CutOff,
        Stop::CutOff | Stop::Failed(_) => stop,
    }
}
