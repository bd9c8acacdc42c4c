//! Colours, always beside a word that says the same.

use anstyle::{AnsiColor, Style};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On terminals, unless NO_COLOR says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Applies `--color` to everything printed from now on.
pub fn apply(color: Color) {
    let choice = match color {
        Color::Auto => return,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Red.
#[must_use]
pub fn error(text: &str) -> String {
    paint(AnsiColor::Red.on_default().bold(), text)
}

/// Yellow.
#[must_use]
pub fn warning(text: &str) -> String {
    paint(AnsiColor::Yellow.on_default().bold(), text)
}

/// Green.
#[must_use]
pub fn good(text: &str) -> String {
    paint(AnsiColor::Green.on_default(), text)
}

/// Bold.
#[must_use]
pub fn strong(text: &str) -> String {
    paint(Style::new().bold(), text)
}

/// Dim.
#[must_use]
pub fn dim(text: &str) -> String {
    paint(Style::new().dimmed(), text)
}
