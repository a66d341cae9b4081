//! The desktop around the overlay: its monitors, the window in use, and keys
//! taken from all of it.

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{ConnectionExt as _, NotifyMask};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, GrabMode, ModMask,
};
use x11rb::rust_connection::RustConnection;

use super::{Session, X11Error};
use crate::output::overlay::State;
use crate::output::overlay::controls::{Asker, Request, Wish};
use crate::output::overlay::place::{Monitor, Rect};

/// With Ctrl and Alt; a letter's keysym is the letter.
const KEYS: [(u8, Wish); 5] = [
    (b'h', Wish::Toggle),
    (b'm', Wish::Mute),
    (b'd', Wish::DoNotDisturb),
    (b'q', Wish::Quality),
    (b'w', Wish::Why),
];

/// Milliseconds between a key's release and its next press that no finger is fast
/// enough for. Servers repeat a held key as both, most of them at the same moment.
const FASTEST_FINGER: u32 = 20;

/// The monitors there are, in the server's order.
pub(super) fn monitors(connection: &RustConnection, root: u32) -> Result<Vec<Monitor>, X11Error> {
    let listed = connection.randr_get_monitors(root, true)?.reply()?.monitors;
    let name = |atom| -> Result<String, X11Error> {
        let name = connection.get_atom_name(atom)?.reply()?.name;
        Ok(String::from_utf8_lossy(&name).into_owned())
    };
    let monitors = listed.iter().map(|monitor| {
        Ok(Monitor {
            name: name(monitor.name)?,
            rect: Rect {
                x: monitor.x.into(),
                y: monitor.y.into(),
                width: monitor.width.into(),
                height: monitor.height.into(),
            },
            is_main: monitor.primary,
        })
    });
    monitors.collect()
}

/// What is watched, and what was seen.
pub(super) struct Desktop {
    pub has_new_monitors: bool,
    /// Whether the window in use fills its monitor.
    pub is_full_screen_in_use: bool,
    /// The window in use, if there is one.
    active: u32,
    /// By key code.
    keys: Vec<(u8, Wish)>,
    last_release: Release,
}

/// The key that was let go of last, and when by the server's milliseconds.
#[derive(Default)]
struct Release {
    code: u8,
    at: u32,
}

impl Release {
    /// Whether a key that is pressed `at` some moment was held all the time.
    fn is_repeated_by(&self, code: u8, at: u32) -> bool {
        // The server's clock begins again after seven weeks.
        code == self.code && at.wrapping_sub(self.at) < FASTEST_FINGER
    }
}

impl Desktop {
    pub fn watch(session: &Session) -> Result<Self, X11Error> {
        let (connection, root) = (&session.connection, session.screen.root);
        // Properties tell which window is in use, children which come, and the
        // root's own structure that somebody has redrawn the monitors.
        let events = EventMask::PROPERTY_CHANGE | EventMask::SUBSTRUCTURE_NOTIFY;
        let watched =
            ChangeWindowAttributesAux::new().event_mask(events | EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(root, &watched)?;
        let changes = NotifyMask::SCREEN_CHANGE | NotifyMask::CRTC_CHANGE;
        connection.randr_select_input(root, changes | NotifyMask::OUTPUT_CHANGE)?;
        let mut desktop = Self {
            has_new_monitors: false,
            is_full_screen_in_use: false,
            active: x11rb::NONE,
            keys: Vec::new(),
            last_release: Release::default(),
        };
        desktop.look_at_active(session)?;
        if session.settings.has_keys {
            desktop.take_keys(session)?;
        }
        Ok(desktop)
    }

    pub fn hear(
        &mut self,
        session: &Session,
        event: &Event,
        state: &State,
    ) -> Result<(), X11Error> {
        match event {
            Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => {
                self.has_new_monitors = true;
            }
            Event::ConfigureNotify(changed) if changed.window == session.screen.root => {
                self.has_new_monitors = true;
            }
            Event::PropertyNotify(changed)
                if [
                    session.atoms._NET_ACTIVE_WINDOW,
                    session.atoms._NET_WM_STATE,
                ]
                .contains(&changed.atom) =>
            {
                self.look_at_active(session)?;
            }
            Event::KeyRelease(released) => {
                self.last_release = Release {
                    code: released.detail,
                    at: released.time,
                };
            }
            // Held, a key would hide and show the stage many times a second.
            Event::KeyPress(pressed)
                if self
                    .last_release
                    .is_repeated_by(pressed.detail, pressed.time) => {}
            Event::KeyPress(pressed) => {
                let wished = self.keys.iter().find(|(code, _)| *code == pressed.detail);
                if let Some((_, wish)) = wished {
                    // Beyond the bound it is as if the key had not been pressed.
                    state.ask(Request {
                        wish: *wish,
                        asker: Asker::Key,
                    });
                }
            }
            Event::MappingNotify(_) if session.settings.has_keys => self.take_keys(session)?,
            _ => {}
        }
        Ok(())
    }

    /// Whether the window in use fills its monitor (EWMH).
    fn look_at_active(&mut self, session: &Session) -> Result<(), X11Error> {
        let (connection, atoms) = (&session.connection, &session.atoms);
        let root = session.screen.root;
        let active = words(session, root, atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW)?;
        let active = active.first().copied().unwrap_or(x11rb::NONE);
        if active != self.active && active != x11rb::NONE {
            let properties =
                ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
            // It may have gone by now, which the log needs not know.
            connection
                .change_window_attributes(active, &properties)?
                .ignore_error();
        }
        self.active = active;
        self.is_full_screen_in_use = active != x11rb::NONE
            && words(session, active, atoms._NET_WM_STATE, AtomEnum::ATOM)?
                .contains(&atoms._NET_WM_STATE_FULLSCREEN);
        Ok(())
    }

    /// Takes Ctrl+Alt and a letter from the whole desktop.
    fn take_keys(&mut self, session: &Session) -> Result<(), X11Error> {
        let connection = &session.connection;
        let setup = connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let mapping = connection
            .get_keyboard_mapping(first, last - first + 1)?
            .reply()?;
        let per_key = usize::from(mapping.keysyms_per_keycode.max(1));
        let root = session.screen.root;
        for (code, _) in self.keys.drain(..) {
            connection.ungrab_key(code, root, ModMask::ANY)?;
        }
        for (letter, wish) in KEYS {
            let mut rows = mapping.keysyms.chunks(per_key);
            let Some(row) = rows.position(|row| row.contains(&u32::from(letter))) else {
                continue;
            };
            let code = first + row as u8;
            let both = ModMask::CONTROL | ModMask::M1;
            let mut is_taken = true;
            // With the locks of capitals and of numbers in any state.
            for locks in [
                ModMask::from(0_u16),
                ModMask::LOCK,
                ModMask::M2,
                ModMask::LOCK | ModMask::M2,
            ] {
                let with = ModMask::from(u16::from(both) | u16::from(locks));
                let mode = GrabMode::ASYNC;
                let grabbed = connection.grab_key(true, root, with, code, mode, mode)?;
                is_taken &= grabbed.check().is_ok();
            }
            if is_taken {
                self.keys.push((code, wish));
            } else {
                // With other locks it would do nothing, and nobody else could have it.
                connection.ungrab_key(code, root, ModMask::ANY)?;
                tracing::warn!(
                    "another program has Ctrl+Alt+{}; use `hyperfocus overlay --send`",
                    char::from(letter.to_ascii_uppercase())
                );
            }
        }
        Ok(())
    }
}

impl Session {
    /// Whether anybody arranges the windows (EWMH).
    pub(super) fn has_window_manager(&self) -> Result<bool, X11Error> {
        let (root, check) = (self.screen.root, self.atoms._NET_SUPPORTING_WM_CHECK);
        Ok(!words(self, root, check, AtomEnum::WINDOW)?.is_empty())
    }
}

/// A window's property of 32-bit words; none when it or the window is not there.
fn words(
    session: &Session,
    window: u32,
    property: u32,
    kind: AtomEnum,
) -> Result<Vec<u32>, X11Error> {
    /// More than any of those that are read here has.
    const MOST: u32 = 64;
    let asked = session
        .connection
        .get_property(false, window, property, kind, 0, MOST)?;
    match asked.reply() {
        Ok(reply) => Ok(reply.value32().map_or_else(Vec::new, Iterator::collect)),
        Err(x11rb::errors::ReplyError::X11Error(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a key does something that is pressed and released at these times.
    fn counts(events: &[(u8, u32, bool)]) -> usize {
        let mut last = Release::default();
        let mut count = 0;
        for &(code, at, is_press) in events {
            match is_press {
                true => count += usize::from(!last.is_repeated_by(code, at)),
                false => last = Release { code, at },
            }
        }
        count
    }

    #[test]
    fn a_held_key_counts_once_and_one_that_is_pressed_again_twice() {
        const H: u8 = 43;
        const M: u8 = 58;
        let held = [
            (H, 1000, true),
            (H, 1500, false),
            (H, 1500, true),
            (H, 1540, false),
            (H, 1541, true),
            (H, 1580, false),
        ];
        assert_eq!(counts(&held), 1);
        let fast = [(H, 1000, true), (H, 1040, false), (H, 1080, true)];
        assert_eq!(counts(&fast), 2);
        let others = [(H, 1000, true), (H, 1040, false), (M, 1041, true)];
        assert_eq!(counts(&others), 2);
        let at_the_clocks_end = [(H, 9, true), (H, u32::MAX, false), (H, 0, true)];
        assert_eq!(counts(&at_the_clocks_end), 1);
    }
}
