//! The window's keys. README.md has the same table.

use bevy::input::ButtonState;
use bevy::input::keyboard::{Key, KeyboardInput};
use bevy::prelude::*;

use super::help::Help;
use crate::catalog::Catalog;
use crate::cli::Shutdown;
use crate::model::{Control, GiftType};
use crate::show::RECAP;
use crate::stage::{Director, StageSet};

/// Gifts that a key with Shift tests at once.
const STREAK: u32 = 10;
/// Test gifts there are keys for.
pub(super) const TEST_KEYS: usize = 9;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Pause,
    Skip,
    Clear,
    Mute,
    Quiet,
    Replay,
    /// The test gift of this place, counted from 0.
    Test(usize),
    Ground,
    Help,
    /// Leaves the help, or the program.
    Leave,
    Quit,
}

/// What the stage lies over in the window.
#[derive(Resource, Default, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    #[default]
    Dark,
    Black,
    White,
    Checkered,
}

impl Ground {
    fn next(self) -> Self {
        match self {
            Self::Dark => Self::Black,
            Self::Black => Self::White,
            Self::White => Self::Checkered,
            Self::Checkered => Self::Dark,
        }
    }

    pub(super) fn color(self) -> LinearRgba {
        match self {
            Self::Dark => Srgba::hex("1B1A21"),
            Self::Black => Srgba::hex("000000"),
            Self::White => Srgba::hex("FFFFFF"),
            Self::Checkered => Srgba::hex("6E6E6E"),
        }
        .expect("these are colours")
        .into()
    }

    pub(super) fn is_checkered(self) -> bool {
        self == Self::Checkered
    }
}

/// How a key ends the run.
#[derive(Resource)]
struct Quitting(Shutdown);

pub(super) struct KeysPlugin {
    pub(super) shutdown: Shutdown,
}

impl Plugin for KeysPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Ground>()
            .insert_resource(Quitting(self.shutdown.clone()))
            .add_systems(Update, obey.in_set(StageSet::Receive));
    }
}

/// The gifts that the number keys play, in the catalogue's order.
pub(super) fn test_gifts(catalog: &Catalog) -> impl Iterator<Item = (&str, &str)> {
    catalog
        .gifts
        .iter()
        .map(|(key, recipe)| (&**key, &*recipe.name))
        .filter(|(key, _)| *key != RECAP)
        .take(TEST_KEYS)
}

fn obey(
    mut pressed: MessageReader<KeyboardInput>,
    held: Res<ButtonInput<KeyCode>>,
    time: Res<Time<Real>>,
    mut director: ResMut<Director>,
    mut ground: ResMut<Ground>,
    mut help: ResMut<Help>,
    quitting: Res<Quitting>,
) {
    use KeyCode::{
        AltLeft, ControlLeft, ControlRight, ShiftLeft, ShiftRight, SuperLeft, SuperRight,
    };
    // Those belong to the desktop. AltRight writes characters.
    let is_desktops = held.any_pressed([AltLeft, ControlLeft, ControlRight, SuperLeft, SuperRight]);
    let many = held.any_pressed([ShiftLeft, ShiftRight]);
    let now = time.elapsed();
    for key in pressed.read() {
        if key.state != ButtonState::Pressed || key.repeat || is_desktops {
            continue;
        }
        let Some(command) = command(&key.logical_key, key.key_code) else {
            continue;
        };
        let control = match command {
            Command::Pause if director.show.is_paused() => Control::Resume,
            Command::Pause => Control::Pause,
            Command::Skip => Control::Skip,
            Command::Clear => Control::Clear,
            Command::Mute => Control::Mute(!director.show.is_muted()),
            Command::Quiet => Control::DoNotDisturb(!director.show.is_quiet()),
            Command::Replay => Control::Replay,
            Command::Test(place) => {
                let Some((gift_type, _)) = test_gifts(&director.catalog).nth(place) else {
                    continue;
                };
                Control::Test {
                    gift_type: GiftType::from(gift_type),
                    quantity: if many { STREAK } else { 1 },
                }
            }
            Command::Ground => {
                *ground = ground.next();
                continue;
            }
            Command::Help => {
                help.toggle();
                continue;
            }
            Command::Leave if help.is_wanted() => {
                help.toggle();
                continue;
            }
            Command::Leave | Command::Quit => {
                quitting.0.request();
                continue;
            }
        };
        director.show.control(now, control);
    }
}

/// The key that has the letter on it, wherever the layout puts it; on a layout
/// of another script, the one in its place. Numbers by place, since some
/// layouts write them with Shift only.
fn command(logical: &Key, place: KeyCode) -> Option<Command> {
    use KeyCode as K;
    let digit = match place {
        K::Digit1 | K::Numpad1 => Some(0),
        K::Digit2 | K::Numpad2 => Some(1),
        K::Digit3 | K::Numpad3 => Some(2),
        K::Digit4 | K::Numpad4 => Some(3),
        K::Digit5 | K::Numpad5 => Some(4),
        K::Digit6 | K::Numpad6 => Some(5),
        K::Digit7 | K::Numpad7 => Some(6),
        K::Digit8 | K::Numpad8 => Some(7),
        K::Digit9 | K::Numpad9 => Some(8),
        _ => None,
    };
    if let Some(digit) = digit {
        return Some(Command::Test(digit));
    }
    let letter = match logical {
        Key::Space => return Some(Command::Pause),
        Key::Escape => return Some(Command::Leave),
        Key::F1 => return Some(Command::Help),
        Key::Character(written) => match written.chars().next()? {
            written if written.is_ascii() => written.to_ascii_lowercase(),
            _ => letter_at(place)?,
        },
        _ => return None,
    };
    Some(match letter {
        ' ' => Command::Pause,
        's' => Command::Skip,
        'c' => Command::Clear,
        'm' => Command::Mute,
        'd' => Command::Quiet,
        'r' => Command::Replay,
        'b' => Command::Ground,
        'h' => Command::Help,
        'q' => Command::Quit,
        _ => return None,
    })
}

fn letter_at(place: KeyCode) -> Option<char> {
    Some(match place {
        KeyCode::KeyS => 's',
        KeyCode::KeyC => 'c',
        KeyCode::KeyM => 'm',
        KeyCode::KeyD => 'd',
        KeyCode::KeyR => 'r',
        KeyCode::KeyB => 'b',
        KeyCode::KeyH => 'h',
        KeyCode::KeyQ => 'q',
        _ => return None,
    })
}

/// The keys of one of the README's tables, by what stands over its second
/// column.
#[cfg(test)]
pub(in crate::engine) fn readme_keys(heading: &str) -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let table = readme
        .split_once(&format!("| key | {heading} |"))
        .and_then(|(_, rest)| rest.split_once("\n\n"))
        .expect("the table of keys is there")
        .0;
    let cells = table
        .lines()
        .skip(2)
        .filter_map(|row| row.split('|').nth(1));
    cells
        .map(|cell| cell.replace('`', "").trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, place: KeyCode) -> Option<Command> {
        command(&Key::Character(text.into()), place)
    }

    #[test]
    fn a_letter_counts_wherever_the_layout_has_it() {
        assert_eq!(written("m", KeyCode::KeyM), Some(Command::Mute));
        assert_eq!(written("M", KeyCode::KeyM), Some(Command::Mute));
        // AZERTY has M to the right of L, and A where others have Q.
        assert_eq!(written("m", KeyCode::Semicolon), Some(Command::Mute));
        assert_eq!(written("a", KeyCode::KeyQ), None);
    }

    #[test]
    fn another_script_goes_by_place() {
        assert_eq!(written("ы", KeyCode::KeyS), Some(Command::Skip));
        assert_eq!(written("ф", KeyCode::KeyA), None);
    }

    #[test]
    fn numbers_go_by_place_and_with_shift() {
        assert_eq!(written("!", KeyCode::Digit1), Some(Command::Test(0)));
        assert_eq!(written("&", KeyCode::Digit1), Some(Command::Test(0)));
        assert_eq!(written("9", KeyCode::Numpad9), Some(Command::Test(8)));
        assert_eq!(written("0", KeyCode::Digit0), None);
    }

    #[test]
    fn the_grounds_go_round() {
        let first = Ground::default();
        let mut ground = first.next();
        let mut seen = 1;
        while ground != first {
            ground = ground.next();
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn the_readme_names_every_key() {
        let told: Vec<_> = super::super::help::KEYS
            .iter()
            .map(|(key, _)| *key)
            .collect();
        assert_eq!(readme_keys("in the window"), told);
    }
}
