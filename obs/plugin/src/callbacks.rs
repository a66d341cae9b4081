//! What OBS calls. Each of these goes through the [`shield`](super::shield), except
//! where nothing is done that could panic.
#![expect(
    unsafe_code,
    reason = "OBS calls these with pointers, two of which are ours"
)]

use std::ffi::c_char;
use std::io::Write as _;
use std::ptr::null_mut;

use super::choice::Choice;
use super::ffi::{
    self, GsEffect, LIBOBS_VERSION, ObsData, ObsModule, ObsProperties, ObsProperty, ObsSource,
    SourceInfo,
};
use super::obs::{
    self, Data, Handle, Inside, Level, Properties, SOURCE_FLAGS, SOURCE_TYPE, log, register,
};
use super::properties;
use super::shield::shield;
use super::source::Source;

#[unsafe(no_mangle)]
extern "C" fn obs_module_set_pointer(module: *mut ObsModule) {
    obs::set_module(module);
}

#[unsafe(no_mangle)]
extern "C" fn obs_module_ver() -> u32 {
    LIBOBS_VERSION
}

#[unsafe(no_mangle)]
extern "C" fn obs_module_name() -> *const c_char {
    c"Hyperfocus".as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn obs_module_description() -> *const c_char {
    c"Draws the gifts of a live stream over the scene".as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn obs_module_load() -> bool {
    if let Err(missing) = ffi::load() {
        // There may be no logging either, and no OBS to log to; nor anybody who reads.
        let _ = writeln!(
            std::io::stderr(),
            "hyperfocus: this OBS has no {}; version 27 or newer is needed",
            missing.to_string_lossy()
        );
        return false;
    }
    shield("obs_module_load", false, || {
        register(&SourceInfo {
            id: c"hyperfocus_gifts".as_ptr(),
            kind: SOURCE_TYPE,
            output_flags: SOURCE_FLAGS,
            get_name: Some(get_name),
            create: Some(create),
            destroy: Some(destroy),
            get_width: Some(get_width),
            get_height: Some(get_height),
            get_defaults: Some(get_defaults),
            get_properties: Some(get_properties),
            update: Some(update),
            activate: None,
            deactivate: None,
            show: None,
            hide: None,
            video_tick: Some(video_tick),
            video_render: Some(video_render),
        });
        log(
            Level::Info,
            concat!("plugin ", env!("CARGO_PKG_VERSION"), " loaded"),
        );
        true
    })
}

/// The source behind OBS's pointer.
fn source<'a>(inside: Inside) -> Option<&'a Source> {
    // SAFETY: what `create` returned, which lives until `destroy`; OBS calls
    // nothing of a source during or after that. Shared, since OBS calls from
    // several threads.
    unsafe { inside.cast::<Source>().cast_const().as_ref() }
}

extern "C" fn get_name(_type: Inside) -> *const c_char {
    c"Hyperfocus gifts".as_ptr()
}

extern "C" fn create(settings: *mut ObsData, source: *mut ObsSource) -> Inside {
    shield("create", null_mut(), || {
        // SAFETY: the settings live through this call, the source until it is
        // destroyed.
        let (data, handle) = unsafe { (Data::new(settings), Handle::new(source)) };
        match (data, handle) {
            (Some(data), Some(handle)) => {
                let source = Source::new(handle, Choice::read(&data));
                Box::into_raw(Box::new(source)).cast()
            }
            _ => null_mut(),
        }
    })
}

extern "C" fn destroy(inside: Inside) {
    shield("destroy", (), || {
        if !inside.is_null() {
            // SAFETY: made by `create`, and given back only here.
            drop(unsafe { Box::from_raw(inside.cast::<Source>()) });
        }
    });
}

extern "C" fn get_width(inside: Inside) -> u32 {
    shield("get_width", 0, || {
        source(inside).map_or(0, |it| it.size().0)
    })
}

extern "C" fn get_height(inside: Inside) -> u32 {
    shield("get_height", 0, || {
        source(inside).map_or(0, |it| it.size().1)
    })
}

extern "C" fn get_defaults(settings: *mut ObsData) {
    shield("get_defaults", (), || {
        // SAFETY: the settings live through this call.
        if let Some(data) = unsafe { Data::new(settings) } {
            Choice::set_defaults(&data);
        }
    });
}

extern "C" fn update(inside: Inside, settings: *mut ObsData) {
    shield("update", (), || {
        // SAFETY: the settings live through this call.
        let data = unsafe { Data::new(settings) };
        if let (Some(source), Some(data)) = (source(inside), data) {
            source.update(Choice::read(&data));
        }
    });
}

extern "C" fn get_properties(inside: Inside) -> *mut ObsProperties {
    shield("get_properties", null_mut(), || {
        source(inside)
            .and_then(|source| properties::build(source, refresh))
            .map_or(null_mut(), Properties::into_raw)
    })
}

extern "C" fn refresh(
    properties: *mut ObsProperties,
    _button: *mut ObsProperty,
    inside: Inside,
) -> bool {
    shield("refresh", false, || {
        // SAFETY: the properties live through this call.
        let properties = unsafe { Properties::borrow(properties) };
        if let (Some(source), Some(properties)) = (source(inside), properties) {
            source.retry();
            properties::update(source, &properties);
            // True makes OBS show what was changed.
            return true;
        }
        false
    })
}

extern "C" fn video_tick(inside: Inside, _seconds: f32) {
    shield("video_tick", (), || {
        if let Some(source) = source(inside) {
            source.tick();
        }
    });
}

extern "C" fn video_render(inside: Inside, _effect: *mut GsEffect) {
    shield("video_render", (), || {
        if let Some(source) = source(inside) {
            source.render();
        }
    });
}
