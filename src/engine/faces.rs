//! Senders' pictures, for whoever names where they may come from.

use std::path::Path;

use bevy::prelude::*;

use crate::render::Faces;
use crate::vault::{Vault, WebOrigin};

/// Has pictures fetched from `origins`; with none, and where that cannot be done,
/// everybody wears initials. `wake` is called after each.
pub fn install(
    app: &mut App,
    origins: &[WebOrigin],
    ca_file: Option<&Path>,
    wake: impl Fn() + Send + 'static,
) {
    if origins.is_empty() {
        return;
    }
    let faces = match Vault::open(origins.to_vec(), ca_file, wake) {
        Ok(vault) => Faces::new(vault),
        Err(error) => {
            warn!("senders wear initials, since no pictures can be fetched: {error}");
            Faces::none_to_be_had()
        }
    };
    app.insert_resource(faces);
}
