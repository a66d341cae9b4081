//! The video of an act: started once what is fused into it is painted, moved by
//! the act's own clock, its sound handed to the mixer.

use std::path::Path;
use std::sync::Arc;

use bevy::prelude::*;

use super::captions::FusionImages;
use super::layout::Placement;
use super::video::layout::Halves;
use super::video::{VideoPlayback, VideoPlugin, VideoStatus, VideoSystems};
use crate::catalog;
use crate::stage::{Act, AssetFailed, Director, StageSet};

/// Videos lie over pictures and models, under their own sparks.
const Z: f32 = 2.8;
/// Seconds a video waits for the images that are fused into it.
const PATIENCE: f32 = 0.5;

pub struct ActVideoPlugin;

impl Plugin for ActVideoPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(VideoPlugin::default())
            .configure_sets(Update, VideoSystems.in_set(StageSet::Animate))
            .add_systems(
                Update,
                (
                    (begin, steer)
                        .chain()
                        .in_set(StageSet::Animate)
                        .before(VideoSystems),
                    tell_failures.in_set(StageSet::Animate).after(VideoSystems),
                ),
            );
    }
}

/// The video of an act; a child of the act's entity.
#[derive(Component)]
pub struct ActVideo {
    pub act: Entity,
}

/// The act's video has begun.
#[derive(Component)]
struct Begun;

fn begin(
    mut commands: Commands,
    director: Res<Director>,
    acts: Query<(Entity, &Act, &FusionImages), Without<Begun>>,
) {
    for (entity, act, fusion) in &acts {
        let Some(video) = &act.recipe.video else {
            continue;
        };
        if fusion.ready.len() < fusion.wanted && act.elapsed < PATIENCE {
            continue;
        }
        let path: Arc<Path> = video_path(&director.catalog.root, video).into();
        // Tall and wide files alike: the height is the recipe's.
        let mut playback = VideoPlayback::new(path, Vec2::splat(video.size));
        playback.halves = match video.halves {
            Some(catalog::Halves::AlphaRight) => Halves::AlphaRight,
            Some(catalog::Halves::AlphaTop) => Halves::AlphaTop,
            Some(catalog::Halves::AlphaBottom) => Halves::AlphaBottom,
            Some(catalog::Halves::AlphaLeft) | None => Halves::AlphaLeft,
        };
        playback.fusion = fusion.ready.iter().cloned().collect();
        commands.entity(entity).insert(Begun);
        commands.spawn((playback, ActVideo { act: entity }, ChildOf(entity)));
    }
}

fn video_path(root: &Path, video: &catalog::Video) -> std::path::PathBuf {
    root.join("video").join(&video.file)
}

/// The picture follows the act's timeline: a late frame is skipped, an early
/// one held, and a sustained act holds its picture.
pub(super) fn steer(
    acts: Query<(&Act, &Placement)>,
    mut videos: Query<(&ActVideo, &mut VideoPlayback, &mut Transform)>,
) {
    for (shown, mut playback, mut transform) in &mut videos {
        let Ok((act, placement)) = acts.get(shown.act) else {
            continue;
        };
        let Some(video) = &act.recipe.video else {
            continue;
        };
        playback.clock = f64::from(act.age);
        playback.opacity = act.presence() * placement.presence;
        playback.size = Vec2::splat(video.size * placement.scale);
        let offset = Vec2::from(video.offset) * placement.scale;
        transform.translation = (placement.origin + offset).extend(Z + act.lift());
    }
}

fn tell_failures(
    mut commands: Commands,
    videos: Query<(Entity, &ActVideo, &VideoStatus), Changed<VideoStatus>>,
) {
    for (entity, shown, status) in &videos {
        if let VideoStatus::Failed(error) = status {
            commands.trigger(AssetFailed {
                entity: shown.act,
                reason: error.to_string().into(),
            });
            commands.entity(entity).despawn();
        }
    }
}
