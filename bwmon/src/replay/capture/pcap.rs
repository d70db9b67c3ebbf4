//! The older format: a head, then frames, each with its time and two lengths.
//!
//! As in the Internet draft "PCAP Capture File Format" (draft-ietf-opsawg-pcap).

use std::io::Read;

use jiff::Timestamp;

use super::{
    CaptureError, LinkType, MAX_RECORD, Record,
    source::{Order, Source, Stop},
};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const HEAD_LEN: u32 = 24;
const RECORD_LEN: usize = 16;
/// In the word of the link type: how long the checksum is that frames end with is known.
const HAS_FCS: u32 = 1 << 26;

/// What the head of a file says.
pub(super) struct Pcap {
    order: Order,
    /// In one unit of the second word of a time.
    nanoseconds: u64,
    link: LinkType,
    /// Bytes of the checksum that each frame ends with.
    fcs_len: u64,
}

impl Pcap {
    /// Reads the rest of the head, whose first four bytes are in `buffer`.
    pub(super) fn open<R: Read>(
        source: &mut Source<R>,
        buffer: &mut Vec<u8>,
    ) -> Result<Self, Stop> {
        let magic = |order: Order| match order.u32(buffer, 0) {
            MICROSECONDS => Some((order, 1000)),
            NANOSECONDS => Some((order, 1)),
            _ => None,
        };
        let Some((order, nanoseconds)) = magic(Order::Little).or_else(|| magic(Order::Big)) else {
            return Err(CaptureError::NotACapture.into());
        };
        source.append(buffer, HEAD_LEN - 4)?;
        let word = order.u32(buffer, 20);
        // The upper half of the word is about the checksum.
        let number = word as u16;
        let Some(link) = LinkType::of(number) else {
            return Err(CaptureError::LinkType(number).into());
        };
        let fcs_len = match word & HAS_FCS {
            0 => 0,
            _ => u64::from(word >> 28) * 2,
        };
        Ok(Self {
            order,
            nanoseconds,
            link,
            fcs_len,
        })
    }

    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        buffer: &mut Vec<u8>,
    ) -> Result<Record, Stop> {
        let start = source.offset();
        source.begin(buffer, RECORD_LEN as u32)?;
        let word = |index: usize| self.order.u32(buffer, 4 * index);
        let (seconds, fraction, kept, len) = (word(0), word(1), word(2), word(3));
        if kept > MAX_RECORD {
            let what = format!("no frame has {kept} bytes");
            return Err(source.damaged(start, what));
        }
        source.append(buffer, kept)?;
        let nanoseconds = u64::from(fraction) * self.nanoseconds;
        let at = i32::try_from(nanoseconds)
            .ok()
            .and_then(|nanoseconds| Timestamp::new(i64::from(seconds), nanoseconds).ok());
        Ok(Record {
            at,
            link: Ok(self.link),
            len: u64::from(len).saturating_sub(self.fcs_len),
            data: RECORD_LEN..RECORD_LEN + kept as usize,
        })
    }
}
