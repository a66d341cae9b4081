//! The board on stage: live badge, goal, top gifters, recent gifts, connection.
//!
//! What each part says is compared with what it said last, and painted on the
//! captions' thread only when it differs; new pictures fade in over old ones.
//! A board that says the same moves nothing and lets the stage sleep. The only
//! text that time alone changes is how long ago the last event was: at most
//! every ten seconds, and only where that part is on.
//!
//! - [`settings`]: which parts there are, and where;
//! - [`content`]: what they say;
//! - [`place`]: how they lie beside each other;
//! - [`goal`]: how the goal's bar moves.

pub mod content;
pub mod goal;
pub mod place;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bevy::camera::visibility::NoFrustumCulling;
use bevy::prelude::*;

pub use settings::{Anchor, BoardSettings, Part};

use super::caption::board::{BoardKind, fill::Measures, list_size};
use super::caption::{BoardSpec, Picture, PixelBuffer, Theme};
use super::captions::{self, CaptionDesk, measures, stage_image};
use super::faces::Faces;
use super::layout::{AmbientRoom, StageSize};
use super::look::Look;
use super::quad::{QuadMaterial, UnitQuad};
use crate::catalog::Ease;
use crate::model::{GiftType, Moment, Private};
use crate::stage::{Connected, Director, LastEvent, StageSet, gift_title};
use content::{Album, Contact, content};
use goal::{FillShape, GoalMotion, SPARKS};

/// The board lies beneath the gifts: they are the show.
const Z: f32 = 1.0;
/// An older picture lies this much below the newer one that covers it.
const Z_STEP: f32 = 0.01;
const FILL_Z: f32 = 1.5;
const SPARK_Z: f32 = 1.6;
/// Behind the panels: only what falls beside them is seen.
const FLARE_Z: f32 = 0.5;
/// The light around a goal that is reached: how far it goes beyond the panel,
/// stage units, and how strong it is.
const FLARE_REACH: Vec2 = Vec2::new(150.0, 110.0);
const FLARE: f32 = 0.5;
/// Seconds that a part takes to come, a changed one to be seen, and one to go.
const ENTER: f32 = 0.5;
const CHANGE: f32 = 0.12;
const EXIT: f32 = 0.35;
/// Stage units that it moves in from its edge.
const TRAVEL: f32 = 22.0;
/// A part is painted at most this often: a flood changes lists with every gift,
/// nobody reads faster, and while one picture gives way to the next neither is read.
/// What waits is not lost, only seen a little later.
const REPAINT: Duration = Duration::from_millis(600);
/// How quickly parts make room for each other, 1/s.
const SHIFT: f32 = 9.0;
/// The longest step that a movement makes, seconds; a stage that slept would
/// jump.
const LONGEST_STEP: f32 = 1.0 / 20.0;
/// Designed for a stage of so many lines.
const LINES: f32 = 1080.0;

pub struct BoardPlugin;

impl Plugin for BoardPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Boards>().add_systems(
            Update,
            (ask, hang, arrange, move_goal)
                .chain()
                .in_set(StageSet::Animate)
                .after(captions::receive),
        );
    }
}

/// What the board shows, and what it is waiting for.
#[derive(Resource, Default)]
pub struct Boards {
    parts: BTreeMap<Part, Shown>,
    goal: GoalMotion,
    /// Where the goal's panel is, and how far it is shown.
    goal_at: Option<(Vec2, f32)>,
    fill: Option<(Entity, FillShape)>,
    spark: Option<(Handle<QuadMaterial>, Vec2)>,
    /// Which revision of the show's board the parts were last made from.
    seen: Option<u64>,
    /// When time alone changes what a part says.
    ticks_at: Option<Moment>,
    is_moving: bool,
    wakes_at: Option<Moment>,
}

impl Boards {
    /// Whether the next frame will look different.
    pub fn is_moving(&self) -> bool {
        self.is_moving
    }

    /// Whether any part is on the stage.
    pub fn are_up(&self) -> bool {
        self.parts.values().any(|part| part.newest.is_some())
    }

    /// When the board changes by itself; `None` when only input changes it.
    pub fn next_wake(&self) -> Option<Moment> {
        self.wakes_at
    }
}

/// One part: what it says, and what shows it.
#[derive(Default)]
struct Shown {
    /// What it should say; `None` when it should not be there.
    wanted: Option<BoardKind>,
    /// What the picture that was asked for last says.
    asked: Option<BoardKind>,
    asked_at: Option<Moment>,
    /// When it came, in seconds; it stays that while its pictures change.
    came: Option<f32>,
    /// Size of its body, stage units.
    body: Vec2,
    at: Option<Vec2>,
    newest: Option<Entity>,
}

impl Shown {
    fn may_ask(&self, now: Moment) -> bool {
        self.asked_at.is_none_or(|at| now >= at + REPAINT)
    }
}

/// A picture of a part.
#[derive(Component)]
struct Face {
    part: Part,
    image: Vec2,
    shift: Vec2,
    born: f32,
    /// Since when it goes, and how long that takes.
    leaves: Option<(f32, f32)>,
    z: f32,
}

/// Part of the goal's celebration.
#[derive(Component, Clone, Copy)]
enum Light {
    Spark(usize),
    /// One glow behind the panel.
    Flare,
}

/// Finds out what the parts should say, and has painted what is new.
fn ask(
    time: Res<Time<Real>>,
    look: Res<Look>,
    stage: Res<StageSize>,
    director: Res<Director>,
    (connected, last_event): (Res<Connected>, Res<LastEvent>),
    mut boards: ResMut<Boards>,
    mut desk: ResMut<CaptionDesk>,
    mut faces: ResMut<Faces>,
) {
    let settings = &look.board;
    if !settings.visible {
        return;
    }
    let now = time.elapsed();
    let boards = &mut *boards;
    boards.wakes_at = None;
    if now < settings.begins {
        boards.wakes_at = Some(settings.begins);
        return;
    }
    let contact = Contact {
        state: connected.0.as_ref(),
        last_event: last_event.0,
        now,
    };
    let board = director.show.board();
    let has_ticked = boards.ticks_at.is_some_and(|at| now >= at);
    let is_new =
        boards.seen != Some(board.revision()) || connected.is_changed() || faces.have_news();
    if is_new || last_event.is_changed() || has_ticked {
        boards.seen = Some(board.revision());
        boards.goal.follow(settings.goal.and(board.goal()));
        let mut album = StageAlbum {
            director: &director,
            desk: &mut desk,
            faces: &mut faces,
            now,
        };
        for part in Part::PLACED.into_iter().chain([Part::Fill, Part::Spark]) {
            let wanted = content(part, board, &contact, &look.words, settings, &mut album);
            boards.parts.entry(part).or_default().wanted = wanted;
        }
        boards.ticks_at = settings
            .link
            .and_then(|_| content::link(&contact, &look.words).1);
    }
    boards.wakes_at = boards.ticks_at;
    for (part, shown) in &mut boards.parts {
        let Some(wanted) = &shown.wanted else {
            shown.asked = None;
            continue;
        };
        if shown.asked.as_ref() == Some(wanted) || desk.is_painting(*part) {
            continue;
        }
        if !shown.may_ask(now) {
            let at = shown.asked_at.map(|at| at + REPAINT);
            boards.wakes_at = boards.wakes_at.into_iter().chain(at).min();
            continue;
        }
        let spec = spec_of(wanted.clone(), &look, &stage);
        if desk.order_board(*part, spec) {
            shown.asked = Some(wanted.clone());
            shown.asked_at = Some(now);
        } else {
            // The painter is full: it is asked again.
            shown.asked_at = Some(now);
        }
    }
}

/// What the stage knows of gifts and senders.
struct StageAlbum<'a> {
    director: &'a Director,
    desk: &'a mut CaptionDesk,
    faces: &'a mut Faces,
    now: Moment,
}

impl Album for StageAlbum<'_> {
    fn gift(&mut self, of: &GiftType) -> (Arc<str>, Option<Picture>) {
        let recipe = self.director.catalog.recipe(of);
        let icon = self.desk.icon(self.director, recipe);
        (gift_title(recipe, of), icon)
    }

    fn face(&mut self, url: Option<&Private<Arc<str>>>) -> Option<Picture> {
        self.faces.of(self.now, url).picture()
    }
}

fn spec_of(kind: BoardKind, look: &Look, stage: &StageSize) -> BoardSpec {
    BoardSpec {
        theme: look.theme,
        scale: look.text_scale * legible(stage.pixels.min_element() as f32 / LINES),
        room: stage.pixels.x as f32 - 2.0 * look.board.margin * stage.pixels.min_element() as f32,
        mirrored: false,
        kind,
    }
}

/// A small stage's board is not as much smaller as the stage is: at 360 lines
/// its letters would be 8 pixels high, and are 10.
fn legible(scale: f32) -> f32 {
    if scale < 1.0 { scale.powf(0.8) } else { scale }
}

/// Hangs up what was painted, over what it replaces.
fn hang(
    mut commands: Commands,
    time: Res<Time<Real>>,
    stage: Res<StageSize>,
    quad: Res<UnitQuad>,
    look: Res<Look>,
    mut boards: ResMut<Boards>,
    mut desk: ResMut<CaptionDesk>,
    mut faces: Query<&mut Face>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    let unit = 1.0 / stage.density();
    let now = time.elapsed_secs();
    let boards = &mut *boards;
    for (part, picture) in desk.take_boards() {
        let (image, shift, body) = measures(&picture, unit);
        let material = texture(picture, &mut images, &mut materials);
        let Some(shown) = boards.parts.get_mut(&part) else {
            continue;
        };
        if shown.wanted.is_none() {
            continue;
        }
        match part {
            Part::Spark => {
                boards.spark = Some((material, image));
                continue;
            }
            Part::Fill => {
                let shape = FillShape {
                    image,
                    bar: body,
                    mirrored: spec_of(BoardKind::Fill, &look, &stage).mirrored,
                };
                let entity = commands.spawn((
                    Mesh2d(meshes.add(goal::fill_mesh(&shape, 0.0))),
                    MeshMaterial2d(material),
                    Transform::from_xyz(0.0, 0.0, FILL_Z),
                    // Its mesh grows.
                    NoFrustumCulling,
                ));
                let old = boards.fill.replace((entity.id(), shape));
                if let Some((old, _)) = old {
                    commands.entity(old).despawn();
                }
                continue;
            }
            _ => {}
        }
        for mut old in faces.iter_mut().filter(|old| old.part == part) {
            // It stays beneath until the new one covers it.
            old.leaves.get_or_insert((now + CHANGE, 0.0));
            old.z -= Z_STEP;
        }
        shown.body = body;
        shown.came.get_or_insert(now);
        let face = Face {
            part,
            image,
            shift,
            born: now,
            leaves: None,
            z: Z,
        };
        let entity = commands.spawn((
            Mesh2d(quad.0.clone()),
            MeshMaterial2d(material),
            Transform::from_scale(Vec3::ZERO),
            face,
        ));
        shown.newest = Some(entity.id());
    }
}

fn texture(
    picture: PixelBuffer,
    images: &mut Assets<Image>,
    materials: &mut Assets<QuadMaterial>,
) -> Handle<QuadMaterial> {
    let mut material = QuadMaterial::premultiplied(images.add(stage_image(picture)));
    material.tint.w = 0.0;
    materials.add(material)
}

/// Puts the parts where they belong, and lets them come, change and go.
fn arrange(
    mut commands: Commands,
    time: Res<Time<Real>>,
    look: Res<Look>,
    stage: Res<StageSize>,
    mut boards: ResMut<Boards>,
    mut room: ResMut<AmbientRoom>,
    mut faces: Query<(
        Entity,
        &mut Face,
        &mut Transform,
        &MeshMaterial2d<QuadMaterial>,
    )>,
    mut materials: ResMut<Assets<QuadMaterial>>,
) {
    let boards = &mut *boards;
    boards.is_moving = false;
    if boards.parts.is_empty() {
        return;
    }
    let now = time.elapsed_secs();
    let step = time.delta_secs().min(LONGEST_STEP);
    let there = parts_up(&boards.parts, &look, &stage);
    boards.is_moving |= settle(&mut boards.parts, &there, &stage, step);
    let kept = kept_free(&boards.parts, &look, &stage);
    room.set_if_neq(AmbientRoom::beside(&kept, &stage));
    boards.goal_at = None;
    for (entity, mut face, mut transform, material) in &mut faces {
        let Some(shown) = boards.parts.get_mut(&face.part) else {
            continue;
        };
        if shown.wanted.is_none() && face.leaves.is_none() {
            face.leaves = Some((now, EXIT));
        }
        if let Some((at, takes)) = face.leaves
            && now >= at + takes
        {
            commands.entity(entity).despawn();
            if shown.newest == Some(entity) {
                *shown = Shown {
                    wanted: shown.wanted.take(),
                    ..Shown::default()
                };
            }
            boards.is_moving = true;
            continue;
        }
        let came = shown.came.unwrap_or(now);
        let arrival = Ease::Out.apply(((now - came) / ENTER).clamp(0.0, 1.0));
        let fresh = if face.born > came {
            Ease::InOut.apply(((now - face.born) / CHANGE).clamp(0.0, 1.0))
        } else {
            arrival
        };
        let going = face.leaves.map_or(1.0, |(at, takes)| {
            if takes > 0.0 {
                1.0 - Ease::InOut.apply(((now - at) / takes).clamp(0.0, 1.0))
            } else {
                1.0
            }
        });
        let anchor = look.board.anchor(face.part).unwrap_or(Anchor::CENTER);
        let from = Vec2::new(f32::from(anchor.x), f32::from(anchor.y)) * TRAVEL * look.movement();
        let at = shown.at.unwrap_or_default() + from * (1.0 - arrival);
        let swell = if face.part == Part::Goal {
            boards.goal_at = Some((at, arrival * going));
            swell(&boards.goal, &look)
        } else {
            1.0
        };
        let alpha = fresh * going;
        let pose = Transform {
            translation: (at + face.shift * swell).extend(face.z),
            scale: (face.image * swell).extend(1.0),
            ..default()
        };
        transform.set_if_neq(pose);
        QuadMaterial::fade(&mut materials, &material.0, alpha);
        boards.is_moving |= arrival < 1.0 || fresh < 1.0 || face.leaves.is_some();
    }
}

/// The parts that are on the stage, and where they belong.
fn parts_up(parts: &BTreeMap<Part, Shown>, look: &Look, stage: &StageSize) -> Vec<(Part, Vec2)> {
    let up = Part::PLACED.into_iter().filter_map(|part| {
        let shown = parts.get(&part).filter(|it| it.newest.is_some())?;
        Some((part, (look.board.anchor(part)?, shown.body)))
    });
    let (parts, sizes): (Vec<_>, Vec<_>) = up.unzip();
    let places = place::places(&sizes, stage.units(), look.board.margin);
    parts.into_iter().zip(places).collect()
}

/// Middles and sizes of what small gifts are to leave free: what is up, and the lists
/// as long as they become, since a list fills while the first gifts are still there.
fn kept_free(parts: &BTreeMap<Part, Shown>, look: &Look, stage: &StageSize) -> Vec<(Vec2, Vec2)> {
    let spec = spec_of(BoardKind::Fill, look, stage);
    let list = |rows| Vec2::from(list_size(&spec, rows)) / stage.density();
    let sizes = Part::PLACED.into_iter().filter_map(|part| {
        let anchor = look.board.anchor(part)?;
        let up = parts.get(&part).filter(|it| it.newest.is_some());
        let size = match part {
            Part::Gifters => list(look.board.gifters_rows),
            Part::Recent => list(look.board.recent_rows),
            _ => up?.body,
        };
        Some((anchor, size))
    });
    let sizes: Vec<_> = sizes.collect();
    let places = place::places(&sizes, stage.units(), look.board.margin);
    places
        .into_iter()
        .zip(sizes.iter().map(|it| it.1))
        .collect()
}

/// Moves the parts towards their places; whether any still moves.
fn settle(
    parts: &mut BTreeMap<Part, Shown>,
    there: &[(Part, Vec2)],
    stage: &StageSize,
    step: f32,
) -> bool {
    let pixel = 1.0 / stage.density();
    let mut moves = false;
    for (part, wanted) in there {
        // On whole pixels, or its letters blur.
        let corner = stage.units() / 2.0;
        let Some(shown) = parts.get_mut(part) else {
            continue;
        };
        let grid = |at: Vec2| {
            let edge = at + corner - shown.body / 2.0;
            (edge / pixel).round() * pixel - corner + shown.body / 2.0
        };
        let wanted = grid(*wanted);
        let at = shown.at.get_or_insert(wanted);
        let left = wanted - *at;
        if left.length() < pixel * 0.5 {
            *at = wanted;
        } else {
            *at += left * (1.0 - (-SHIFT * step).exp());
            moves = true;
        }
    }
    moves
}

/// How much larger than at rest the goal is, as far as things may move.
fn swell(goal: &GoalMotion, look: &Look) -> f32 {
    1.0 + (goal.swell() - 1.0) * look.movement()
}

/// Fills the bar, and celebrates.
fn move_goal(
    mut commands: Commands,
    time: Res<Time<Real>>,
    look: Res<Look>,
    stage: Res<StageSize>,
    quad: Res<UnitQuad>,
    mut boards: ResMut<Boards>,
    mut fills: Query<
        (&mut Transform, &Mesh2d, &MeshMaterial2d<QuadMaterial>),
        (Without<Face>, Without<Light>),
    >,
    mut lights: Query<
        (
            Entity,
            &Light,
            &mut Transform,
            &MeshMaterial2d<QuadMaterial>,
        ),
        Without<Face>,
    >,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
) {
    let boards = &mut *boards;
    let Some((entity, shape)) = boards.fill else {
        return;
    };
    let Some((at, presence)) = boards.goal_at else {
        let is_wanted = |shown: &Shown| shown.wanted.is_some();
        if !boards.parts.get(&Part::Fill).is_some_and(is_wanted) {
            // The goal has gone, and its bar with it.
            commands.entity(entity).despawn();
            boards.fill = None;
            for (light, ..) in &lights {
                commands.entity(light).despawn();
            }
        }
        return;
    };
    let before = (boards.goal.fill(), boards.goal.is_moving());
    let begins = boards.goal.advance(time.delta_secs().min(LONGEST_STEP));
    boards.is_moving |= boards.goal.is_moving();
    let measures = Measures::of(&spec_of(BoardKind::Fill, &look, &stage));
    let unit = 1.0 / stage.density();
    let swell = swell(&boards.goal, &look);
    // The bar's middle from the panel's, y pointing up.
    let offset = Vec2::new(
        measures.bar.x + measures.bar.width / 2.0 - measures.width / 2.0,
        measures.height / 2.0 - measures.bar.y - measures.bar.height / 2.0,
    ) * unit;
    let middle = at + offset * swell;
    if let Ok((mut transform, mesh, material)) = fills.get_mut(entity) {
        transform.set_if_neq(Transform {
            translation: middle.extend(FILL_Z),
            scale: Vec3::new(swell, swell, 1.0),
            ..default()
        });
        let fill = boards.goal.fill();
        if (before.1 || fill != before.0)
            && let Some(mut mesh) = meshes.get_mut(&mesh.0)
        {
            *mesh = goal::fill_mesh(&shape, fill);
        }
        // An empty bar is not a dot.
        let alpha = presence * (fill * 60.0).min(1.0);
        let shine = boards.goal.shine();
        let tint = Vec4::new(shine, shine, shine, alpha);
        if materials.get(&material.0).is_some_and(|m| m.tint != tint)
            && let Some(mut material) = materials.get_mut(&material.0)
        {
            material.tint = tint;
        }
    }
    if begins && let Some((material, _)) = &boards.spark {
        light_up(&mut commands, &quad, material, &mut materials, &look);
    }
    let side = boards.spark.as_ref().map_or(Vec2::ZERO, |(_, side)| *side);
    // Sparks fly towards the middle of the stage, where there is room.
    let way = if middle.y > 0.0 { -1.0 } else { 1.0 };
    for (entity, light, mut transform, material) in &mut lights {
        let Some(t) = boards.goal.celebration() else {
            commands.entity(entity).despawn();
            boards.is_moving = true;
            continue;
        };
        *transform = match *light {
            Light::Spark(number) => {
                let (from, size) = goal::spark(number, t);
                let from = Vec2::new(from.x * shape.bar.x, from.y * way * look.movement());
                Transform {
                    translation: (middle + from).extend(SPARK_Z),
                    scale: (side * size * presence).extend(1.0),
                    ..default()
                }
            }
            Light::Flare => {
                if let Some(mut material) = materials.get_mut(&material.0) {
                    material.tint.w = FLARE * boards.goal.flare() * presence;
                }
                let panel = Vec2::new(measures.width, measures.height) * unit;
                Transform {
                    translation: at.extend(FLARE_Z),
                    scale: (panel + 2.0 * FLARE_REACH).extend(1.0),
                    ..default()
                }
            }
        };
    }
}

/// The lights of the celebration: sparks where things may move, and a glow.
fn light_up(
    commands: &mut Commands,
    quad: &UnitQuad,
    spark: &Handle<QuadMaterial>,
    materials: &mut Assets<QuadMaterial>,
    look: &Look,
) {
    let Some(mut shared) = materials.get_mut(spark) else {
        return;
    };
    shared.tint = Vec4::new(1.5, 1.5, 1.5, 1.0);
    let mut glow = shared.clone();
    drop(shared);
    glow.tint = Vec4::new(1.0, 1.0, 1.0, 0.0);
    let sparks = if look.movement() > 0.0 { SPARKS } else { 0 };
    for number in 0..sparks {
        commands.spawn((
            Mesh2d(quad.0.clone()),
            MeshMaterial2d(spark.clone()),
            Transform::from_scale(Vec3::ZERO),
            Light::Spark(number),
        ));
    }
    // Crisp sparks make no glow.
    if look.theme != Theme::HighContrast {
        commands.spawn((
            Mesh2d(quad.0.clone()),
            MeshMaterial2d(materials.add(glow)),
            Transform::from_scale(Vec3::ZERO),
            Light::Flare,
        ));
    }
}
