//! The part of obs-websocket 5 that the tests use.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket as Socket};

use super::PATIENCE;

const HELLO: u64 = 0;
const IDENTIFY: u64 = 1;
const IDENTIFIED: u64 = 2;
const EVENT: u64 = 5;
const REQUEST: u64 = 6;
const ANSWER: u64 = 7;
/// Event subscription: meters of all inputs, every 50 ms.
const INPUT_VOLUME_METERS: u32 = 1 << 16;
const CONNECT: Duration = Duration::from_secs(2);

pub(super) struct WebSocket {
    socket: Socket<TcpStream>,
    requests: u64,
}

/// How loud an input was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Volume {
    pub(crate) input: String,
    /// The loudest peak of any channel, 1 being full scale.
    pub(crate) peak: f64,
}

impl WebSocket {
    /// Connects and identifies; `None` while there is nobody to connect to.
    pub(super) fn connect(port: u16, password: &str) -> Option<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, CONNECT).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://{address}"), stream).ok()?;
        let mut this = Self {
            socket,
            requests: 0,
        };
        let hello = this.receive(HELLO).ok()?;
        let mut identify = json!({ "rpcVersion": 1, "eventSubscriptions": INPUT_VOLUME_METERS });
        if let Some(wanted) = hello["authentication"].as_object() {
            let (salt, challenge) = (wanted["salt"].as_str()?, wanted["challenge"].as_str()?);
            let secret = hash(&format!("{password}{salt}"));
            identify["authentication"] = hash(&format!("{secret}{challenge}")).into();
        }
        this.send(IDENTIFY, &identify).ok()?;
        this.receive(IDENTIFIED).ok()?;
        Some(this)
    }

    /// A request, and what was answered, or why not.
    pub(super) fn call(&mut self, request: &str, data: &Value) -> Result<Value, String> {
        self.requests += 1;
        let id = self.requests.to_string();
        let request = json!({ "requestType": request, "requestId": id, "requestData": data });
        self.send(REQUEST, &request)?;
        loop {
            let mut answer = self.receive(ANSWER)?;
            if answer["requestId"] != id {
                continue;
            }
            if answer["requestStatus"]["result"] == true {
                return Ok(answer["responseData"].take());
            }
            return Err(answer["requestStatus"].to_string());
        }
    }

    /// The next meters that are to come, not those that waited.
    pub(super) fn volumes(&mut self) -> Vec<Volume> {
        // An answer comes after all that waited.
        self.call("GetVersion", &json!({})).unwrap();
        let event = self.receive(EVENT).unwrap();
        let inputs = event["eventData"]["inputs"].as_array();
        inputs
            .into_iter()
            .flatten()
            .map(|input| Volume {
                input: input["inputName"].as_str().unwrap_or_default().to_owned(),
                // Per channel: magnitude, peak, and the peak before the fader.
                peak: input["inputLevelsMul"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|channel| channel[1].as_f64())
                    .fold(0.0, f64::max),
            })
            .collect()
    }

    fn send(&mut self, op: u64, data: &Value) -> Result<(), String> {
        let text = json!({ "op": op, "d": data }).to_string();
        self.socket
            .send(Message::text(text))
            .map_err(|error| error.to_string())
    }

    /// The next message of this kind; others are dropped.
    fn receive(&mut self, op: u64) -> Result<Value, String> {
        loop {
            let message = match self.socket.read() {
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                message => message.map_err(|error| error.to_string())?,
            };
            let Message::Text(text) = message else {
                continue;
            };
            let mut message: Value =
                serde_json::from_str(&text).map_err(|error| error.to_string())?;
            if message["op"] == op {
                return Ok(message["d"].take());
            }
        }
    }
}

fn hash(text: &str) -> String {
    STANDARD.encode(digest(&SHA256, text.as_bytes()))
}
