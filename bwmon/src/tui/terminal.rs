//! The terminal that is drawn on. Whatever ends this program, it is left as it was found: on the way
//! out, when an error or a signal ends it, and when something panics.

use std::{
    io::{self, BufWriter, Stdout, Write},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor,
    event::{
        DisableMouseCapture, EnableMouseCapture, Event, EventStream, KeyCode, KeyEvent,
        KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
    },
    execute, queue,
    terminal::{
        self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen,
        LeaveAlternateScreen,
    },
};
use futures_util::{FutureExt, StreamExt};
use ratatui::{Frame, backend::CrosstermBackend};

use super::input::{Input, Key};

/// Whether it is not as it was found.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum TerminalError {
    /// It can't be switched.
    #[error("cannot take over the terminal (--once prints a table, --json samples)")]
    Take(#[source] io::Error),
    /// It takes no more.
    #[error("cannot draw on the terminal")]
    Draw(#[source] io::Error),
    /// There is nobody at it.
    #[error("cannot read from the terminal")]
    Read(#[source] io::Error),
    /// Something panicked, which has been said.
    #[error("the terminal was given back")]
    GivenBack,
}

/// A terminal that is drawn on.
pub(super) struct Terminal {
    screen: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    events: EventStream,
}

impl Terminal {
    /// Takes it over.
    pub(super) fn new() -> Result<Self, TerminalError> {
        give_back_on_panic();
        take().map_err(TerminalError::Take)?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
        let screen = ratatui::Terminal::new(backend).inspect_err(|_| give_back());
        Ok(Self {
            screen: screen.map_err(TerminalError::Take)?,
            events: EventStream::new(),
        })
    }

    /// Columns and lines.
    pub(super) fn size(&self) -> Result<(u16, u16), TerminalError> {
        let size = self.screen.size().map_err(TerminalError::Draw)?;
        Ok((size.width, size.height))
    }

    /// Shows what `draw` draws.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), TerminalError> {
        if !IS_TAKEN.load(Ordering::Acquire) {
            return Err(TerminalError::GivenBack);
        }
        // Terminals that know this show a frame as a whole, the others ignore it.
        queue!(self.screen.backend_mut(), BeginSynchronizedUpdate).map_err(TerminalError::Draw)?;
        self.screen.draw(draw).map_err(TerminalError::Draw)?;
        execute!(self.screen.backend_mut(), EndSynchronizedUpdate).map_err(TerminalError::Draw)
    }

    /// Draws everything anew the next time.
    pub(super) fn redraw(&mut self) -> Result<(), TerminalError> {
        self.screen.clear().map_err(TerminalError::Draw)
    }

    /// What somebody does, once it is something. Nothing is lost when this future is dropped.
    pub(super) async fn input(&mut self) -> Result<Input, TerminalError> {
        loop {
            let event = self.events.next().await;
            if let Some(input) = read(event)? {
                return Ok(input);
            }
        }
    }

    /// What somebody did already.
    pub(super) fn input_now(&mut self) -> Result<Option<Input>, TerminalError> {
        self.input().now_or_never().transpose()
    }

    /// Gives it back for as long as `away` takes.
    pub(super) fn lend(&mut self, away: impl FnOnce()) -> Result<(), TerminalError> {
        give_back();
        away();
        take().map_err(TerminalError::Take)?;
        self.redraw()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::Release);
    let taken = terminal::enable_raw_mode().and_then(|()| {
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableMouseCapture,
            cursor::Hide
        )
    });
    taken.inspect_err(|_| give_back())
}

/// Leaves it as it was found. Done once, whoever is first; there is nobody to be told of errors.
fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::AcqRel) {
        return;
    }
    let mut stdout = io::stdout();
    // Each by itself: where one fails, the next may not.
    queue!(stdout, EndSynchronizedUpdate, DisableMouseCapture).ok();
    queue!(stdout, LeaveAlternateScreen, cursor::Show).ok();
    stdout.flush().ok();
    terminal::disable_raw_mode().ok();
}

/// So that what a panic says can be read.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let say = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            say(panic);
        }));
    });
}

fn read(event: Option<io::Result<Event>>) -> Result<Option<Input>, TerminalError> {
    match event {
        Some(Ok(event)) => Ok(input(&event)),
        Some(Err(error)) => Err(TerminalError::Read(error)),
        None => Err(TerminalError::Read(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// An event of the terminal, if it means anything here.
fn input(event: &Event) -> Option<Input> {
    match event {
        Event::Key(event) => key(event).map(Input::Key),
        Event::Mouse(event) => mouse(event),
        Event::Resize(width, height) => Some(Input::Resize {
            width: *width,
            height: *height,
        }),
        Event::FocusGained | Event::FocusLost | Event::Paste(_) => None,
    }
}

fn key(event: &KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let others = KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META;
    if event.modifiers.intersects(others) {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(c.to_ascii_lowercase())
        }
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

fn mouse(event: &MouseEvent) -> Option<Input> {
    match event.kind {
        MouseEventKind::ScrollUp => Some(Input::Wheel(-1)),
        MouseEventKind::ScrollDown => Some(Input::Wheel(1)),
        MouseEventKind::Down(MouseButton::Left) => Some(Input::Click {
            column: event.column,
            row: event.row,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use ratatui::style::Style;

    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Input> {
        input(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn keys_mean_what_is_written_on_them() {
        let none = KeyModifiers::NONE;
        for (code, modifiers, expected) in [
            (KeyCode::Char('q'), none, Some(Key::Char('q'))),
            (
                KeyCode::Char('G'),
                KeyModifiers::SHIFT,
                Some(Key::Char('G')),
            ),
            (
                KeyCode::Char('c'),
                KeyModifiers::CONTROL,
                Some(Key::Ctrl('c')),
            ),
            (KeyCode::Char('q'), KeyModifiers::ALT, None),
            (KeyCode::PageDown, none, Some(Key::PageDown)),
            (KeyCode::F(5), none, None),
        ] {
            assert_eq!(pressed(code, modifiers), expected.map(Input::Key));
        }
    }

    #[test]
    fn a_key_that_is_let_go_does_nothing() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(input(&Event::Key(event)), None);
    }

    /// Says that this process is the one that panics.
    const PANICS: &str = "BWMON_TEST_PANICS_ON_A_TERMINAL";
    const REASON: &str = "for a test of the terminal";

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_says_why() {
        if std::env::var_os(PANICS).is_some() {
            let mut terminal = Terminal::new().unwrap();
            terminal
                .draw(|frame| {
                    frame.buffer_mut().set_string(0, 0, "drawn", Style::new());
                })
                .unwrap();
            panic!("{REASON}");
        }
        let test = std::env::current_exe().unwrap();
        let own = "tui::terminal::tests::a_panic_gives_the_terminal_back_before_it_says_why";
        let command = format!(
            "stty rows 24 cols 80; stty -g; {} --exact {own} --nocapture; stty -g",
            test.display()
        );
        // It runs a command on a terminal of its own, and passes on what it shows there.
        let output = Command::new("script")
            .args(["--quiet", "--command", &command, "/dev/null"])
            .env(PANICS, "1")
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .output()
            .expect("script, of Debian's bsdutils, is there");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let order = [EnterAlternateScreen.text(), "drawn".to_owned()]
            .into_iter()
            .chain([LeaveAlternateScreen.text(), cursor::Show.text()])
            .chain([REASON.to_owned()]);
        let mut rest = shown.as_str();
        for part in order {
            let Some((_, after)) = rest.split_once(part.as_str()) else {
                panic!("no {part:?} in the rest of {shown:?}: {rest:?}");
            };
            rest = after;
        }
        let is_state = |line: &&str| line.split(':').count() > 20;
        let states: Vec<&str> = shown.lines().filter(is_state).collect();
        assert_eq!(states.len(), 2, "{shown:?}");
        assert_eq!(states[0], states[1], "modes of the terminal");
    }

    trait Text {
        fn text(&self) -> String;
    }

    impl<C: crossterm::Command> Text for C {
        fn text(&self) -> String {
            let mut text = String::new();
            self.write_ansi(&mut text).unwrap();
            text
        }
    }
}
