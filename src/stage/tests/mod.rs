//! The stage without a renderer: real frames, a clock that the tests move, and
//! a link whose far end they hold.

mod acts;
mod controls;
mod failures;
mod link;
mod metrics;
mod outcomes;
mod telemetry;
mod world;
