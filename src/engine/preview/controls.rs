//! Keys and mouse to the desk, and the desk to the window.

use std::collections::HashMap;

use bevy::camera::visibility::RenderLayers;
use bevy::input::ButtonState;
use bevy::input::keyboard::KeyboardInput;
use bevy::prelude::*;
use bevy::sprite::Anchor;
use bevy::window::PrimaryWindow;
use tiny_skia::Pixmap;

use super::commands::{Command, command};
use super::desk::Desk;
use super::ground;
use super::player::Player;
use super::strip::{self, Control, Layout, Readout};
use crate::cli::Ground;
use crate::config::Size;
use crate::engine::window::WINDOW_LAYER;
use crate::render::StageSize;
use crate::render::caption::TextPainter;
use crate::render::captions::image_of;
use crate::render::present::WindowCamera;

/// Seconds between two paintings of a strip on which only the time changes.
const TIME_EVERY: f32 = 0.1;

/// What shows the strip, and what it shows.
#[derive(Resource)]
pub struct Shown {
    strip: Entity,
    passed: Entity,
    head: Entity,
    faults: Entity,
    readout: Option<(UVec2, f32, Readout)>,
    told: Option<(UVec2, u32, Vec<String>)>,
    grounds: HashMap<String, Handle<Image>>,
}

/// What paints letters; it stays on the main thread.
pub struct Pen(pub TextPainter);

/// Spawns what shows the strip.
pub fn spawn(mut commands: Commands) {
    let mut sprite = |z: f32, sprite: Sprite| {
        commands
            .spawn((
                sprite,
                Anchor::TOP_LEFT,
                Transform::from_xyz(0.0, 0.0, z),
                RenderLayers::layer(WINDOW_LAYER),
                Visibility::Hidden,
            ))
            .id()
    };
    let shown = Shown {
        strip: sprite(0.0, Sprite::default()),
        passed: sprite(1.0, Sprite::default()),
        head: sprite(2.0, Sprite::from_color(Color::WHITE, Vec2::ONE)),
        faults: sprite(3.0, Sprite::default()),
        readout: None,
        told: None,
        grounds: HashMap::new(),
    };
    commands.insert_resource(shown);
}

/// Carries out what keys say.
pub fn press(
    world: &mut World,
    mut reader: Local<bevy::ecs::message::MessageCursor<KeyboardInput>>,
) {
    use KeyCode::{AltLeft, ControlLeft, ControlRight, ShiftLeft, ShiftRight, SuperLeft};
    let held = world.resource::<ButtonInput<KeyCode>>();
    // Those belong to the desktop.
    let is_desktops = held.any_pressed([AltLeft, ControlLeft, ControlRight, SuperLeft]);
    let shift = held.any_pressed([ShiftLeft, ShiftRight]);
    let pressed: Vec<Command> = reader
        .read(world.resource::<Messages<KeyboardInput>>())
        .filter(|key| key.state == ButtonState::Pressed && !is_desktops)
        .filter_map(|key| {
            let command = command(&key.logical_key, shift)?;
            // A key that is held down scrubs on and does nothing else twice.
            (!key.repeat || matches!(command, Command::Scrub(_))).then_some(command)
        })
        .collect();
    world.resource_scope(|world, mut desk: Mut<Desk>| {
        for command in pressed {
            desk.obey(command, world);
        }
    });
}

/// Carries out what the mouse presses and drags.
pub fn point(
    world: &mut World,
    mut windows: Local<Option<QueryState<&Window, With<PrimaryWindow>>>>,
) {
    let windows = windows.get_or_insert_with(|| world.query_filtered());
    let Ok(window) = windows.single(world) else {
        return;
    };
    let size = window.physical_size();
    let cursor = window.physical_cursor_position();
    let buttons = world.resource::<ButtonInput<MouseButton>>();
    let (pressed, down) = (
        buttons.just_pressed(MouseButton::Left),
        buttons.pressed(MouseButton::Left),
    );
    let layout = Layout::of(size.x);
    world.resource_scope(|world, mut desk: Mut<Desk>| {
        if !down && desk.is_dragging() {
            desk.let_go(&mut world.resource_mut::<Player>());
        }
        let Some(cursor) = cursor.filter(|_| desk.has_strip) else {
            return;
        };
        let y = cursor.y - size.y.saturating_sub(layout.height) as f32;
        if pressed && let Some(control) = layout.at(cursor.x, y) {
            match pushed(control) {
                Some(command) => desk.obey(command, world),
                None => desk.grab(control, &mut world.resource_mut::<Player>()),
            }
        }
        if let Some(control) = desk.dragged() {
            let share = layout.area(control).share(cursor.x);
            desk.drag_to(share, world);
        }
    });
}

/// What pressing a control does; `None` for those that are dragged.
fn pushed(control: Control) -> Option<Command> {
    Some(match control {
        Control::Play => Command::PlayOrStand,
        Control::PreviousGift => Command::Gift(false),
        Control::NextGift => Command::Gift(true),
        Control::PreviousGround => Command::Ground(false),
        Control::NextGround => Command::Ground(true),
        Control::Finale => Command::Finale,
        Control::Loop => Command::Loop,
        Control::Captions => Command::Captions,
        Control::Motion => Command::Motion,
        Control::Time | Control::Quantity | Control::Combo | Control::Streak => return None,
    })
}

/// Lays the stage over the chosen ground, above the strip.
pub fn lay_ground(
    desk: Res<Desk>,
    stage: Res<StageSize>,
    mut shown: ResMut<Shown>,
    mut images: ResMut<Assets<Image>>,
    windows: Query<&Window, With<PrimaryWindow>>,
    mut camera: Single<&mut WindowCamera>,
) {
    let Ok(window) = windows.single() else { return };
    let ground = desk.ground();
    let size = Size {
        width: stage.pixels.x,
        height: stage.pixels.y,
    };
    let handle = shown
        .grounds
        .entry(ground.name())
        .or_insert_with(|| images.add(ground_image(ground, size)));
    camera.picture = Some(handle.id());
    camera.band = if desk.has_strip {
        Layout::of(window.physical_width()).height
    } else {
        0
    };
    camera.has_overlay = desk.has_strip || !desk.faults.is_empty();
}

/// One that cannot be read is said and is black.
fn ground_image(ground: &Ground, size: Size) -> Image {
    let painted = ground::paint(ground, size).or_else(|error| {
        warn!("{error:#}");
        ground::paint(&Ground::Black, size)
    });
    let rgba = painted.map_or_else(
        |_| vec![0; size.width as usize * size.height as usize * 4],
        |rgb| image::DynamicImage::ImageRgb8(rgb).into_rgba8().into_raw(),
    );
    image_of(size.width, size.height, rgba)
}

/// Where a point from the window's top left is for its camera.
fn place(window: UVec2, x: f32, y: f32, z: f32) -> Transform {
    let half = window.as_vec2() / 2.0;
    Transform::from_xyz(x - half.x, half.y - y, z)
}

fn pen(world: &mut World) -> Mut<'_, Pen> {
    world.non_send_mut()
}

/// Shows a picture of its own size with its top left there.
fn hang(world: &mut World, entity: Entity, picture: Pixmap, at: Transform) {
    let (width, height) = (picture.width(), picture.height());
    let image = image_of(width, height, picture.take());
    let handle = world.resource_mut::<Assets<Image>>().add(image);
    world
        .entity_mut(entity)
        .insert((Sprite::from_image(handle), at, Visibility::Visible));
}

/// Paints the strip when it says something new, and moves the head every frame.
pub fn show_strip(
    world: &mut World,
    mut windows: Local<Option<QueryState<&Window, With<PrimaryWindow>>>>,
) {
    let windows = windows.get_or_insert_with(|| world.query_filtered());
    let Ok(size) = windows.single(world).map(Window::physical_size) else {
        return;
    };
    world.resource_scope(|world, mut shown: Mut<Shown>| {
        let desk = world.resource::<Desk>();
        let parts = [shown.strip, shown.passed, shown.head];
        if !desk.has_strip {
            shown.readout = None;
            for part in parts {
                world.entity_mut(part).insert(Visibility::Hidden);
            }
            return;
        }
        let layout = Layout::of(size.x);
        let top = size.y.saturating_sub(layout.height) as f32;
        let readout = desk.readout(world);
        let player = world.resource::<Player>();
        let (now, end) = (player.now(), player.timeline().end.max(f32::EPSILON));
        let is_news = match &shown.readout {
            None => true,
            Some((of, at, before)) => {
                let is_due = (now - at).abs() >= TIME_EVERY || !readout.is_playing;
                *of != size || *before != readout && (is_due || !before.is_but_earlier(&readout))
            }
        };
        if is_news {
            let picture = strip::paint(&mut pen(world).0, &layout, &readout);
            hang(world, parts[0], picture, place(size, 0.0, top, 0.0));
            shown.readout = Some((size, now, readout.clone()));
        }
        let share = (now / end).clamp(0.0, 1.0);
        let groove = layout.groove();
        let [r, g, b] = readout.accent;
        let passed = Sprite::from_color(
            Color::srgb_u8(r, g, b),
            Vec2::new((groove.width * share).max(1.0), groove.height),
        );
        let head = Vec2::new(4.0, groove.height + 12.0).round();
        let at = groove.x + groove.width * share;
        world.entity_mut(parts[1]).insert((
            passed,
            place(size, groove.x, top + groove.y, 1.0),
            Visibility::Visible,
        ));
        world.entity_mut(parts[2]).insert((
            Sprite::from_color(Color::WHITE, head),
            place(size, (at - 2.0).round(), top + groove.y - 6.0, 2.0),
            Visibility::Visible,
        ));
    });
}

/// Shows what is wrong with the files, over the stage's lower edge.
pub fn show_faults(
    world: &mut World,
    mut windows: Local<Option<QueryState<&Window, With<PrimaryWindow>>>>,
) {
    let windows = windows.get_or_insert_with(|| world.query_filtered());
    let Ok(size) = windows.single(world).map(Window::physical_size) else {
        return;
    };
    world.resource_scope(|world, mut shown: Mut<Shown>| {
        let desk = world.resource::<Desk>();
        let layout = Layout::of(size.x);
        let band = if desk.has_strip { layout.height } else { 0 };
        let now = (size, band, desk.faults.clone());
        if shown.told.as_ref() == Some(&now) {
            return;
        }
        if now.2.is_empty() {
            world.entity_mut(shown.faults).insert(Visibility::Hidden);
        } else {
            let picture = strip::paint_faults(&mut pen(world).0, &layout, &now.2);
            let top = size.y.saturating_sub(band + picture.height()) as f32;
            hang(world, shown.faults, picture, place(size, 0.0, top, 3.0));
        }
        shown.told = Some(now);
    });
}
