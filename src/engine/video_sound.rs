//! A video's own sound: decoded on its thread, handed to the mixer chunk by
//! chunk. The two layers do not know each other; here they meet.

use std::sync::Arc;

use bevy::prelude::*;

use crate::catalog::Lane;
use crate::render::Patience;
use crate::render::video::audio::{AudioStream, Pull};
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
    /// What the mixer had no room for yet.
    held: Option<AudioChunk>,
    over: bool,
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
fn pump(patience: Res<Patience>, mut tracks: Query<&mut Soundtrack>) {
    for mut track in &mut tracks {
        let track = &mut *track;
        while !track.over {
            let chunk = match track.held.take() {
                Some(chunk) => chunk,
                None => match track.from.pull_within(patience.0) {
                    Pull::Chunk(chunk) => AudioChunk {
                        samples: chunk.samples,
                    },
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
            match track.to.push(chunk) {
                Ok(()) => {}
                Err(PushError::Full(chunk)) => {
                    track.held = Some(chunk);
                    break;
                }
                Err(PushError::Ended) => track.over = true,
            }
        }
    }
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
