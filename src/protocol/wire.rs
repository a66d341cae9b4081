//! The JSON's shape: one struct per object of the contract, used both ways.
//!
//! Every field is optional here; what must be there is `translate`'s business,
//! which can then say what is missing.

use serde::Serialize;
use serde::de::{Deserializer, MapAccess};

use super::field::{
    Field, Flag, List, Members, Names, Number, Object, ReadInto, Sequence, Stamp, Text, read_object,
};
use super::limits;

/// An object with its members' names. Written by serde's derive, read in place:
/// the derived reader keeps every field in a variable of its own and then moves
/// them together, which took a tenth of a gift's time.
macro_rules! object {
    (
        $Object:ident $(<$de:lifetime>)? {
            $($(#[$attr:meta])* $name:literal => $field:ident: $Type:ty,)*
            $(sent only: $sent_name:literal => $sent_field:ident: $Sent:ty,)?
        }
    ) => {
        #[derive(Debug, Default, Serialize)]
        pub(super) struct $Object $(<$de>)? {
            $(
                #[serde(rename = $name)]
                $(#[$attr])*
                pub(super) $field: $Type,
            )*
            $(
                #[serde(rename = $sent_name)]
                pub(super) $sent_field: $Sent,
            )?
        }

        const _: () = {
            #[derive(Clone, Copy)]
            #[expect(non_camel_case_types, reason = "they are called what the fields are")]
            pub enum Member {
                $($field,)*
            }

            impl<'de> Members<'de> for $Object $(<$de>)? {
                type Member = Member;

                fn member(name: &str) -> Option<Member> {
                    match name {
                        $($name => Some(Member::$field),)*
                        _ => None,
                    }
                }

                fn number_and_name(member: Member) -> (u32, &'static str) {
                    let name = match member {
                        $(Member::$field => $name,)*
                    };
                    (member as u32, name)
                }

                fn read_member<A: MapAccess<'de>>(
                    &mut self,
                    member: Member,
                    map: &mut A,
                ) -> Result<(), A::Error> {
                    match member {
                        $(Member::$field => map.next_value_seed(ReadInto(&mut self.$field)),)*
                    }
                }
            }

            impl<'de> Field<'de> for $Object $(<$de>)? {
                fn read<D: Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
                    read_object(self, from)
                }
            }
        };
    };
}

object! {
    Init<'de> {
        "clientId" => client_id: Text<'de>,
        "streamId" => stream_id: Text<'de>,
        "clientType" => client_type: Text<'de>,
        "capabilities" => capabilities: Names<'de>,
        "version" => version: Text<'de>,
    }
}

object! {
    Ack<'de> {
        "sessionId" => session_id: Text<'de>,
        "serverTime" => server_time: Stamp<'de>,
        "config" => config: Config<'de>,
    }
}

object! {
    Config<'de> {
        "pingInterval" => ping_interval: Number,
        "maxGiftsPerSecond" => max_gifts_per_second: Number,
        "features" => features: Names<'de>,
    }
}

object! {
    Ping<'de> {
        "timestamp" => timestamp: Stamp<'de>,
        "sequence" => sequence: Sequence,
    }
}

object! {
    Pong<'de> {
        "timestamp" => timestamp: Stamp<'de>,
        "sequence" => sequence: Sequence,
        "stats" => stats: Stats,
    }
}

object! {
    Stats {
        "latency" => latency: Number,
        "memory" => memory: Number,
        "queueSize" => queue_size: Number,
    }
}

object! {
    GiftReceived<'de> {
        "giftId" => gift_id: Text<'de>,
        "giftType" => gift_type: Text<'de>,
        "quantity" => quantity: Number,
        "totalValue" => total_value: Number,
        "sender" => sender: Sender<'de>,
        "animation" => animation: Animation<'de>,
        "metadata" => metadata: Metadata<'de>,
    }
}

object! {
    Sender<'de> {
        "userId" => user_id: Text<'de>,
        "username" => username: Text<'de>,
        "avatar" => avatar: Text<'de>,
        "isSubscriber" => is_subscriber: Flag,
        "isModerator" => is_moderator: Flag,
    }
}

object! {
    Animation<'de> {
        "type" => kind: Text<'de>,
        "duration" => duration: Number,
        "assetUrl" => asset_url: Text<'de>,
        "soundUrl" => sound_url: Text<'de>,
    }
}

object! {
    Metadata<'de> {
        "isStreak" => is_streak: Flag,
        "comboCount" => combo_count: Number,
        "rank" => rank: Number,
        "timestamp" => timestamp: Stamp<'de>,
    }
}

object! {
    GiftAck<'de> {
        "giftId" => gift_id: Text<'de>,
        "receivedAt" => received_at: Stamp<'de>,
        "rendered" => rendered: Flag,
        "error" => error: Text<'de>,
    }
}

object! {
    Status<'de> {
        "isLive" => is_live: Flag,
        "viewerCount" => viewer_count: Number,
        "startedAt" => started_at: Stamp<'de>,
        "currentGoal" => current_goal: Object<Goal<'de>>,
    }
}

object! {
    Goal<'de> {
        "type" => kind: Text<'de>,
        "target" => target: Number,
        "current" => current: Number,
        "description" => description: Text<'de>,
    }
}

object! {
    Problem<'de> {
        "code" => code: Text<'de>,
        "message" => message: Text<'de>,
        "retryable" => retryable: Flag,
        "retryAfter" => retry_after: Number,
        // Anything at all; never read, always sent as `null`.
        sent only: "details" => details: (),
    }
}

object! {
    Control<'de> {
        "action" => action: Text<'de>,
        #[serde(skip_serializing_if = "Text::is_none")]
        "giftId" => gift_id: Text<'de>,
        #[serde(skip_serializing_if = "Flag::is_none")]
        "on" => on: Flag,
        #[serde(skip_serializing_if = "Number::is_none")]
        "level" => level: Number,
        #[serde(skip_serializing_if = "Text::is_none")]
        "giftType" => gift_type: Text<'de>,
        #[serde(skip_serializing_if = "Number::is_none")]
        "quantity" => quantity: Number,
        #[serde(skip_serializing_if = "Number::is_none")]
        "streak" => streak: Number,
    }
}

object! {
    Telemetry<'de> {
        "frameTime" => frame_time: Spread,
        "fps" => fps: Number,
        "lanes" => lanes: Lanes,
        "waitTime" => wait_time: Spread,
        "waiting" => waiting: Waiting<'de>,
        "outcomes" => outcomes: Outcomes,
        "paused" => paused: Flag,
        "doNotDisturb" => do_not_disturb: Flag,
        "muted" => muted: Flag,
        "volume" => volume: Number,
        "goal" => goal: Object<Goal<'de>>,
        "goalWaiting" => goal_waiting: Number,
    }
}

object! {
    Spread {
        "p50" => p50: Number,
        "p95" => p95: Number,
    }
}

object! {
    Lanes {
        "headline" => headline: Number,
        "feature" => feature: Number,
        "ambient" => ambient: Number,
    }
}

object! {
    Waiting<'de> {
        "count" => count: Number,
        "gifts" => gifts: List<WaitingGift<'de>, { limits::MAX_WAITING_TOLD }>,
    }
}

object! {
    WaitingGift<'de> {
        "giftId" => gift_id: Text<'de>,
        "giftType" => gift_type: Text<'de>,
        "sender" => sender: Text<'de>,
        "people" => people: Number,
        "quantity" => quantity: Number,
        "held" => held: Flag,
        "waited" => waited: Number,
    }
}

object! {
    Outcomes {
        "played" => played: Number,
        "joinedStreak" => joined_streak: Number,
        "joinedBundle" => joined_bundle: Number,
        "refused" => refused: Number,
        "failed" => failed: Number,
        "dismissed" => dismissed: Number,
    }
}
