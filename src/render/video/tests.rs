//! What needs neither a GPU nor a codec: boxes, descriptions, geometry, the
//! player's clock, the arithmetic of colour.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::audio::{AudioChunk, AudioSource, AudioStream, CHUNK_QUEUE, Pull};
use super::boxes::{Walk, WalkError, find_box};
use super::layout::{
    CanvasRect, Fit, FusionKind, FusionSource, Halves, Layout, PixelRect, Placement,
};
use super::player::{FRAME_QUEUE, MAX_PLAYERS, Opened, Player, PlayerSlots, PlayerState};
use super::reference::{from_stage, srgb_decode, srgb_encode, to_stage};
use super::source::{
    ChromaSiting, Matrix, NullSource, Range, VideoColour, VideoError, VideoFrame, VideoInfo,
    VideoSource,
};
use super::vapc::{self, VapcError};

fn mp4_box(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(payload);
    bytes
}

fn find(file: Vec<u8>) -> Result<Walk, WalkError> {
    find_box(&mut Cursor::new(file), *b"vapc", 1000)
}

mod boxes {
    use super::*;

    #[test]
    fn the_box_is_found_among_others() {
        let file = [
            mp4_box(b"ftyp", b"isom"),
            mp4_box(b"free", &[]),
            mp4_box(b"vapc", b"{}"),
            mp4_box(b"mdat", &[7; 30]),
        ];
        assert_eq!(
            find(file.concat()).unwrap(),
            Walk::Mp4(Some(b"{}".to_vec()))
        );
    }

    #[test]
    fn a_box_with_a_64_bit_size_is_walked_over() {
        let mut large = 1_u32.to_be_bytes().to_vec();
        large.extend(b"mdat");
        large.extend(20_u64.to_be_bytes());
        large.extend([0; 4]);
        let file = [mp4_box(b"ftyp", b"isom"), large, mp4_box(b"vapc", b"{}")];
        assert_eq!(
            find(file.concat()).unwrap(),
            Walk::Mp4(Some(b"{}".to_vec()))
        );
    }

    #[test]
    fn a_last_box_may_reach_to_the_end_and_be_followed_by_zeros() {
        let mut open = 0_u32.to_be_bytes().to_vec();
        open.extend(b"mdat and its samples");
        let file = [mp4_box(b"ftyp", b"isom"), open].concat();
        assert_eq!(find(file).unwrap(), Walk::Mp4(None));
        let padded = [mp4_box(b"ftyp", b"isom"), vec![0; 64]].concat();
        assert_eq!(find(padded).unwrap(), Walk::Mp4(None));
    }

    #[test]
    fn a_file_cut_short_says_how_much_is_missing() {
        let mut file = [mp4_box(b"ftyp", b"isom"), mp4_box(b"mdat", &[7; 100])].concat();
        file.truncate(60);
        assert!(matches!(find(file), Err(WalkError::Truncated(60))));
    }

    #[test]
    fn claims_are_not_believed() {
        let head = mp4_box(b"ftyp", b"isom");
        for size in [2_u32, 7] {
            let mut small = size.to_be_bytes().to_vec();
            small.extend(b"mdat");
            let file = [head.clone(), small].concat();
            assert!(matches!(find(file), Err(WalkError::Damaged(12))));
        }
        for size in [0_u64, 15, u64::MAX] {
            let mut bad = 1_u32.to_be_bytes().to_vec();
            bad.extend(b"mdat");
            bad.extend(size.to_be_bytes());
            let file = [head.clone(), bad].concat();
            assert!(find(file).is_err(), "a 64-bit size of {size}");
        }
        let large = [head, mp4_box(b"vapc", &[b' '; 1001])].concat();
        assert!(matches!(find(large), Err(WalkError::TooLarge(1001, 1000))));
    }

    #[test]
    fn other_containers_are_told_apart() {
        assert_eq!(find(b"\x1aE\xdf\xa3 webm".to_vec()).unwrap(), Walk::NotMp4);
        assert_eq!(find(b"GIF".to_vec()).unwrap(), Walk::Mp4(None));
        assert_eq!(find(Vec::new()).unwrap(), Walk::Mp4(None));
    }
}

fn info(width: u32, height: u32) -> VideoInfo {
    VideoInfo {
        width,
        height,
        ..NullSource::new(2, 2, 25.0, 1).info().clone()
    }
}

const PLAIN: &str = r#"{"info":{"v":2,"f":80,"w":736,"h":576,"videoW":752,"videoH":880,"orien":0,
    "fps":25,"isVapx":0,"aFrame":[4,588,368,288],"rgbFrame":[4,4,736,576]}}"#;

fn fused(src: &str, frame: &str) -> String {
    format!(
        r#"{{"info":{{"v":2,"w":64,"h":32,"videoW":96,"videoH":64,"isVapx":1,
        "aFrame":[64,0,32,16],"rgbFrame":[0,0,64,32]}},"src":[{src}],"frame":[{frame}]}}"#
    )
}

const AVATAR: &str =
    r#"{"srcId":"1","srcType":"img","srcTag":"[avatar]","w":10,"h":10,"fitType":"centerFull"}"#;
const NAME: &str = r##"{"srcId":"2","srcType":"txt","srcTag":"[name]","w":40,"h":10,"color":"#FFF1AE","style":"b"}"##;

mod descriptions {
    use super::*;

    #[test]
    fn a_plain_description_is_read() {
        let layout = vapc::parse(PLAIN.as_bytes(), &info(752, 880)).unwrap();
        assert_eq!((layout.width, layout.height), (736, 576));
        assert_eq!(layout.colour, PixelRect::new(4, 4, 736, 576));
        assert_eq!(layout.alpha, PixelRect::new(4, 588, 368, 288));
        assert!(layout.fusion.sources.is_empty());
    }

    #[test]
    fn objects_come_by_frame_in_rising_z_however_the_file_sorts_them() {
        let frames = r#"
            {"i":9,"obj":[{"srcId":"2","z":5,"frame":[0,0,8,8],"mFrame":[64,16,8,8],"mt":90},
                          {"srcId":"1","z":1,"frame":[1,1,8,8],"mFrame":[64,16,8,8],"mt":0}]},
            {"i":3,"obj":[{"srcId":"1","z":0,"frame":[2,2,8,8],"mFrame":[64,16,8,8]}]}"#;
        let json = fused(&[AVATAR, NAME].join(","), frames);
        let fusion = vapc::parse(json.as_bytes(), &info(96, 64)).unwrap().fusion;
        let nine: Vec<_> = fusion
            .objects(9)
            .iter()
            .map(|o| (o.source, o.mask_turned))
            .collect();
        assert_eq!(nine, [(0, false), (1, true)]);
        assert_eq!(fusion.objects(3).len(), 1);
        assert!(fusion.objects(4).is_empty());
        assert!(fusion.objects(u64::MAX).is_empty());
        assert_eq!(fusion.most_at_once(), 2);
        assert_eq!(fusion.sources[0].fit, Fit::CenterFull);
        let text = FusionKind::Text {
            colour: [0xff, 0xf1, 0xae],
            bold: true,
        };
        assert_eq!(fusion.sources[1].kind, text);
    }

    #[test]
    fn objects_that_have_shrunk_away_are_left_out() {
        let frames = r#"{"i":0,"obj":[{"srcId":"1","frame":[0,0,0,8],"mFrame":[64,16,8,8]},
                                      {"srcId":"1","frame":[0,0,8,8],"mFrame":[0,0,0,0]}]}"#;
        let json = fused(AVATAR, frames);
        let layout = vapc::parse(json.as_bytes(), &info(96, 64)).unwrap();
        assert!(layout.fusion.objects(0).is_empty());
    }

    #[test]
    fn what_does_not_fit_the_video_is_refused() {
        let parse = |json: &str| vapc::parse(json.as_bytes(), &info(752, 880)).unwrap_err();
        let with = |from: &str, to: &str| parse(&PLAIN.replace(from, to));
        assert_eq!(with(r#""v":2"#, r#""v":3"#), VapcError::Version(3));
        assert_eq!(
            with(r#""videoH":880"#, r#""videoH":896"#),
            VapcError::CodedSize(752, 896, 752, 880)
        );
        for rect in [
            "[4,4,749,576]",
            "[-1,4,736,576]",
            "[4,4,0,576]",
            "[4294967290,4,10,10]",
        ] {
            let error = with("[4,4,736,576]", rect);
            assert!(
                matches!(
                    error,
                    VapcError::Outside {
                        what: "rgbFrame",
                        ..
                    }
                ),
                "{rect}"
            );
        }
        assert!(matches!(
            with(r#""w":736"#, r#""w":0"#),
            VapcError::OutOfRange { what: "w", .. }
        ));
        assert!(matches!(
            with(r#""w":736"#, r#""w":1e9"#),
            VapcError::Json(_)
        ));
        assert!(matches!(parse("{"), VapcError::Json(_)));
        assert!(matches!(parse(&"[".repeat(5000)), VapcError::Json(_)));
        assert!(matches!(parse("\u{0}"), VapcError::Json(_)));
    }

    #[test]
    fn what_fusion_refers_to_must_exist() {
        let parse = |json: String| vapc::parse(json.as_bytes(), &info(96, 64)).unwrap_err();
        let object = |id: &str, mask: &str, mt: u32| {
            format!(
                r#"{{"i":0,"obj":[{{"srcId":"{id}","frame":[0,0,8,8],"mFrame":{mask},"mt":{mt}}}]}}"#
            )
        };
        assert!(matches!(
            parse(fused(AVATAR, &object("7", "[64,16,8,8]", 0))),
            VapcError::UnknownSource { frame: 0, .. }
        ));
        assert!(matches!(
            parse(fused(AVATAR, &object("1", "[90,16,8,8]", 0))),
            VapcError::Outside { what: "mFrame", .. }
        ));
        assert!(matches!(
            parse(fused(AVATAR, &object("1", "[64,16,8,8]", 45))),
            VapcError::OutOfRange {
                what: "mt",
                value: 45
            }
        ));
        assert!(matches!(
            parse(fused(&AVATAR.replace("img", "zip"), "")),
            VapcError::UnknownKind(..)
        ));
    }

    #[test]
    fn numbers_of_things_are_bounded() {
        let many = |item: &str, count: usize| vec![item; count].join(",");
        let parse = |json: String| vapc::parse(json.as_bytes(), &info(96, 64)).unwrap_err();
        assert!(matches!(
            parse(fused(&many(AVATAR, vapc::MAX_SOURCES + 1), "")),
            VapcError::TooMany {
                what: "sources",
                ..
            }
        ));
        let object = r#"{"srcId":"1","frame":[0,0,8,8],"mFrame":[64,16,8,8]}"#;
        let crowd = |count| format!(r#"{{"i":1,"obj":[{}]}}"#, many(object, count));
        assert!(matches!(
            parse(fused(AVATAR, &crowd(vapc::MAX_OBJECTS_PER_FRAME + 1))),
            VapcError::TooMany { .. }
        ));
        // The same frame listed twice counts as one.
        let twice = many(&crowd(vapc::MAX_OBJECTS_PER_FRAME - 1), 2);
        assert!(matches!(
            parse(fused(AVATAR, &twice)),
            VapcError::TooMany { .. }
        ));
    }
}

mod geometry {
    use super::*;

    #[test]
    fn halves_split_the_frame_as_their_names_say() {
        let wide = info(200, 100);
        let layout = Layout::halves(Halves::AlphaLeft, &wide);
        assert_eq!(layout.alpha, PixelRect::new(0, 0, 100, 100));
        assert_eq!(layout.colour, PixelRect::new(100, 0, 100, 100));
        let layout = Layout::halves(Halves::AlphaBottom, &wide);
        assert_eq!(layout.alpha, PixelRect::new(0, 50, 200, 50));
        assert_eq!(layout.colour, PixelRect::new(0, 0, 200, 50));
        assert_eq!((layout.width, layout.height), (200, 50));
        let smallest = Layout::halves(Halves::AlphaRight, &info(2, 2));
        assert!(smallest.colour.fits(2, 2) && smallest.alpha.fits(2, 2));
    }

    #[test]
    fn chroma_samples_stay_wholly_inside_the_rectangle() {
        let chroma = |x, w| {
            let rect = PixelRect::new(x, 0, w, 2).chroma();
            (rect.x, rect.width)
        };
        assert_eq!(chroma(4, 736), (2, 368));
        assert_eq!(chroma(5, 6), (3, 2));
        assert_eq!(chroma(5, 5), (3, 2));
        // Too narrow to hold one: the one it touches.
        assert_eq!(chroma(5, 1), (2, 1));
    }

    #[test]
    fn what_reaches_off_the_canvas_is_cut_with_its_part() {
        let rect = |x, y| CanvasRect {
            x,
            y,
            width: 40,
            height: 20,
        };
        let clipped = rect(-10, 95).clip(100, 100).unwrap();
        assert_eq!(clipped.rect, PixelRect::new(0, 95, 30, 5));
        assert_eq!(clipped.part, [0.25, 0.0, 0.75, 0.25]);
        assert_eq!(
            rect(10, 10).clip(100, 100).unwrap().part,
            [0.0, 0.0, 1.0, 1.0]
        );
        assert_eq!(rect(100, 0).clip(100, 100), None);
        assert_eq!(rect(-40, 0).clip(100, 100), None);
        let far = CanvasRect {
            x: i32::MAX,
            y: i32::MIN,
            width: u32::MAX,
            height: u32::MAX,
        };
        assert_eq!(far.clip(100, 100), None);
    }

    fn source(kind: FusionKind, fit: Fit) -> FusionSource {
        FusionSource {
            tag: "[x]".into(),
            kind,
            fit,
            width: 200,
            height: 50,
        }
    }

    #[test]
    fn images_are_stretched_or_cover_their_box() {
        let stretched = source(FusionKind::Image, Fit::FitXy);
        assert_eq!(stretched.placement(30.0, 90.0), Placement::WHOLE);
        // A square over 4:1: all of its width, a quarter of its height.
        let covering = source(FusionKind::Image, Fit::CenterFull).placement(64.0, 64.0);
        assert_eq!(covering.scale, [1.0, 0.25]);
        assert_eq!(covering.offset, [0.0, 0.375]);
    }

    #[test]
    fn text_starts_at_four_fifths_of_the_height_and_shrinks_to_fit() {
        let text = source(
            FusionKind::Text {
                colour: [255; 3],
                bold: false,
            },
            Fit::FitXy,
        );
        // 80x40 in a box of 200x50 is shown as it is: 0.8 of the height.
        let short = text.placement(80.0, 40.0);
        assert_eq!(short.scale, [2.5, 1.25]);
        assert_eq!(short.offset, [-0.75, -0.125]);
        // Twice too wide at that height: the full width, and a third less high.
        let long = text.placement(400.0, 40.0);
        assert_eq!(long.scale, [1.0, 2.5]);
    }
}

mod playing;

mod colour {
    use super::*;

    fn rgb(colour: VideoColour, y: u8, cb: u8, cr: u8) -> [i32; 3] {
        let k = colour.coefficients();
        let byte = |value: u8| f32::from(value) / 255.0;
        let luma = (byte(y) - k.black) * k.luma;
        let (cb, cr) = (byte(cb) - byte(128), byte(cr) - byte(128));
        [
            luma + k.red_cr * cr,
            luma + k.green_cb * cb + k.green_cr * cr,
            luma + k.blue_cb * cb,
        ]
        .map(|value| (value * 255.0).round() as i32)
    }

    #[test]
    fn the_recommendations_own_primaries_come_out() {
        let bt601 = VideoColour::default();
        let bt709 = VideoColour {
            matrix: Matrix::Bt709,
            ..bt601
        };
        let full = VideoColour {
            range: Range::Full,
            ..bt601
        };
        // The 100 % colour bars, whose bytes are rounded: within one level.
        for (colour, [y, cb, cr], expected) in [
            (bt601, [235, 128, 128], [255; 3]),
            (bt601, [16, 128, 128], [0; 3]),
            (bt601, [81, 90, 240], [255, 0, 0]),
            (bt601, [145, 54, 34], [0, 255, 0]),
            (bt601, [41, 240, 110], [0, 0, 255]),
            (bt709, [63, 102, 240], [255, 0, 0]),
            (full, [255, 128, 128], [255; 3]),
            (full, [76, 85, 255], [255, 0, 0]),
        ] {
            let got = rgb(colour, y, cb, cr);
            let near = got
                .iter()
                .zip(expected)
                .all(|(g, e): (&i32, i32)| (g - e).abs() <= 1);
            assert!(near, "{colour:?} {y},{cb},{cr}: {got:?}");
        }
    }

    #[test]
    fn only_left_sited_chroma_is_shifted() {
        let centre = VideoColour {
            siting: ChromaSiting::Centre,
            ..VideoColour::default()
        };
        assert_eq!(centre.chroma_shift(), 0.0);
        assert_eq!(VideoColour::default().chroma_shift(), 0.25);
    }

    #[test]
    fn half_covered_red_keeps_its_colour_in_linear_light() {
        // Pure red at alpha 0.5, premultiplied in encoded values.
        let [r, g, b, a] = to_stage([0.5, 0.0, 0.0, 0.5]);
        assert!((r - 0.5).abs() < 1e-6 && (a - 0.5).abs() < 1e-6);
        assert_eq!([g, b], [0.0; 2]);
        // Grey 128 at alpha 0.5 is a quarter-ish grey premultiplied.
        let [grey, ..] = to_stage([0.25, 0.25, 0.25, 0.5]);
        assert!((grey - 0.5 * srgb_decode(0.5)).abs() < 1e-6);
    }

    #[test]
    fn glow_survives_without_alpha_and_noise_does_not() {
        let [r, _, _, a] = to_stage([0.4, 0.0, 0.0, 0.0]);
        assert_eq!(a, 0.0);
        assert!((r - srgb_decode(0.4)).abs() < 1e-6);
        let level = 1.0 / 255.0;
        assert_eq!(to_stage([level, level, level, level]), [0.0; 4]);
        assert_eq!(to_stage([level, 0.0, level, 0.0]), [0.0; 4]);
    }

    #[test]
    fn the_way_back_restores_every_byte_within_a_level() {
        for alpha in 0..=255_u16 {
            for colour in 0..=255_u16 {
                let given = [colour, alpha].map(|byte| f32::from(byte) / 255.0);
                let [c, a] = given;
                let [back, _, _, alpha_back] = from_stage(to_stage([c, c, c, a]));
                assert!((alpha_back - a).abs() <= 1.01 / 255.0);
                // Two gates of a level each can meet in one value.
                let limit = if a < 2.0 / 255.0 { 2.01 } else { 1.01 };
                assert!(
                    (back - c).abs() <= limit / 255.0,
                    "{colour} over {alpha}: {back}"
                );
            }
        }
    }

    #[test]
    fn the_transfer_function_has_no_step_where_its_parts_meet() {
        assert!((srgb_decode(0.040_45) - srgb_decode(0.040_46)).abs() < 1e-5);
        for step in 0..=100 {
            let value = step as f32 / 100.0;
            assert!((srgb_encode(srgb_decode(value)) - value).abs() < 1e-5);
        }
    }
}
