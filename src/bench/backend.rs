//! The simplest backend there can be: one connection, an ack, then whatever
//! bytes the benchmark wants written.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use anyhow::Result;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

use crate::protocol::limits;

const ACK: &str = r#"{"type":"connection:ack","payload":{"sessionId":"bench"}}"#;

/// A server for one connection. It is left when the client goes; drop it after
/// that.
pub struct Backend {
    url: String,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// Listens, acknowledges whoever connects, has `speak` write raw frames to
    /// it, and then reads until it has gone.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(
        speak: impl FnOnce(&mut TcpStream) -> io::Result<()> + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let thread = std::thread::spawn(move || {
            // A client that breaks off sees that itself.
            let Ok(mut socket) = greet(&listener) else {
                return;
            };
            if speak(socket.get_mut()).is_ok() {
                while socket.read().is_ok() {}
            }
        });
        Ok(Self {
            url: format!("ws://127.0.0.1:{port}/"),
            thread: Some(thread),
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[expect(clippy::result_large_err, reason = "the library's signature")]
fn greet(listener: &TcpListener) -> io::Result<WebSocket<TcpStream>> {
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let agree = |request: &Request, mut response: Response| {
        if request.headers().contains_key("sec-websocket-protocol") {
            let value = HeaderValue::from_static(limits::SUBPROTOCOL);
            response
                .headers_mut()
                .insert("sec-websocket-protocol", value);
        }
        Ok(response)
    };
    let mut socket = accept_hdr(stream, agree).map_err(io::Error::other)?;
    socket.send(Message::text(ACK)).map_err(io::Error::other)?;
    Ok(socket)
}

/// A text message as the bytes of an unmasked frame.
pub fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("no message of ours has 64 KiB");
    let mut frame = vec![0x81];
    if length < 126 {
        frame.push(length as u8);
    } else {
        frame.push(126);
        frame.extend(length.to_be_bytes());
    }
    frame
        .write_all(text.as_bytes())
        .expect("a vector takes all");
    frame
}
