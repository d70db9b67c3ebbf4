//! What is shown: devices and how they did in the last minute, in which order, and what somebody
//! wants to see of them.
//!
//! It is fed samples and what somebody does, and knows no terminal, no source, and no clock but the
//! time of samples.

mod control;
mod data;
mod order;
mod past;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::order::arranged;
pub(super) use self::{
    control::Flow,
    data::{Data, Device, Mark, Total},
    order::Sort,
    past::{Chart, Past, Span, Step, Want},
};
use super::{layout, units::Units};
use crate::{core::view::AlertView, live::LiveSnapshot};

/// Most characters of a filter.
const LONGEST_FILTER: usize = 64;

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Model {
    /// The machine whose devices they are.
    host: String,
    /// Where samples come from has failed, and why.
    lost: Option<String>,
    data: Data,
    /// As it was when somebody said stop.
    frozen: Option<Box<Data>>,
    /// Places in the devices shown, in the order shown.
    order: Vec<usize>,
    sort: Sort,
    filter: String,
    mode: Mode,
    /// The device that the cursor is on.
    selected: Option<String>,
    /// How many devices are above the first line.
    offset: usize,
    page: Page,
    units: Units,
    size: (u16, u16),
}

/// What keys mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Look,
    /// They write the filter.
    Filter,
    /// They end the help.
    Help,
}

/// What is below the header.
#[derive(Debug)]
enum Page {
    Devices,
    Device { past: Option<Past>, span: Span },
}

/// The page of one device.
#[derive(Clone, Copy, Debug)]
pub(super) struct DevicePage<'a> {
    /// `None`: it is not there any more.
    pub(super) device: Option<&'a Device>,
    pub(super) id: &'a str,
    /// `None`: it is on its way.
    pub(super) past: Option<&'a Past>,
    pub(super) span: Span,
}

impl Model {
    /// Nothing is known yet.
    pub(super) fn new(size: (u16, u16), units: Units) -> Self {
        Self {
            host: String::new(),
            lost: None,
            data: Data::default(),
            frozen: None,
            order: Vec::new(),
            sort: Sort::default(),
            filter: String::new(),
            mode: Mode::Look,
            selected: None,
            offset: 0,
            page: Page::Devices,
            units,
            size,
        }
    }

    /// A sample came.
    pub(super) fn apply(&mut self, sample: LiveSnapshot) {
        self.lost = None;
        self.data.apply(sample);
        self.arrange();
    }

    /// Something happened to an alert.
    pub(super) fn alert(&mut self, alert: Arc<AlertView>) {
        self.data.alert(alert);
        self.arrange();
    }

    /// No samples come any more, for this reason.
    pub(super) fn lose(&mut self, reason: String) {
        self.lost = Some(reason);
    }

    /// The machine is called so.
    pub(super) fn name_host(&mut self, host: String) {
        self.host = host;
    }

    /// The answer to what it [wants](Self::wants).
    pub(super) fn remember(&mut self, want: &Want, past: Past) {
        let is_wanted = self.wants().as_ref() == Some(want);
        if let Page::Device { past: shown, .. } = &mut self.page
            && is_wanted
        {
            *shown = Some(past);
        }
    }

    /// What of the past it shows, or would.
    pub(super) fn wants(&self) -> Option<Want> {
        match &self.page {
            Page::Device { span, .. } => Some(Want {
                device: self.selected.clone()?,
                span: *span,
            }),
            Page::Devices => None,
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// What is shown, which is not the latest while it is paused.
    pub(super) fn data(&self) -> &Data {
        self.frozen.as_deref().unwrap_or(&self.data)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    pub(super) fn is_helping(&self) -> bool {
        self.mode == Mode::Help
    }

    /// The filter, and whether it is being written.
    pub(super) fn filter(&self) -> (&str, bool) {
        (&self.filter, self.mode == Mode::Filter)
    }

    pub(super) fn sort(&self) -> Sort {
        self.sort
    }

    pub(super) fn units(&self) -> Units {
        self.units
    }

    /// How many devices the filter leaves.
    pub(super) fn found(&self) -> usize {
        self.order.len()
    }

    /// The devices on the screen, in order, and whether the cursor is on them.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&Device, bool)> {
        let devices = &self.data().devices;
        let shown = self.order.iter().skip(self.offset).take(self.room());
        shown.filter_map(|index| {
            let device = devices.get(*index)?;
            Some((device, self.selected.as_deref() == Some(&device.view.id)))
        })
    }

    /// How many devices are above and below what is on the screen.
    pub(super) fn beyond(&self) -> (usize, usize) {
        let below = self.order.len().saturating_sub(self.offset + self.room());
        (self.offset, below)
    }

    /// The page of the device that was chosen, if one was.
    pub(super) fn device_page(&self) -> Option<DevicePage<'_>> {
        let Page::Device { past, span } = &self.page else {
            return None;
        };
        let id = self.selected.as_deref()?;
        Some(DevicePage {
            device: self.data().device(id),
            id,
            past: past.as_ref(),
            span: *span,
        })
    }

    /// Lines for devices.
    fn room(&self) -> usize {
        usize::from(layout::lines(self.size.1).body.height)
    }

    /// Brings the devices into order.
    fn arrange(&mut self) {
        self.order = arranged(self.data(), &self.filter, self.sort);
        self.scroll();
    }

    /// Keeps the cursor on the screen, and the screen full.
    fn scroll(&mut self) {
        let room = self.room();
        if let Some(place) = self.place() {
            let least = (place + 1).saturating_sub(room.max(1));
            self.offset = self.offset.min(place).max(least);
        }
        self.offset = self.offset.min(self.order.len().saturating_sub(room));
    }

    /// Of the cursor, among the devices in order.
    fn place(&self) -> Option<usize> {
        let id = self.selected.as_deref()?;
        let devices = &self.data().devices;
        let is_it = |index: &usize| {
            devices
                .get(*index)
                .is_some_and(|device| device.view.id == id)
        };
        self.order.iter().position(is_it)
    }
}
