//! Tests of the pure layers: no features, no network, no Bevy.

mod config;
mod config_sources;
mod protocol_contract;
mod protocol_document;
mod protocol_limits;
mod protocol_reading;
mod protocol_robustness;
mod show_properties;
mod tidy;
