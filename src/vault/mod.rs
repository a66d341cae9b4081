//! Fetches what gifts name by URL, and keeps it safe: the pictures of senders.
//!
//! Viewers choose these addresses, more or less, so nothing is asked but the
//! origins that the user has named; redirects neither. No token, no cookie and no
//! name goes along. What comes back is bounded in bytes and in time, must be a
//! PNG, JPEG or WebP of bounded size, and is decoded here, on a thread of its own:
//! what leaves it is a small square of pixels.
//!
//! - [`WebOrigin`]: who may be asked;
//! - `fetch`: one picture over HTTP;
//! - `face`: from its bytes to pixels.

#![deny(clippy::unwrap_used)]

#[cfg(feature = "render")]
mod face;
#[cfg(feature = "render")]
mod fetch;
mod origin;
#[cfg(all(test, feature = "render"))]
mod tests;
#[cfg(feature = "render")]
mod worker;

#[cfg(feature = "render")]
pub use face::{Face, FaceError, MAX_FACE_SIDE};
#[cfg(feature = "render")]
pub use fetch::host_of;
pub use origin::{WebOrigin, WebOriginError};
#[cfg(feature = "render")]
pub use worker::{Arrived, Asked, Vault, VaultError};
