//! Bloom: a square of known light through the real passes, as a desktop gets it:
//! premultiplied, so that light which covers nothing can be told.

use bevy::camera::Viewport;
use bevy::prelude::*;

use hyperfocus::render::bloom::Bloom;
use hyperfocus::render::camera::StageCamera;
use hyperfocus::render::present::{Form, Frame};

use crate::present::{SIZE, frame, stage};

/// The square: its middle and its side, in pixels from the stage's upper left.
const MIDDLE: Vec2 = Vec2::new(12.0, 8.0);
const SIDE: f32 = 4.0;
/// Frames within which a sprite's texture is prepared.
const FRAMES: u32 = 10;

/// A stage of which that share of each side is drawn, with a square of that light.
fn lit(light: f32, share: f32, bloom: Option<Bloom>) -> Frame {
    let (mut app, _alone) = stage(Form::Desktop);
    let drawn = (SIZE.as_vec2() * share).round();
    let mut cameras = app
        .world_mut()
        .query_filtered::<(Entity, &mut Camera), With<StageCamera>>();
    let (camera, mut settings) = cameras
        .single_mut(app.world_mut())
        .expect("there is one stage");
    settings.viewport = (share < 1.0).then(|| Viewport {
        physical_size: drawn.as_uvec2(),
        ..default()
    });
    if let Some(bloom) = bloom {
        app.world_mut().entity_mut(camera).insert(bloom);
    }
    let share = drawn / SIZE.as_vec2();
    let from_middle = (MIDDLE - SIZE.as_vec2() / 2.0) * share;
    app.world_mut().spawn((
        Sprite::from_color(
            LinearRgba::new(light, light, light, 1.0),
            Vec2::splat(SIDE) * share,
        ),
        Transform::from_xyz(from_middle.x, -from_middle.y, 0.0),
    ));
    for at in 1..=FRAMES {
        let frame = frame(&mut app, f64::from(at));
        if alpha(&frame, MIDDLE) > 0 {
            return frame;
        }
    }
    panic!("the square never showed");
}

fn pixel(frame: &Frame, at: Vec2) -> [u8; 4] {
    let at = (at.y as usize * frame.width as usize + at.x as usize) * 4;
    frame.pixels.as_chunks::<4>().0[at / 4]
}

fn alpha(frame: &Frame, at: Vec2) -> u8 {
    pixel(frame, at)[3]
}

/// Where the light beside the square is on average.
fn middle_of_spilled(frame: &Frame) -> Vec2 {
    let (mut sum, mut weights) = (Vec2::ZERO, 0.0);
    for y in 0..frame.height {
        for x in 0..frame.width {
            let at = Vec2::new(x as f32, y as f32);
            let [light, _, _, alpha] = pixel(frame, at);
            if alpha == 0 {
                sum += (at + 0.5) * f32::from(light);
                weights += f32::from(light);
            }
        }
    }
    sum / weights
}

const FINE: Option<Bloom> = Some(Bloom { lines: 512 });

#[test]
fn what_is_brighter_than_white_spills_light_that_covers_nothing() {
    let frame = lit(4.0, 1.0, FINE);
    assert_eq!(pixel(&frame, MIDDLE), [255; 4]);
    let beside = [3.0, 5.0, 7.0, 9.0].map(|away| pixel(&frame, MIDDLE + Vec2::new(away, 0.0)));
    assert!(beside.iter().all(|pixel| pixel[3] == 0), "{beside:?}");
    assert!(beside.is_sorted_by(|a, b| a[0] >= b[0]), "{beside:?}");
    let [near, .., far] = beside;
    assert!(near[0] > 50 && far[0] < near[0] / 2, "{beside:?}");
    let mirrored = pixel(&frame, MIDDLE - Vec2::new(4.0, 0.0));
    assert!(mirrored[0].abs_diff(near[0]) <= 8, "{mirrored:?} {near:?}");
}

#[test]
fn what_is_not_brighter_than_white_does_not_bloom() {
    let with = lit(0.75, 1.0, FINE);
    assert_eq!(with.pixels, lit(0.75, 1.0, None).pixels);
}

#[test]
fn bloom_lies_where_its_light_is_however_little_of_the_stage_is_drawn() {
    for share in [1.0, 0.75, 0.5] {
        let middle = middle_of_spilled(&lit(4.0, share, FINE));
        assert!(middle.distance(MIDDLE) < 1.0, "{middle} at {share}");
    }
}
