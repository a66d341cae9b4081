//! The help: a panel of keys that lies over the stage in the window and in no
//! recording.
//!
//! It is painted when it is first wanted, on a thread that goes again: finding
//! the fonts takes longer than a frame, and most evenings nobody asks.

use std::sync::Arc;

use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy::window::PrimaryWindow;
use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::keys;
use super::pace::Pace;
use crate::engine::wake::Alarm;
use crate::locale::Text;
use crate::render::Look;
use crate::render::caption::{PanelSpec, PixelBuffer, TextPainter, panel};
use crate::render::present::WindowCamera;
use crate::stage::Director;

/// What only the window's camera sees.
pub(in crate::engine) const WINDOW_LAYER: usize = 2;
/// Lines of the window for which the panel is designed.
const DESIGNED_FOR: f32 = 1080.0;
/// Below it the text could not be read; the panel is then drawn smaller than it
/// was painted, and says at least how much there is.
const SMALLEST: f32 = 0.55;

/// Keys and what they do, as the panel and README.md name them.
pub(super) const KEYS: &[(&str, Text)] = &[
    ("Space", Text::HelpPause),
    ("S", Text::HelpSkip),
    ("C", Text::HelpClear),
    ("M", Text::HelpMute),
    ("D", Text::HelpQuiet),
    ("R", Text::HelpReplay),
    ("1 to 9", Text::HelpTest),
    ("B", Text::HelpGround),
    ("H, F1", Text::HelpHelp),
    ("Q, Esc", Text::HelpQuit),
];

/// Whether the help is wanted, and how far it is.
#[derive(Resource, Default)]
pub(super) struct Help {
    wanted: bool,
    painting: Option<Receiver<PixelBuffer>>,
    /// What shows it, and its size in pixels.
    panel: Option<(Entity, UVec2)>,
}

impl Help {
    pub(super) fn toggle(&mut self) {
        self.wanted = !self.wanted;
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }
}

pub(super) struct HelpPlugin;

impl Plugin for HelpPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Help>()
            .add_systems(Update, (ask, hang, show).chain());
    }
}

/// Has the panel painted when it is first wanted.
fn ask(
    mut help: ResMut<Help>,
    director: Res<Director>,
    look: Res<Look>,
    pace: Res<Pace>,
    window: Query<&Window, With<PrimaryWindow>>,
) {
    if !help.wanted || help.panel.is_some() || help.painting.is_some() {
        return;
    }
    let Ok(window) = window.single() else { return };
    let scale = (window.physical_height() as f32 / DESIGNED_FOR).max(SMALLEST);
    let mut lines: Vec<(Arc<str>, Arc<str>)> = KEYS
        .iter()
        .map(|(key, meaning)| ((*key).into(), look.words.say(*meaning).into()))
        .collect();
    let gifts = keys::test_gifts(&director.catalog)
        .enumerate()
        .map(|(place, (_, name))| format!("{} {name}", place + 1))
        .collect::<Vec<_>>();
    for some in gifts.chunks(3) {
        lines.push(("".into(), some.join("   ").into()));
    }
    let spec = PanelSpec {
        title: look.words.say(Text::HelpTitle).into(),
        lines,
        scale,
    };
    help.painting = paint(spec, pace.alarm());
    help.wanted = help.painting.is_some();
}

/// The panel comes over the channel, and the alarm rings.
fn paint(spec: PanelSpec, alarm: Alarm) -> Option<Receiver<PixelBuffer>> {
    let (sender, receiver) = bounded(1);
    std::thread::Builder::new()
        .name("help".into())
        .spawn(move || {
            let panel = panel::paint(&mut TextPainter::new(), &spec).into_straight();
            // Nobody waits for it any more when the program is ending.
            let _ = sender.send(panel);
            alarm.ring();
        })
        .inspect_err(|error| warn!("no help: the system refuses a thread ({error})"))
        .ok()?;
    Some(receiver)
}

/// Hangs the painted panel in front of the window's camera.
fn hang(mut commands: Commands, mut help: ResMut<Help>, mut images: ResMut<Assets<Image>>) {
    let Some(painting) = &help.painting else {
        return;
    };
    let panel = match painting.try_recv() {
        Ok(panel) => panel,
        Err(TryRecvError::Empty) => return,
        Err(TryRecvError::Disconnected) => {
            warn!("the help could not be painted");
            *help = Help::default();
            return;
        }
    };
    let pixels = UVec2::new(panel.width, panel.height);
    let image = images.add(Image::new(
        Extent3d {
            width: pixels.x,
            height: pixels.y,
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        panel.rgba,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    ));
    let entity = commands.spawn((Sprite::from_image(image), RenderLayers::layer(WINDOW_LAYER)));
    help.painting = None;
    help.panel = Some((entity.id(), pixels));
}

/// Shows the panel while it is wanted, and no larger than fits.
fn show(
    help: Res<Help>,
    window: Query<&Window, With<PrimaryWindow>>,
    mut panels: Query<(&mut Visibility, &mut Transform)>,
    mut camera: Single<&mut WindowCamera>,
) {
    let (Some((panel, size)), Ok(window)) = (help.panel, window.single()) else {
        return;
    };
    let Ok((mut visibility, mut transform)) = panels.get_mut(panel) else {
        return;
    };
    camera.has_overlay = help.wanted;
    visibility.set_if_neq(if help.wanted {
        Visibility::Visible
    } else {
        Visibility::Hidden
    });
    let room = window.physical_size();
    let scale = (room.as_vec2() / size.as_vec2()).min_element().min(1.0);
    // On whole pixels, or its letters blur.
    let odd = ((room + size) % 2).as_vec2() * 0.5;
    transform
        .set_if_neq(Transform::from_translation(odd.extend(0.0)).with_scale(Vec3::splat(scale)));
}
