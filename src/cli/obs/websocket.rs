//! As much of obs-websocket 5 as adding a source takes. The crate `obws` wants
//! a newer one than the 5.1 of Debian's OBS.
//! <https://github.com/obsproject/obs-websocket/blob/master/docs/generated/protocol.md>

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::model::Private;

const HELLO: u64 = 0;
const IDENTIFY: u64 = 1;
const IDENTIFIED: u64 = 2;
const REQUEST: u64 = 6;
const RESPONSE: u64 = 7;

/// How obs-websocket closes the connection for a wrong password.
const AUTHENTICATION_FAILED: u16 = 4009;
/// How long OBS may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lists of scenes come to kilobytes.
const MOST_BYTES: usize = 4 << 20;

/// A connection to the OBS of this machine.
pub(super) struct ObsSocket {
    runtime: Runtime,
    socket: WebSocketStream<TcpStream>,
    requests: u64,
}

/// OBS said no to a request.
#[derive(Debug, thiserror::Error)]
#[error("OBS refuses {request}: {why}")]
pub(super) struct Refused {
    request: String,
    why: String,
}

impl ObsSocket {
    /// Connects on the loopback interface and identifies.
    ///
    /// # Errors
    /// When nobody answers there, or the password is wrong or missing.
    pub(super) fn connect(port: u16, password: Option<&Private<String>>) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no event loop to speak with OBS by")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let unreachable = || {
            format!(
                "OBS does not answer on {address}; start it, and switch on Tools > WebSocket \
                 Server Settings > Enable WebSocket server"
            )
        };
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MOST_BYTES))
            .max_frame_size(Some(MOST_BYTES));
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            client_async_with_config(format!("ws://{address}"), stream, Some(limits))
                .await
                .map_err(anyhow::Error::from)
        };
        let (socket, _) = runtime
            .block_on(async { timeout(PATIENCE, connecting).await })
            .map_err(anyhow::Error::from)
            .flatten()
            .with_context(unreachable)?;
        let mut this = Self {
            runtime,
            socket,
            requests: 0,
        };
        this.identify(password)?;
        Ok(this)
    }

    fn identify(&mut self, password: Option<&Private<String>>) -> Result<()> {
        let hello = self.receive(HELLO)?;
        let mut identify = json!({ "rpcVersion": 1, "eventSubscriptions": 0 });
        if let Some(asked) = hello["authentication"].as_object() {
            let password = password.context(
                "OBS asks for obs-websocket's password; give it with --password-file FILE",
            )?;
            let text = |key: &str| asked.get(key).and_then(Value::as_str).unwrap_or_default();
            let secret = hash(&format!("{}{}", password.0, text("salt")));
            identify["authentication"] = hash(&format!("{secret}{}", text("challenge"))).into();
        }
        self.send(IDENTIFY, &identify)?;
        self.receive(IDENTIFIED)?;
        Ok(())
    }

    /// Makes a request and waits for its answer.
    ///
    /// # Errors
    /// [`Refused`], or when the connection ends.
    pub(super) fn call(&mut self, request: &str, data: &Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests.to_string();
        let message = json!({ "requestType": request, "requestId": id, "requestData": data });
        self.send(REQUEST, &message)?;
        let mut answer = self.receive(RESPONSE)?;
        ensure!(answer["requestId"] == id, "OBS answers what was not asked");
        let status = &answer["requestStatus"];
        if status["result"] == true {
            return Ok(answer["responseData"].take());
        }
        let why = match status["comment"].as_str() {
            Some(comment) => comment.to_owned(),
            None => format!("code {}", status["code"]),
        };
        let request = request.to_owned();
        Err(Refused { request, why }.into())
    }

    fn send(&mut self, op: u64, data: &Value) -> Result<()> {
        let text = json!({ "op": op, "d": data }).to_string();
        self.runtime
            .block_on(self.socket.send(Message::text(text)))
            .context("the connection to OBS broke")
    }

    /// The next message of this kind; others are dropped.
    fn receive(&mut self, op: u64) -> Result<Value> {
        let Self {
            runtime, socket, ..
        } = self;
        let waiting = async {
            while let Some(message) = socket.next().await {
                match message.context("the connection to OBS broke")? {
                    Message::Text(text) => {
                        let mut message: Value =
                            serde_json::from_str(&text).context("OBS sends what is no JSON")?;
                        if message["op"] == op {
                            return Ok(message["d"].take());
                        }
                    }
                    Message::Close(Some(close))
                        if u16::from(close.code) == AUTHENTICATION_FAILED =>
                    {
                        bail!(
                            "OBS refuses obs-websocket's password; see Tools > WebSocket Server Settings"
                        );
                    }
                    Message::Close(Some(close)) => {
                        bail!("OBS ends the connection: {}", close.reason)
                    }
                    _ => {}
                }
            }
            Err(anyhow!(Error::ConnectionClosed).context("the connection to OBS broke"))
        };
        runtime
            .block_on(async { timeout(PATIENCE, waiting).await })
            .context("OBS does not answer")?
    }
}

/// As obs-websocket's authentication has it: SHA-256, in base 64.
fn hash(text: &str) -> String {
    STANDARD.encode(digest(&SHA256, text.as_bytes()))
}
