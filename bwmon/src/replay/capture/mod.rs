//! Reads capture files, pcap and pcapng, frame by frame.
//!
//! A file may be larger than memory, and may be anything: a frame is held at a time, a length that
//! no frame has is an error, and so is whatever else can't be, each with its place in the file. A
//! file that was cut off is read up to its last whole frame.

mod link;
mod pcap;
mod pcapng;
mod source;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io::Read, ops::Range};

use jiff::Timestamp;

use self::{
    pcap::Pcap,
    pcapng::Pcapng,
    source::{Source, Stop},
};

pub use self::link::LinkType;

/// Longer than any frame that a tool keeps (libpcap: 256 KiB), with room for a block's options.
const MAX_RECORD: u32 = 1 << 20;

/// The file can't be read as a capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It is of another kind.
    #[error("this is no capture file (pcap or pcapng); make one with `tcpdump -w FILE`")]
    NotACapture,
    /// It has to be unpacked.
    #[error(
        "this capture is compressed by {0}; unpack it first, as in `{0} -dc FILE | bwmon backtest -`"
    )]
    Compressed(&'static str),
    /// What it says can't be.
    #[error("the capture is damaged at byte {offset}: {what}")]
    Damaged {
        /// From the start of the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// What its frames start with is not known here.
    #[error(
        "frames of link type {0} can't be read; capture Ethernet, an interface without a link \
         layer, or `-i any`"
    )]
    LinkType(u16),
    /// There are frames, but no time at which they passed.
    #[error("no frame of the capture has a time, so nothing in it can be dated")]
    NoTime,
    /// It can't be read any further.
    #[error("cannot read the capture at byte {offset}: {reason}")]
    Read {
        /// From the start of the file.
        offset: u64,
        /// Why.
        reason: std::io::Error,
    },
}

/// A capture file, read from its start.
pub struct Capture<R> {
    source: Source<R>,
    format: Format,
    buffer: Vec<u8>,
    is_cut_off: bool,
    foreign: BTreeMap<u16, u64>,
}

/// A frame of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it passed; `None` where the file does not say.
    pub at: Option<Timestamp>,
    /// What it starts with.
    pub link: LinkType,
    /// How long it was on the wire, whatever part of it was kept: layer-2 bytes without checksum.
    pub bytes: u64,
    /// The part that was kept.
    pub data: &'a [u8],
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// A frame, and where in the buffer it is.
struct Record {
    at: Option<Timestamp>,
    link: Result<LinkType, u16>,
    /// On the wire, with all that the file keeps before it.
    len: u64,
    data: Range<usize>,
}

impl<R: Read> Capture<R> {
    /// Reads the head of a capture.
    ///
    /// # Errors
    ///
    /// When it is no capture, or none whose frames can be read.
    pub fn open(source: R) -> Result<Self, CaptureError> {
        let mut source = Source::new(source);
        let mut buffer = Vec::new();
        let format = match open(&mut source, &mut buffer) {
            Ok(format) => format,
            Err(Stop::End | Stop::CutOff) => return Err(CaptureError::NotACapture),
            Err(Stop::Failed(error)) => return Err(error),
        };
        Ok(Self {
            source,
            format,
            buffer,
            is_cut_off: false,
            foreign: BTreeMap::new(),
        })
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    ///
    /// When the file is damaged, or can't be read any further.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        loop {
            let record = match &mut self.format {
                Format::Pcap(pcap) => pcap.next(&mut self.source, &mut self.buffer),
                Format::Pcapng(pcapng) => pcapng.next(&mut self.source, &mut self.buffer),
            };
            let record = match record {
                Ok(record) => record,
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::CutOff) => {
                    self.is_cut_off = true;
                    return Ok(None);
                }
                Err(Stop::End) => return Ok(None),
            };
            let link = match record.link {
                Ok(link) => link,
                Err(number) => {
                    *self.foreign.entry(number).or_default() += 1;
                    continue;
                }
            };
            let data = self.buffer.get(record.data).unwrap_or_default();
            // A frame can't be shorter than what was kept of it.
            let len = record.len.max(data.len() as u64);
            return Ok(Some(Frame {
                at: record.at,
                link,
                bytes: link.frame_bytes(len),
                data,
            }));
        }
    }

    /// The file ended within a frame.
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// Frames left out so far, by the link type that can't be read.
    pub fn foreign(&self) -> &BTreeMap<u16, u64> {
        &self.foreign
    }

    /// Bytes of the file read so far.
    pub fn offset(&self) -> u64 {
        self.source.offset()
    }
}

fn open<R: Read>(source: &mut Source<R>, buffer: &mut Vec<u8>) -> Result<Format, Stop> {
    source.begin(buffer, 4)?;
    match buffer[..] {
        [0x0a, 0x0d, 0x0d, 0x0a] => Pcapng::open(source, buffer).map(Format::Pcapng),
        [0x1f, 0x8b, _, _] => Err(CaptureError::Compressed("gzip").into()),
        [0x28, 0xb5, 0x2f, 0xfd] => Err(CaptureError::Compressed("zstd").into()),
        [0xfd, b'7', b'z', b'X'] => Err(CaptureError::Compressed("xz").into()),
        _ => Pcap::open(source, buffer).map(Format::Pcap),
    }
}
