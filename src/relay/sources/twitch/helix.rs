//! As much of Twitch's Helix as subscribing takes.
//!
//! <https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription>

use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use futures_util::future::join_all;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::wire::PATIENCE;
use super::super::{Failure, secret};
use crate::config::Secret;
use crate::model::Private;
use crate::net::{Dialer, NetError};
use crate::protocol::clean_text;
use crate::protocol::limits::MAX_ERROR_GRAPHEMES;

/// Largest answer that is read; real ones have about a kilobyte.
const MAX_ANSWER: usize = 256 * 1024;

/// Something that Twitch tells whoever subscribes to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Topic {
    kind: &'static str,
    /// The scope that the token has to have for it.
    scope: &'static str,
}

impl Topic {
    const fn new(kind: &'static str, scope: &'static str) -> Self {
        Self { kind, scope }
    }
}

/// What we want to hear, each in its version 1. Cheers come as `channel.bits.use`, with
/// everything else that bits can do; `channel.cheer` would say them again.
pub(super) const WANTED: [Topic; 5] = [
    Topic::new("channel.bits.use", "bits:read"),
    Topic::new("channel.subscribe", "channel:read:subscriptions"),
    Topic::new("channel.subscription.gift", "channel:read:subscriptions"),
    Topic::new("channel.subscription.message", "channel:read:subscriptions"),
    Topic::new(
        "channel.channel_points_custom_reward_redemption.add",
        "channel:read:redemptions",
    ),
];

/// What Twitch does not send of that.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    /// What it will not send for this token, each with the reason.
    refused: Vec<String>,
    /// What has to be asked for again, since Helix was in trouble.
    pub unanswered: Vec<Topic>,
    trouble: String,
}

impl Lacking {
    /// In words, where there is any.
    pub fn said(&self) -> Option<String> {
        let refused = format!("Twitch will not send {}", self.refused.join(", "));
        let kinds: Vec<&str> = self.unanswered.iter().map(|topic| topic.kind).collect();
        let unanswered = format!(
            "{}, so that {} cannot be heard yet; asking again until it answers",
            self.trouble,
            kinds.join(", ")
        );
        match (self.refused.is_empty(), kinds.is_empty()) {
            (true, true) => None,
            (false, true) => Some(refused),
            (true, false) => Some(unanswered),
            (false, false) => Some(format!("{refused}. {unanswered}")),
        }
    }

    /// # Errors
    /// When nothing at all is sent.
    pub fn some_is_sent(self) -> Result<Self, Failure> {
        let is_all = self.refused.len() + self.unanswered.len() == WANTED.len();
        match (is_all, self.unanswered.is_empty()) {
            (false, _) => Ok(self),
            (true, true) => Err(Failure::lasting(self.said().unwrap_or_default())),
            (true, false) => Err(Failure::passing(self.trouble)),
        }
    }

    /// What was unanswered has been asked for again.
    pub fn renew(&mut self, again: Self) {
        self.refused.extend(again.refused);
        self.unanswered = again.unanswered;
        self.trouble = again.trouble;
    }

    fn without_answer(topics: &[Topic], failure: Failure) -> Result<Self, Failure> {
        match failure.is_lasting {
            true => Err(failure),
            false => Ok(Self {
                unanswered: topics.to_vec(),
                trouble: failure.text,
                ..Self::default()
            }),
        }
    }
}

pub(in super::super) struct Helix {
    dialer: Arc<Dialer>,
    client_id: String,
    token: Secret,
    channel: Option<String>,
}

/// What Helix says to a request.
struct Answer {
    status: StatusCode,
    body: Value,
}

impl Helix {
    /// # Errors
    /// When the address cannot be used.
    pub fn new(
        api: &str,
        ca_file: Option<&Path>,
        client_id: String,
        token: Secret,
        channel: Option<String>,
    ) -> Result<Self, NetError> {
        // A WebSocket's address has the same parts, and is the one that the
        // dialer reads: `wss` for `https`.
        let address = api.replacen("http", "ws", 1);
        Ok(Self {
            dialer: Arc::new(Dialer::new(&address, ca_file)?),
            client_id,
            token,
            channel,
        })
    }

    /// Subscribes a session to these; what it will not hear of them.
    ///
    /// # Errors
    /// When the token is of no use, or not there.
    pub(super) async fn subscribe(
        &self,
        session: &str,
        topics: &[Topic],
    ) -> Result<Lacking, Failure> {
        let token = secret::read(&self.token)?;
        let channel = match &self.channel {
            Some(channel) => channel.clone(),
            None => match self.own_channel(&token).await {
                Ok(channel) => channel,
                Err(failure) => return Lacking::without_answer(topics, failure),
            },
        };
        let asked = topics.iter().map(|topic| {
            let body = json!({
                "type": topic.kind,
                "version": "1",
                "condition": { "broadcaster_user_id": channel },
                "transport": { "method": "websocket", "session_id": session },
            });
            let path = "/eventsub/subscriptions";
            self.ask(&token, Method::POST, path, Some(body))
        });
        let mut lacking = Lacking::default();
        for (answer, topic) in join_all(asked).await.into_iter().zip(topics) {
            let Topic { kind, scope } = topic;
            match answer {
                // Of this session already.
                Ok(answer) if answer.status == StatusCode::CONFLICT => {}
                Ok(answer) if answer.status == StatusCode::FORBIDDEN => {
                    let why = format!("{kind} (the token needs the scope {scope})");
                    lacking.refused.push(why);
                }
                Ok(answer) if answer.status.is_success() => {}
                Ok(answer) => lacking.refused.push(format!("{kind} ({})", answer.why())),
                Err(failure) if failure.is_lasting => return Err(failure),
                Err(failure) => {
                    lacking.unanswered.push(*topic);
                    lacking.trouble = failure.text;
                }
            }
        }
        Ok(lacking)
    }

    /// The user whose token it is.
    async fn own_channel(&self, token: &Private<String>) -> Result<String, Failure> {
        let answer = self.ask(token, Method::GET, "/users", None).await?;
        let id = answer.body["data"][0]["id"].as_str();
        let nobody = || {
            let why = answer.why();
            Failure::lasting(format!(
                "Twitch does not say whose token it is ({why}); set channel"
            ))
        };
        id.map(str::to_owned).ok_or_else(nobody)
    }

    async fn ask(
        &self,
        token: &Private<String>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let request = self.request(token, method, path, body)?;
        let answered = timeout(PATIENCE, self.exchange(request)).await;
        let answer =
            answered.unwrap_or_else(|_| Err(Failure::passing("Helix does not answer in time")))?;
        match answer.status {
            StatusCode::UNAUTHORIZED => Err(Failure::lasting(
                "Twitch refuses the token; it has expired, was revoked, or is of another \
                 client_id: put a new one into its file",
            )),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => Err(
                Failure::passing(format!("Helix is in trouble ({})", answer.why())),
            ),
            _ => Ok(answer),
        }
    }

    fn request(
        &self,
        token: &Private<String>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Request<String>, Failure> {
        let uri = self.dialer.endpoint.uri();
        let base = uri.path().trim_end_matches('/');
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.0)).map_err(|_| {
            Failure::lasting("the token holds characters that a header cannot; check token_file")
        })?;
        bearer.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(format!("{base}{path}"))
            .header(HOST, host)
            .header(AUTHORIZATION, bearer)
            .header("Client-Id", &self.client_id)
            .header(CONTENT_TYPE, "application/json")
            .body(body.map_or_else(String::new, |body| body.to_string()))
            .map_err(|_| Failure::lasting("client_id holds characters that a header cannot"))
    }

    async fn exchange(&self, request: Request<String>) -> Result<Answer, Failure> {
        let stream = TokioIo::new(self.dialer.secure().await?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(Failure::passing)?;
        // It ends with the sender.
        tokio::spawn(connection);
        let response = sender
            .send_request(request)
            .await
            .map_err(Failure::passing)?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), MAX_ANSWER).await;
        let body = body.map_err(Failure::passing)?;
        Ok(Answer {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}

impl Answer {
    /// For a log: the status, and what Twitch says of it.
    fn why(&self) -> String {
        let message = self.body["message"].as_str().unwrap_or_default();
        let text = format!("{} {message}", self.status.as_u16());
        clean_text(text.trim(), MAX_ERROR_GRAPHEMES).into_owned()
    }
}
