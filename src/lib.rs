//! The Hyperfocus gift engine: turns the gifts of a live stream into a show.
//!
//! This page is the map of the house. A gift flows one way, and each layer
//! knows only what lies below it (a test holds the sources to that):
//!
//! ```text
//! socket bytes -> net (thread) -> session (pure) -> protocol (pure)
//!                  |  two bounded channels
//!                  v
//!              stage (ECS) -> show (pure: which cue, when) -> acts
//!                  v
//!              render (particles, models, video, captions), sound
//!                  v
//!              present (the last pass) -> output (files, pipes, a window)
//!                  |
//!                  +-> outcomes -> acks, back down the other channel
//! ```
//!
//! In reading order:
//!
//! | module | what it is | needs |
//! |---|---|---|
//! | [`model`] | the nouns: gift, sender, streak, outcome | |
//! | [`protocol`] | bytes to the model and back | |
//! | [`session`] | one client's side of a connection, without a socket | |
//! | [`net`] | the thread that owns socket, clock and randomness | `net` |
//! | [`catalog`] | what each gift type looks and sounds like | |
//! | [`on_air`] | whose names and which gifts are shown | |
//! | [`show`] | from gifts to cues: lanes, pacing, streaks, outcomes | |
//! | [`showfile`] | what a backend said and when, as JSON Lines | |
//! | [`tune`] | what a rate would do to a recording, in virtual time | |
//! | [`vault`] | senders' pictures, fetched safely; whose, without `render` | `render` |
//! | [`locale`] | texts and numbers in the viewer's language | `render` |
//! | [`stage`] | the ECS side: cues become acts, acts have clocks | `stage` |
//! | [`render`] | what shows an act, and the pass that presents it | `render` |
//! | [`sound`] | one voice an act, a limited mix | `render` |
//! | [`output`] | where presented frames go | `render` |
//! | [`governor`] | how much the picture may cost, by what frames take | |
//! | [`flash`] | whether what is shown flashes harmfully (WCAG 2.3.1) | |
//! | [`config`] | file, environment and flags | |
//! | [`draft`] | files that appear whole or not at all | `render` or `cli` |
//! | [`ffmpeg`] | the external program that encodes video | `render` or `cli` |
//! | [`pack`] | frames with alpha into a gift's video | `cli` |
//! | [`relay`] | the server: gifts in over HTTP, kept, and out to every renderer | `relay` |
//! | [`demo`] | a scripted show and the server that plays it | `net` |
//! | [`engine`] | a run: the layers put together, driven and ended | `render`, `cli` |
//! | [`cli`] | the program's commands | `cli` |
//! | [`bench`] | what the engine must measure up to | `cli` |
//!
//! The last three put the others together and may use everything, each other too:
//! `cli` reads what is wanted into a plan, `engine` carries plans out.
//!
//! # What always holds
//!
//! - **Every gift reaches exactly one outcome**, and its ack goes out once per
//!   message, whatever happens to the connection. `show` hands out a claim for
//!   each gift and its invariants are checked after every step of the property
//!   tests; `session` keeps an ack until the backend is known to have it.
//! - **Everything that can grow is bounded**, and every bound says what happens
//!   at it.
//! - **Time is a parameter** below `net` and the frame loop; the pure layers
//!   run faster than real time.
//! - **A frame waits for nothing**: files, decoders, text and the network have
//!   threads of their own and answer through channels.
//! - **No pipeline is made after warm-up.** Effects are templates varied by
//!   properties; a branch on a uniform becomes a pipeline of its own.
//! - **The stage is linear and premultiplied**; light that only adds has alpha
//!   0 and survives to the output. Only the last pass encodes.
//! - **An empty stage costs nothing**: no frame is drawn until the network, a
//!   key or a signal wakes it.

#[cfg(feature = "cli")]
pub mod bench;
pub mod catalog;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
#[cfg(feature = "net")]
pub mod demo;
#[cfg(any(feature = "render", feature = "cli"))]
pub mod draft;
#[cfg(all(feature = "render", feature = "cli"))]
pub mod engine;
#[cfg(any(feature = "render", feature = "cli"))]
pub mod ffmpeg;
pub mod flash;
pub mod governor;
#[cfg(feature = "render")]
pub mod locale;
pub mod model;
#[cfg(feature = "net")]
pub mod net;
pub mod on_air;
#[cfg(feature = "render")]
pub mod output;
#[cfg(feature = "cli")]
pub mod pack;
pub mod protocol;
#[cfg(feature = "relay")]
pub mod relay;
#[cfg(feature = "render")]
pub mod render;
pub mod session;
pub mod show;
pub mod showfile;
#[cfg(feature = "render")]
pub mod sound;
#[cfg(feature = "stage")]
pub mod stage;
pub mod tune;
pub mod vault;
