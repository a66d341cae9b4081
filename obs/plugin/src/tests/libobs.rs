//! What is declared by hand, against libobs's own headers: a C program prints
//! offsets and values, and each is compared.

use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

use crate::ffi::{self, SourceAudio, SourceInfo, VideoInfo};

include!("../../../../tests/foreign/skip.rs");

const HEADERS: &str = "/usr/include/obs";

/// Pairs of a C expression and what it is here.
macro_rules! pairs {
    ($($c:literal = $rust:expr),* $(,)?) => {
        [$(($c, $rust as i64)),*]
    };
}

fn declared() -> Vec<(&'static str, i64)> {
    let mut all = Vec::new();
    macro_rules! offsets {
        ($c:literal, $rust:ty: $($field:ident $(as $here:ident)?),* $(,)?) => {
            $(all.push((
                concat!("offsetof(struct ", $c, ", ", stringify!($field), ")"),
                offsets!(@at $rust, $field $(, $here)?) as i64,
            ));)*
        };
        (@at $rust:ty, $field:ident) => { offset_of!($rust, $field) };
        (@at $rust:ty, $field:ident, $here:ident) => { offset_of!($rust, $here) };
    }
    offsets!("obs_source_info", SourceInfo:
        id, type as kind, output_flags, get_name, create, destroy, get_width, get_height,
        get_defaults, get_properties, update, activate, deactivate, show, hide,
        video_tick, video_render,
    );
    offsets!("obs_source_audio", SourceAudio:
        data, frames, speakers, format, samples_per_sec, timestamp,
    );
    offsets!("obs_video_info", VideoInfo:
        graphics_module, fps_num, fps_den, base_width, base_height,
    );
    all.extend(pairs!(
        "sizeof(struct obs_source_audio)" = size_of::<SourceAudio>(),
        // Ours ends where the next field begins.
        "offsetof(struct obs_source_info, filter_video)" = size_of::<SourceInfo>(),
        "MAX_AV_PLANES" = ffi::MAX_AV_PLANES,
        "OBS_SOURCE_TYPE_INPUT" = ffi::OBS_SOURCE_TYPE_INPUT,
        "OBS_SOURCE_VIDEO" = ffi::OBS_SOURCE_VIDEO,
        "OBS_SOURCE_AUDIO" = ffi::OBS_SOURCE_AUDIO,
        "OBS_SOURCE_CUSTOM_DRAW" = ffi::OBS_SOURCE_CUSTOM_DRAW,
        "OBS_SOURCE_SRGB" = ffi::OBS_SOURCE_SRGB,
        "GS_RGBA" = ffi::GS_RGBA,
        "GS_DYNAMIC" = ffi::GS_DYNAMIC,
        "GS_BLEND_ONE" = ffi::GS_BLEND_ONE,
        "GS_BLEND_INVSRCALPHA" = ffi::GS_BLEND_INVSRCALPHA,
        "OBS_EFFECT_DEFAULT" = ffi::OBS_EFFECT_DEFAULT,
        "SPEAKERS_STEREO" = ffi::SPEAKERS_STEREO,
        "AUDIO_FORMAT_FLOAT" = ffi::AUDIO_FORMAT_FLOAT,
        "OBS_COMBO_TYPE_LIST" = ffi::OBS_COMBO_TYPE_LIST,
        "OBS_COMBO_FORMAT_STRING" = ffi::OBS_COMBO_FORMAT_STRING,
        "OBS_PATH_FILE" = ffi::OBS_PATH_FILE,
        "OBS_TEXT_INFO" = ffi::OBS_TEXT_INFO,
        "LOG_ERROR" = ffi::LOG_ERROR,
        "LOG_WARNING" = ffi::LOG_WARNING,
        "LOG_INFO" = ffi::LOG_INFO,
        "MAKE_SEMANTIC_VERSION(27, 0, 0)" = ffi::LIBOBS_VERSION,
    ));
    all
}

#[test]
fn offsets_and_values_are_those_of_the_headers() {
    if !Path::new(HEADERS).exists() {
        skip("no libobs headers; `apt-get install libobs-dev`");
        return;
    }
    let declared = declared();
    let mut program = String::from(
        "#include <stddef.h>\n#include <stdio.h>\n#include <obs-module.h>\n\
         int main(void) {\n",
    );
    for (expression, _) in &declared {
        program += &format!("    printf(\"%lld\\n\", (long long)({expression}));\n");
    }
    program += "    return 0;\n}\n";
    let folder = tempfile::tempdir().unwrap();
    let (source, binary) = (folder.path().join("probe.c"), folder.path().join("probe"));
    std::fs::write(&source, program).unwrap();
    let compiled = Command::new("cc")
        .args(["-w", "-I", HEADERS, "-o"])
        .arg(&binary)
        .arg(&source)
        .output()
        .unwrap();
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let printed = Command::new(&binary).output().unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    let mut lines = printed.lines();
    for (expression, here) in declared {
        let there: i64 = lines.next().unwrap().parse().unwrap();
        assert_eq!(here, there, "{expression}");
    }
}
