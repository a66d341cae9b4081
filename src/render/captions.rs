//! Captions on stage: each act's card and counter, and what is fused into its
//! video. Painting happens on [`CaptionPainter`]'s thread; here images become
//! quads, in time with their acts.

mod desk;

use std::collections::HashMap;
use std::sync::Arc;

use bevy::asset::RenderAssetUsages;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};

pub use desk::CaptionDesk;
use desk::{Order, open_desk};

use super::beat::Beat;
use super::caption::{
    Accent, AvatarSpec, Body, CaptionKind, CardSize, CardSpec, CardTitle, CounterSpec, NameSpec,
    Picture, PixelBuffer, Rgba, without_emoji,
};
use super::card_place::{
    MAKE_ROOM, Readable, Shown, card_place, card_scale, make_way, number_corner, painted_room,
    readable_cards, shown_by,
};
use super::faces::{Faces, Worn};
use super::layout::{Placement, StageSize};
use super::letters::{MASK_HEIGHT, PaintedName, ROOM};
use super::look::Look;
use super::patience::Patience;
use super::quad::{QuadMaterial, UnitQuad};
use super::shake::Trembling;
use crate::catalog::{Color, Lane, Recipe};
use crate::model::Private;
use crate::show::Senders;
use crate::stage::{Act, Director, Grew, Shrank, StageSet};

/// Captions lie over everything else on stage.
const CARD_Z: f32 = 8.0;
const COUNTER_Z: f32 = 8.5;
/// How far a counter's ink reaches from the middle of its image, of the image's
/// size; the rest is its glow.
const INK: f32 = 0.42;
/// Seconds a card takes to come and to go.
pub(super) const ENTER: f32 = 0.38;
pub(super) const EXIT: f32 = 0.35;
/// Share of the stage along each edge that captions keep clear of: what a
/// television or a phone's rounded corner may hide.
pub(super) const SAFE_AREA: f32 = 0.035;
/// Seconds that a video's face waits for the sender's picture; then it is initials.
/// Less than the video itself waits.
const FACE_PATIENCE: f32 = 0.4;

pub struct CaptionPlugin;

impl Plugin for CaptionPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<CaptionDesk>()
            .init_resource::<Look>()
            .add_systems(PreStartup, open_desk)
            .add_observer(order_card)
            .add_observer(order_counter)
            .add_observer(order_smaller)
            .add_systems(
                Update,
                (put_faces_on, receive, place)
                    .chain()
                    .in_set(StageSet::Animate)
                    .after(super::faces::arrive)
                    .after(super::pictures::place_pictures),
            );
    }
}

/// The card of an act.
#[derive(Component)]
pub(super) struct Card {
    act: Entity,
    /// Size in stage units of the design itself, and of the whole image.
    body: Vec2,
    image: Vec2,
    /// From the middle of the body to the middle of the image.
    shift: Vec2,
    /// How far it has made room for cards that it would cover: 1 is as if there
    /// were none of them, 0 is gone. `None` until it is placed first.
    room: Option<f32>,
}

/// The climbing counter of an act.
#[derive(Component)]
pub(super) struct Counter {
    act: Entity,
    image: Vec2,
    shift: Vec2,
    beat: Beat,
    /// How strong the next beat is: 1 for a step, more for a combo.
    strength: f32,
}

/// Images for an act's video, by tag; complete once every tag is there.
#[derive(Component, Default)]
pub struct FusionImages {
    pub wanted: usize,
    pub ready: Vec<(Arc<str>, Handle<Image>)>,
}

/// An act whose sender's picture is still on its way.
#[derive(Component)]
struct AwaitsFace {
    url: Private<Arc<str>>,
    /// The card as it was asked for, with initials.
    card: CardSpec,
    /// What the act's video calls the face, while it waits for that.
    tag: Option<Arc<str>>,
}

fn rgba(color: Color) -> Rgba {
    let [r, g, b] = color.to_srgb8();
    Rgba { r, g, b, a: 255 }
}

fn accent(recipe: &Recipe) -> Accent {
    let [primary, secondary] = recipe.accents;
    Accent {
        primary: rgba(primary),
        secondary: rgba(secondary),
    }
}

fn name_of(by: &Senders) -> Private<Arc<str>> {
    match by {
        Senders::One { name, .. } => Private(name.0.as_str().into()),
        Senders::Many(_) => Private("".into()),
    }
}

/// A sender's picture, where there is one sender.
fn avatar_of(by: &Senders) -> Option<&Private<Arc<str>>> {
    match by {
        Senders::One { avatar_url, .. } => avatar_url.as_ref(),
        Senders::Many(_) => None,
    }
}

fn face_spec(act: &Act, worn: Worn) -> CaptionKind {
    CaptionKind::Avatar(AvatarSpec {
        name: name_of(&act.by),
        picture: worn.picture(),
        side: 256,
        square: true,
    })
}

fn order_card(
    add: On<Add, Act>,
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut desk: ResMut<CaptionDesk>,
    mut faces: ResMut<Faces>,
    director: Res<Director>,
    stage: Res<StageSize>,
    look: Res<Look>,
    acts: Query<&Act>,
) {
    let Ok(act) = acts.get(add.entity) else {
        return;
    };
    let icon = desk.icon(&director, &act.recipe);
    let url = avatar_of(&act.by);
    let worn = faces.of(time.elapsed(), url);
    let spec = card_spec(act, icon, &worn, &stage, &look);
    let mut awaits = url.filter(|_| worn == Worn::Coming).map(|url| AwaitsFace {
        url: url.clone(),
        card: spec.clone(),
        tag: None,
    });
    desk.order(Order::Card(add.entity), CaptionKind::Card(Box::new(spec)));
    let counter = counter_spec(act, &stage, &look);
    if act.streak && counter.count > 1 {
        desk.order_number(add.entity, counter);
    }
    if let Some(letters) = &act.recipe.letters {
        let spelled = without_emoji(&name_of(&act.by).0);
        let text = match spelled.is_empty() {
            true => act.recipe.name.clone(),
            false => spelled.into(),
        };
        let kind = CaptionKind::Name(NameSpec {
            text: Private(text),
            width: (letters.width / letters.height * MASK_HEIGHT as f32 * ROOM) as u32,
            height: MASK_HEIGHT,
            colour: Rgba::hex(0xFF_FF_FF),
            bold: true,
            outlined: false,
            straight: true,
        });
        desk.order(Order::Name(add.entity), kind);
    }
    if let Some(video) = &act.recipe.video {
        let mut fusion = FusionImages::default();
        let name = name_of(&act.by);
        if let Some(tag) = &video.avatar {
            let tag: Arc<str> = tag.as_str().into();
            if let Some(awaits) = &mut awaits {
                fusion.wanted += 1;
                awaits.tag = Some(tag);
            } else {
                let order = Order::Fusion {
                    act: add.entity,
                    tag,
                };
                fusion.wanted += usize::from(desk.order(order, face_spec(act, worn)));
            }
        }
        if let Some(tag) = &video.name {
            let kind = CaptionKind::Name(NameSpec {
                text: name,
                width: 576,
                height: 92,
                colour: Rgba {
                    r: 255,
                    g: 246,
                    b: 214,
                    a: 255,
                },
                bold: true,
                outlined: false,
                straight: true,
            });
            let tag: Arc<str> = tag.as_str().into();
            fusion.wanted += usize::from(desk.order(
                Order::Fusion {
                    act: add.entity,
                    tag,
                },
                kind,
            ));
        }
        commands.entity(add.entity).insert(fusion);
    }
    if let Some(awaits) = awaits {
        commands.entity(add.entity).insert(awaits);
    }
}

/// A gift that goes on as a small counter has a small card, and a small number.
fn order_smaller(
    shrank: On<Shrank>,
    time: Res<Time<Real>>,
    mut desk: ResMut<CaptionDesk>,
    mut faces: ResMut<Faces>,
    director: Res<Director>,
    stage: Res<StageSize>,
    look: Res<Look>,
    mut acts: Query<(&Act, Option<&mut AwaitsFace>)>,
    mut cards: Query<&mut Card>,
) {
    let Ok((act, awaits)) = acts.get_mut(shrank.entity) else {
        return;
    };
    let icon = desk.icon(&director, &act.recipe);
    let worn = faces.of(time.elapsed(), avatar_of(&act.by));
    let spec = card_spec(act, icon, &worn, &stage, &look);
    if let Some(mut awaits) = awaits {
        awaits.card = spec.clone();
    }
    desk.order_instead(
        Order::Card(shrank.entity),
        CaptionKind::Card(Box::new(spec)),
    );
    let counter = counter_spec(act, &stage, &look);
    if counter.count > 1 {
        let order = Order::Counter(shrank.entity);
        desk.order_instead(order, CaptionKind::Counter(counter));
    }
    // It comes back where the gift goes.
    if let Some(mut card) = cards.iter_mut().find(|card| card.act == shrank.entity) {
        card.room = Some(0.0);
    }
}

fn card_spec(
    act: &Act,
    icon: Option<Picture>,
    worn: &Worn,
    stage: &StageSize,
    look: &Look,
) -> CardSpec {
    CardSpec {
        size: match act.lane {
            Lane::Ambient => CardSize::Compact,
            Lane::Feature => CardSize::Regular,
            Lane::Headline => CardSize::Large,
        },
        title: match &act.by {
            Senders::One { badge, .. } => CardTitle::Sender {
                name: name_of(&act.by),
                avatar: worn.clone().picture(),
                badge: *badge,
            },
            Senders::Many(people) => CardTitle::Bundle { people: *people },
        },
        gift: act.title.clone(),
        icon,
        // A streak's number climbs beside its card.
        quantity: if act.streak { 1 } else { act.tally.quantity },
        accent: accent(&act.recipe),
        theme: look.theme,
        scale: look.text_scale * stage.pixels.min_element() as f32 / 1080.0,
        room: Some(painted_room(act.lane, stage)),
    }
}

/// Senders whose pictures have come put them on, in the middle of their acts.
fn put_faces_on(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut desk: ResMut<CaptionDesk>,
    mut faces: ResMut<Faces>,
    mut waiting: Query<(Entity, &Act, &mut AwaitsFace)>,
    mut fusions: Query<&mut FusionImages>,
) {
    for (act, shown, mut awaits) in &mut waiting {
        let worn = faces.of(time.elapsed(), Some(&awaits.url));
        let is_decided = worn != Worn::Coming;
        if (is_decided || shown.elapsed >= FACE_PATIENCE)
            && let Some(tag) = awaits.tag.take()
            && !desk.order(Order::Fusion { act, tag }, face_spec(shown, worn.clone()))
            && let Ok(mut fusion) = fusions.get_mut(act)
        {
            fusion.wanted -= 1;
        }
        if let (Worn::Picture(picture), CardTitle::Sender { avatar, .. }) =
            (worn, &mut awaits.card.title)
        {
            *avatar = Some(picture);
            let card = CaptionKind::Card(Box::new(awaits.card.clone()));
            desk.order_instead(Order::Card(act), card);
        }
        if is_decided {
            commands.entity(act).remove::<AwaitsFace>();
        }
    }
}

fn counter_spec(act: &Act, stage: &StageSize, look: &Look) -> CounterSpec {
    let em = match act.lane {
        Lane::Ambient => 74.0,
        Lane::Feature => 104.0,
        Lane::Headline => 168.0,
    };
    CounterSpec {
        count: u64::from(act.tally.combo).max(act.tally.quantity),
        accent: accent(&act.recipe),
        theme: look.theme,
        size_px: em * look.text_scale * stage.pixels.min_element() as f32 / 1080.0,
    }
}

fn order_counter(
    grew: On<Grew>,
    mut desk: ResMut<CaptionDesk>,
    stage: Res<StageSize>,
    look: Res<Look>,
    acts: Query<&Act>,
    mut counters: Query<&mut Counter>,
) {
    let Ok(act) = acts.get(grew.entity) else {
        return;
    };
    desk.order_number(grew.entity, counter_spec(act, &stage, &look));
    if let Some(mut counter) = counters.iter_mut().find(|c| c.act == grew.entity) {
        counter.strength = if grew.combo.is_some() { 2.2 } else { 1.0 };
    }
}

/// Painted images become quads, or go to the video that waits for them.
pub(super) fn receive(
    mut commands: Commands,
    mut desk: ResMut<CaptionDesk>,
    patience: Res<Patience>,
    stage: Res<StageSize>,
    quad: Res<UnitQuad>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
    acts: Query<&Act>,
    mut fusions: Query<&mut FusionImages>,
    mut counters: Query<(&mut Counter, &MeshMaterial2d<QuadMaterial>)>,
    mut cards: Query<(&mut Card, &MeshMaterial2d<QuadMaterial>)>,
) {
    let unit = 1.0 / stage.density();
    for (order, picture) in desk.painted(*patience) {
        if let Order::Board(part) = order {
            desk.boards.push((part, picture));
            continue;
        }
        let Some((act, shown)) = order.act().and_then(|act| Some((act, acts.get(act).ok()?)))
        else {
            continue;
        };
        let (size, shift, body) = measures(&picture, unit);
        match order {
            Order::Board(_) => {}
            Order::Fusion { tag, .. } => {
                if let Ok(mut fusion) = fusions.get_mut(act) {
                    fusion
                        .ready
                        .push((tag, images.add(straight_image(picture))));
                }
            }
            Order::Name(_) => {
                commands.entity(act).insert(PaintedName(picture));
            }
            Order::Card(_) => {
                let texture = images.add(stage_image(picture));
                let own = cards.iter_mut().find(|(card, _)| card.act == act);
                if let Some((mut card, material)) = own {
                    (card.body, card.image, card.shift) = (body, size, shift);
                    if let Some(mut material) = materials.get_mut(&material.0) {
                        material.texture = texture;
                    }
                    continue;
                }
                let mut material = QuadMaterial::premultiplied(texture);
                material.tint.w = 0.0;
                commands.spawn((
                    Mesh2d(quad.0.clone()),
                    MeshMaterial2d(materials.add(material)),
                    Transform::from_scale(Vec3::ZERO),
                    Card {
                        act,
                        body,
                        image: size,
                        shift,
                        room: None,
                    },
                    ChildOf(act),
                ));
            }
            Order::Counter(_) => {
                let texture = images.add(stage_image(picture));
                if let Some((mut counter, material)) =
                    counters.iter_mut().find(|(counter, _)| counter.act == act)
                {
                    counter.image = size;
                    counter.shift = shift;
                    counter.beat = counter.beat.next(shown.elapsed, counter.strength);
                    if let Some(mut material) = materials.get_mut(&material.0) {
                        material.texture = texture;
                    }
                } else {
                    commands.spawn((
                        Mesh2d(quad.0.clone()),
                        MeshMaterial2d(materials.add(QuadMaterial::premultiplied(texture))),
                        Transform::from_scale(Vec3::ZERO),
                        Counter {
                            act,
                            image: size,
                            shift,
                            beat: Beat::first(shown.elapsed),
                            strength: 1.0,
                        },
                        ChildOf(act),
                    ));
                }
            }
        }
    }
    if desk.pending() == 0 {
        // One that could not be painted does not come; it may be asked again.
        desk.orders
            .retain(|_, order| !matches!(order, Order::Board(_)));
    }
    // Orders whose act went before the image came.
    desk.orders
        .retain(|_, order| order.act().is_none_or(|act| acts.contains(act)));
}

/// Size of the image, the shift of its middle from the body's, and the body's
/// size, in stage units.
pub(super) fn measures(picture: &PixelBuffer, unit: f32) -> (Vec2, Vec2, Vec2) {
    let image = Vec2::new(picture.width as f32, picture.height as f32);
    let Body {
        x,
        y,
        width,
        height,
    } = picture.body;
    let middle = Vec2::new(x + width / 2.0, y + height / 2.0);
    let shift = (image / 2.0 - middle) * Vec2::new(1.0, -1.0);
    (image * unit, shift * unit, Vec2::new(width, height) * unit)
}

fn place(
    stage: Res<StageSize>,
    trembling: Res<Trembling>,
    look: Res<Look>,
    acts: Query<(&Act, &Placement)>,
    time: Res<Time>,
    mut cards: Query<
        (
            Entity,
            &mut Card,
            &mut Transform,
            &MeshMaterial2d<QuadMaterial>,
        ),
        Without<Counter>,
    >,
    mut counters: Query<(&Counter, &mut Transform, &MeshMaterial2d<QuadMaterial>), Without<Card>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
) {
    let mut bodies: HashMap<Entity, (Vec2, Vec2, f32, f32)> = HashMap::new();
    let mut readable = Vec::new();
    let numbers = counters.iter();
    let counting: HashMap<Entity, Vec2> = numbers
        .map(|(counter, ..)| (counter.act, counter.image * INK))
        .collect();
    let shown_in = |lane: Lane| -> Vec<Shown> {
        let cards = cards.iter().filter_map(|(_, card, ..)| {
            let (act, placement) = acts.get(card.act).ok()?;
            let body = card.body * card_scale(act, placement, &stage, card.body);
            (act.lane == lane).then(|| {
                let at = card_place(act, placement, &stage, body);
                let alpha = shown_by(act, placement);
                let number = counting.get(&card.act);
                Shown { at, body, alpha }.with_number(number.copied().unwrap_or_default())
            })
        });
        cards.collect()
    };
    let headlines = shown_in(Lane::Headline);
    let mut features = shown_in(Lane::Feature);
    for feature in &mut features {
        feature.at = make_way(feature.at, feature.body, &headlines);
    }
    for (entity, card, mut transform, _) in &mut cards {
        let Ok((act, placement)) = acts.get(card.act) else {
            continue;
        };
        let arrival = (act.elapsed / ENTER).clamp(0.0, 1.0);
        let shown = crate::catalog::Ease::Overshoot.apply(arrival);
        let alpha = shown_by(act, placement);
        let own = card_scale(act, placement, &stage, card.body);
        let body = card.body * own;
        let at = card_place(act, placement, &stage, body);
        let at = match act.lane {
            Lane::Headline => at,
            Lane::Feature | Lane::Ambient => make_way(at, body, &headlines),
        };
        // A streak's number is read with its name.
        let at = match act.lane == Lane::Ambient && counting.contains_key(&card.act) {
            true => make_way(at, body, &features),
            false => at,
        };
        // What is read stands still when the stage trembles.
        let at = at + trembling.offset();
        let rise = Vec2::new(0.0, -36.0 * (1.0 - shown));
        let scale = (0.86 + 0.14 * shown) * own;
        *transform = Transform {
            translation: (at + rise + card.shift * scale).extend(CARD_Z + act.lift()),
            scale: (card.image * scale).extend(1.0),
            ..default()
        };
        bodies.insert(card.act, (at + rise, body, own, alpha));
        readable.push(Readable {
            card: entity,
            lane: act.lane,
            counts: counting.contains_key(&card.act),
            is_up: card.room.is_some_and(|room| room > 0.5),
            id: act.id,
            at,
            body,
        });
    }
    let readable = readable_cards(readable);
    let step = time.delta_secs() / MAKE_ROOM;
    for (entity, mut card, _, material) in &mut cards {
        let Some((.., alpha)) = bodies.get_mut(&card.act) else {
            continue;
        };
        let wanted = f32::from(readable.contains(&entity));
        let before = card.room.unwrap_or(wanted);
        let room = before + (wanted - before).clamp(-step, step);
        card.room = Some(room);
        // A number without its name would be somebody else's.
        *alpha *= room;
        QuadMaterial::fade(&mut materials, &material.0, *alpha);
    }
    for (counter, mut transform, material) in &mut counters {
        let (Ok((act, _)), Some((at, body, own, alpha))) =
            (acts.get(counter.act), bodies.get(&counter.act))
        else {
            continue;
        };
        // Calm still shows that the number changed.
        let swing = counter.beat.swing(act.elapsed) * look.movement().max(0.25);
        let scale = (1.0 + 0.34 * swing) * own;
        let corner = *at + number_corner(*body);
        // It grows up and outwards: the name is below it, to the left.
        let ink = counter.image * INK;
        let middle = corner + counter.shift * *own + ink * (scale - own);
        // A long number beside a card at the edge stays on the stage.
        let room = (stage.units() * 0.5 - ink * scale).max(Vec2::ZERO);
        *transform = Transform {
            translation: middle.clamp(-room, room).extend(COUNTER_Z + act.lift()),
            rotation: Quat::from_rotation_z(0.06 * swing),
            scale: (counter.image * scale).extend(1.0),
        };
        QuadMaterial::fade(&mut materials, &material.0, *alpha);
    }
}

/// An image for fusing: straight alpha, sRGB.
fn straight_image(picture: PixelBuffer) -> Image {
    let picture = picture.into_straight();
    image_of(picture.width, picture.height, picture.rgba)
}

/// An image in the stage's own form: premultiplied in linear light. Only where
/// alpha is partial do its bytes differ from premultiplied sRGB.
pub(super) fn stage_image(mut picture: PixelBuffer) -> Image {
    for [r, g, b, a] in picture.rgba.as_chunks_mut::<4>().0 {
        if *a == 0 || *a == 255 {
            continue;
        }
        let alpha = f32::from(*a) / 255.0;
        for channel in [r, g, b] {
            let straight = (f32::from(*channel) / 255.0 / alpha).min(1.0);
            let linear = Color::decode_srgb(straight) * alpha;
            *channel = (Color::encode_srgb(linear) * 255.0).round() as u8;
        }
    }
    image_of(picture.width, picture.height, picture.rgba)
}

pub(crate) fn image_of(width: u32, height: u32, rgba: Vec<u8>) -> Image {
    Image::new(
        Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        rgba,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    )
}
