//! Decoded planes into textures, straight from the decoder's buffers.
//!
//! Frames go to the render world as they are and are written there with their
//! own row pitch, so nothing is copied or repacked on the CPU before wgpu's
//! staging buffer. The textures are made once per video. (Replacing the data
//! of an `Image` instead would need tight rows, a copy and an allocation per
//! plane and frame, and a pass through the asset system.)

use bevy::asset::{AssetId, RenderAssetUsages};
use bevy::prelude::*;
use bevy::render::render_asset::RenderAssets;
use bevy::render::render_resource::{
    Extent3d, TexelCopyBufferLayout, TextureDimension, TextureFormat,
};
use bevy::render::renderer::RenderQueue;
use bevy::render::texture::GpuImage;
use bevy::render::{ExtractSchedule, MainWorld, Render, RenderApp, RenderSystems};

use super::source::{VideoFrame, VideoInfo};

/// How many rendered frames an upload waits for its textures to exist, which
/// they usually do at once. Then the video is gone, and the frame with it.
const MAX_TRIES: u32 = 60;

/// The textures of one video's planes.
#[derive(Debug, Clone)]
pub(super) struct PlaneImages(pub [Handle<Image>; 3]);

impl PlaneImages {
    /// Black and transparent until the first frame.
    pub(super) fn new(info: &VideoInfo, images: &mut Assets<Image>) -> Self {
        Self([0, 1, 2].map(|plane| {
            let (width, height) = info.plane_size(plane);
            let size = Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            };
            images.add(Image::new_uninit(
                size,
                TextureDimension::D2,
                TextureFormat::R8Unorm,
                RenderAssetUsages::default(),
            ))
        }))
    }

    fn ids(&self) -> [AssetId<Image>; 3] {
        [0, 1, 2].map(|plane| self.0[plane].id())
    }
}

struct Upload {
    planes: [AssetId<Image>; 3],
    frame: VideoFrame,
    tries: u32,
}

/// Frames on their way to the GPU, at most one per video: a newer one takes
/// the older one's place.
#[derive(Resource, Default)]
pub(super) struct VideoUploads(Vec<Upload>);

impl VideoUploads {
    pub(super) fn push(&mut self, planes: &PlaneImages, frame: VideoFrame) {
        self.put(Upload {
            planes: planes.ids(),
            frame,
            tries: 0,
        });
    }

    fn put(&mut self, upload: Upload) {
        match self.0.iter_mut().find(|old| old.planes == upload.planes) {
            Some(old) => *old = upload,
            None => self.0.push(upload),
        }
    }
}

/// Adds the way of frames to the GPU.
pub(super) fn plugin(app: &mut App) {
    app.init_resource::<VideoUploads>();
    let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
        return;
    };
    render_app
        .init_resource::<VideoUploads>()
        .add_systems(ExtractSchedule, take_uploads)
        .add_systems(Render, write_planes.in_set(RenderSystems::PrepareResources));
}

fn take_uploads(mut main: ResMut<MainWorld>, mut uploads: ResMut<VideoUploads>) {
    // Absent while the main world shuts down.
    let Some(mut fresh) = main.get_resource_mut::<VideoUploads>() else {
        return;
    };
    for upload in fresh.bypass_change_detection().0.drain(..) {
        uploads.put(upload);
    }
}

fn write_planes(
    mut uploads: ResMut<VideoUploads>,
    images: Res<RenderAssets<GpuImage>>,
    queue: Res<RenderQueue>,
) {
    uploads.0.retain_mut(|upload| {
        let [Some(y), Some(cb), Some(cr)] = upload.planes.map(|id| images.get(id)) else {
            upload.tries += 1;
            return upload.tries < MAX_TRIES;
        };
        for (plane, image) in [y, cb, cr].into_iter().enumerate() {
            let size = image.texture_descriptor.size;
            queue.write_texture(
                image.texture.as_image_copy(),
                upload.frame.bytes(plane),
                TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(upload.frame.stride(plane) as u32),
                    rows_per_image: Some(size.height),
                },
                size,
            );
        }
        false
    });
}
