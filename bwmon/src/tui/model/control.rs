//! What keys and mouse do.

use super::{
    super::{
        input::{Input, Key},
        layout::{self, Column},
    },
    LONGEST_FILTER, Mode, Model, Page,
    order::Sort,
    past::Span,
};

/// Lines that a step of the wheel moves.
const WHEEL: isize = 3;

/// What follows from an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Flow {
    /// It is shown.
    GoOn,
    /// That was all.
    Quit,
    /// The shell is wanted for a while.
    Suspend,
    /// What is on the screen is not to be relied on.
    Redraw,
}

impl Model {
    /// Does what somebody wants.
    pub(in crate::tui) fn on(&mut self, input: Input) -> Flow {
        match input {
            Input::Resize { width, height } => {
                self.size = (width, height);
                self.scroll();
                Flow::GoOn
            }
            Input::Wheel(steps) => {
                self.turn(steps);
                Flow::GoOn
            }
            Input::Click { column, row } => {
                self.click(column, row);
                Flow::GoOn
            }
            Input::Key(Key::Ctrl('c')) => Flow::Quit,
            Input::Key(Key::Ctrl('z')) => Flow::Suspend,
            Input::Key(Key::Ctrl('l')) => Flow::Redraw,
            Input::Key(key) => self.key(key),
        }
    }

    fn key(&mut self, key: Key) -> Flow {
        match (self.mode, key) {
            (Mode::Filter, key) => self.write(key),
            (_, Key::Char('q')) => return Flow::Quit,
            (Mode::Help, _) => self.mode = Mode::Look,
            (Mode::Look, Key::Char('?' | 'h')) => self.mode = Mode::Help,
            (Mode::Look, Key::Char('u')) => self.units = self.units.other(),
            (Mode::Look, Key::Char('p' | ' ')) => self.pause(),
            (Mode::Look, key) if self.is_device() => self.on_device(key),
            (Mode::Look, key) => self.on_devices(key),
        }
        Flow::GoOn
    }

    fn on_device(&mut self, key: Key) {
        match key {
            Key::Esc | Key::Backspace | Key::Left | Key::Enter => self.page = Page::Devices,
            Key::Char('t') => self.turn_page(),
            key => self.walk(key),
        }
    }

    fn on_devices(&mut self, key: Key) {
        match key {
            Key::Esc => self.let_go(),
            Key::Enter | Key::Right => self.open(),
            Key::Char('/') => self.mode = Mode::Filter,
            Key::Char('s' | '>') => self.sort_beside(1),
            Key::Char('<') => self.sort_beside(-1),
            Key::Char('r') => self.sort_by(self.sort.column),
            key => self.walk(key),
        }
    }

    /// Moves the cursor.
    fn walk(&mut self, key: Key) {
        let screen = self.room().max(1).cast_signed();
        match key {
            Key::Up | Key::Char('k') => self.step(-1),
            Key::Down | Key::Char('j') => self.step(1),
            Key::PageUp | Key::Ctrl('b') => self.step(-screen),
            Key::PageDown | Key::Ctrl('f') => self.step(screen),
            Key::Home | Key::Char('g') => self.step(isize::MIN),
            Key::End | Key::Char('G') => self.step(isize::MAX),
            _ => {}
        }
    }

    /// Writes the filter.
    fn write(&mut self, key: Key) {
        match key {
            Key::Char(c) if self.filter.chars().count() < LONGEST_FILTER => self.filter.push(c),
            Key::Backspace => drop(self.filter.pop()),
            Key::Ctrl('u') => self.filter.clear(),
            Key::Ctrl('w') => {
                let words = self.filter.trim_end().rfind(' ');
                self.filter.truncate(words.map_or(0, |space| space + 1));
            }
            Key::Enter => self.mode = Mode::Look,
            Key::Esc => {
                self.filter.clear();
                self.mode = Mode::Look;
            }
            // Who found a device wants to go there.
            key => self.walk(match key {
                Key::Char(_) => return,
                key => key,
            }),
        }
        self.arrange();
    }

    fn pause(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Box::new(self.data.clone())),
        };
        self.arrange();
    }

    /// One thing at a time: first the cursor, then the filter.
    fn let_go(&mut self) {
        if self.selected.take().is_none() {
            self.filter.clear();
        }
        self.arrange();
    }

    fn is_device(&self) -> bool {
        matches!(self.page, Page::Device { .. })
    }

    /// Shows the page of the device under the cursor, or else of the first one on the screen.
    fn open(&mut self) {
        if self.place().is_none() {
            self.select(self.offset);
        }
        if self.place().is_some() {
            self.page = Page::Device {
                past: None,
                span: Span::default(),
            };
        }
    }

    fn turn_page(&mut self) {
        if let Page::Device { past, span } = &mut self.page {
            *past = None;
            *span = span.next();
        }
    }

    /// Moves the cursor; where there is none, it begins at the first line of the screen.
    fn step(&mut self, by: isize) {
        let Some(last) = self.order.len().checked_sub(1) else {
            return;
        };
        let place = match (self.place(), by) {
            (_, isize::MIN) => 0,
            (_, isize::MAX) => last,
            (Some(place), by) => place.saturating_add_signed(by),
            (None, _) => self.offset,
        };
        self.select(place.min(last));
    }

    fn select(&mut self, place: usize) {
        let index = self.order.get(place);
        let device = index.and_then(|index| self.data().devices.get(*index));
        let Some(id) = device.map(|device| device.view.id.clone()) else {
            return;
        };
        if self.selected.as_ref() != Some(&id) {
            // What was asked for was about another one.
            if let Page::Device { past, .. } = &mut self.page {
                *past = None;
            }
            self.selected = Some(id);
        }
        self.scroll();
    }

    /// Sorts by the column so many to the right of the one that it is sorted by.
    fn sort_beside(&mut self, by: isize) {
        let columns = layout::columns(self.size.0);
        let now = columns
            .iter()
            .position(|slot| slot.column == self.sort.column);
        let count = columns.len().cast_signed();
        if count > 0 {
            let next = (now.unwrap_or_default().cast_signed() + by).rem_euclid(count);
            self.sort_by(columns[next.cast_unsigned()].column);
        }
    }

    /// The second time in a row, the other way round.
    fn sort_by(&mut self, column: Column) {
        let is_same = self.sort.column == column;
        self.sort = Sort {
            column,
            is_reversed: is_same && !self.sort.is_reversed,
        };
        self.arrange();
    }

    fn turn(&mut self, steps: i8) {
        let lines = isize::from(steps) * WHEEL;
        if self.mode == Mode::Help || self.is_device() {
            return;
        }
        if self.place().is_some() {
            self.step(lines);
        } else {
            self.offset = self.offset.saturating_add_signed(lines);
            self.scroll();
        }
    }

    fn click(&mut self, x: u16, y: u16) {
        if self.mode == Mode::Help {
            self.mode = Mode::Look;
            return;
        }
        if self.is_device() {
            return;
        }
        let lines = layout::lines(self.size.1);
        if lines.heading == Some(y) {
            let columns = layout::columns(self.size.0);
            // The space before a title belongs to it.
            if let Some(slot) = columns.iter().find(|slot| x < slot.x + slot.width) {
                self.sort_by(slot.column);
            }
        } else if let Some(line) = y.checked_sub(lines.body.y)
            && line < lines.body.height
        {
            let place = self.offset + usize::from(line);
            if self.place() == Some(place) {
                self.open();
            } else {
                self.select(place);
            }
        }
    }
}
