//! The JSON's shape: one struct per object of the contract, used both ways.
//!
//! Every field is optional here; what must be there is `translate`'s business,
//! which can then say what is missing.

use serde::{Deserialize, Serialize};

use super::field::{Flag, Names, Number, Object, Sequence, Stamp, Text};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Init<'a> {
    #[serde(borrow)]
    pub(super) client_id: Text<'a>,
    pub(super) stream_id: Text<'a>,
    pub(super) client_type: Text<'a>,
    pub(super) capabilities: Names<'a>,
    pub(super) version: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Ack<'a> {
    #[serde(borrow)]
    pub(super) session_id: Text<'a>,
    pub(super) server_time: Stamp<'a>,
    pub(super) config: Object<Config<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Config<'a> {
    pub(super) ping_interval: Number,
    pub(super) max_gifts_per_second: Number,
    #[serde(borrow)]
    pub(super) features: Names<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ping<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Stamp<'a>,
    pub(super) sequence: Sequence,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pong<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Stamp<'a>,
    pub(super) sequence: Sequence,
    pub(super) stats: Object<Stats>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) latency: Number,
    pub(super) memory: Number,
    pub(super) queue_size: Number,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GiftReceived<'a> {
    #[serde(borrow)]
    pub(super) gift_id: Text<'a>,
    pub(super) gift_type: Text<'a>,
    pub(super) quantity: Number,
    pub(super) total_value: Number,
    pub(super) sender: Object<Sender<'a>>,
    pub(super) animation: Object<Animation<'a>>,
    pub(super) metadata: Object<Metadata<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Sender<'a> {
    #[serde(borrow)]
    pub(super) user_id: Text<'a>,
    pub(super) username: Text<'a>,
    pub(super) avatar: Text<'a>,
    pub(super) is_subscriber: Flag,
    pub(super) is_moderator: Flag,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Animation<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) duration: Number,
    pub(super) asset_url: Text<'a>,
    pub(super) sound_url: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    pub(super) is_streak: Flag,
    pub(super) combo_count: Number,
    pub(super) rank: Number,
    #[serde(borrow)]
    pub(super) timestamp: Stamp<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GiftAck<'a> {
    #[serde(borrow)]
    pub(super) gift_id: Text<'a>,
    pub(super) received_at: Stamp<'a>,
    pub(super) rendered: Flag,
    pub(super) error: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status<'a> {
    pub(super) is_live: Flag,
    pub(super) viewer_count: Number,
    #[serde(borrow)]
    pub(super) started_at: Stamp<'a>,
    pub(super) current_goal: Object<Goal<'a>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Goal<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) target: Number,
    pub(super) current: Number,
    pub(super) description: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Problem<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    pub(super) message: Text<'a>,
    /// Anything at all; never read, always sent as `null`.
    #[serde(skip_deserializing)]
    pub(super) details: (),
    pub(super) retryable: Flag,
    pub(super) retry_after: Number,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Control<'a> {
    #[serde(borrow)]
    pub(super) action: Text<'a>,
    #[serde(skip_serializing_if = "Text::is_none")]
    pub(super) gift_id: Text<'a>,
    #[serde(skip_serializing_if = "Flag::is_none")]
    pub(super) on: Flag,
    #[serde(skip_serializing_if = "Number::is_none")]
    pub(super) level: Number,
    #[serde(skip_serializing_if = "Text::is_none")]
    pub(super) gift_type: Text<'a>,
    #[serde(skip_serializing_if = "Number::is_none")]
    pub(super) quantity: Number,
}
