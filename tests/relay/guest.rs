//! A WebSocket client that does what a test tells it to.

use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{self, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

use crate::house::PATIENCE;

pub struct Guest(pub WebSocket<TcpStream>);

impl Guest {
    /// Upgrades.
    ///
    /// # Errors
    /// The status of a refusal.
    pub fn knock(address: SocketAddr, token: &str) -> Result<Self, u16> {
        let mut request = Self::request(address);
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        request.headers_mut().insert(AUTHORIZATION, bearer);
        Self::upgrade(address, request)
    }

    /// An upgrade that nothing is said with.
    pub fn request(address: SocketAddr) -> http::Request<()> {
        let request = format!("ws://{address}/ws").into_client_request();
        request.unwrap()
    }

    /// # Errors
    /// The status of a refusal.
    pub fn upgrade(address: SocketAddr, mut request: http::Request<()>) -> Result<Self, u16> {
        let ours = HeaderValue::from_static("hyperfocus-protocol-v1");
        let headers = request.headers_mut();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, ours.clone());
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match client(request, stream) {
            Ok((socket, response)) => {
                let agreed = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
                assert_eq!(agreed, Some(&ours), "the subprotocol is echoed");
                Ok(Self(socket))
            }
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Upgrades and says who it is, to the stream "main".
    pub fn join(address: SocketAddr, token: &str, client: &str, role: &str) -> Self {
        Self::join_naming(address, token, client, role, &EXTENSIONS)
    }

    /// The same, with these extensions and no others.
    pub fn join_naming(
        address: SocketAddr,
        token: &str,
        client: &str,
        role: &str,
        extensions: &[&str],
    ) -> Self {
        let mut guest = Self::knock(address, token).expect("the token is right");
        guest.raw(&init_naming(client, role, "main", extensions));
        let ack = guest.next_of("connection:ack");
        assert!(ack["config"]["maxGiftsPerSecond"].is_number(), "{ack}");
        guest
    }

    pub fn init(&mut self, client: &str, role: &str) {
        self.raw(&init_message(client, role, "main"));
    }

    pub fn say(&mut self, kind: &str, payload: &Value) {
        self.raw(&message(kind, payload));
    }

    pub fn raw(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("the relay listens");
    }

    pub fn ack(&mut self, gift: &str, rendered: bool, error: Option<&str>) {
        self.say(
            "gift:ack",
            &json!({
                "giftId": gift,
                "receivedAt": "2026-01-01T00:00:00Z",
                "rendered": rendered,
                "error": error,
            }),
        );
    }

    /// The next message, pings aside: its type and payload.
    pub fn next(&mut self) -> (String, Value) {
        loop {
            match self.0.read().expect("a message") {
                Message::Text(text) => {
                    let mut message: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(message["version"], "1.0.0");
                    let kind = message["type"].as_str().unwrap().to_owned();
                    if kind != "heartbeat:ping" {
                        return (kind, message["payload"].take());
                    }
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a message: {other:?}"),
            }
        }
    }

    pub fn next_of(&mut self, kind: &str) -> Value {
        let (own, payload) = self.next();
        assert_eq!(own, kind, "{payload}");
        payload
    }

    pub fn gift(&mut self) -> String {
        let gift = self.next_of("gift:received");
        gift["giftId"].as_str().unwrap().to_owned()
    }

    pub fn error(&mut self) -> String {
        let error = self.next_of("error");
        error["code"].as_str().unwrap().to_owned()
    }

    /// The code of the relay's close frame; what comes before it is skipped.
    pub fn closed(&mut self) -> u16 {
        loop {
            match self.0.read() {
                Ok(Message::Close(Some(frame))) => return frame.code.into(),
                Ok(Message::Close(None)) => panic!("closed without a code"),
                Ok(_) => {}
                Err(error) => panic!("no close frame: {error}"),
            }
        }
    }
}

fn message(kind: &str, payload: &Value) -> String {
    let message = json!({
        "type": kind,
        "payload": payload,
        "timestamp": "2026-01-01T00:00:00Z",
        "version": "1.0.0",
    });
    message.to_string()
}

/// Those that there are.
const EXTENSIONS: [&str; 3] = ["x-control", "x-ack-interim", "x-telemetry"];

/// What begins a session.
pub fn init_message(client: &str, role: &str, stream: &str) -> String {
    init_naming(client, role, stream, &EXTENSIONS)
}

fn init_naming(client: &str, role: &str, stream: &str, extensions: &[&str]) -> String {
    message(
        "connection:init",
        &json!({
            "clientId": client,
            "streamId": stream,
            "clientType": role,
            "capabilities": extensions,
            "version": "0",
        }),
    )
}
