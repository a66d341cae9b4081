//! The part of libobs that is used, declared by hand.
//!
//! Structs are declared as far as they are needed: OBS is told how much of
//! `obs_source_info` there is. A test compares offsets and values with
//! libobs's own headers. Functions are looked up in the running OBS rather
//! than linked: nothing of OBS is needed to build, a function that is missing
//! is one line in the log, and tests link without OBS.
#![expect(
    unsafe_code,
    reason = "functions of another program are reached by address"
)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

/// Structs of OBS's that are only pointed to.
macro_rules! opaque {
    ($($name:ident),*) => {$(
        #[repr(C)]
        pub(crate) struct $name {
            _private: [u8; 0],
        }
    )*};
}

opaque!(
    ObsModule,
    ObsSource,
    ObsData,
    ObsProperties,
    ObsProperty,
    GsTexture,
    GsEffect,
    GsParameter
);

/// The oldest libobs that has all that is used: 27.0, the first with
/// `OBS_SOURCE_SRGB`. OBS refuses modules that report a newer one than its own.
pub(crate) const LIBOBS_VERSION: u32 = 27 << 24;

pub(crate) const OBS_SOURCE_TYPE_INPUT: c_int = 0;
pub(crate) const OBS_SOURCE_VIDEO: u32 = 1 << 0;
pub(crate) const OBS_SOURCE_AUDIO: u32 = 1 << 1;
pub(crate) const OBS_SOURCE_CUSTOM_DRAW: u32 = 1 << 3;
pub(crate) const OBS_SOURCE_SRGB: u32 = 1 << 15;

pub(crate) const GS_RGBA: c_int = 3;
pub(crate) const GS_DYNAMIC: u32 = 1 << 1;
pub(crate) const GS_BLEND_ONE: c_int = 1;
pub(crate) const GS_BLEND_INVSRCALPHA: c_int = 5;
pub(crate) const OBS_EFFECT_DEFAULT: c_int = 0;

pub(crate) const SPEAKERS_STEREO: c_int = 2;
pub(crate) const AUDIO_FORMAT_FLOAT: c_int = 4;
pub(crate) const MAX_AV_PLANES: usize = 8;

pub(crate) const OBS_COMBO_TYPE_LIST: c_int = 2;
pub(crate) const OBS_COMBO_FORMAT_STRING: c_int = 3;
pub(crate) const OBS_PATH_FILE: c_int = 0;
/// Since OBS 28; older ones show a line to type into, which changes nothing.
pub(crate) const OBS_TEXT_INFO: c_int = 3;

pub(crate) const LOG_ERROR: c_int = 100;
pub(crate) const LOG_WARNING: c_int = 200;
pub(crate) const LOG_INFO: c_int = 300;

type Callback<Result> = Option<unsafe extern "C" fn(*mut c_void) -> Result>;

/// `struct obs_source_info` as far as `video_render`.
#[repr(C)]
pub(crate) struct SourceInfo {
    pub(crate) id: *const c_char,
    pub(crate) kind: c_int,
    pub(crate) output_flags: u32,
    pub(crate) get_name: Option<unsafe extern "C" fn(*mut c_void) -> *const c_char>,
    pub(crate) create: Option<unsafe extern "C" fn(*mut ObsData, *mut ObsSource) -> *mut c_void>,
    pub(crate) destroy: Callback<()>,
    pub(crate) get_width: Callback<u32>,
    pub(crate) get_height: Callback<u32>,
    pub(crate) get_defaults: Option<unsafe extern "C" fn(*mut ObsData)>,
    pub(crate) get_properties: Callback<*mut ObsProperties>,
    pub(crate) update: Option<unsafe extern "C" fn(*mut c_void, *mut ObsData)>,
    pub(crate) activate: Callback<()>,
    pub(crate) deactivate: Callback<()>,
    pub(crate) show: Callback<()>,
    pub(crate) hide: Callback<()>,
    pub(crate) video_tick: Option<unsafe extern "C" fn(*mut c_void, f32)>,
    pub(crate) video_render: Option<unsafe extern "C" fn(*mut c_void, *mut GsEffect)>,
}

/// `struct obs_video_info`, and room for what later versions add, since OBS
/// writes all of its own.
#[repr(C)]
pub(crate) struct VideoInfo {
    pub(crate) graphics_module: *const c_char,
    pub(crate) fps_num: u32,
    pub(crate) fps_den: u32,
    pub(crate) base_width: u32,
    pub(crate) base_height: u32,
    pub(crate) room: [u64; 32],
}

/// `struct obs_source_audio`.
#[repr(C)]
pub(crate) struct SourceAudio {
    pub(crate) data: [*const u8; MAX_AV_PLANES],
    pub(crate) frames: u32,
    pub(crate) speakers: c_int,
    pub(crate) format: c_int,
    pub(crate) samples_per_sec: u32,
    pub(crate) timestamp: u64,
}

pub(crate) type Clicked =
    unsafe extern "C" fn(*mut ObsProperties, *mut ObsProperty, *mut c_void) -> bool;

/// Declares the table of functions and how it is filled.
macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of the OBS that loaded us.
        pub(crate) struct Api {
            /// Printf-like; only ever given `%s` and one string.
            pub(crate) blog: unsafe extern "C" fn(c_int, *const c_char, ...),
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Api {
            fn resolve() -> Result<Self, &'static CStr> {
                Ok(Self {
                    // SAFETY: the address is that of the function of this name,
                    // whose type in libobs's headers is the field's.
                    blog: unsafe {
                        std::mem::transmute::<
                            NonNull<c_void>,
                            unsafe extern "C" fn(c_int, *const c_char, ...),
                        >(find(c"blog")?)
                    },
                    $($name: {
                        let name = const {
                            let bytes = concat!(stringify!($name), "\0").as_bytes();
                            match CStr::from_bytes_with_nul(bytes) {
                                Ok(name) => name,
                                Err(_) => panic!("an identifier has no zero in it"),
                            }
                        };
                        // SAFETY: as above.
                        unsafe {
                            std::mem::transmute::<
                                NonNull<c_void>,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(find(name)?)
                        }
                    },)*
                })
            }
        }
    };
}

functions! {
    obs_register_source_s(*const SourceInfo, usize);
    obs_get_module_data_path(*mut ObsModule) -> *const c_char;
    obs_get_video_info(*mut VideoInfo) -> bool;
    obs_source_active(*const ObsSource) -> bool;
    obs_source_showing(*const ObsSource) -> bool;
    obs_source_output_audio(*mut ObsSource, *const SourceAudio);

    obs_data_get_string(*mut ObsData, *const c_char) -> *const c_char;
    obs_data_get_bool(*mut ObsData, *const c_char) -> bool;
    obs_data_set_default_string(*mut ObsData, *const c_char, *const c_char);
    obs_data_set_default_bool(*mut ObsData, *const c_char, bool);

    obs_properties_create() -> *mut ObsProperties;
    obs_properties_get(*mut ObsProperties, *const c_char) -> *mut ObsProperty;
    obs_properties_add_bool(*mut ObsProperties, *const c_char, *const c_char) -> *mut ObsProperty;
    obs_properties_add_list(*mut ObsProperties, *const c_char, *const c_char, c_int, c_int)
        -> *mut ObsProperty;
    obs_properties_add_path(
        *mut ObsProperties, *const c_char, *const c_char, c_int, *const c_char, *const c_char
    ) -> *mut ObsProperty;
    obs_properties_add_text(*mut ObsProperties, *const c_char, *const c_char, c_int)
        -> *mut ObsProperty;
    obs_properties_add_button(*mut ObsProperties, *const c_char, *const c_char, Clicked)
        -> *mut ObsProperty;
    obs_property_list_clear(*mut ObsProperty);
    obs_property_list_add_string(*mut ObsProperty, *const c_char, *const c_char) -> usize;
    obs_property_set_long_description(*mut ObsProperty, *const c_char);

    obs_enter_graphics();
    obs_leave_graphics();
    obs_get_base_effect(c_int) -> *mut GsEffect;
    gs_texture_create(u32, u32, c_int, u32, *const *const u8, u32) -> *mut GsTexture;
    gs_texture_destroy(*mut GsTexture);
    gs_texture_set_image(*mut GsTexture, *const u8, u32, bool);
    gs_effect_create(*const c_char, *const c_char, *mut *mut c_char) -> *mut GsEffect;
    gs_effect_destroy(*mut GsEffect);
    gs_effect_get_param_by_name(*const GsEffect, *const c_char) -> *mut GsParameter;
    gs_effect_set_texture_srgb(*mut GsParameter, *mut GsTexture);
    gs_effect_loop(*mut GsEffect, *const c_char) -> bool;
    gs_draw_sprite(*mut GsTexture, u32, u32, u32);
    gs_blend_state_push();
    gs_blend_state_pop();
    gs_blend_function(c_int, c_int);
    gs_get_linear_srgb() -> bool;
    gs_framebuffer_srgb_enabled() -> bool;
    gs_enable_framebuffer_srgb(bool);
}

static API: OnceLock<Api> = OnceLock::new();

/// Looks all functions up. To be called when OBS loads the module.
///
/// # Errors
/// The name of one that this OBS does not have.
pub(crate) fn load() -> Result<(), &'static CStr> {
    if API.get().is_none() {
        let _ = API.set(Api::resolve()?);
    }
    Ok(())
}

/// The functions; `None` outside of OBS.
pub(crate) fn api() -> Option<&'static Api> {
    API.get()
}

#[cfg(unix)]
fn find(name: &'static CStr) -> Result<NonNull<c_void>, &'static CStr> {
    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    // RTLD_DEFAULT: whatever the process has loaded, libobs among it.
    const EVERYWHERE: *mut c_void = if cfg!(target_os = "macos") {
        std::ptr::without_provenance_mut(-2_isize as usize)
    } else {
        std::ptr::null_mut()
    };
    // SAFETY: a string that ends with zero; looking changes nothing.
    NonNull::new(unsafe { dlsym(EVERYWHERE, name.as_ptr()) }).ok_or(name)
}

/// Not tried.
#[cfg(windows)]
fn find(name: &'static CStr) -> Result<NonNull<c_void>, &'static CStr> {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    // SAFETY: strings that end with zero; looking changes nothing, and OBS,
    // which calls us, keeps its library loaded.
    let address = unsafe {
        let module = GetModuleHandleA(c"obs.dll".as_ptr());
        if module.is_null() {
            return Err(name);
        }
        GetProcAddress(module, name.as_ptr())
    };
    NonNull::new(address).ok_or(name)
}
