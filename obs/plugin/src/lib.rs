//! The OBS Studio source "Hyperfocus gifts".
