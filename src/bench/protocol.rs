//! Decoding and validating a gift, against serde_json alone.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Area;
use super::measure::{Limit, Row, micros_each, take_turns};
use crate::cli::Figure;
use crate::model::{AnimationWish, Gift, Private, Sender, WallTime};
use crate::protocol::{ServerMessage, decode_server, encode_server};

pub const AREA: Area = Area {
    rows: &[DECODE],
    measure,
};

const DECODE: Row = Row {
    id: "protocol.decode",
    area: "protocol",
    name: "decode and validate a 700-byte gift, against serde_json's typed parse",
    unit: "x",
    limit: Limit::AtMost(2.0),
};

/// Messages of one run.
const MESSAGES: usize = 50_000;

/// The message as the contract types it, owned: what a program without limits,
/// cleaning or borrowed text would read it into.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing is all that is wanted of it")]
struct Plain {
    r#type: String,
    payload: PlainGift,
    timestamp: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing is all that is wanted of it")]
struct PlainGift {
    gift_id: String,
    gift_type: String,
    quantity: f64,
    total_value: f64,
    sender: PlainSender,
    animation: PlainAnimation,
    metadata: PlainMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing is all that is wanted of it")]
struct PlainSender {
    user_id: String,
    username: String,
    avatar: Option<String>,
    is_subscriber: bool,
    is_moderator: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing is all that is wanted of it")]
struct PlainAnimation {
    r#type: String,
    duration: f64,
    asset_url: Option<String>,
    sound_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing is all that is wanted of it")]
struct PlainMetadata {
    is_streak: bool,
    combo_count: f64,
    rank: Option<f64>,
    timestamp: String,
}

/// A gift whose message has about 700 bytes.
pub fn gift(number: usize) -> Gift {
    let url = |what: &str| {
        let path = "x".repeat(70);
        Some(Private(
            format!("https://cdn.example.org/{what}/{path}").into(),
        ))
    };
    Gift {
        id: format!("550e8400-e29b-41d4-a716-{number:012}").into(),
        gift_type: "rose".into(),
        quantity: 1,
        total_value: 10.0,
        sender: Sender {
            user_id: Private("user-1234567890".into()),
            name: Private("Zoë the Generous".into()),
            avatar_url: url("avatars"),
            is_subscriber: true,
            is_moderator: false,
        },
        animation: AnimationWish {
            kind: Some("particle".into()),
            duration: Some(Duration::from_secs(3)),
            asset_url: url("assets"),
            sound_url: None,
        },
        is_streak: false,
        combo_count: 0,
        rank: Some(3),
        sent_at: Some(WallTime::UNIX_EPOCH),
    }
}

/// The message that carries [`gift`].
pub fn message(number: usize) -> String {
    encode_server(&ServerMessage::Gift(gift(number)), WallTime::UNIX_EPOCH)
}

fn measure() -> Result<Vec<Figure>> {
    let text = message(1);
    ensure!(
        (650..=750).contains(&text.len()),
        "the gift has {} bytes instead of about 700",
        text.len()
    );
    let bytes = text.as_bytes();
    decode_server(bytes)?;
    serde_json::from_slice::<Plain>(bytes).context("the plain types do not fit the contract")?;
    let turns = take_turns(
        || {
            Ok(micros_each(MESSAGES, |_| {
                drop(black_box(decode_server(black_box(bytes))));
            }))
        },
        || {
            Ok(micros_each(MESSAGES, |_| {
                drop(black_box(serde_json::from_slice::<Plain>(black_box(bytes))));
            }))
        },
    )?;
    Ok(vec![DECODE.ratio(turns)])
}
