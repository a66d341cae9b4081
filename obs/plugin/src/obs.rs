//! libobs as safe Rust: strings, scopes and owners instead of pointers.
#![expect(unsafe_code, reason = "each wraps a function of OBS's")]

use std::ffi::{CStr, CString, c_int, c_void};
use std::path::PathBuf;
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

use hyperfocus_ring::SAMPLE_RATE;

use super::ffi::{self, Api, Clicked, ObsModule};

static MODULE: AtomicPtr<ObsModule> = AtomicPtr::new(null_mut());

pub(crate) fn set_module(module: *mut ObsModule) {
    MODULE.store(module, Ordering::Release);
}

/// The functions, in code that only OBS reaches.
fn api() -> &'static Api {
    ffi::api().expect("OBS calls nothing of a module that it has not loaded")
}

/// For OBS: what is before a zero, if anything is wrong with the string.
fn text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

/// A line in OBS's log.
pub(crate) fn log(level: Level, line: &str) {
    let number = match level {
        Level::Info => ffi::LOG_INFO,
        Level::Warning => ffi::LOG_WARNING,
        Level::Error => ffi::LOG_ERROR,
    };
    let Some(api) = ffi::api() else {
        eprintln!("{line}");
        return;
    };
    let line = text(line);
    // SAFETY: the format takes one string, which lives through the call.
    unsafe { (api.blog)(number, c"[hyperfocus] %s".as_ptr(), line.as_ptr()) };
}

/// Where `hyperfocus obs install` put the plugin's data.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let module = MODULE.load(Ordering::Acquire);
    // SAFETY: the module is what OBS gave; it returns a string that it keeps.
    let path = unsafe {
        let path = (api().obs_get_module_data_path)(module);
        (!path.is_null()).then(|| CStr::from_ptr(path))
    };
    path.map(|path| PathBuf::from(path.to_string_lossy().into_owned()))
}

/// What OBS renders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Video {
    /// Frames a second as a fraction.
    pub(crate) fps: (u32, u32),
    /// The canvas in pixels.
    pub(crate) canvas: (u32, u32),
}

pub(crate) fn video() -> Option<Video> {
    let mut info = ffi::VideoInfo {
        graphics_module: null(),
        fps_num: 0,
        fps_den: 0,
        base_width: 0,
        base_height: 0,
        room: [0; 32],
    };
    // SAFETY: the struct has room for what any known OBS writes.
    let is_known = unsafe { (api().obs_get_video_info)(&raw mut info) };
    is_known.then_some(Video {
        fps: (info.fps_num, info.fps_den),
        canvas: (info.base_width, info.base_height),
    })
}

/// A source of OBS's that we are the inside of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handle(NonNull<ffi::ObsSource>);

// SAFETY: OBS calls a source from several threads itself; the functions that
// are called on it below may be called on any.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// # Safety
    /// The source lives until OBS has called `destroy` for it, and the handle
    /// is not used afterwards.
    pub(crate) unsafe fn new(source: *mut ffi::ObsSource) -> Option<Self> {
        NonNull::new(source).map(Self)
    }

    /// Whether it is on air.
    pub(crate) fn is_active(self) -> bool {
        // SAFETY: alive, as `new` was promised.
        unsafe { (api().obs_source_active)(self.0.as_ptr()) }
    }

    /// Whether it is on air or in any preview.
    pub(crate) fn is_showing(self) -> bool {
        // SAFETY: as above.
        unsafe { (api().obs_source_showing)(self.0.as_ptr()) }
    }

    /// Gives OBS interleaved stereo to be heard at `at_ns`.
    pub(crate) fn output_audio(self, samples: &[f32], at_ns: u64) {
        let Ok(frames) = u32::try_from(samples.len() / 2) else {
            return;
        };
        let mut data = [null(); ffi::MAX_AV_PLANES];
        data[0] = samples.as_ptr().cast();
        let audio = ffi::SourceAudio {
            data,
            frames,
            speakers: ffi::SPEAKERS_STEREO,
            format: ffi::AUDIO_FORMAT_FLOAT,
            samples_per_sec: SAMPLE_RATE,
            timestamp: at_ns,
        };
        // SAFETY: alive as above; OBS copies the samples before it returns, and
        // `frames` says how many pairs there are.
        unsafe { (api().obs_source_output_audio)(self.0.as_ptr(), &raw const audio) };
    }
}

/// A source's settings, for the length of a call.
pub(crate) struct Data(NonNull<ffi::ObsData>);

impl Data {
    /// # Safety
    /// The settings live for as long as the value does.
    pub(crate) unsafe fn new(data: *mut ffi::ObsData) -> Option<Self> {
        NonNull::new(data).map(Self)
    }

    pub(crate) fn string(&self, key: &CStr) -> String {
        // SAFETY: alive, as `new` was promised; OBS returns a string of its
        // own, which is copied at once.
        unsafe {
            let value = (api().obs_data_get_string)(self.0.as_ptr(), key.as_ptr());
            if value.is_null() {
                return String::new();
            }
            CStr::from_ptr(value).to_string_lossy().into_owned()
        }
    }

    pub(crate) fn bool(&self, key: &CStr) -> bool {
        // SAFETY: as above.
        unsafe { (api().obs_data_get_bool)(self.0.as_ptr(), key.as_ptr()) }
    }

    pub(crate) fn set_default_string(&self, key: &CStr, value: &CStr) {
        // SAFETY: as above; OBS copies the strings.
        unsafe {
            (api().obs_data_set_default_string)(self.0.as_ptr(), key.as_ptr(), value.as_ptr());
        }
    }

    pub(crate) fn set_default_bool(&self, key: &CStr, value: bool) {
        // SAFETY: as above.
        unsafe { (api().obs_data_set_default_bool)(self.0.as_ptr(), key.as_ptr(), value) };
    }
}

/// What the user sees of a source's settings. OBS owns it once it is returned.
pub(crate) struct Properties(NonNull<ffi::ObsProperties>);

impl Properties {
    pub(crate) fn create() -> Option<Self> {
        // SAFETY: takes nothing.
        NonNull::new(unsafe { (api().obs_properties_create)() }).map(Self)
    }

    /// # Safety
    /// The properties live for as long as the value does.
    pub(crate) unsafe fn borrow(properties: *mut ffi::ObsProperties) -> Option<Self> {
        NonNull::new(properties).map(Self)
    }

    pub(crate) fn into_raw(self) -> *mut ffi::ObsProperties {
        self.0.as_ptr()
    }

    pub(crate) fn add_list(&self, name: &CStr, title: &CStr) {
        // SAFETY: alive; OBS copies the strings. So in all the following.
        unsafe {
            (api().obs_properties_add_list)(
                self.0.as_ptr(),
                name.as_ptr(),
                title.as_ptr(),
                ffi::OBS_COMBO_TYPE_LIST,
                ffi::OBS_COMBO_FORMAT_STRING,
            );
        }
    }

    /// Replaces the entries of a list: what is shown, and its value.
    pub(crate) fn fill_list(&self, name: &CStr, entries: &[(String, String)]) {
        let Some(list) = self.get(name) else {
            return;
        };
        // SAFETY: the property belongs to these properties; OBS copies.
        unsafe { (api().obs_property_list_clear)(list.as_ptr()) };
        for (shown, value) in entries {
            let (shown, value) = (text(shown), text(value));
            // SAFETY: as above.
            unsafe {
                (api().obs_property_list_add_string)(list.as_ptr(), shown.as_ptr(), value.as_ptr());
            }
        }
    }

    pub(crate) fn add_bool(&self, name: &CStr, title: &CStr) {
        // SAFETY: as above.
        unsafe {
            (api().obs_properties_add_bool)(self.0.as_ptr(), name.as_ptr(), title.as_ptr());
        }
    }

    pub(crate) fn add_file(&self, name: &CStr, title: &CStr, filter: &CStr) {
        // SAFETY: as above; a null path is none.
        unsafe {
            (api().obs_properties_add_path)(
                self.0.as_ptr(),
                name.as_ptr(),
                title.as_ptr(),
                ffi::OBS_PATH_FILE,
                filter.as_ptr(),
                null(),
            );
        }
    }

    /// Words that cannot be edited; see [`Properties::say`].
    pub(crate) fn add_words(&self, name: &CStr, title: &CStr) {
        // SAFETY: as above.
        unsafe {
            (api().obs_properties_add_text)(
                self.0.as_ptr(),
                name.as_ptr(),
                title.as_ptr(),
                ffi::OBS_TEXT_INFO,
            );
        }
    }

    pub(crate) fn say(&self, name: &CStr, words: &str) {
        let words = text(words);
        if let Some(property) = self.get(name) {
            // SAFETY: as above.
            unsafe {
                (api().obs_property_set_long_description)(property.as_ptr(), words.as_ptr());
            }
        }
    }

    pub(crate) fn add_button(&self, name: &CStr, title: &CStr, clicked: Clicked) {
        // SAFETY: as above; the function stays loaded as long as OBS runs.
        unsafe {
            (api().obs_properties_add_button)(
                self.0.as_ptr(),
                name.as_ptr(),
                title.as_ptr(),
                clicked,
            );
        }
    }

    fn get(&self, name: &CStr) -> Option<NonNull<ffi::ObsProperty>> {
        // SAFETY: as above.
        NonNull::new(unsafe { (api().obs_properties_get)(self.0.as_ptr(), name.as_ptr()) })
    }
}

/// The right to call the graphics functions on this thread. Whoever waits for
/// it waits for OBS's rendering, so it comes before any lock of ours.
pub(crate) struct Graphics {
    is_entered: bool,
}

impl Graphics {
    pub(crate) fn enter() -> Self {
        // SAFETY: takes nothing; left again when the value is dropped.
        unsafe { (api().obs_enter_graphics)() };
        Self { is_entered: true }
    }

    /// In a call from OBS's renderer, which has entered already.
    pub(crate) fn of_renderer() -> Self {
        Self { is_entered: false }
    }
}

impl Drop for Graphics {
    fn drop(&mut self) {
        if self.is_entered {
            // SAFETY: entered by this value, on this thread: it is not `Send`
            // by use, living in one function.
            unsafe { (api().obs_leave_graphics)() };
        }
    }
}

/// An RGBA texture that changes often.
pub(crate) struct Texture {
    texture: NonNull<ffi::GsTexture>,
    size: (u32, u32),
}

// SAFETY: graphics objects belong to OBS's graphics, which any thread may enter,
// and not to a thread.
unsafe impl Send for Texture {}

impl Texture {
    pub(crate) fn new(_graphics: &Graphics, size: (u32, u32)) -> Option<Self> {
        // SAFETY: inside of the graphics; no first image.
        let texture = unsafe {
            (api().gs_texture_create)(size.0, size.1, ffi::GS_RGBA, 1, null(), ffi::GS_DYNAMIC)
        };
        NonNull::new(texture).map(|texture| Self { texture, size })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Uploads rows of `stride` bytes.
    ///
    /// # Panics
    /// When there are too few of them.
    pub(crate) fn set(&mut self, _graphics: &Graphics, pixels: &[u8], stride: u32) {
        assert!(
            stride >= self.size.0 * 4 && pixels.len() >= stride as usize * self.size.1 as usize
        );
        // SAFETY: inside of the graphics; OBS reads `height` rows of at most
        // `stride` bytes, which there are, and keeps nothing.
        unsafe {
            (api().gs_texture_set_image)(self.texture.as_ptr(), pixels.as_ptr(), stride, false);
        }
    }
}

impl Drop for Texture {
    fn drop(&mut self) {
        let _graphics = Graphics::enter();
        // SAFETY: made by us and used by nobody any more.
        unsafe { (api().gs_texture_destroy)(self.texture.as_ptr()) };
    }
}

/// An effect with a technique `Draw` and a parameter `image`.
pub(crate) struct Effect {
    effect: NonNull<ffi::GsEffect>,
    is_ours: bool,
}

// SAFETY: as for textures.
unsafe impl Send for Effect {}

impl Effect {
    /// OBS's own, which draws what it samples.
    pub(crate) fn plain(_graphics: &Graphics) -> Option<Self> {
        // SAFETY: inside of the graphics; OBS keeps its base effects.
        let effect = unsafe { (api().obs_get_base_effect)(ffi::OBS_EFFECT_DEFAULT) };
        NonNull::new(effect).map(|effect| Self {
            effect,
            is_ours: false,
        })
    }

    pub(crate) fn compile(_graphics: &Graphics, source: &CStr, name: &CStr) -> Option<Self> {
        // SAFETY: inside of the graphics; OBS copies the strings, and a null
        // pointer asks for no error text (it goes to the log).
        let effect =
            unsafe { (api().gs_effect_create)(source.as_ptr(), name.as_ptr(), null_mut()) };
        NonNull::new(effect).map(|effect| Self {
            effect,
            is_ours: true,
        })
    }

    /// Draws the texture at its size, sampled in linear light.
    pub(crate) fn draw(&self, _graphics: &Graphics, texture: &Texture) {
        let api = api();
        let effect = self.effect.as_ptr();
        // SAFETY: inside of the graphics, where effect and texture are alive.
        // A parameter that is missing is null, which OBS ignores.
        unsafe {
            let image = (api.gs_effect_get_param_by_name)(effect, c"image".as_ptr());
            (api.gs_effect_set_texture_srgb)(image, texture.texture.as_ptr());
            while (api.gs_effect_loop)(effect, c"Draw".as_ptr()) {
                (api.gs_draw_sprite)(texture.texture.as_ptr(), 0, 0, 0);
            }
        }
    }
}

impl Drop for Effect {
    fn drop(&mut self) {
        if self.is_ours {
            let _graphics = Graphics::enter();
            // SAFETY: made by us and used by nobody any more.
            unsafe { (api().gs_effect_destroy)(self.effect.as_ptr()) };
        }
    }
}

/// Whether what is being drawn is to be blended in linear light. It is not
/// where the user chose the blending method "SRGB Off".
pub(crate) fn is_linear(_graphics: &Graphics) -> bool {
    // SAFETY: inside of the graphics.
    unsafe { (api().gs_get_linear_srgb)() }
}

/// Blending of premultiplied colours, and what the target is encoded as, for
/// the length of `draw`.
pub(crate) fn premultiplied(_graphics: &Graphics, is_linear: bool, draw: impl FnOnce()) {
    let api = api();
    // SAFETY: inside of the graphics; all is put back below.
    let previous = unsafe {
        let previous = (api.gs_framebuffer_srgb_enabled)();
        (api.gs_enable_framebuffer_srgb)(is_linear);
        (api.gs_blend_state_push)();
        (api.gs_blend_function)(ffi::GS_BLEND_ONE, ffi::GS_BLEND_INVSRCALPHA);
        previous
    };
    draw();
    // SAFETY: as above.
    unsafe {
        (api.gs_blend_state_pop)();
        (api.gs_enable_framebuffer_srgb)(previous);
    }
}

/// Registers a source. OBS copies the struct.
pub(crate) fn register(info: &ffi::SourceInfo) {
    // SAFETY: the struct is a prefix of OBS's, of the size that is told, and
    // its strings and functions are static.
    unsafe { (api().obs_register_source_s)(info, size_of::<ffi::SourceInfo>()) };
}

/// The flags of our source.
pub(crate) const SOURCE_FLAGS: u32 = ffi::OBS_SOURCE_VIDEO
    | ffi::OBS_SOURCE_AUDIO
    | ffi::OBS_SOURCE_CUSTOM_DRAW
    | ffi::OBS_SOURCE_SRGB;

pub(crate) const SOURCE_TYPE: c_int = ffi::OBS_SOURCE_TYPE_INPUT;

/// What OBS hands back to us in callbacks.
pub(crate) type Inside = *mut c_void;
