//! Gift videos: MP4 with alpha packed beside colour, images fused in.
//!
//! A file is opened and decoded on a thread of its own ([`player`]); planes go
//! to the GPU as the decoder left them (`upload`) and are merged there
//! (`shaders/video.wgsl`). The stage never waits for any of it: it spawns a
//! [`VideoPlayback`], moves its clock, and reads its [`VideoStatus`].

pub mod audio;
#[cfg(any(test, feature = "ffmpeg"))]
mod boxes;
pub mod layout;
#[cfg(feature = "ffmpeg")]
mod libav;
mod material;
pub mod player;
mod quads;
pub mod reference;
pub mod source;
mod upload;
pub mod vapc;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bevy::camera::visibility::RenderLayers;
use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use bevy::sprite_render::Material2dPlugin;

pub use self::layout::Halves;
pub use self::material::VideoMaterial;
pub use self::player::PlayerStats;
pub use self::source::VideoError;

use super::patience::Patience;

use self::layout::Layout;
use self::material::VideoUniform;
use self::player::{Opened, Player, PlayerSlots, PlayerState};
use self::quads::{Build, OnStage};
use self::source::{VideoFrame, VideoInfo};
use self::upload::{PlaneImages, VideoUploads};

/// How far apart in z the fused images lie, the lowest this far above the
/// picture. With [`vapc::MAX_OBJECTS_PER_FRAME`] a video keeps within 0.02.
const FUSION_Z_STEP: f32 = 0.001;

/// Opens a video file and finds its layout. Runs on a player's thread.
pub type Opener = Arc<dyn Fn(&Path, Halves) -> Result<Opened, VideoError> + Send + Sync>;

/// Opens a video through libav.
///
/// # Errors
/// See [`VideoError`]; [`VideoError::NoDecoder`] in builds without `ffmpeg`.
#[cfg_attr(
    not(feature = "ffmpeg"),
    expect(unused_variables, reason = "nothing can be opened without a decoder")
)]
pub fn open(path: &Path, halves: Halves) -> Result<Opened, VideoError> {
    #[cfg(feature = "ffmpeg")]
    return libav::open(path, halves);
    #[cfg(not(feature = "ffmpeg"))]
    Err(VideoError::NoDecoder(path.to_path_buf()))
}

/// Opens a video's sound, for [`audio::AudioStream::spawn`]; `None` when it has
/// none.
///
/// # Errors
/// See [`VideoError`]; [`VideoError::NoDecoder`] in builds without `ffmpeg`.
pub fn open_sound(path: &Path) -> Result<Option<Box<dyn audio::AudioSource>>, VideoError> {
    #[cfg(feature = "ffmpeg")]
    return libav::open_sound(path);
    #[cfg(not(feature = "ffmpeg"))]
    Err(VideoError::NoDecoder(path.to_path_buf()))
}

/// Opens a file, decodes all of it and counts its frames: for checks and
/// benchmarks.
///
/// # Errors
/// The first thing that is wrong with the file.
pub fn verify(path: &Path, halves: Halves) -> Result<u64, VideoError> {
    let mut source = open(path, halves)?.source;
    let mut frames = 0;
    while source.next_frame()?.is_some() {
        frames += 1;
    }
    Ok(frames)
}

/// Plays every [`VideoPlayback`].
pub struct VideoPlugin {
    /// How files are opened; [`open`] unless a test brings its own.
    pub opener: Opener,
}

impl Default for VideoPlugin {
    fn default() -> Self {
        Self {
            opener: Arc::new(open),
        }
    }
}

/// Where videos start and move on, in `Update`. Set the clocks before it and
/// read the [`VideoStatus`] after it.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VideoSystems;

impl Plugin for VideoPlugin {
    fn build(&self, app: &mut App) {
        super::add_srgb(app);
        super::add_shader(
            app,
            &material::SHADER,
            include_str!("../../../shaders/video.wgsl"),
            "shaders/video.wgsl",
        );
        app.add_plugins((Material2dPlugin::<VideoMaterial>::default(), upload::plugin))
            .init_resource::<VideoKit>()
            .init_resource::<Slots>()
            .insert_resource(OpenWith(Arc::clone(&self.opener)))
            .add_systems(
                Update,
                (start, advance, present).chain().in_set(VideoSystems),
            )
            .add_observer(clear_away);
    }
}

/// One video on stage. Spawn it where it shall be centred; it draws itself in
/// children, with the entity's `RenderLayers`, and ends its decoder when it is
/// removed or despawned.
#[derive(Component, Debug, Clone)]
#[require(Transform, Visibility, VideoStatus)]
pub struct VideoPlayback {
    pub path: Arc<Path>,
    /// How alpha is packed if the file does not say so itself.
    pub halves: Halves,
    /// The box to fill, in stage units; the picture keeps its shape in it.
    pub size: Vec2,
    /// Images to fuse in, by the file's tags such as `[avatar]`: straight
    /// alpha, sRGB. Tags without an image stay empty.
    pub fusion: HashMap<Arc<str>, Handle<Image>>,
    /// Seconds since the video's start, by the clock it follows: the audio's
    /// or the stage's. Set every frame; standing still pauses it.
    pub clock: f64,
    /// 0.0 to 1.0.
    pub opacity: f32,
    /// Starts over at the end instead of ending.
    pub looping: bool,
}

impl VideoPlayback {
    /// Plays `path` once, as large as fits into `size`.
    pub fn new(path: impl Into<Arc<Path>>, size: Vec2) -> Self {
        Self {
            path: path.into(),
            halves: Halves::default(),
            size,
            fusion: HashMap::default(),
            clock: 0.0,
            opacity: 1.0,
            looping: false,
        }
    }
}

/// How far a [`VideoPlayback`] is; changes are seen by `Changed`.
#[derive(Component, Debug, Clone, PartialEq, Default)]
pub enum VideoStatus {
    /// All of [`player::MAX_PLAYERS`] are busy.
    #[default]
    Waiting,
    /// Its file is being opened.
    Opening,
    /// Its size is known and frames come.
    Playing,
    /// Its last frame has had its time. It stays on stage until removed.
    Ended,
    /// It shows nothing new. Whoever reads this tells the log and the sender.
    Failed(VideoError),
}

/// What all videos share.
#[derive(Resource)]
pub struct VideoKit {
    quad: Handle<Mesh>,
    blank: PlaneImages,
}

impl FromWorld for VideoKit {
    fn from_world(world: &mut World) -> Self {
        let quad = world
            .resource_mut::<Assets<Mesh>>()
            .add(Rectangle::from_size(Vec2::ONE));
        let blank = PlaneImages::new(&blank_info(), &mut world.resource_mut::<Assets<Image>>());
        Self { quad, blank }
    }
}

fn blank_info() -> VideoInfo {
    VideoInfo {
        width: 2,
        height: 2,
        frame_rate: 1.0,
        frames: None,
        colour: source::VideoColour::default(),
        has_audio: false,
    }
}

impl VideoKit {
    /// Things to spawn while pipelines warm up: they draw one unit of nothing
    /// with the pipelines that every video uses. Despawn them afterwards.
    pub fn warm_up(&self, materials: &mut Assets<VideoMaterial>) -> [impl Bundle + use<>; 2] {
        let info = blank_info();
        let layout = Layout::halves(Halves::default(), &info);
        let picture = VideoUniform::picture(&layout, &info, 1.0);
        [picture, VideoUniform::fused_nothing()]
            .map(|uniform| self.quad(materials, &self.blank, uniform))
    }

    fn quad(
        &self,
        materials: &mut Assets<VideoMaterial>,
        planes: &PlaneImages,
        uniform: VideoUniform,
    ) -> (Mesh2d, MeshMaterial2d<VideoMaterial>) {
        let [luma, cb, cr] = planes.0.clone();
        let material = materials.add(VideoMaterial {
            uniform,
            luma,
            cb,
            cr,
            image: None,
        });
        (Mesh2d(self.quad.clone()), MeshMaterial2d(material))
    }
}

#[derive(Resource, Default)]
struct Slots(PlayerSlots);

#[derive(Resource)]
struct OpenWith(Opener);

/// What belongs to a [`VideoPlayback`] that has started.
#[derive(Component)]
pub struct ActiveVideo {
    player: Player,
    stage: Option<OnStage>,
    /// Due now, not sent to the GPU yet.
    fresh: Option<VideoFrame>,
}

impl ActiveVideo {
    pub fn stats(&self) -> PlayerStats {
        self.player.stats()
    }

    /// The frame on stage, counted from 0 in each run through the file; `None`
    /// before the first.
    pub fn index(&self) -> Option<u64> {
        self.stage.as_ref().and_then(OnStage::index)
    }

    /// Size, rate and colour of the file, once it is open.
    pub fn info(&self) -> Option<&VideoInfo> {
        self.player.opened().map(|(info, _)| info)
    }

    /// Where things lie in its frames, once it is open.
    pub fn layout(&self) -> Option<&Arc<Layout>> {
        self.player.opened().map(|(_, layout)| layout)
    }
}

fn start(
    mut commands: Commands,
    slots: Res<Slots>,
    opener: Res<OpenWith>,
    patience: Option<Res<Patience>>,
    active: Query<(), With<ActiveVideo>>,
    mut waiting: Query<(Entity, &VideoPlayback, &mut VideoStatus), Without<ActiveVideo>>,
) {
    let mut playing = active.iter().count();
    for (entity, playback, mut status) in &mut waiting {
        if *status != VideoStatus::Waiting {
            continue;
        }
        // The thread of a video that has gone may still hold its slot.
        let is_owed = playing < player::MAX_PLAYERS;
        let patience = patience.as_ref().filter(|_| is_owed);
        let slot = slots
            .0
            .wait(patience.map_or(Duration::ZERO, |patience| patience.0));
        let Some(slot) = slot else {
            return;
        };
        playing += 1;
        let (path, halves) = (Arc::clone(&playback.path), playback.halves);
        let open = Arc::clone(&opener.0);
        let player = Player::spawn(&playback.path, playback.looping, slot, move || {
            open(&path, halves)
        });
        match player {
            Ok(player) => {
                *status = VideoStatus::Opening;
                commands.entity(entity).insert(ActiveVideo {
                    player,
                    stage: None,
                    fresh: None,
                });
            }
            Err(error) => *status = VideoStatus::Failed(error),
        }
    }
}

/// Asks every player what is due, and builds the quads once sizes are known.
fn advance(
    mut commands: Commands,
    kit: Res<VideoKit>,
    patience: Option<Res<Patience>>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<VideoMaterial>>,
    mut videos: Query<(
        Entity,
        &VideoPlayback,
        &mut ActiveVideo,
        &mut VideoStatus,
        Option<&RenderLayers>,
    )>,
) {
    for (entity, playback, mut active, mut status, layers) in &mut videos {
        let due = match patience.as_ref().filter(|patience| patience.is_some()) {
            Some(patience) => active.player.frame_at(playback.clock, patience.0),
            None => active.player.frame_for(playback.clock),
        };
        if due.is_some() {
            active.fresh = due;
        }
        status.set_if_neq(match active.player.state() {
            PlayerState::Opening => VideoStatus::Opening,
            PlayerState::Playing => VideoStatus::Playing,
            PlayerState::Ended => VideoStatus::Ended,
            PlayerState::Failed(error) => VideoStatus::Failed(error.clone()),
        });
        if active.stage.is_none()
            && let Some((info, layout)) = active.player.opened()
        {
            let mut build = Build {
                commands: &mut commands,
                kit: &kit,
                images: &mut images,
                materials: &mut materials,
                parent: entity,
                layers,
            };
            active.stage = Some(build.stage(info, layout));
        }
    }
}

/// Puts quads where they belong on the frame that is now due, and sends it on.
fn present(
    images: Res<Assets<Image>>,
    mut materials: ResMut<Assets<VideoMaterial>>,
    mut uploads: ResMut<VideoUploads>,
    mut videos: Query<(&VideoPlayback, &mut ActiveVideo)>,
    mut quads: Query<(&mut Transform, &mut Visibility), Without<VideoPlayback>>,
) {
    for (playback, mut active) in &mut videos {
        let ActiveVideo { stage, fresh, .. } = &mut *active;
        let Some(stage) = stage else {
            continue;
        };
        if let Some(frame) = fresh.take() {
            stage.show(frame, &mut uploads);
        }
        stage.place(playback, &images, &mut materials, &mut quads);
    }
}

/// A removed video takes its quads with it, also when its entity stays.
fn clear_away(
    removed: On<Remove, VideoPlayback>,
    mut commands: Commands,
    videos: Query<&ActiveVideo>,
) {
    let Ok(active) = videos.get(removed.entity) else {
        return;
    };
    for quad in active.stage.iter().flat_map(OnStage::quads) {
        commands.entity(quad).try_despawn();
    }
    commands.entity(removed.entity).try_remove::<ActiveVideo>();
}
