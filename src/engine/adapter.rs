//! Which GPU draws, found before anything else is built, so that a machine
//! without one gets a sentence instead of a panic.

use anyhow::{Context, Result};
use bevy::render::renderer::{
    RenderAdapter, RenderAdapterInfo, RenderDevice, RenderInstance, RenderQueue, WgpuWrapper,
};
use bevy::render::settings::RenderCreation;
use bevy::tasks::block_on;
use std::sync::Arc;

/// What will draw.
pub struct Gpu {
    pub creation: RenderCreation,
    pub name: String,
    /// Name and driver: what was measured on one may not hold on another.
    pub identity: String,
    /// A rasteriser on the CPU: every pixel counts.
    pub is_software: bool,
}

/// Finds an adapter and opens a device on it.
///
/// # Errors
/// When there is no Vulkan, Metal or DirectX 12 driver, or it refuses.
pub fn open() -> Result<Gpu> {
    open_with(wgpu::Backends::PRIMARY, wgpu::Dx12SwapchainKind::default())
}

/// The same for windows through which the desktop shows. Windows mixes only what
/// DirectX 12 draws for a visual; other systems need nothing special.
///
/// # Errors
/// As for [`open`].
pub fn open_for_transparent_windows() -> Result<Gpu> {
    let backends = if cfg!(windows) {
        wgpu::Backends::DX12
    } else {
        wgpu::Backends::PRIMARY
    };
    open_with(backends, wgpu::Dx12SwapchainKind::DxgiFromVisual)
}

fn open_with(wanted: wgpu::Backends, swapchain: wgpu::Dx12SwapchainKind) -> Result<Gpu> {
    let backends = wgpu::Backends::from_env().unwrap_or(wanted);
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    descriptor.backend_options.dx12.presentation_system = swapchain;
    if !cfg!(windows) {
        // Counts that a shader has written for a draw are checked by a pass before
        // each: particles' are hanabi's own. On DirectX 12 that pass also says
        // which vertex and instance it is.
        let checked = wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL;
        descriptor.flags.remove(checked);
    }
    let instance = wgpu::Instance::new(descriptor);
    let adapter = block_on(pick(&instance, backends)).context(
        "no graphics adapter was found: install a Vulkan driver. On Debian or Ubuntu \
         `sudo apt install mesa-vulkan-drivers` brings one for most cards, and one that draws \
         on the CPU where there is no card",
    )?;
    let info = adapter.get_info();
    let mut features = adapter.features();
    if info.device_type == wgpu::DeviceType::DiscreteGpu {
        // Mapping video memory directly is slow across the bus.
        features.remove(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);
    }
    features.remove(wgpu::Features::all_experimental_mask());
    let limits = wgpu::Limits {
        // No shader of ours writes textures. Where none can, Bevy leaves out what
        // would: twenty pipelines for atmospheres, ambient occlusion and culling
        // that nothing here ever runs, and a third of a software rasteriser's memory.
        max_storage_textures_per_shader_stage: 0,
        ..adapter.limits()
    };
    let (device, queue) = block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("hyperfocus"),
        required_features: features,
        required_limits: limits,
        // Textures and uploads in blocks that begin at 8 and 4 MB, and go back
        // when they are empty, in place of 128 and 64.
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..Default::default()
    }))
    .with_context(|| {
        format!(
            "the graphics driver of {} refuses; update it, or choose another adapter with \
             WGPU_ADAPTER_NAME",
            info.name
        )
    })?;
    let name = format!("{} ({:?})", info.name, info.backend);
    let identity = format!("{name}, {} {}", info.driver, info.driver_info);
    let is_software = info.device_type == wgpu::DeviceType::Cpu;
    Ok(Gpu {
        creation: RenderCreation::manual(
            RenderDevice::from(device),
            RenderQueue(Arc::new(WgpuWrapper::new(queue))),
            RenderAdapterInfo(WgpuWrapper::new(info)),
            RenderAdapter(Arc::new(WgpuWrapper::new(adapter))),
            RenderInstance(Arc::new(WgpuWrapper::new(instance))),
        ),
        name,
        identity,
        is_software,
    })
}

/// The adapter named by `WGPU_ADAPTER_NAME`, or the one wgpu prefers.
async fn pick(instance: &wgpu::Instance, backends: wgpu::Backends) -> Option<wgpu::Adapter> {
    if let Ok(wanted) = std::env::var("WGPU_ADAPTER_NAME") {
        let wanted = wanted.to_lowercase();
        let named = instance
            .enumerate_adapters(backends)
            .await
            .into_iter()
            .find(|adapter| adapter.get_info().name.to_lowercase().contains(&wanted));
        if named.is_some() {
            return named;
        }
    }
    // A gift must not wake the big card of a laptop, nor take it from a game.
    let preference = wgpu::PowerPreference::from_env().unwrap_or(wgpu::PowerPreference::LowPower);
    instance
        .request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: preference,
            ..Default::default()
        })
        .await
        .ok()
}
