//! What needs neither a network nor Bevy.

mod protocol_contract;
mod protocol_limits;
mod protocol_reading;
mod protocol_robustness;
