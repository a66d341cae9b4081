//! The keys of a preview's window. README.md has the same table.

use bevy::input::keyboard::Key;

/// Keys and what they do, as README.md names them.
#[cfg(test)]
pub const KEYS: &[&str] = &[
    "Space",
    "Left, Right",
    "Home",
    "L",
    "Up, Down",
    "B",
    "N",
    "C",
    "S",
    "F",
    "T",
    "M",
    "H",
    "Q, Esc",
];

/// What a key or a press of the mouse does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Command {
    PlayOrStand,
    /// By so many seconds.
    Scrub(f32),
    Begin,
    Loop,
    /// The next, or the one before.
    Gift(bool),
    Ground(bool),
    /// More or less of it.
    Quantity(bool),
    Combo(bool),
    Streak(bool),
    Finale,
    Captions,
    Motion,
    Strip,
    Quit,
}

/// Seconds by which an arrow goes, and with Shift: a frame, and a good deal.
const NEAR: f32 = 1.0 / 30.0;
const FAR: f32 = 0.5;

/// The command of the key that has the letter on it, wherever the layout puts
/// it.
pub fn command(key: &Key, shift: bool) -> Option<Command> {
    let far = if shift { FAR } else { NEAR };
    Some(match key {
        Key::Space => Command::PlayOrStand,
        Key::ArrowLeft => Command::Scrub(-far),
        Key::ArrowRight => Command::Scrub(far),
        Key::ArrowUp => Command::Gift(false),
        Key::ArrowDown => Command::Gift(true),
        Key::Home => Command::Begin,
        Key::Escape => Command::Quit,
        Key::Character(written) => match written.to_lowercase().as_str() {
            "l" => Command::Loop,
            "b" => Command::Ground(!shift),
            "n" => Command::Quantity(!shift),
            "c" => Command::Combo(!shift),
            "s" => Command::Streak(!shift),
            "f" => Command::Finale,
            "t" => Command::Captions,
            "m" => Command::Motion,
            "h" => Command::Strip,
            "q" => Command::Quit,
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::window::readme_keys;

    #[test]
    fn shift_goes_back_and_far() {
        let letter = |text: &str, shift| command(&Key::Character(text.into()), shift);
        assert_eq!(letter("b", false), Some(Command::Ground(true)));
        assert_eq!(letter("B", true), Some(Command::Ground(false)));
        assert_eq!(command(&Key::ArrowLeft, true), Some(Command::Scrub(-FAR)));
        assert_eq!(letter("x", false), None);
    }

    #[test]
    fn the_readme_names_every_key() {
        assert_eq!(readme_keys("in the preview"), KEYS);
    }
}
