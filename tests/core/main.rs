//! Tests of the pure layers: no features, no network, no Bevy.

mod config;
mod tidy;
