//! The stage as OBS gets it: the real program writes, and this test sits where
//! the source in OBS sits. Whether OBS shows it well is the plugin's test.

use std::time::Duration;

use hyperfocus::model::Control;
use hyperfocus::protocol::ServerMessage;
use hyperfocus_ring::{
    Folder, Instance, Life, Newest, Reader, Report, Showing, SoundReader, now_ns,
};

use crate::program::{Program, folder, summary};
use crate::server::Server;
use crate::stage::{PATIENCE, now};
use crate::window::{Display, census};

const SIZE: (u32, u32) = (320, 180);

/// What the source in OBS does at each of its frames.
pub struct Source {
    reader: Reader,
    sound: SoundReader,
    pub report: Report,
    seen: Option<u64>,
    /// In the middle of the upper half of the last frame: RGBA.
    pub pixel: [u8; 4],
    /// What came so far.
    pictures: usize,
    blanks: usize,
    loudest: f32,
}

impl Source {
    pub fn join(folder: &Folder, name: &str) -> Self {
        let deadline = now() + PATIENCE;
        let mut reader = loop {
            match Reader::open(folder, name, now_ns()) {
                Ok(reader) => break reader,
                Err(error) => assert!(now() < deadline, "no ring: {error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        Self {
            sound: reader.take_sound().expect("it is asked for once"),
            reader,
            report: Report {
                fps: (30, 1),
                showing: Showing::Nowhere,
                sources: 1,
                shown: 0,
            },
            seen: None,
            pixel: [0; 4],
            pictures: 0,
            blanks: 0,
            loudest: 0.0,
        }
    }

    fn tick(&mut self) {
        self.report.shown = self.seen.unwrap_or(0);
        assert!(self.reader.beat(now_ns(), &self.report), "the seat is ours");
        let ((width, height), stride) = (self.reader.size(), self.reader.stride());
        let pixel = (height / 4 * stride + width / 2 * 4) as usize;
        match self.reader.newest(self.seen) {
            Newest::Unchanged => {}
            Newest::Empty { sequence, .. } => {
                self.seen = Some(sequence);
                self.pixel = [0; 4];
                self.blanks += 1;
            }
            Newest::Frame(frame) => {
                self.seen = Some(frame.sequence());
                let at_pixel = frame.pixels()[pixel..].first_chunk();
                self.pixel = *at_pixel.expect("a whole pixel");
                let is_empty = frame.pixels().iter().all(|&byte| byte == 0);
                assert!(frame.is_intact(), "nobody writes to what is read");
                self.pictures += usize::from(!is_empty);
            }
        }
        let mut samples = Vec::new();
        while self.sound.read(&mut samples).is_some() {
            let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            self.loudest = self.loudest.max(peak);
        }
        std::thread::sleep(Duration::from_millis(20));
    }

    /// Ticks until no frame has come for a second.
    fn tick_until_nothing_comes(&mut self) {
        let deadline = now() + PATIENCE;
        let (mut seen, mut since) = (self.seen, now());
        while since.elapsed() < Duration::from_secs(1) {
            assert!(now() < deadline, "frames go on and on");
            self.tick();
            if self.seen != seen {
                (seen, since) = (self.seen, now());
            }
        }
    }

    pub fn tick_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = now() + PATIENCE;
        while !holds(self) {
            assert!(now() < deadline, "{what}");
            self.tick();
        }
    }
}

#[test]
fn obs_gets_pictures_and_sound_and_gifts_wait_for_it() {
    let home = folder();
    let rings = Folder::at(home.path().join("rings")).expect("a folder of ours");
    let variables = [("HYPERFOCUS_RING_DIR", rings.path().to_str().expect("text"))];
    let arguments = [
        "demo",
        "--output",
        "obs",
        "--name",
        "tried",
        "--size",
        "320x180",
        "--seconds",
        "30",
        "--no-sheet",
        "--json",
    ];
    let program = Program::start(&arguments, home.path(), &variables);
    let mut source = Source::join(&rings, "tried");
    assert_eq!(source.reader.size(), SIZE);

    // OBS has the source in a scene that is not on air.
    let waited = now() + Duration::from_secs(3);
    while now() < waited {
        source.tick();
    }
    assert_eq!(source.pictures, 0, "nothing plays that nobody would see");

    source.report.showing = Showing::OnAir;
    source.tick_until("no picture came", |source| source.pictures > 5);
    source.tick_until("nothing was heard", |source| source.loudest > 0.01);

    let ran = program.end_by("TERM");
    ran.ended_with(0);
    assert_eq!(source.reader.life(now_ns()), Life::Ended);
    let account = summary(&String::from_utf8(ran.out).expect("text"));
    let outputs = account["outputs"].to_string();
    assert!(outputs.contains("OBS (tried): "), "{outputs}");
    assert!(account["gifts"]["played"].as_u64() > Some(0), "{account}");
}

#[test]
fn a_paused_gift_costs_no_frames_and_who_comes_back_sees_it_as_it_is() {
    let home = folder();
    let rings = Folder::at(home.path().join("rings")).expect("a folder of ours");
    let variables = [("HYPERFOCUS_RING_DIR", rings.path().to_str().expect("text"))];
    let server = Server::new();
    let url = server.url();
    let arguments = [
        "run", "--output", "obs", "--name", "paused", "--size", "320x180", "--mute", "--url", &url,
        "--stream", "s",
    ];
    let program = Program::start(&arguments, home.path(), &variables);
    let mut peer = server.accept_session_with(&["x-control"]);
    let mut source = Source::join(&rings, "paused");
    source.report.showing = Showing::OnAir;
    peer.gift("a-rose");
    source.tick_until("no picture came", |source| source.pictures > 5);
    peer.send(&ServerMessage::Control(Control::Pause));
    source.tick_until_nothing_comes();
    // A stage that sleeps is none that hangs, which would be silent by then.
    let slept = now() + Duration::from_secs(7);
    while now() < slept {
        source.tick();
    }
    source.tick_until("a stage that sleeps is not live", |source| {
        source.reader.life(now_ns()) == Life::Live
    });

    // OBS ends, and nothing of the gift is left for the next to begin with.
    let pictures = source.pictures;
    drop(source);
    let look = || Instance::find(&rings, "paused", now_ns()).expect("the engine runs");
    assert!(pictures > 5 && look().frame_age_ns.is_some());
    program.comes_to("the gift stays for nobody", || look().is_empty);

    // Another sees it at once, although it still stands still.
    let mut source = Source::join(&rings, "paused");
    source.report.showing = Showing::OnAir;
    source.tick_until("the gift is not shown again", |source| source.pictures > 0);
    source.tick_until_nothing_comes();
    let pictures = source.pictures;
    peer.send(&ServerMessage::Control(Control::Resume));
    source.tick_until("it does not go on", |source| source.pictures > pictures + 5);
    program.end_by("TERM").ended_with(0);
}

#[test]
fn a_window_beside_obs_shows_the_same_at_the_pace_of_obs() {
    let Some(display) = Display::open() else {
        return;
    };
    let home = folder();
    let rings = Folder::at(home.path().join("rings")).expect("a folder of ours");
    let variables = [
        ("HYPERFOCUS_RING_DIR", rings.path().to_str().expect("text")),
        ("DISPLAY", &*display.name),
        ("WAYLAND_DISPLAY", ""),
    ];
    let arguments = [
        "demo",
        "--output",
        "window,obs",
        "--name",
        "both",
        "--size",
        "320x180",
        "--fps",
        "60",
        "--seconds",
        "120",
        "--no-sheet",
        "--mute",
    ];
    let program = Program::start(&arguments, home.path(), &variables);
    let mut source = Source::join(&rings, "both");
    // Far below what any machine draws of so small a stage.
    source.report.fps = (5, 1);
    source.report.showing = Showing::OnAir;
    source.tick_until("no picture came", |source| source.pictures > 5);
    let frames = |source: &Source| source.seen.expect("some were seen");
    let (before, began) = (frames(&source), now());
    while began.elapsed() < Duration::from_secs(4) {
        source.tick();
    }
    let shown = frames(&source) - before;
    let most = (began.elapsed().as_secs_f64() * 5.0).ceil() as u64 + 5;
    assert!(shown <= most, "{shown} frames instead of {most}");
    program.comes_to("the window shows nothing", || {
        source.tick();
        census(&display.look()).1 > 60
    });
    program.end_by("TERM").ended_with(0);
}

#[test]
fn an_engine_ends_with_whoever_holds_its_standard_input() {
    let home = folder();
    let server = Server::new();
    let url = server.url();
    let arguments = [
        "run",
        "--headless",
        "--end-with-stdin",
        "--size",
        "320x180",
        "--url",
        &url,
        "--stream",
        "s",
    ];
    // The tests' programs have none from the beginning.
    Program::start(&arguments, home.path(), &[])
        .wait()
        .ended_with(0);
}

#[test]
fn one_name_is_one_engine() {
    let home = folder();
    let rings = Folder::at(home.path().join("rings")).expect("a folder of ours");
    let variables = [("HYPERFOCUS_RING_DIR", rings.path().to_str().expect("text"))];
    let taken = hyperfocus_ring::Writer::create(
        &rings,
        &hyperfocus_ring::Settings {
            name: "main",
            engine: "test",
            width: 16,
            height: 16,
        },
    );
    let _taken = taken.expect("the name is free");
    let arguments = ["demo", "--output", "obs", "--seconds", "5", "--no-sheet"];
    let ran = Program::start(&arguments, home.path(), &variables).wait();
    ran.ended_with(1);
    assert!(
        ran.err.contains("main") && ran.err.contains("--name"),
        "{}",
        ran.err
    );
}
