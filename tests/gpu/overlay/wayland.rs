//! The overlay on a real Wayland compositor, sway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::client::Client;
use super::sway::Sway;
use super::{Evening, send};
use crate::program::{folder, summary};
use crate::stage::{PATIENCE, now};

pub const MONITOR: &str = "HEADLESS-1";
pub const GREY: [u8; 3] = [128; 3];
/// Half of red over that grey, as every painting program mixes it.
pub const RED_OVER_GREY: [u8; 3] = [192, 64, 64];
pub const BLUE: [u8; 3] = [0, 0, 200];
pub const RED_OVER_BLUE: [u8; 3] = [128, 0, 100];
/// A place where the gift is and its card is not, and one where nothing is.
pub const ON_GIFT: (f32, f32) = (0.5, 0.25);
pub const BESIDE: (f32, f32) = (0.02, 0.02);

fn is_at(sway: &Sway, monitor: &str, at: (f32, f32), colour: [u8; 3]) -> bool {
    let near = |seen: [u8; 3]| (0..3).all(|c| seen[c].abs_diff(colour[c]) <= 1);
    sway.look(monitor).at(at.0, at.1).is_some_and(near)
}

pub fn comes(sway: &Sway, monitor: &str, at: (f32, f32), colour: [u8; 3]) {
    sway.until(&format!("{colour:?} never came at {at:?}"), |sway| {
        is_at(sway, monitor, at, colour)
    });
}

#[test]
fn the_desktop_shows_through_in_exact_colours_and_is_left_alone_after() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let mut evening = Evening::begin(&sway.variables(), &[]);
    assert_eq!(evening.client_type, "Viewer");
    assert!(
        sway.look(MONITOR).is_all(GREY),
        "an empty stage is nothing at all"
    );
    evening.give("g1");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_GREY);
    let picture = sway.look(MONITOR);
    assert_eq!(picture.at(ON_GIFT.0, ON_GIFT.1), Some(RED_OVER_GREY));
    assert_eq!(picture.at(BESIDE.0, BESIDE.1), Some(GREY));
    let ack = evening.peer.gift_ack();
    assert_eq!(&*ack.gift_id, "g1");

    let ran = evening.overlay.end_by("TERM");
    ran.ended_with(0);
    assert!(sway.look(MONITOR).is_all(GREY), "it is gone");
    let account = summary(&String::from_utf8(ran.out).expect("text"));
    let outputs = account["outputs"].to_string();
    assert!(outputs.contains("overlay: "), "{outputs}");
}

#[test]
fn it_is_above_other_windows_and_lets_clicks_through() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let mut evening = Evening::begin(&sway.variables(), &["--opacity", "0.5"]);
    evening.give("g1");
    // Half of half of red: a quarter.
    comes(&sway, MONITOR, ON_GIFT, [160, 96, 96]);
    let mut window = Client::open(&sway.socket(), BLUE);
    comes(&sway, MONITOR, BESIDE, BLUE);
    comes(&sway, MONITOR, ON_GIFT, [64, 0, 150]);
    window.click(ON_GIFT.0, ON_GIFT.1);
    sway.until("the click did not reach the window below", |_| {
        window.clicks() > 0
    });
    window.click(BESIDE.0, BESIDE.1);
    assert_eq!(window.clicks(), 2);
}

#[test]
fn it_hides_and_shows_and_gifts_wait_meanwhile() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let variables = sway.variables();
    let mut evening = Evening::begin(&variables, &[]);
    assert_eq!(evening.send("toggle", &variables), "hidden\n");
    evening.give("g1");
    // It has arrived once the answer to what came after it is there.
    evening.peer.ping(1);
    let why = evening.send("why", &variables);
    assert!(why.contains("the overlay is hidden"), "{why}");
    assert!(why.contains("1 gift came, 1 waits"), "{why}");
    assert!(sway.look(MONITOR).is_all(GREY));
    assert_eq!(evening.send("show", &variables), "shown\n");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_GREY);
    assert_eq!(&*evening.peer.gift_ack().gift_id, "g1");
    assert_eq!(evening.send("toggle", &variables), "hidden\n");
    comes(&sway, MONITOR, ON_GIFT, GREY);
    assert_eq!(evening.send("toggle", &variables), "shown\n");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_GREY);

    for (word, answer) in [
        ("mute", "muted\n"),
        ("mute", "not muted\n"),
        ("quality", "quality: low\n"),
        ("dnd", "do not disturb: gifts are collected\n"),
        ("dnd", "gifts play again\n"),
    ] {
        assert_eq!(evening.send(word, &variables), answer);
    }
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn monitors_come_and_change_their_scale() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let arguments = ["--monitor", "all", "--place", "right-third"];
    let mut evening = Evening::begin(&sway.variables(), &arguments);
    evening.give("g1");
    // The right third: its middle is five sixths across.
    let middle = (5.0 / 6.0, 0.5);
    comes(&sway, MONITOR, middle, RED_OVER_GREY);
    assert!(is_at(&sway, MONITOR, (0.5, 0.5), GREY));
    sway.tell("create_output");
    comes(&sway, "HEADLESS-2", middle, RED_OVER_GREY);
    // Another scale is another size in the desktop's units.
    sway.tell("output HEADLESS-2 scale 1.5");
    sway.tell("output HEADLESS-2 resolution 800x600");
    comes(&sway, "HEADLESS-2", middle, RED_OVER_GREY);
    assert!(is_at(&sway, "HEADLESS-2", (0.5, 0.5), GREY));
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn a_monitor_that_is_unplugged_takes_nothing_with_it() {
    let Some(outer) = Sway::start(640, 360) else {
        return;
    };
    let Some(sway) = outer.start_within() else {
        return;
    };
    let variables = sway.variables();
    let mut evening = Evening::begin(&variables, &["--monitor", "all", "--size", "320x180"]);
    evening.give("g1");
    comes(&sway, "WL-1", (0.5, 0.5), RED_OVER_GREY);
    sway.tell("create_output");
    comes(&sway, "WL-2", (0.5, 0.5), RED_OVER_GREY);
    let unplug = |monitor| outer.tell(&format!("[title=\"{monitor}\"] kill"));
    unplug("WL-1");
    sway.until("it is still there", |sway| sway.look("WL-1").width == 0);
    comes(&sway, "WL-2", (0.5, 0.5), RED_OVER_GREY);
    unplug("WL-2");
    evening
        .overlay
        .says("no monitor shows the overlay any more");
    let why = evening.send("why", &variables);
    assert!(why.contains("none of the chosen monitors"), "{why}");
    sway.tell("create_output");
    comes(&sway, "WL-3", (0.5, 0.5), RED_OVER_GREY);
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn a_full_screen_window_goes_first() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let variables = sway.variables();
    let mut evening = Evening::begin(&variables, &[]);
    let mut window = Client::open(&sway.socket(), BLUE);
    evening.give("g1");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_BLUE);
    window.fill_monitor(true);
    comes(&sway, MONITOR, ON_GIFT, BLUE);
    evening.peer.gift_ack();
    evening.give("g2");
    evening.peer.ping(1);
    let why = evening.send("why", &variables);
    assert!(why.contains("full-screen"), "{why}");
    window.fill_monitor(false);
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_BLUE);
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn one_stage_feeds_it_beside_obs_and_a_file() {
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let rings = folder();
    let mut variables = sway.variables().to_vec();
    variables.push(("HYPERFOCUS_RING_DIR", rings.path().to_str().expect("text")));
    let arguments = ["--output", "obs", "--png", "last.png"];
    let mut evening = Evening::begin(&variables, &arguments);
    evening.give("g1");
    comes(&sway, MONITOR, ON_GIFT, RED_OVER_GREY);
    let ran = evening.overlay.end_by("TERM");
    ran.ended_with(0);
    let account = summary(&String::from_utf8(ran.out).expect("text"));
    let outputs = account["outputs"].to_string();
    assert!(outputs.contains("OBS (main)") && outputs.contains("overlay: "));
    let last = image::open(evening.home.path().join("last.png")).expect("a PNG");
    let last = last.into_rgba8();
    // The stage was made for the monitor.
    assert_eq!(last.dimensions(), (640, 360));
    assert_eq!(last.get_pixel(320, 90).0, [255, 0, 0, 128]);
}

/// Clock ticks of processor time that a process or a thread has had, by its folder
/// in /proc, and its number and name; there are 100 in a second on every Linux.
fn ticks(folder: &Path) -> Option<(String, u64)> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // After the name, which may hold anything: the 14th and the 15th word.
    let (name, rest) = stat.rsplit_once(')').expect("a name");
    let words: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| words[place - 3].parse::<u64>().expect("a number");
    Some((name.to_owned(), number(14) + number(15)))
}

/// A process's own, and those of each thread that it has.
fn ticks_of(process: u32) -> (u64, BTreeMap<String, u64>) {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let (_, all) = ticks(&folder).expect("it runs");
    let threads = std::fs::read_dir(folder.join("task")).expect("it runs");
    // One that has ended meanwhile has no file any more.
    let threads = threads.filter_map(|thread| ticks(&thread.ok()?.path()));
    (all, threads.collect())
}

#[test]
fn an_empty_stage_costs_nothing() {
    /// 0.3 % of a core, and the tick in which a measure falls.
    const MOST_TICKS: u64 = 3 + 1;
    const WATCHED: Duration = Duration::from_secs(10);
    /// The same work takes longer while others use the processor's caches, so
    /// what counts is the least that it was seen to take.
    const TRIES: usize = 3;
    let Some(sway) = Sway::start(640, 360) else {
        return;
    };
    let mut evening = Evening::begin(&sway.variables(), &[]);
    // Whatever warming up has left to do.
    evening.peer.ping(1);
    std::thread::sleep(Duration::from_secs(2));
    let mut seen = Vec::new();
    let is_at_rest = (0..TRIES).any(|_| {
        let ((before, threads_before), began) = (ticks_of(evening.overlay.id()), now());
        while began.elapsed() < WATCHED {
            std::thread::sleep(Duration::from_secs(1));
            evening.peer.ping(2);
        }
        let (after, mut threads) = ticks_of(evening.overlay.id());
        threads.retain(|thread, ticks| {
            *ticks -= threads_before.get(thread).copied().unwrap_or_default();
            *ticks > 0
        });
        seen.push((after - before, threads));
        after - before <= MOST_TICKS
    });
    assert!(is_at_rest, "ticks, and by thread, in {WATCHED:?}: {seen:?}");
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn what_cannot_be_is_explained() {
    let home = folder();
    let runtime = home.path().to_str().expect("text");
    let variables = [
        ("XDG_RUNTIME_DIR", runtime),
        ("WAYLAND_DISPLAY", ""),
        ("DISPLAY", ""),
    ];
    let told = send(home.path(), "toggle", &variables);
    assert_eq!(told.status.code(), Some(1));
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(said.contains("is `hyperfocus overlay` running"), "{said}");

    let arguments = ["overlay", "--url", "ws://127.0.0.1:9/ws", "--stream", "s"];
    let program = crate::program::Program::start(&arguments, home.path(), &variables);
    let ran = program.wait_for(PATIENCE);
    ran.ended_with(1);
    ran.said("neither WAYLAND_DISPLAY nor DISPLAY is set");
    let with_role = [&arguments[..], &["--role", "host"]].concat();
    let ran = crate::program::Program::start(&with_role, home.path(), &variables).wait();
    ran.ended_with(1);
    ran.said("run --output overlay");
}
