//! A program in the engine's place: known frames and sounds in a real ring, as
//! it is told on its standard input. It is this test binary again, so that it
//! is another process and can be killed.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use hyperfocus_ring::{
    Connection, Folder, FrameStamp, ReaderWish, Settings, SoundWriter, Vitals, Writer, now_ns,
};

use super::harness::{CANVAS, Home, Process};

const ROLE: &str = "HYPERFOCUS_TEST_ROLE";
const DONE: &str = "producer: done";
const BEAT: Duration = Duration::from_millis(5);
/// The same while ages are looked at, which are no more exact.
const FINE_BEAT: Duration = Duration::from_millis(1);
/// Begins a line that says an age in nanoseconds.
pub(crate) const AGE: &str = "age: ";
/// Of the tone, and how far ahead of its time it is written.
const HERTZ: f64 = 1000.0;
const AHEAD_NS: u64 = 60_000_000;
const CHUNK: u64 = 480;

/// Eight columns of the card, in the form of the ring: premultiplied in linear
/// light, then encoded.
pub(crate) const CARD: [[u8; 4]; 8] = [
    // Opaque red, half red, nothing.
    [255, 0, 0, 255],
    [188, 0, 0, 128],
    [0, 0, 0, 0],
    // Glow without cover: linear 0.2.
    [124, 124, 124, 0],
    // Opaque grey, a quarter of green.
    [128, 128, 128, 255],
    [0, 137, 0, 64],
    // Half white that also glows blue, and opaque white.
    [188, 188, 220, 128],
    [255, 255, 255, 255],
];

/// The middle of a column of the card.
pub(crate) fn column(index: usize, size: (u32, u32)) -> (u32, u32) {
    let width = size.0 / 8;
    (index as u32 * width + width / 2, size.1 / 2)
}

/// A running producer.
pub(crate) struct Producer {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Producer {
    /// Starts one called `name`, with a ring and nothing in it.
    pub(crate) fn start(home: &Home, name: &str) -> Self {
        let mut process = Process::start(
            "the producer",
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "producer::role", "--ignored", "--nocapture"])
                .envs(home.environment())
                .env(ROLE, format!("told {name}"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        let stdin = process.child().stdin.take().unwrap();
        let stdout = BufReader::new(process.child().stdout.take().unwrap());
        let mut this = Self {
            process,
            stdin,
            stdout,
        };
        this.wait();
        this
    }

    /// Tells it what to do, and returns what it said to that once it did: `card`,
    /// `empty`, `numbers`, `steady`, `ages`, `say ages`, `size W H`, `tone AMPLITUDE`
    /// or `end`.
    pub(crate) fn tell(&mut self, command: &str) -> String {
        writeln!(self.stdin, "{command}").unwrap();
        self.wait()
    }

    pub(crate) fn kill(self) {
        self.process.kill();
    }

    fn wait(&mut self) -> String {
        let mut said = String::new();
        while !said.contains(DONE) {
            let bytes = self.stdout.read_line(&mut said).unwrap();
            assert_ne!(bytes, 0, "the producer ended");
        }
        said
    }
}

/// A script that can be installed as the engine: it notes its arguments in
/// `started` and shows the card until it is ended.
pub(crate) fn as_engine(home: &Home) -> PathBuf {
    let script = home.path().join("an engine");
    let text = format!(
        "#!/bin/sh\necho \"$$ $@\" >> '{}'\n{ROLE}=\"alone $5\" exec '{}' \
         --exact producer::role --ignored\n",
        home.path().join("started").display(),
        std::env::current_exe().unwrap().display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    script
}

#[test]
#[ignore = "a child of other tests"]
fn role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let (kind, name) = role.split_once(' ').unwrap();
    let folder = Folder::of_user().unwrap();
    let mut stage = Stage::new(&folder, name);
    let told = (kind == "told").then(read_commands);
    if told.is_none() {
        stage.obey("card");
    }
    println!("{DONE}");
    loop {
        let command = match &told {
            Some(told) => match told.recv_timeout(stage.pause()) {
                // Whoever told it is gone.
                Err(RecvTimeoutError::Disconnected) => return,
                command => command.ok(),
            },
            // An OBS that was killed ends no engine; its home is gone then.
            None if !folder.path().exists() => return,
            None => {
                std::thread::sleep(BEAT);
                None
            }
        };
        if let Some(command) = command {
            if command == "end" {
                drop(stage);
                println!("{DONE}");
                return;
            }
            stage.obey(&command);
            println!("{DONE}");
        }
        stage.beat();
    }
}

fn read_commands() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            if line.is_err() || sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// When frames are drawn.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// Once, when it is said.
    Still,
    /// As fast as it goes.
    Hasty,
    /// So many a second.
    Steady { next_ns: u64, fps: u64 },
}

impl Pace {
    fn steady(fps: u64) -> Self {
        let next_ns = now_ns();
        Self::Steady { next_ns, fps }
    }
}

/// How old frames are when they are shown.
#[derive(Default)]
struct Ages {
    /// When each was published, by sequence number, which is its own.
    published: HashMap<u64, u64>,
    /// When OBS began its last frame.
    beaten_ns: u64,
    /// From its publication to the beginning of the frame of OBS that showed it,
    /// for each frame of OBS.
    of_shown: Vec<u64>,
}

impl Ages {
    /// To be called more often than OBS draws.
    fn look(&mut self, wish: &ReaderWish) {
        if wish.beaten_ns == self.beaten_ns {
            return;
        }
        // With a frame it says what the one before showed.
        if let Some(published) = self.published.get(&wish.shown) {
            self.of_shown
                .push(self.beaten_ns.saturating_sub(*published));
        }
        self.beaten_ns = wish.beaten_ns;
    }
}

/// What the producer is at.
struct Stage {
    writer: Writer,
    sound: SoundWriter,
    number: u64,
    pace: Pace,
    ages: Option<Ages>,
    amplitude: f64,
    /// Frames of the tone that are written, and when the first is heard.
    tone: (u64, u64),
}

impl Stage {
    fn new(folder: &Folder, name: &str) -> Self {
        let mut writer = Writer::create(
            folder,
            &Settings {
                name,
                engine: "producer",
                width: CANVAS.0,
                height: CANVAS.1,
            },
        )
        .unwrap();
        let sound = writer.take_sound().unwrap();
        Self {
            writer,
            sound,
            number: 0,
            pace: Pace::Still,
            ages: None,
            amplitude: 0.0,
            tone: (0, 0),
        }
    }

    fn pause(&self) -> Duration {
        if self.ages.is_some() { FINE_BEAT } else { BEAT }
    }

    fn obey(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        self.pace = match command {
            "numbers" => Pace::Hasty,
            "steady" => Pace::steady(30),
            "ages" => Pace::steady(60),
            _ => Pace::Still,
        };
        match words[..] {
            ["card"] => self.draw(|x, width| CARD[(x * 8 / width).min(7)]),
            ["empty"] => {
                self.number += 1;
                let stamp = self.stamp();
                self.writer.clear(&stamp);
            }
            ["numbers" | "steady"] => {}
            ["ages"] => self.ages = Some(Ages::default()),
            ["say", "ages"] => {
                let ages = self.ages.take().unwrap();
                ages.of_shown.iter().for_each(|ns| println!("{AGE}{ns}"));
            }
            ["size", width, height] => {
                let (width, height) = (width.parse().unwrap(), height.parse().unwrap());
                self.writer.resize(width, height).unwrap();
            }
            ["tone", amplitude] => {
                self.amplitude = amplitude.parse().unwrap();
                self.tone = (0, now_ns() + AHEAD_NS);
            }
            _ => panic!("{command} is no command"),
        }
    }

    fn beat(&mut self) {
        self.writer.beat(
            now_ns(),
            &Vitals {
                connection: Connection::NotNeeded,
                backend_event_ns: 0,
            },
        );
        match self.pace {
            Pace::Still => {}
            // Far more frames than are shown, so that each is written while
            // another is read.
            Pace::Hasty => (0..4).for_each(|_| self.count()),
            Pace::Steady { next_ns, fps } => {
                if now_ns() >= next_ns {
                    let next_ns = next_ns + 1_000_000_000 / fps;
                    self.pace = Pace::Steady { next_ns, fps };
                    self.count();
                }
            }
        }
        let wish = self.writer.wish(now_ns());
        if let Some(ages) = &mut self.ages {
            ages.look(&wish);
        }
        while self.amplitude > 0.0 && self.tone_time() < now_ns() + AHEAD_NS {
            self.sing();
        }
    }

    /// A frame whose every pixel is its number.
    fn count(&mut self) {
        let [r, g, b, ..] = (self.number + 1).to_le_bytes();
        self.draw(|_, _| [r, g, b, 255]);
    }

    fn tone_time(&self) -> u64 {
        self.tone.1 + self.tone.0 * 1_000_000_000 / 48_000
    }

    fn sing(&mut self) {
        let samples: Vec<f32> = (self.tone.0..self.tone.0 + CHUNK)
            .flat_map(|frame| {
                let turns = HERTZ * frame as f64 / 48_000.0;
                let sample = (self.amplitude * (turns * std::f64::consts::TAU).sin()) as f32;
                [sample, sample]
            })
            .collect();
        self.sound.write(&samples, self.tone_time());
        self.tone.0 += CHUNK;
    }

    fn draw(&mut self, colour: impl Fn(usize, usize) -> [u8; 4]) {
        self.number += 1;
        let stamp = self.stamp();
        let width = self.writer.size().0 as usize;
        let mut slot = self.writer.frame();
        for (index, pixel) in slot.as_mut_slice().chunks_exact_mut(4).enumerate() {
            pixel.copy_from_slice(&colour(index % width, width));
        }
        slot.publish(&stamp);
        if let Some(ages) = &mut self.ages {
            ages.published.insert(self.number, now_ns());
        }
    }

    fn stamp(&self) -> FrameStamp {
        FrameStamp {
            number: self.number,
            stage_seconds: 0.0,
            drawn_ns: now_ns(),
        }
    }
}
