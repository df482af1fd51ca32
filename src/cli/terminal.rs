//! Standard output and standard error: colour or not, how wide, and pipes that close.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Color;

/// The width of output that no terminal limits, in columns.
const COLUMNS: usize = 100;
/// The narrowest layout.
const NARROW: usize = 40;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const CODE: Style = AnsiColor::Cyan.on_default();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default().dimmed().italic();
pub(super) const LINK: Style = AnsiColor::Blue.on_default().underline();
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Blue.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();

/// Where a command prints.
pub(super) struct Terminal {
    choice: ColorChoice,
    /// Whether output is styled: on a terminal, or by order.
    pub(super) styled: bool,
    /// The columns to fill.
    pub(super) width: usize,
}

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => AutoStream::choice(&io::stdout()),
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let columns = match io::stdout().is_terminal() {
            true => terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0)),
            false => COLUMNS,
        };
        Self { choice, styled: choice != ColorChoice::Never, width: columns.clamp(NARROW, COLUMNS) }
    }

    /// Prints `text`, which may hold styles.
    pub(super) fn print(&mut self, text: &str) -> io::Result<()> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.choice);
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// Tells on standard error what went wrong.
    pub(super) fn error(&self, message: &str) {
        self.tell(ERROR, "error", message);
    }

    /// Tells on standard error what is not as it should be.
    pub(super) fn warning(&self, message: &str) {
        self.tell(WARNING, "warning", message);
    }

    /// Says something on standard error that is neither.
    pub(super) fn say(&self, message: &str) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
        let _ = writeln!(stream, "{message}");
    }

    fn tell(&self, style: Style, label: &str, message: &str) {
        let choice = match self.choice {
            ColorChoice::Never => ColorChoice::Never,
            _ => AutoStream::choice(&io::stderr()),
        };
        let mut stream = AutoStream::new(io::stderr().lock(), choice);
        // There is nobody left to tell that standard error is closed.
        let _ = writeln!(stream, "{style}{label}{style:#}: {message}");
    }

    /// `text` in `style`, if output is styled.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        match self.styled && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}

/// The columns that `text` fills; it holds no styles.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// A line of source as it can be shown: tabs become four spaces, other control characters become visible.
pub(super) fn shown(source: &str) -> String {
    let mut line = String::with_capacity(source.len());
    for char in source.chars() {
        push_shown(&mut line, char);
    }
    line
}

fn push_shown(line: &mut String, char: char) {
    match char {
        '\t' => line.push_str("    "),
        '\u{feff}' => {}
        _ if char.is_control() || is_bidirectional(char) => {
            let _ = write!(line, "\\u{{{:x}}}", char as u32);
        }
        _ if char.width().is_none() => {}
        _ => line.push(char),
    }
}

/// Characters that make a terminal show source in another order than it runs.
fn is_bidirectional(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Keeps the standard message of a panic off the terminal: every read reports its own panic. With `RUST_BACKTRACE` set,
/// all is shown.
pub(super) fn quiet_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        let standard = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(super::workspace::READER) {
                standard(panic);
            }
        }));
    }
}
