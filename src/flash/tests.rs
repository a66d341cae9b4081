use super::*;

const WIDTH: usize = 256;
const HEIGHT: usize = 192;
const BLACK: [u8; 3] = [0; 3];
const WHITE: [u8; 3] = [255; 3];

/// Two seconds at 60 frames a second.
fn watch(backdrop: [u8; 3], paint: impl Fn(usize, usize, f64) -> [u8; 4]) -> Findings {
    let mut analyser = Analyser::new(WIDTH, HEIGHT);
    for frame in 0..120u32 {
        let at = f64::from(frame) / 60.0;
        let picture: Vec<u8> = (0..WIDTH * HEIGHT)
            .flat_map(|pixel| paint(pixel % WIDTH, pixel / WIDTH, at))
            .collect();
        analyser.push(Moment::from_secs_f64(at), &picture, backdrop);
    }
    analyser.findings()
}

fn opaque([r, g, b]: [u8; 3]) -> [u8; 4] {
    [r, g, b, 255]
}

/// One colour, then another, `hertz` times a second.
fn alternating(hertz: f64, a: [u8; 3], b: [u8; 3]) -> Findings {
    watch(BLACK, |_, _, at| {
        let first = (at * hertz).fract() < 0.5;
        opaque(if first { a } else { b })
    })
}

#[test]
fn what_stands_still_does_not_flash() {
    let found = watch(BLACK, |x, y, _| opaque([x as u8, y as u8, 90]));
    assert_eq!(found, Findings::default());
}

#[test]
fn three_flashes_a_second_pass_and_four_do_not() {
    let found = alternating(3.0, BLACK, WHITE).general;
    assert_eq!((found.half_flashes, found.passes()), (6, true));
    let found = alternating(4.0, BLACK, WHITE);
    assert_eq!((found.general.half_flashes, found.passes()), (8, false));
    assert_eq!(found.general.largest_area, 1.0);
}

#[test]
fn little_contrast_and_bright_against_brighter_are_no_flash() {
    // Relative luminance 0.22 and 0.27; 0.81 and 1.00; 0.73 and 1.00.
    let flickering = |a: u8, b: u8| alternating(10.0, [a; 3], [b; 3]).general.flickering;
    assert_eq!(flickering(128, 140), 0.0);
    assert_eq!(flickering(232, 255), 0.0);
    assert_eq!(flickering(221, 255), 1.0);
}

#[test]
fn dark_red_flashes_though_its_luminance_hardly_changes() {
    // R = 0.33 linear: luminance 0.07.
    let found = alternating(5.0, BLACK, [155, 0, 0]);
    assert_eq!(found.general.half_flashes, 0);
    assert!(!found.red.passes());
    // The same in blue is no flash at all.
    let found = alternating(5.0, BLACK, [0, 0, 155]);
    assert!(found.passes());
    // From white to red is one to saturated red.
    assert!(!alternating(5.0, WHITE, [255, 0, 0]).red.passes());
}

#[test]
fn a_slow_swell_is_one_change_however_many_steps_it_has() {
    let found = watch(BLACK, |_, _, at| opaque([(at * 127.0) as u8; 3]));
    assert_eq!(found.general.half_flashes, 1);
}

#[test]
fn less_than_a_quarter_of_every_field_may_flash() {
    // A field is 85 by 64 here.
    let square = |side: usize| {
        watch(BLACK, move |x, y, at| {
            let inside = x < side && y < side;
            let on = (at * 10.0).fract() < 0.5;
            opaque(if inside && on { WHITE } else { BLACK })
        })
    };
    assert!(square(32).passes());
    assert!(!square(48).passes());
}

#[test]
fn small_lights_all_over_flash_together() {
    // Half of the cells, none of them next to another.
    let found = watch(BLACK, |x, y, at| {
        let on = (at * 6.0).fract() < 0.5;
        opaque(if on && (x + y) % 2 == 0 { WHITE } else { BLACK })
    });
    assert!(!found.passes());
}

#[test]
fn a_board_whose_squares_swap_flickers_though_its_light_stays() {
    let found = watch(BLACK, |x, y, at| {
        let on = (at * 6.0).fract() < 0.5;
        opaque(if on == ((x / 16 + y / 16) % 2 == 0) {
            WHITE
        } else {
            BLACK
        })
    });
    assert_eq!(found.general.half_flashes, 0);
    assert!(
        found.general.flickering > 0.9 && !found.passes(),
        "{found:?}"
    );
}

#[test]
fn only_what_flashes_at_the_same_time_adds_up() {
    // Each cell is lit for a fifth of every sixth of a second.
    let lit = |later: f64, at: f64| {
        let on = ((at + 1e-6) * 6.0 + later).fract() < 0.2;
        opaque(if on { WHITE } else { BLACK })
    };
    // One column of five after the other: sparks that cross the picture.
    let sparks = watch(BLACK, |x, _, at| lit((x % 5) as f64 / 5.0, at));
    assert!(sparks.passes(), "{sparks:?}");
    assert!(sparks.general.flickering > 0.15, "{sparks:?}");
    let strobe = watch(BLACK, |_, _, at| lit(0.0, at));
    assert!(!strobe.passes() && strobe.general.flickering > 0.9);
}

#[test]
fn what_moves_does_not_flash() {
    // Wide stripes that wander a stripe's width in half a second.
    let found = watch(BLACK, |x, _, at| {
        let place = x as f64 + at * 64.0;
        opaque(if ((place / 32.0) as u32).is_multiple_of(2) {
            WHITE
        } else {
            BLACK
        })
    });
    assert!(found.passes(), "{found:?}");
}

#[test]
fn a_pattern_finer_than_a_cell_is_even_light() {
    let mut analyser = Analyser::new(WIDTH * 8, HEIGHT * 8);
    for frame in 0..12u32 {
        let pixels = WIDTH * HEIGHT * 64;
        let picture: Vec<u8> = (0..pixels)
            .flat_map(|pixel| {
                let on = (pixel + pixel / (WIDTH * 8) + frame as usize).is_multiple_of(2);
                opaque(if on { WHITE } else { BLACK })
            })
            .collect();
        analyser.push(
            Moment::from_secs_f64(f64::from(frame) / 60.0),
            &picture,
            BLACK,
        );
    }
    assert_eq!(analyser.findings(), Findings::default());
}

#[test]
fn flashes_that_wander_over_the_field_count_together() {
    // Each third lights up once, one after the other, five times a second.
    let found = watch(BLACK, |x, _, at| {
        let third = (at * 5.0) as usize % 3;
        let on = (at * 5.0).fract() < 0.5;
        opaque(if on && x % 86 / 29 == third {
            WHITE
        } else {
            BLACK
        })
    });
    assert!(!found.passes(), "{found:?}");
}

#[test]
fn the_backdrop_decides_what_is_seen() {
    let white_flashes = |_: usize, _: usize, at: f64| {
        let on = (at * 5.0).fract() < 0.5;
        [255, 255, 255, if on { 255 } else { 0 }]
    };
    assert!(!watch(BLACK, white_flashes).passes());
    assert_eq!(watch(WHITE, white_flashes), Findings::default());
}

#[test]
fn a_change_within_a_tenth_of_a_second_is_one_whoever_is_first() {
    // A bright bar sweeps over the picture in a tenth of a second, once.
    let found = watch(BLACK, |x, _, at| {
        let edge = ((at - 0.5) * 10.0 * WIDTH as f64).max(0.0) as usize;
        opaque(if x < edge { WHITE } else { BLACK })
    });
    assert_eq!(found.general.half_flashes, 1);
}

#[test]
fn any_size_has_fields() {
    for (width, height) in [(1, 1), (7, 1000), (1920, 1080), (1080, 1920), (640, 360)] {
        let mut analyser = Analyser::new(width, height);
        for frame in 0..20u32 {
            let value = if frame % 2 == 0 { 0 } else { 255 };
            let picture = vec![value; width * height * 4];
            analyser.push(Moment::from_millis(u64::from(frame) * 50), &picture, BLACK);
        }
        assert!(!analyser.findings().passes(), "{width}x{height}");
    }
}
