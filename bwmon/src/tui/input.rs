//! What somebody does at a terminal, in no terminal's words.

/// A key, the mouse, or another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A key was pressed.
    Key(Key),
    /// The wheel was turned by so many steps, down if positive.
    Wheel(i8),
    /// The left button was pressed there.
    Click { column: u16, row: u16 },
    /// The terminal has another size.
    Resize { width: u16, height: u16 },
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// One that writes something.
    Char(char),
    /// With Ctrl: the lower-case letter.
    Ctrl(char),
    Enter,
    Esc,
    Backspace,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
}
