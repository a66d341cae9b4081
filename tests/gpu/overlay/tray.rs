//! The overlay's icon in a desktop's tray, beside its keys (X11).

use super::Evening;
use super::desk::{Bus, Desk, Entry};
use super::x11::Desktop;
use crate::program::Program;

const MARKED: Option<bool> = Some(true);
const UNMARKED: Option<bool> = Some(false);

fn item_of(program: &Program, desk: &Desk<'_>) -> String {
    program.comes_to("no item registered", || desk.item().is_some());
    desk.item().expect("it has registered")
}

/// A width, a height, and pixels of four bytes.
type Icons = Vec<(i32, i32, Vec<u8>)>;

#[test]
fn a_tray_that_comes_gets_an_icon_whose_menu_does_what_keys_do() {
    let (Some(desktop), Some(bus)) = (Desktop::open(true), Bus::start()) else {
        return;
    };
    let runtime = bus.folder().to_str().expect("text");
    let mut variables = desktop.variables(runtime).to_vec();
    variables.push(("DBUS_SESSION_BUS_ADDRESS", &bus.address));
    let mut evening = Evening::begin(&variables, &["--monitor", "all"]);
    evening.overlay.says("the desktop has no tray");
    evening.give("g1");
    desktop.shown();

    let desk = bus.open_desk();
    let item = item_of(&evening.overlay, &desk);
    assert_eq!(desk.read::<String>(&item, "Id"), "hyperfocus-overlay");
    assert_eq!(desk.read::<String>(&item, "Title"), "Hyperfocus");
    assert_eq!(desk.read::<String>(&item, "Status"), "Active");
    let loud: Icons = desk.read(&item, "IconPixmap");
    let sides: Vec<_> = loud.iter().map(|icon| (icon.0, icon.1)).collect();
    assert_eq!(sides, [(22, 22), (32, 32), (48, 48)]);
    let menu = desk.menu(&item);
    let shown: Vec<_> = menu
        .iter()
        .map(
            |Entry {
                 label, is_marked, ..
             }| (&**label, *is_marked),
        )
        .collect();
    assert_eq!(
        shown,
        [
            ("Show gifts", MARKED),
            ("Mute", UNMARKED),
            ("Do not disturb", UNMARKED),
            ("Quality", None),
            ("Automatic", MARKED),
            ("Low", UNMARKED),
            ("Medium", UNMARKED),
            ("High", UNMARKED),
            ("Ultra", UNMARKED),
            ("Why is nothing showing?", None),
            ("Quit", None),
        ]
    );
    let comes = |label: &str, is_marked: bool| {
        let else_say = format!("{label} is not marked {is_marked}");
        evening
            .overlay
            .comes_to(&else_say, || desk.is_marked(&item, label) == is_marked);
    };

    desk.click(&item, "Show gifts");
    desktop.until("it is still there", |desktop| desktop.overlay().is_none());
    comes("Show gifts", false);
    assert_eq!(evening.send("show", &variables), "shown\n");
    comes("Show gifts", true);
    desktop.shown();
    desktop.act(&["key", "ctrl+alt+h"]);
    comes("Show gifts", false);

    desk.click(&item, "Mute");
    comes("Mute", true);
    let muted: Icons = desk.read(&item, "IconPixmap");
    assert_ne!(muted, loud);
    assert_eq!(evening.send("mute", &variables), "not muted\n");
    comes("Mute", false);
    desk.click(&item, "Do not disturb");
    comes("Do not disturb", true);
    desk.click(&item, "High");
    comes("High", true);
    comes("Automatic", false);
    assert_eq!(evening.send("quality", &variables), "quality: ultra\n");
    comes("Ultra", true);
    assert_eq!(evening.send("low", &variables), "quality: low\n");
    comes("Low", true);

    let before = desk.notices().len();
    desk.click(&item, "Why is nothing showing?");
    evening
        .overlay
        .comes_to("no notification came", || desk.notices().len() > before);
    let (why, _) = desk.notices().pop().expect("it has come");
    assert!(why.contains("the overlay is hidden"), "{why}");
    assert!(why.contains("do not disturb"), "{why}");
    desk.click(&item, "Why is nothing showing?");
    evening.overlay.comes_to("it did not replace the last", || {
        desk.notices()
            .last()
            .is_some_and(|(_, replaces)| *replaces == 17)
    });

    // A desktop whose panel is started again loses no icon.
    desk.leave();
    let desk = bus.open_desk();
    let again = item_of(&evening.overlay, &desk);
    assert!(desk.is_marked(&again, "Do not disturb"));
    desk.click(&again, "Quit");
    let ran = evening.overlay.wait();
    ran.ended_with(0);
    assert!(!desk.has(&again), "the icon is gone");
}
