//! A platform's WebSocket server, which does what a test tells it to.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

use crate::house::{PATIENCE, now};

pub trait Pipe: Read + Write + Send {}

impl<T: Read + Write + Send> Pipe for T {}

pub struct Platform {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Platform {
    pub fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            tls: None,
        }
    }

    pub fn secure(config: Arc<ServerConfig>) -> Self {
        Self {
            tls: Some(config),
            ..Self::new()
        }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://127.0.0.1:{}{path}", self.port())
    }

    /// The next connection.
    pub fn accept(&self) -> Caller {
        let stream = accept(&self.listener);
        let pipe = wrapped(stream, self.tls.as_ref());
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the library's own type")]
        let see = |request: &Request, response: Response| {
            request.uri().to_string().clone_into(&mut path);
            Ok(response)
        };
        let socket = accept_hdr(pipe, see).unwrap_or_else(|error| panic!("{error}"));
        Caller { socket, path }
    }

    /// Whether nobody has come so far.
    pub fn is_alone(&self) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        self.listener
            .accept()
            .is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

/// Waits for the next connection, though not for ever.
pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let deadline = now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(now() < deadline, "nobody connects");
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn wrapped(stream: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Box<dyn Pipe> {
    match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(config.clone()).unwrap();
            Box::new(StreamOwned::new(connection, stream))
        }
    }
}

/// One connection of a source.
pub struct Caller {
    pub socket: WebSocket<Box<dyn Pipe>>,
    pub path: String,
}

impl Caller {
    pub fn say(&mut self, message: &Value) {
        self.raw(&message.to_string());
    }

    pub fn raw(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("it listens");
    }

    /// What the source says next.
    pub fn heard(&mut self) -> Value {
        loop {
            match self.socket.read().expect("it speaks") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits until the source has gone; it has nothing else to say.
    pub fn gone(&mut self) {
        loop {
            match self.socket.read() {
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
                Ok(other) => panic!("it says {other:?}"),
                Err(_) => return,
            }
        }
    }
}
