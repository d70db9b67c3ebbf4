//! Reading exactly so many bytes, and knowing where in the file that is.

use std::io::{self, BufReader, Read};

use bwmon_common::parse::Frame as _;

use super::CaptureError;

/// Read at once.
const CHUNK: usize = 1 << 16;

/// A file, and how far it was read.
pub(super) struct Source<R> {
    reader: BufReader<R>,
    offset: u64,
}

/// There is no more to read.
pub(super) enum Stop {
    /// The file is over, between two records.
    End,
    /// The file is over, within one.
    CutOff,
    /// The file is damaged, or can't be read.
    Failed(CaptureError),
}

impl From<CaptureError> for Stop {
    fn from(error: CaptureError) -> Self {
        Self::Failed(error)
    }
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(CHUNK, reader),
            offset: 0,
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Replaces what is in `buffer` by the next `len` bytes, with which a record begins.
    pub(super) fn begin(&mut self, buffer: &mut Vec<u8>, len: u32) -> Result<(), Stop> {
        buffer.clear();
        match self.append(buffer, len) {
            Err(Stop::CutOff) if buffer.is_empty() => Err(Stop::End),
            result => result,
        }
    }

    /// Adds the next `len` bytes, with which a record goes on. Room is made for what there is, not
    /// for what the file says there is.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, len: u32) -> Result<(), Stop> {
        let read = (&mut self.reader).take(u64::from(len)).read_to_end(buffer);
        let read = read.map_err(|reason| self.failed(reason))?;
        self.offset += read as u64;
        if read as u64 == u64::from(len) {
            Ok(())
        } else {
            Err(Stop::CutOff)
        }
    }

    /// Leaves out the next `len` bytes.
    pub(super) fn skip(&mut self, len: u32) -> Result<(), Stop> {
        let skipped = io::copy(
            &mut (&mut self.reader).take(u64::from(len)),
            &mut io::sink(),
        );
        let skipped = skipped.map_err(|reason| self.failed(reason))?;
        self.offset += skipped;
        if skipped == u64::from(len) {
            Ok(())
        } else {
            Err(Stop::CutOff)
        }
    }

    /// The record that began at `start` can't be.
    pub(super) fn damaged(&self, start: u64, what: impl Into<String>) -> Stop {
        let what = what.into();
        Stop::Failed(CaptureError::Damaged {
            offset: start,
            what,
        })
    }

    fn failed(&self, reason: io::Error) -> CaptureError {
        CaptureError::Read {
            offset: self.offset,
            reason,
        }
    }
}

/// The byte order of a file, or of a section of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The number at `at`; zero beyond the end, which callers have read up to.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let raw = bytes.read(at).unwrap_or_default();
        match self {
            Self::Little => u16::from_le(raw),
            Self::Big => u16::from_be(raw),
        }
    }

    /// As [`Self::u16`].
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let raw = bytes.read(at).unwrap_or_default();
        match self {
            Self::Little => u32::from_le(raw),
            Self::Big => u32::from_be(raw),
        }
    }
}
