//! Why a message was refused, and where it is wrong.

use std::borrow::Cow;
use std::sync::Arc;

use super::PeerError;
use crate::model::GiftId;

/// A message that was not decoded.
///
/// The texts go to logs and back to the peer, so they hold the structure only:
/// paths made of the contract's own field names, byte offsets, ids, expected
/// types. Never a viewer's name or any other value of the message.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Over [`MAX_MESSAGE_BYTES`](super::limits::MAX_MESSAGE_BYTES).
    #[error("the message has {size} bytes and the limit is {limit}; send less in one message")]
    TooLarge {
        size: usize,
        limit: usize,
        /// The message's type, when it is one of the contract's and could be
        /// read off the message's start.
        message_type: Option<&'static str>,
    },
    /// Not JSON, or not this protocol's shape.
    #[error("{} is malformed at {path}{}: {reason}", subject(*message_type), place(*offset))]
    Malformed {
        /// Where: `payload.sender.isSubscriber`, `payload.config.features[1]`;
        /// `*` for a key that is not the contract's, `$` for the whole message.
        path: String,
        /// How many bytes of the message had been read, where that is known.
        offset: Option<usize>,
        /// What was expected there.
        reason: Cow<'static, str>,
        /// The message's type, when it is one of the contract's.
        message_type: Option<&'static str>,
    },
    /// Another major version than 1. Trying again cannot help.
    #[error("version {found:?} is not supported; send \"version\":\"1.0.0\" (any 1.x is accepted)")]
    UnsupportedVersion {
        /// What `version` said, cleaned and cut.
        found: Arc<str>,
        message_type: Option<&'static str>,
    },
    /// A well-formed gift that gives nothing. It is acked `rendered:false`
    /// under its id, so that the backend does not send it again.
    #[error("gift {gift_id:?} is not playable: {reason} (got {quantity})")]
    InvalidGift {
        gift_id: GiftId,
        combo_count: u32,
        /// Floored; 0 or less.
        quantity: i64,
        reason: &'static str,
    },
}

impl DecodeError {
    /// The protocol's code for it, as `error.code` says it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::Malformed { .. } => "MALFORMED",
            Self::UnsupportedVersion { .. } => "UNSUPPORTED_VERSION",
            Self::InvalidGift { .. } => "INVALID_GIFT",
        }
    }

    /// Whether the refused message was itself an `error`. Such a one is never
    /// answered: two peers could keep each other busy for ever.
    pub fn is_about_an_error(&self) -> bool {
        match self {
            Self::TooLarge { message_type, .. }
            | Self::Malformed { message_type, .. }
            | Self::UnsupportedVersion { message_type, .. } => *message_type == Some("error"),
            Self::InvalidGift { .. } => false,
        }
    }

    /// The `error` message that tells the peer. None of these is retryable:
    /// the same bytes would be refused again.
    pub fn to_peer_error(&self) -> PeerError {
        PeerError {
            code: self.code().into(),
            message: self.to_string().into(),
            retryable: false,
            retry_after: None,
        }
    }
}

fn subject(message_type: Option<&'static str>) -> &'static str {
    message_type.unwrap_or("the message")
}

fn place(offset: Option<usize>) -> Cow<'static, str> {
    offset.map_or(Cow::Borrowed(""), |at| Cow::Owned(format!(" (byte {at})")))
}
