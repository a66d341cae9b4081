//! The overlay as Windows and macOS have it, windows of the window system's own,
//! on the desktop that is at hand.

use super::Evening;
use super::client::Client;
use super::sway::Sway;
use super::wayland::{BESIDE, BLUE, GREY, MONITOR, ON_GIFT, RED_OVER_BLUE, RED_OVER_GREY, comes};
use super::x11::Desktop;

#[test]
fn the_desktop_shows_through_in_exact_colours() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let mut variables = sway.variables().to_vec();
    variables.push(("HYPERFOCUS_TEST_OVERLAY_PANES", "1"));
    // Wayland's programs choose neither place nor level of their windows.
    sway.tell("for_window [app_id=hyperfocus] floating enable");
    sway.tell("for_window [app_id=hyperfocus] move position 0 0");
    let mut evening = Evening::begin(&variables, &["--size", "640x360"]);
    evening.give("g1");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_GREY);
    comes(&sway, MONITOR, BESIDE, GREY);
    assert_eq!(&*evening.peer.gift_ack().gift_id, "g1");

    let _window = Client::open(&sway.socket(), BLUE);
    comes(&sway, MONITOR, BESIDE, BLUE);
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_BLUE);

    assert_eq!(evening.send("hide", &variables), "hidden\n");
    comes(&sway, MONITOR, ON_GIFT, BLUE);
    evening.give("g2");
    evening.peer.ping(1);
    let why = evening.send("why", &variables);
    assert!(why.contains("the overlay is hidden"), "{why}");
    assert_eq!(evening.send("show", &variables), "shown\n");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_BLUE);
    assert_eq!(evening.send("quit", &variables), "the overlay ends\n");
    evening.overlay.wait().ended_with(0);
    comes(&sway, MONITOR, ON_GIFT, BLUE);
}

#[test]
fn they_are_where_they_were_asked_to_be_above_the_others_and_not_in_the_way() {
    let Some(desktop) = Desktop::open(true) else {
        return;
    };
    let home = crate::program::folder();
    let mut variables = desktop
        .variables(home.path().to_str().expect("text"))
        .to_vec();
    variables.push(("HYPERFOCUS_TEST_OVERLAY_PANES", "1"));
    // As wide as the display's lower third, for which it need not be scaled.
    let arguments = ["--place", "lower-band", "--size", "480x107"];
    let mut evening = Evening::begin(&variables, &arguments);
    evening.give("g1");
    assert_eq!(&*evening.peer.gift_ack().gift_id, "g1");
    desktop.until("it is not in its place", |desktop| {
        let overlay = desktop.overlay();
        overlay.is_some_and(|overlay| desktop.place(overlay) == (0, 213, 480, 107))
    });
    let overlay = desktop.overlay().expect("it is there");
    let above = desktop.atom("_NET_WM_STATE_ABOVE");
    desktop.until("it is not above the others", |desktop| {
        desktop.words(overlay, "_NET_WM_STATE").contains(&above)
    });
    desktop.until("it is in the pointer's way", |desktop| {
        desktop.lets_clicks_through(overlay)
    });
    assert_eq!(evening.send("quit", &variables), "the overlay ends\n");
    evening.overlay.wait().ended_with(0);
}
