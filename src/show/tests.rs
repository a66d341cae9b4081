//! Scenarios, one per rule. Random sequences are in tests/core/show_properties.rs.

mod lanes;
mod pacing;
mod world;
