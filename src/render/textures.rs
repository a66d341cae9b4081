//! Textures by catalogue name, loaded once and kept, each with smaller copies
//! of itself: a picture of 512 pixels shown at 70 has jagged edges without them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use bevy::asset::RenderAssetUsages;
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;
use bevy::tasks::{AsyncComputeTaskPool, Task, block_on};

use crate::catalog::{Color, texture_path};

/// Copies of half the size, a quarter and an eighth: the poses of a sheet must
/// not run into each other.
const SMALLEST: u32 = 3;

pub struct TexturePlugin;

impl Plugin for TexturePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Textures>()
            .add_systems(PreUpdate, shrink);
    }
}

/// Textures that were asked for. Bounded by what the catalogue names.
#[derive(Resource, Default)]
pub struct Textures {
    by_stem: HashMap<String, Handle<Image>>,
    /// Loaded, and their smaller copies in the making.
    shrinking: HashMap<AssetId<Image>, Task<Image>>,
    /// As they are to be shown.
    ready: HashSet<AssetId<Image>>,
}

impl Textures {
    pub fn get(&mut self, assets: &AssetServer, stem: &str) -> Handle<Image> {
        if let Some(handle) = self.by_stem.get(stem) {
            return handle.clone();
        }
        let handle = assets.load(texture_path(stem));
        self.by_stem.insert(stem.to_owned(), handle.clone());
        handle
    }

    /// Loads a texture anew, whose file was edited. Until it is there it has not
    /// settled.
    pub fn reload(&mut self, assets: &AssetServer, stem: &str) {
        if let Some(handle) = self.by_stem.get(stem) {
            self.ready.remove(&handle.id());
            self.shrinking.remove(&handle.id());
        }
        assets.reload(texture_path(stem));
    }

    /// Those that could not be loaded are looked for again when they are next wanted.
    pub fn forget_failed(&mut self, assets: &AssetServer) {
        self.by_stem
            .retain(|_, handle| !has_failed(assets, handle.id()));
    }

    /// Whether every texture asked for so far is as it is to be shown, or has
    /// failed.
    pub fn settled(&self, assets: &AssetServer) -> bool {
        self.by_stem
            .values()
            .all(|handle| self.is_settled(assets, handle))
    }

    /// The same of one, which must have been asked for.
    pub fn has_settled(&self, assets: &AssetServer, stem: &str) -> bool {
        self.by_stem
            .get(stem)
            .is_some_and(|handle| self.is_settled(assets, handle))
    }

    fn is_settled(&self, assets: &AssetServer, handle: &Handle<Image>) -> bool {
        self.ready.contains(&handle.id()) || has_failed(assets, handle.id())
    }
}

fn has_failed(assets: &AssetServer, id: AssetId<Image>) -> bool {
    let state = assets.get_load_state(id);
    state.is_some_and(|state| state.is_failed())
}

/// Gives every texture its smaller copies once it is loaded, and again when its
/// file was edited. A thread works them out; until then the texture is shown as
/// it is.
fn shrink(
    mut events: MessageReader<AssetEvent<Image>>,
    mut images: ResMut<Assets<Image>>,
    mut textures: ResMut<Textures>,
) {
    for event in events.read() {
        let (AssetEvent::Added { id } | AssetEvent::Modified { id }) = *event else {
            continue;
        };
        let Some(image) = images.get(id) else {
            continue;
        };
        if !textures.by_stem.values().any(|handle| handle.id() == id) {
            continue;
        }
        if can_shrink(image) {
            let mut image = image.clone();
            let task = AsyncComputeTaskPool::get().spawn(async move {
                add_smaller(&mut image);
                // Nothing looks at it once the graphics device has it.
                image.asset_usage = RenderAssetUsages::RENDER_WORLD;
                image
            });
            textures.shrinking.insert(id, task);
        } else {
            textures.ready.insert(id);
        }
    }
    let made = textures.shrinking.extract_if(|_, task| task.is_finished());
    let made: Vec<_> = made.map(|(id, task)| (id, block_on(task))).collect();
    for (id, image) in made {
        if let Err(error) = images.insert(id, image) {
            // It was dropped meanwhile, which textures never are.
            error!("a texture's smaller copies found no place: {error}");
        }
    }
}

/// Whether smaller copies are missing and can be made.
fn can_shrink(image: &Image) -> bool {
    image.texture_descriptor.format == TextureFormat::Rgba8UnormSrgb
        && image.texture_descriptor.mip_level_count == 1
        && image.width().is_multiple_of(2)
        && image.height().is_multiple_of(2)
        && image.data.is_some()
}

/// Appends the smaller copies to an image of 8-bit sRGB with straight alpha.
fn add_smaller(image: &mut Image) {
    let (mut width, mut height) = (image.width() as usize, image.height() as usize);
    let Some(data) = &mut image.data else {
        return;
    };
    let decoded: [f32; 256] = std::array::from_fn(|byte| Color::decode_srgb(byte as f32 / 255.0));
    let mut level = 0;
    let mut from = 0;
    while level < SMALLEST && width.is_multiple_of(2) && height.is_multiple_of(2) {
        let smaller = halved(&data[from..], width, height, &decoded);
        from = data.len();
        data.extend_from_slice(&smaller);
        (width, height) = (width / 2, height / 2);
        level += 1;
    }
    image.texture_descriptor.mip_level_count = 1 + level;
}

/// sRGB bytes of linear light in even steps, less than a quarter of a level
/// apart: working one out takes ten times as long.
static ENCODED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let light = |step| Color::encode_srgb(step as f32 / ENCODED_STEPS as f32);
    (0..=ENCODED_STEPS)
        .map(|step| (light(step) * 255.0).round() as u8)
        .collect()
});
const ENCODED_STEPS: usize = 1 << 14;

/// The image at half its size: means of 2x2 pixels in linear light, each counted
/// by its alpha, so that what is clear has no say in the colour.
fn halved(pixels: &[u8], width: usize, height: usize, decoded: &[f32; 256]) -> Vec<u8> {
    let mut out = Vec::with_capacity(width * height);
    for y in (0..height).step_by(2) {
        for x in (0..width).step_by(2) {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| {
                let at = ((y + dy) * width + x + dx) * 4;
                &pixels[at..at + 4]
            });
            let cover: f32 = four.iter().map(|pixel| f32::from(pixel[3])).sum();
            for channel in 0..3 {
                let sum: f32 = four
                    .iter()
                    .map(|pixel| {
                        let weight = if cover > 0.0 {
                            f32::from(pixel[3])
                        } else {
                            1.0
                        };
                        decoded[usize::from(pixel[channel])] * weight
                    })
                    .sum();
                let mean = sum / if cover > 0.0 { cover } else { 4.0 };
                out.push(ENCODED[(mean * ENCODED_STEPS as f32 + 0.5) as usize]);
            }
            out.push((cover / 4.0).round() as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use bevy::render::render_resource::{Extent3d, TextureDimension};

    use super::*;

    fn image(width: u32, height: u32, pixels: &[[u8; 4]]) -> Image {
        Image::new(
            Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            },
            TextureDimension::D2,
            pixels.concat(),
            TextureFormat::Rgba8UnormSrgb,
            RenderAssetUsages::default(),
        )
    }

    #[test]
    fn what_is_clear_has_no_say_in_a_smaller_copys_colour() {
        let (red, clear_green) = ([255, 0, 0, 255], [0, 255, 0, 0]);
        let mut image = image(2, 2, &[red, clear_green, clear_green, red]);
        add_smaller(&mut image);
        assert_eq!(image.texture_descriptor.mip_level_count, 2);
        assert_eq!(image.data.unwrap()[16..], [255, 0, 0, 128]);
    }

    #[test]
    fn a_smaller_copy_is_as_bright_as_the_light_it_stands_for() {
        let (white, black) = ([255; 4], [0, 0, 0, 255]);
        let mut image = image(2, 2, &[white, black, black, white]);
        add_smaller(&mut image);
        // Half the light of white is 188 in sRGB, not 128.
        assert_eq!(image.data.unwrap()[16..], [188, 188, 188, 255]);
    }

    #[test]
    fn an_odd_size_ends_the_row_of_smaller_copies() {
        let mut image = image(6, 2, &[[9; 4]; 12]);
        add_smaller(&mut image);
        assert_eq!(image.texture_descriptor.mip_level_count, 2);
        assert_eq!(image.data.unwrap().len(), (12 + 3) * 4);
    }
}
