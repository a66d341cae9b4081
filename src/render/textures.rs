//! Textures by catalogue name, loaded once and kept.

use std::collections::HashMap;

use bevy::prelude::*;

use crate::catalog::texture_path;

/// Textures that were asked for. Bounded by what the catalogue names.
#[derive(Resource, Default)]
pub struct Textures(HashMap<String, Handle<Image>>);

impl Textures {
    pub fn get(&mut self, assets: &AssetServer, stem: &str) -> Handle<Image> {
        if let Some(handle) = self.0.get(stem) {
            return handle.clone();
        }
        let handle = assets.load(texture_path(stem));
        self.0.insert(stem.to_owned(), handle.clone());
        handle
    }

    /// Whether every texture asked for so far is loaded or has failed.
    pub fn settled(&self, assets: &AssetServer) -> bool {
        self.0.values().all(|handle| {
            assets
                .get_load_state(handle)
                .is_some_and(|state| state.is_loaded() || state.is_failed())
        })
    }
}
