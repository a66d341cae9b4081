//! A sender's name spelled in small pictures that fly together, beat while they
//! stand, and scatter.
//!
//! The caption's painter draws the name; its coverage says where pieces go. All
//! pieces of one colour are one mesh, whose corners are moved here: some hundred
//! quads cost one draw call and no pipeline of their own. So are their shadows,
//! which rise as the pieces come home.

use std::f32::consts::TAU;

use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use super::caption::PixelBuffer;
use super::layout::Placement;
use super::quad::QuadMaterial;
use super::textures::Textures;
use crate::catalog::{Ease, Letters};
use crate::stage::{Act, FellBack, StageSet, Swelled};

/// Over smoke and matter, under light.
const Z: f32 = 3.5;
/// More pieces than this are spread wider instead: a long name stays one.
const MOST_PIECES: usize = 600;
/// Pixels of the painted name's height.
pub(super) const MASK_HEIGHT: u32 = 96;
/// How much wider than the recipe's line the name is painted: what is longer than
/// the line is set smaller as a whole, and cut only beyond this.
pub(super) const ROOM: f32 = 3.0;
/// Coverage from which a place is part of a letter.
const COVERED: u8 = 128;
/// Seconds that one piece is under way.
const FLIGHT: f32 = 0.6;
/// Seconds in which a piece leaves.
const LEAVING: f32 = 0.75;
/// Seconds from one heartbeat to the next.
const BEAT: f32 = 0.95;

pub struct LettersPlugin;

impl Plugin for LettersPlugin {
    fn build(&self, app: &mut App) {
        app.add_observer(set_type)
            .add_observer(beat)
            .add_observer(take_away)
            .add_systems(
                Update,
                move_pieces
                    .in_set(StageSet::Animate)
                    .after(super::pictures::place_pictures),
            );
    }
}

/// The painted name of an act whose recipe spells it.
#[derive(Component)]
pub(super) struct PaintedName(pub PixelBuffer);

/// All pieces of one colour of an act, or all their shadows.
#[derive(Component)]
struct Pieces {
    act: Entity,
    mesh: Handle<Mesh>,
    pieces: Vec<Piece>,
    /// The share of its full size that the name is set in.
    size: f32,
    are_shadows: bool,
    /// Seconds on stage at which the streak last swelled.
    kicked_at: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    /// Where it belongs, in units of the recipe, the name's middle being zero.
    home: Vec2,
    /// 0 to 1 from the first letter to the last.
    along: f32,
    /// 0 to 1, its own.
    chance: f32,
}

/// How a piece lies at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pose {
    at: Vec2,
    scale: f32,
    roll: f32,
    /// 0 on its way, 1 where it belongs.
    homeness: f32,
}

fn set_type(
    add: On<Add, PaintedName>,
    mut commands: Commands,
    acts: Query<(&Act, &PaintedName)>,
    assets: Res<AssetServer>,
    mut textures: ResMut<Textures>,
    mut materials: ResMut<Assets<QuadMaterial>>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    let Ok((act, painted)) = acts.get(add.entity) else {
        return;
    };
    let Some(letters) = &act.recipe.letters else {
        return;
    };
    let (all, size) = pieces_of(&painted.0, letters, act.seed);
    let mut spawn = |pieces: Vec<Piece>, material: QuadMaterial, z: f32, are_shadows: bool| {
        if pieces.is_empty() {
            return;
        }
        let mesh = meshes.add(mesh_of(pieces.len()));
        commands.spawn((
            Mesh2d(mesh.clone()),
            MeshMaterial2d(materials.add(material)),
            Transform::from_xyz(0.0, 0.0, z + act.lift()),
            NoFrustumCulling,
            Pieces {
                act: add.entity,
                mesh,
                pieces,
                size,
                are_shadows,
                kicked_at: f32::NEG_INFINITY,
            },
            ChildOf(add.entity),
        ));
    };
    if let Some(shadow) = &letters.shadow {
        let mut material = QuadMaterial::straight(textures.get(&assets, &shadow.texture));
        material.tint = Vec3::from(shadow.color.0).extend(shadow.alpha);
        spawn(all.clone(), material, Z - 0.01, true);
    }
    let colors = &letters.colors;
    for (number, color) in colors.iter().enumerate() {
        let mut own = all.clone();
        own.retain(|piece| (piece.chance * 997.0) as usize % colors.len() == number);
        let texture = textures.get(&assets, &letters.texture);
        let material = QuadMaterial::straight(texture).tinted(Vec3::from(color.0) * letters.glow);
        spawn(own, material, Z + number as f32 * 0.01, false);
    }
}

fn beat(swelled: On<Swelled>, acts: Query<&Act>, mut names: Query<&mut Pieces>) {
    let Ok(act) = acts.get(swelled.entity) else {
        return;
    };
    for mut pieces in &mut names {
        if pieces.act == swelled.entity {
            pieces.kicked_at = act.elapsed;
        }
    }
}

fn take_away(fell: On<FellBack>, mut commands: Commands, names: Query<(Entity, &Pieces)>) {
    for (entity, pieces) in &names {
        if pieces.act == fell.entity {
            commands.entity(entity).despawn();
        }
    }
}

fn move_pieces(
    acts: Query<(&Act, &Placement)>,
    names: Query<&Pieces>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    for name in &names {
        let Ok((act, placement)) = acts.get(name.act) else {
            continue;
        };
        let (Some(letters), Some(mut mesh)) = (&act.recipe.letters, meshes.get_mut(&name.mesh))
        else {
            continue;
        };
        let since_kick = act.elapsed - name.kicked_at;
        let kick = 0.4 * (-6.0 * since_kick.max(0.0)).exp();
        let presence = act.presence() * placement.presence;
        let corners: Vec<[f32; 3]> = name
            .pieces
            .iter()
            .flat_map(|piece| {
                let pose = piece.pose(letters, act.age, act.elapsed);
                let scale = match (&letters.shadow, name.are_shadows) {
                    (Some(shadow), true) => shadow.size * pose.homeness,
                    _ => letters.size * pose.scale * (1.0 + kick),
                };
                let half = scale / 2.0 * name.size * presence;
                let turn = Vec2::from_angle(pose.roll);
                let at = placement.origin + pose.at * placement.scale;
                CORNERS.map(|corner| {
                    let place = at + turn.rotate(corner) * half * placement.scale;
                    [place.x, place.y, 0.0]
                })
            })
            .collect();
        mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, corners);
    }
}

const CORNERS: [Vec2; 4] = [
    Vec2::new(-1.0, -1.0),
    Vec2::new(1.0, -1.0),
    Vec2::new(1.0, 1.0),
    Vec2::new(-1.0, 1.0),
];

/// Quads of no size, with the attributes of every other quad: they then share
/// its pipeline.
fn mesh_of(pieces: usize) -> Mesh {
    let corners = pieces * 4;
    let uvs: Vec<[f32; 2]> = (0..pieces)
        .flat_map(|_| [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
        .collect();
    let indices = (0..pieces as u32)
        .flat_map(|piece| [0, 1, 2, 0, 2, 3].map(|corner| piece * 4 + corner))
        .collect();
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, vec![[0.0; 3]; corners])
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0, 0.0, 1.0]; corners])
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
    .with_inserted_indices(Indices::U32(indices))
}

/// Places on a honeycomb that the name covers.
fn pieces_of(name: &PixelBuffer, letters: &Letters, seed: u32) -> (Vec<Piece>, f32) {
    // A short name is set as high as it may be, a long one as wide; the pieces
    // shrink with it, so that as many make a letter.
    let line = name.body.height.max(1.0);
    let unit = (letters.height / line).min(letters.width / name.body.width.max(1.0));
    let middle = name.body.x + name.body.width / 2.0;
    let centre = name.body.y + line / 2.0;
    let mut pitch = letters.pitch * line / letters.height;
    let homes = loop {
        let homes = honeycomb(name, pitch);
        if homes.len() <= MOST_PIECES {
            break homes;
        }
        pitch *= 1.12;
    };
    let size = unit * line / letters.height;
    let reach = (name.body.width / 2.0).max(1.0);
    let places = homes.into_iter().enumerate();
    let pieces = places.map(|(number, place)| Piece {
        home: Vec2::new(place.x - middle, centre - place.y) * unit,
        along: ((place.x - middle) / reach * 0.5 + 0.5).clamp(0.0, 1.0),
        chance: chance(seed, number as u32),
    });
    (pieces.collect(), size)
}

fn honeycomb(name: &PixelBuffer, pitch: f32) -> Vec<Vec2> {
    let (width, height) = (name.width as f32, name.height as f32);
    // Rows of a honeycomb lie closer than the pieces in them.
    let rise = pitch * 0.866;
    let rows = (height / rise) as u32;
    let columns = (width / pitch) as u32;
    let mut places = Vec::new();
    for row in 0..rows {
        let shift = if row.is_multiple_of(2) { 0.25 } else { 0.75 };
        for column in 0..columns {
            let place = Vec2::new((column as f32 + shift) * pitch, (row as f32 + 0.5) * rise);
            let (x, y) = (place.x as u32, place.y as u32);
            if x >= name.width || y >= name.height {
                continue;
            }
            let alpha = name.rgba[((y * name.width + x) * 4 + 3) as usize];
            if alpha >= COVERED {
                places.push(place);
            }
        }
    }
    places
}

/// A number from 0 to 1 for each piece of each act (the finaliser of
/// MurmurHash3).
fn chance(seed: u32, number: u32) -> f32 {
    let mut bits = seed ^ number.wrapping_mul(0x9E37_79B9);
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x85EB_CA6B);
    bits = (bits ^ (bits >> 13)).wrapping_mul(0xC2B2_AE35);
    ((bits ^ (bits >> 16)) >> 8) as f32 / (1 << 24) as f32
}

impl Piece {
    /// `age` is the timeline's, which may stand; `elapsed` runs on.
    fn pose(&self, letters: &Letters, age: f32, elapsed: f32) -> Pose {
        let begin = letters.at + (self.along * 0.8 + self.chance * 0.2) * letters.span;
        let way = ((age - begin) / FLIGHT).clamp(0.0, 1.0);
        let going = letters.leave + self.chance * 0.35;
        let gone = ((age - going) / LEAVING).clamp(0.0, 1.0);

        let from = Vec2::from_angle(self.chance * TAU) * letters.from;
        // A bow instead of a straight line: everything comes swinging in.
        let bow = from.perp() * 0.35 * (way * (1.0 - way));
        let come = from * (1.0 - Ease::Out.apply(way)) + bow;
        let drift = Vec2::new((self.chance - 0.5) * 1.2, 0.5 + self.chance) * letters.from;
        let go = drift * Ease::In.apply(gone);

        let grow = Ease::Overshoot.apply(way);
        let beating = if way >= 1.0 && gone <= 0.0 {
            0.16 * heartbeat(elapsed - self.along * 0.16)
        } else {
            0.0
        };
        let vary = 0.85 + 0.3 * chance(7, (self.chance * 1e6) as u32);
        Pose {
            at: self.home + come + go,
            scale: (grow * (1.0 - Ease::In.apply(gone)) * vary * (1.0 + beating)).max(0.0),
            roll: (self.chance - 0.5) * (0.5 + 3.0 * (1.0 - way) + 2.0 * gone),
            homeness: Ease::In.apply(way) * (1.0 - Ease::Out.apply(gone)),
        }
    }
}

/// Two thumps and a pause, 0 to 1.
fn heartbeat(seconds: f32) -> f32 {
    let t = seconds.rem_euclid(BEAT);
    let thump = |at: f32, strength: f32| {
        let since = t - at;
        if since < 0.0 {
            0.0
        } else {
            // Up in 60 ms, down in 200.
            strength * (since / 0.06).min(1.0) * (-(since - 0.06).max(0.0) * 9.0).exp()
        }
    };
    thump(0.0, 1.0).max(thump(0.24, 0.7))
}

#[cfg(test)]
mod tests {
    use super::super::caption::Body;
    use super::*;
    use crate::catalog::Color;

    fn letters() -> Letters {
        Letters {
            texture: "heart".into(),
            size: 20.0,
            pitch: 10.0,
            height: 192.0,
            width: 800.0,
            at: 0.5,
            span: 1.0,
            leave: 3.0,
            from: 300.0,
            colors: vec![Color::WHITE],
            glow: 1.0,
            shadow: None,
        }
    }

    /// A bar from x = 100 to 300 of 400 by 96 pixels.
    fn bar() -> PixelBuffer {
        let (width, height) = (400u32, MASK_HEIGHT);
        let rgba = (0..width * height)
            .flat_map(|pixel| {
                let covered = (100..300).contains(&(pixel % width));
                [255, 255, 255, if covered { 255 } else { 0 }]
            })
            .collect();
        PixelBuffer {
            width,
            height,
            rgba,
            straight: true,
            body: Body {
                x: 100.0,
                y: 0.0,
                width: 200.0,
                height: height as f32,
            },
            baseline: 60.0,
            replaced: 0,
        }
    }

    #[test]
    fn pieces_lie_where_the_name_is_and_nowhere_else() {
        let (pieces, size) = pieces_of(&bar(), &letters(), 3);
        assert_eq!(size, 1.0);
        assert!(pieces.len() > 100);
        for piece in &pieces {
            // Two units a pixel, about the middle.
            assert!(
                piece.home.x.abs() <= 200.0 && piece.home.y.abs() <= 96.0,
                "{piece:?}"
            );
        }
        let first = pieces.iter().map(|piece| piece.along).fold(1.0, f32::min);
        let last = pieces.iter().map(|piece| piece.along).fold(0.0, f32::max);
        assert!(first < 0.05 && last > 0.95);
    }

    #[test]
    fn a_wide_name_is_set_smaller_and_its_pieces_with_it() {
        let narrow = Letters {
            width: 200.0,
            ..letters()
        };
        let (pieces, size) = pieces_of(&bar(), &narrow, 3);
        assert_eq!(size, 0.5);
        assert!(pieces.iter().all(|piece| piece.home.x.abs() <= 100.0));
        assert_eq!(pieces.len(), pieces_of(&bar(), &letters(), 3).0.len());
    }

    #[test]
    fn a_long_name_has_wider_gaps_and_no_more_pieces_than_the_bound() {
        let fine = Letters {
            pitch: 1.0,
            ..letters()
        };
        let (pieces, _) = pieces_of(&bar(), &fine, 3);
        assert!(pieces.len() <= MOST_PIECES && pieces.len() > MOST_PIECES / 2);
    }

    #[test]
    fn a_piece_comes_from_nothing_stands_at_home_and_leaves_for_nothing() {
        let letters = letters();
        for piece in pieces_of(&bar(), &letters, 3).0 {
            let unborn = piece.pose(&letters, 0.0, 0.0);
            assert_eq!((unborn.scale, unborn.homeness), (0.0, 0.0));
            let standing = piece.pose(&letters, 2.9, 2.9);
            assert!(standing.at.distance(piece.home) < 0.5, "{standing:?}");
            assert!((0.8..1.4).contains(&standing.scale), "{standing:?}");
            assert_eq!(standing.homeness, 1.0, "{standing:?}");
            let gone = piece.pose(&letters, 5.0, 5.0);
            assert_eq!((gone.scale, gone.homeness), (0.0, 0.0));
        }
    }

    #[test]
    fn no_piece_jumps() {
        let letters = letters();
        let piece = pieces_of(&bar(), &letters, 3).0[40];
        let mut last = piece.pose(&letters, 0.0, 0.0);
        for frame in 1..300 {
            let at = frame as f32 / 60.0;
            let pose = piece.pose(&letters, at, at);
            assert!(
                pose.at.distance(last.at) < 40.0,
                "at {at}: {last:?} {pose:?}"
            );
            assert!(
                (pose.scale - last.scale).abs() < 0.2,
                "at {at}: {last:?} {pose:?}"
            );
            last = pose;
        }
    }
}
