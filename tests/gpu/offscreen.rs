//! A stage without a window: a 2D camera that draws into a texture in linear
//! premultiplied light, and the way back to the CPU.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bevy::app::PluginsState;
use bevy::camera::{ClearColorConfig, Hdr, ImageRenderTarget, RenderTarget};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::gpu_readback::{Readback, ReadbackComplete};
use bevy::render::render_resource::{TextureFormat, TextureUsages};

/// Updates without an answer after which something is broken, not slow.
const PATIENCE: u32 = 20_000;

/// One renderer at a time: the software one takes every core for itself.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Offscreen {
    pub app: App,
    target: Handle<Image>,
    size: UVec2,
    _alone: MutexGuard<'static, ()>,
}

/// The latest picture that came back.
#[derive(Resource, Default)]
struct Picture(Option<Vec<u8>>);

impl Offscreen {
    /// One stage unit is one pixel; the middle is at the origin.
    pub fn new(size: UVec2, plugins: impl FnOnce(&mut App)) -> Self {
        let alone = alone();
        let mut app = App::new();
        let defaults = DefaultPlugins
            .set(WindowPlugin {
                primary_window: None,
                exit_condition: bevy::window::ExitCondition::DontExit,
                ..default()
            })
            .disable::<LogPlugin>()
            .disable::<bevy::render::pipelined_rendering::PipelinedRenderingPlugin>();
        #[cfg(feature = "desktop")]
        let defaults = defaults.disable::<bevy::winit::WinitPlugin>();
        app.add_plugins(defaults).init_resource::<Picture>();
        plugins(&mut app);
        while app.plugins_state() == PluginsState::Adding {
            bevy::tasks::tick_global_task_pools_on_main_thread();
        }
        app.finish();
        app.cleanup();

        let mut image = Image::new_target_texture(size.x, size.y, TextureFormat::Rgba16Float, None);
        image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
        let target = app.world_mut().resource_mut::<Assets<Image>>().add(image);
        app.world_mut().spawn((
            Camera2d,
            Camera {
                clear_color: ClearColorConfig::Custom(Color::NONE),
                ..default()
            },
            RenderTarget::Image(ImageRenderTarget::from(target.clone())),
            Hdr,
            Msaa::Off,
            Tonemapping::None,
            DebandDither::Disabled,
        ));
        Self {
            app,
            target,
            size,
            _alone: alone,
        }
    }

    /// Draws until `done`; the world is handed over between frames.
    pub fn until(&mut self, mut done: impl FnMut(&mut World) -> bool) {
        self.until_app(|app| done(app.world_mut()));
    }

    /// The same with the whole app, the renderer's world in it.
    pub fn until_app(&mut self, mut done: impl FnMut(&mut App) -> bool) {
        for _ in 0..PATIENCE {
            self.app.update();
            if done(&mut self.app) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("it never came to that");
    }

    /// The picture as linear premultiplied RGBA, row by row from the top, once
    /// it has stopped changing and is not empty.
    pub fn picture(&mut self) -> Vec<[f32; 4]> {
        let target = self.target.clone();
        let world = self.app.world_mut();
        world.resource_mut::<Picture>().0 = None;
        let reader = world
            .spawn(Readback::texture(target))
            .observe(
                |complete: On<ReadbackComplete>, mut picture: ResMut<Picture>| {
                    picture.0 = Some(complete.data.clone());
                },
            )
            .id();
        let mut before: Option<Vec<u8>> = None;
        let mut settled = None;
        self.until(|world| {
            let Some(now) = world.resource_mut::<Picture>().0.take() else {
                return false;
            };
            let drawn = now.iter().any(|&byte| byte != 0);
            if drawn && before.as_ref() == Some(&now) {
                settled = Some(now);
                return true;
            }
            before = Some(now);
            false
        });
        self.app.world_mut().despawn(reader);
        let bytes = settled.expect("set before `until` returned");
        let row = self.size.x as usize * 8;
        // Rows come back in multiples of 256 bytes.
        bytes
            .chunks_exact(row.next_multiple_of(256))
            .flat_map(|padded| padded[..row].chunks_exact(8))
            .map(|texel| {
                [0, 2, 4, 6].map(|at| half(u16::from_le_bytes([texel[at], texel[at + 1]])))
            })
            .collect()
    }
}

/// IEC 754 half precision to single.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2_f32.powi(-14),
        31 => f32::INFINITY,
        _ => (1.0 + fraction) * 2_f32.powi(exponent - 15),
    }
}
