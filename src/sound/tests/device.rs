use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::measure::*;
use crate::sound::device::{Keeper, Lent, LostReport, Opened, Output, Signal, Wait};
use crate::sound::{RATE, Speakers, VoiceKey, mixer};

/// What happens at each opening of the device.
#[derive(Clone, Copy)]
enum Opening {
    Fails,
    /// Takes sound in real time, then reports an error.
    PlaysFor(Duration),
    /// Takes sound for a while, then no more, and says nothing.
    StallsAfter(Duration),
}

/// A device with a script and the clock it lives by: waiting passes virtual
/// time, and an open device takes the sound of that time.
#[derive(Clone)]
struct Rig(Rc<RefCell<RigState>>);

struct RigState {
    script: VecDeque<Opening>,
    playing: Option<(Lent, Opening, Duration, u32)>,
    /// When each opening was tried.
    tried: Vec<Duration>,
    heard: Vec<f32>,
    now: Duration,
    quit_at: Duration,
    /// When a device that was wanted comes, while another plays.
    comes_at: Option<Duration>,
}

struct RigDevice(Rc<RefCell<RigState>>, u32);

impl Rig {
    fn new(script: &[Opening], quit_at: u64) -> Self {
        Self(Rc::new(RefCell::new(RigState {
            script: script.iter().copied().collect(),
            playing: None,
            tried: Vec::new(),
            heard: Vec::new(),
            now: Duration::ZERO,
            quit_at: Duration::from_secs(quit_at),
            comes_at: None,
        })))
    }

    fn keep(&self, mix: crate::sound::MixSource) -> Option<Box<crate::sound::MixSource>> {
        let (signals, _unread) = bounded(1);
        let keeper = Keeper {
            output: self.clone(),
            waiting: self.clone(),
            signals,
            open: std::sync::Arc::default(),
        };
        keeper.keep(Box::new(mix))
    }
}

impl Output for Rig {
    type Opened = RigDevice;
    type Error = &'static str;

    fn open(&mut self, lost: LostReport) -> Result<RigDevice, &'static str> {
        let mut rig = self.0.borrow_mut();
        let now = rig.now;
        rig.tried.push(now);
        match rig.script.front() {
            None | Some(Opening::Fails) => {
                rig.script.pop_front();
                Err("nothing is plugged in")
            }
            Some(_) => Ok(RigDevice(self.0.clone(), lost.opening())),
        }
    }

    fn has_come(&mut self) -> bool {
        let rig = self.0.borrow();
        rig.comes_at
            .is_some_and(|at| rig.now >= at && rig.tried.len() == 1)
    }
}

impl Opened for RigDevice {
    fn play(&self, mix: Lent) {
        let mut rig = self.0.borrow_mut();
        let opening = rig.script.pop_front().expect("it was opened");
        rig.playing = Some((mix, opening, Duration::ZERO, self.1));
    }

    fn describe(&self) -> String {
        "a scripted device".into()
    }
}

impl Drop for RigDevice {
    fn drop(&mut self) {
        let playing = self.0.borrow_mut().playing.take();
        drop(playing);
    }
}

impl Wait for Rig {
    fn wait(&mut self, longest: Duration) -> (Option<Signal>, Duration) {
        let rig = &mut *self.0.borrow_mut();
        let mut took = longest;
        let mut signal = None;
        if let Some((mix, opening, played, number)) = &mut rig.playing {
            let (until, says) = match *opening {
                Opening::PlaysFor(until) => (until, true),
                Opening::StallsAfter(until) => (until, false),
                Opening::Fails => unreachable!("a failed opening plays nothing"),
            };
            let takes = longest.min(until.saturating_sub(*played));
            let samples = (takes.as_secs_f64() * f64::from(RATE)) as usize * 2;
            rig.heard.extend(mix.take(samples).step_by(2));
            *played += takes;
            if says && *played == until {
                took = takes;
                signal = Some(Signal::Lost {
                    opening: *number,
                    why: "it was unplugged".into(),
                });
            }
        }
        rig.now += took;
        if rig.now >= rig.quit_at {
            signal = Some(Signal::Quit);
        }
        (signal, took)
    }
}

#[test]
fn without_a_device_time_passes_in_silence_and_retries_get_rarer() {
    let (mixer, mix) = mixer();
    let rig = Rig::new(&[], 400);
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 20.0), AMBIENT);
    assert!(rig.keep(mix).is_some(), "the mix comes back");
    let tried: Vec<u64> = rig.0.borrow().tried.iter().map(Duration::as_secs).collect();
    assert_eq!(tried, [0, 2, 6, 14, 30, 62, 122, 182, 242, 302, 362]);
    assert_eq!(mixer.stats().sounding, 0, "voices end without a listener");
    let pulled = mixer.stats().frames as f64 / f64::from(RATE);
    assert!(
        (pulled - 400.0).abs() < 0.2,
        "{pulled} s were pulled in 400 s"
    );
}

#[test]
fn a_sound_survives_the_death_of_its_device() {
    let (mixer, mix) = mixer();
    let second = Duration::from_secs(1);
    let script = [
        Opening::PlaysFor(second),
        Opening::Fails,
        Opening::PlaysFor(second * 100),
    ];
    let rig = Rig::new(&script, 12);
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 10.0), AMBIENT);
    rig.keep(mix).expect("the mix comes back");
    let rig = rig.0.borrow();
    assert_eq!(rig.tried, [Duration::ZERO, second * 3, second * 7]);
    assert!(peak(&rig.heard[4_800..48_000]) > 0.49, "before");
    assert!(
        peak(&rig.heard[52_800..96_000]) > 0.49,
        "on the next device, where time has brought it"
    );
    let heard = rig.heard.iter().filter(|s| s.abs() > 1e-4).count() as f64 / f64::from(RATE);
    assert!(
        (heard - 4.0).abs() < 0.1,
        "10 s less 6 s without a device: {heard}"
    );
}

#[test]
fn a_device_that_stops_taking_sound_is_given_up() {
    let (mixer, mix) = mixer();
    let script = [
        Opening::StallsAfter(Duration::from_secs(10)),
        Opening::PlaysFor(Duration::from_secs(100)),
    ];
    let rig = Rig::new(&script, 30);
    rig.keep(mix).expect("the mix comes back");
    let tried = rig.0.borrow().tried.clone();
    assert_eq!(tried.len(), 2);
    assert!((15..=20).contains(&tried[1].as_secs()), "{tried:?}");
    drop(mixer);
}

#[test]
fn a_device_that_was_wanted_plays_once_it_is_there() {
    let (_mixer, mix) = mixer();
    let long = Opening::PlaysFor(Duration::from_secs(1_000));
    let rig = Rig::new(&[long, long], 200);
    rig.0.borrow_mut().comes_at = Some(Duration::from_secs(70));
    rig.keep(mix).expect("the mix comes back");
    let rig = rig.0.borrow();
    assert_eq!(rig.tried.len(), 2);
    assert!(
        (70..=105).contains(&rig.tried[1].as_secs()),
        "{:?}",
        rig.tried
    );
    let taken = rig.heard.len() as f64 / f64::from(RATE);
    assert!(
        (199.5..204.0).contains(&taken),
        "silent in between: {taken}"
    );
}

#[test]
fn a_device_that_dies_at_once_is_not_hammered() {
    let (_mixer, mix) = mixer();
    let flaps = [Opening::PlaysFor(Duration::from_millis(10)); 8];
    let rig = Rig::new(&flaps, 120);
    rig.keep(mix).expect("the mix comes back");
    assert!(
        rig.0.borrow().tried.len() <= 7,
        "{:?}",
        rig.0.borrow().tried
    );
}

#[test]
fn a_late_report_about_an_old_device_is_ignored() {
    let (mixer, mix) = mixer();
    struct OldNews(Rig, bool);
    impl Wait for OldNews {
        fn wait(&mut self, longest: Duration) -> (Option<Signal>, Duration) {
            if !self.1 && self.0.0.borrow().playing.is_some() {
                self.1 = true;
                let why = "it was unplugged long ago".into();
                return (Some(Signal::Lost { opening: 77, why }), Duration::ZERO);
            }
            self.0.wait(longest)
        }
    }
    let rig = Rig::new(&[Opening::PlaysFor(Duration::from_secs(100))], 20);
    let (signals, _unread) = bounded(1);
    let keeper = Keeper {
        output: rig.clone(),
        waiting: OldNews(rig.clone(), false),
        signals,
        open: std::sync::Arc::default(),
    };
    keeper.keep(Box::new(mix)).expect("the mix comes back");
    assert_eq!(rig.0.borrow().tried.len(), 1);
    drop(mixer);
}

#[test]
fn speakers_start_and_stop_whatever_the_machine_has() {
    let (mixer, mix) = mixer();
    let speakers = Speakers::start(mix, None);
    mixer.play(VoiceKey(1), tone(440.0, 0.001, 0.01), AMBIENT);
    let mut mix = speakers.stop().expect("the mix comes back");
    pull(&mut mix, 0.1);
    assert_eq!(mixer.stats().sounding, 0);
}

/// Plays through the system's real audio library into a file. The library
/// reads its configuration when it is first used, so this runs in a process
/// of its own.
#[cfg(target_os = "linux")]
#[test]
fn the_default_device_hears_the_mix() {
    const CHILD: &str = "HYPERFOCUS_TEST_ALSA_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let (mixer, mix) = mixer();
        mixer.play(VoiceKey(1), tone(440.0, 0.5, 30.0), AMBIENT);
        let speakers = Speakers::start(mix, None);
        let (_keep, never) = bounded::<()>(0);
        // The file's device takes sound as fast as it comes.
        let opened = (0..100).any(|_| {
            let _ = never.recv_timeout(Duration::from_millis(20));
            speakers.are_open() && mixer.stats().frames > 48_000
        });
        assert!(opened, "the device does not take sound");
        speakers.stop().expect("the mix comes back");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, file) = (
        folder.path().join("asound.conf"),
        folder.path().join("out.raw"),
    );
    let text = format!(
        "pcm.!default {{ type plug slave {{ pcm heard rate 48000 channels 2 format FLOAT_LE }} }}\n\
         pcm.heard {{ type file slave.pcm {{ type null }} file \"{}\" format raw }}\n\
         ctl.!default {{ type hw card 0 }}\n",
        file.display()
    );
    std::fs::write(&config, text).expect("a temporary file");
    let run = std::process::Command::new(std::env::current_exe().expect("this test's path"))
        .args([
            "--exact",
            "sound::tests::device::the_default_device_hears_the_mix",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("ALSA_CONFIG_PATH", &config)
        .output()
        .expect("this test runs again");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let bytes = std::fs::read(&file).expect("the device wrote its file");
    let heard: Vec<f32> = bytes
        .chunks_exact(8)
        .map(|frame| f32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]))
        .skip_while(|s| s.abs() < 1e-3)
        .take(24_000)
        .collect();
    assert_eq!(heard.len(), 24_000);
    assert!((pitch(&heard) - 440.0).abs() < 0.5, "{} Hz", pitch(&heard));
    assert!((peak(&heard) - 0.5).abs() < 0.01);
}
