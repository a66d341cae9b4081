//! Scenarios, one per rule. Random sequences are in tests/core/show_properties.rs.

mod board;
mod controls;
mod folding;
mod lanes;
mod on_air;
mod outcomes;
mod pacing;
mod streaks;
pub(super) mod world;
