//! A video's own sound: decoded on its thread, handed to the mixer chunk by
//! chunk. The two layers do not know each other; here they meet.

use std::sync::Arc;

use bevy::prelude::*;

use crate::catalog::Lane;
use crate::render::Patience;
use crate::render::video::audio::{AudioChunk as Piece, AudioStream, Pull, SAMPLE_RATE};
use crate::render::video::{VideoPlayback, open_sound};
use crate::render::videos::ActVideo;
use crate::sound::{
    AudioChunk, AudioFeed, Mixer, PushError, VoiceKey, VoiceSettings, audio_stream,
};
use crate::stage::{Act, StageSet};

/// Videos' voices are told apart from their acts' own by this bit; act ids
/// count up from 0 and never reach it.
const OF_A_VIDEO: u64 = 1 << 63;

#[derive(Resource)]
struct VideoMixer(Arc<Mixer>);

/// The way from one video's file to the mixer.
#[derive(Component)]
struct Soundtrack {
    from: AudioStream,
    to: AudioFeed,
    /// Whose act it belongs to.
    act: Entity,
    /// Seconds of the video up to which it was heard or left out; `None` where the
    /// next piece begins with the picture.
    heard: Option<f64>,
    /// Frames that the mixer was given.
    fed: usize,
    /// What the mixer had no room for yet.
    held: Option<AudioChunk>,
    over: bool,
}

/// Silence within a video's sound, seconds at most.
const LONGEST_HOLE: f64 = 60.0;
/// A picture that is no later than this begins with its sound whole, seconds.
const IN_TIME: f64 = 0.1;
/// Sound that is later than its picture by more than this leaves out what the picture
/// is past, seconds: more than a device, a slow frame and a late beginning together
/// hold it back, so that nothing is left out of sound that is as it should be.
const LATE: f64 = 0.3;
/// What a position in a stream may be off by, seconds.
const ROUNDING: f64 = 1e-4;

/// How far a video's sound is, seconds of the video.
#[derive(Clone, Copy)]
struct Progress {
    /// Up to where the mixer was given it, or it was left out.
    heard: f64,
    /// What the mixer has still to play of it.
    queued: f64,
}

impl Soundtrack {
    /// Whether more of the sound belongs to the act's picture by now.
    fn is_due(&self, act: &Act) -> bool {
        let waits_at = act.waits_at().map(f64::from);
        self.progress()
            .is_none_or(|sound| sound.is_due(f64::from(act.age), waits_at))
    }

    /// `None` until its next piece has come where it begins with the picture.
    fn progress(&self) -> Option<Progress> {
        let played = self.to.clock().position().as_secs_f64();
        let fed = self.fed as f64 / f64::from(SAMPLE_RATE);
        self.heard.map(|heard| Progress {
            heard,
            queued: fed - played,
        })
    }
}

impl Progress {
    /// Sound runs ahead of its picture into the mixer's queue, but not past where the
    /// picture waits; once it has run out there it goes on when the picture does. Sound
    /// that is late runs out first, which fades it.
    fn is_due(self, age: f64, waits_at: Option<f64>) -> bool {
        let has_run_out = self.queued <= ROUNDING;
        let goes_on = match waits_at {
            Some(at) => self.heard < at,
            None => !has_run_out || self.heard <= age,
        };
        goes_on && (has_run_out || !self.is_late(age))
    }

    /// Whether its picture has left it behind, as after the machine stood still.
    fn is_late(self, age: f64) -> bool {
        self.heard - self.queued + LATE < age
    }
}

pub(super) fn install(app: &mut App, mixer: Arc<Mixer>) {
    app.insert_resource(VideoMixer(mixer))
        .add_observer(stop)
        .add_systems(Update, (begin, pump).chain().in_set(StageSet::Animate));
}

fn begin(
    mut commands: Commands,
    mixer: Res<VideoMixer>,
    acts: Query<&Act>,
    videos: Query<(Entity, &ActVideo, &VideoPlayback), Added<ActVideo>>,
) {
    for (entity, shown, playback) in &videos {
        let Ok(act) = acts.get(shown.act) else {
            continue;
        };
        let path = playback.path.clone();
        match AudioStream::spawn(&playback.path, move || open_sound(&path)) {
            Ok(from) => {
                let (to, stream) = audio_stream();
                mixer.0.play_stream(voice(act), stream, settings(act.lane));
                commands.entity(entity).insert(Soundtrack {
                    from,
                    to,
                    act: shown.act,
                    heard: None,
                    fed: 0,
                    held: None,
                    over: false,
                });
            }
            Err(error) => warn!("a video plays without its sound: {error}"),
        }
    }
}

fn settings(lane: Lane) -> VoiceSettings {
    VoiceSettings { gain: 1.0, lane }
}

fn voice(act: &Act) -> VoiceKey {
    VoiceKey(act.id.0 | OF_A_VIDEO)
}

/// Fills the mixer's queue; the rest waits for the next frame.
fn pump(patience: Res<Patience>, acts: Query<&Act>, mut tracks: Query<&mut Soundtrack>) {
    for mut track in &mut tracks {
        let track = &mut *track;
        let Ok(act) = acts.get(track.act) else {
            continue;
        };
        let age = f64::from(act.age);
        while !track.over {
            let chunk = match track.held.take() {
                Some(chunk) => chunk,
                None if !track.is_due(act) => break,
                None => match track.from.pull_within(patience.0) {
                    Pull::Chunk(chunk) => {
                        if track.progress().is_some_and(|sound| sound.is_late(age)) {
                            track.heard = None;
                        }
                        // A picture that had to wait is further on by now.
                        let start = if age > IN_TIME { age } else { 0.0 };
                        let heard = track.heard.get_or_insert(start);
                        let samples = from_there(chunk, heard);
                        if samples.is_empty() {
                            continue;
                        }
                        AudioChunk { samples }
                    }
                    Pull::NotYet => break,
                    Pull::Ended => {
                        track.over = true;
                        break;
                    }
                    Pull::Failed(error) => {
                        warn!("a video goes on without its sound: {error}");
                        track.over = true;
                        break;
                    }
                },
            };
            let frames = chunk.samples.len() / 2;
            match track.to.push(chunk) {
                Ok(()) => track.fed += frames,
                Err(PushError::Full(chunk)) => {
                    track.held = Some(chunk);
                    break;
                }
                Err(PushError::Ended) => track.over = true,
            }
        }
    }
}

/// What is left of a piece of sound by the time up to which the sound was `heard`,
/// which then ends with it; with silence before it where it begins later.
fn from_there(chunk: Piece, heard: &mut f64) -> Vec<f32> {
    let frames_of = |seconds: f64| (seconds * f64::from(SAMPLE_RATE)).round() as usize;
    let length = (chunk.samples.len() / 2) as f64 / f64::from(SAMPLE_RATE);
    let Piece { pts, mut samples } = chunk;
    if pts > *heard {
        // A hole of more than a gift's length is a file's mistake.
        let hole = frames_of((pts - *heard).min(LONGEST_HOLE));
        samples.splice(..0, std::iter::repeat_n(0.0, 2 * hole));
    } else {
        let late = 2 * frames_of(*heard - pts);
        samples.drain(..late.min(samples.len()));
    }
    *heard = heard.max(pts + length);
    samples
}

fn stop(
    remove: On<Remove, ActVideo>,
    mixer: Res<VideoMixer>,
    videos: Query<&ActVideo>,
    acts: Query<&Act>,
) {
    if let Some(act) = videos
        .get(remove.entity)
        .ok()
        .and_then(|shown| acts.get(shown.act).ok())
    {
        mixer
            .0
            .stop(voice(act), std::time::Duration::from_millis(300));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sound given up to `heard`, of which `queued` is still to be played.
    fn sound(heard: f64, queued: f64) -> Progress {
        Progress { heard, queued }
    }

    /// A hundredth of a second from `pts` on.
    fn piece(pts: f64, level: f32) -> Piece {
        Piece {
            pts,
            samples: vec![level; SAMPLE_RATE as usize / 100 * 2],
        }
    }

    #[test]
    fn sound_begins_where_its_picture_is() {
        // The picture is at 15 ms: one piece is over, half of the next is left.
        let mut heard = 0.015;
        let sizes = [0.0, 0.01, 0.02].map(|pts| from_there(piece(pts, 1.0), &mut heard).len());
        assert_eq!(sizes, [0, 480, 960]);
        assert!((heard - 0.03).abs() < 1e-9, "{heard}");
    }

    #[test]
    fn sound_waits_where_its_picture_does_and_goes_on_with_it() {
        let waits = Some(2.0);
        assert!(sound(1.5, 0.6).is_due(0.9, waits), "it runs ahead");
        assert!(!sound(2.01, 0.5).is_due(1.5, waits), "not past the waiting");
        assert!(!sound(2.01, 0.0).is_due(2.0, waits));
        // A streak ends before its picture has waited: nothing is interrupted.
        assert!(sound(2.01, 0.5).is_due(1.5, None));
        // It ends while its picture lives its last second again.
        assert!(!sound(2.01, 0.0).is_due(1.2, None));
        assert!(sound(2.01, 0.0).is_due(2.02, None));
        // A decoder that was late is let on.
        assert!(sound(0.5, 0.0).is_due(0.9, None));
    }

    #[test]
    fn sound_that_its_picture_left_behind_runs_out_and_leaves_out_the_rest() {
        // The picture is three seconds on, and what waits to be played is not.
        assert!(!sound(1.7, 0.7).is_due(4.0, None));
        // What has run out goes on, from where the picture is by then.
        let late = sound(1.7, 0.0);
        assert!(late.is_due(4.0, None) && late.is_late(4.0));
        let mut heard = 4.0;
        assert!(from_there(piece(1.7, 1.0), &mut heard).is_empty());
        assert_eq!(from_there(piece(3.995, 1.0), &mut heard).len(), 480);
        // A late beginning, a slow frame and a device are no reason.
        assert!(!sound(0.7, 0.7).is_late(0.25));
    }

    #[test]
    fn sound_that_begins_later_than_its_picture_comes_when_it_is_due() {
        let mut heard = 0.0;
        let samples = from_there(piece(0.02, 1.0), &mut heard);
        assert_eq!(samples.len(), 3 * 960);
        assert!(samples[..1920].iter().all(|sample| *sample == 0.0));
        assert!(samples[1920..].iter().all(|sample| *sample == 1.0));
    }
}
