//! A backend that does what a test says, one step at a time, on the test's own
//! thread.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use hyperfocus::model::{Gift, Sender, SessionConfig, WallTime};
use hyperfocus::protocol::{
    ClientMessage, ConnectionAck, ConnectionInit, GiftAck, Ping, Pong, ServerMessage,
    decode_client, encode_server,
};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message, WebSocket, accept_hdr};

use crate::stage::{PATIENCE, now};

pub struct Server {
    listener: TcpListener,
}

impl Server {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        Self { listener }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().expect("an address").port()
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/ws", self.port())
    }

    /// The next TCP connection, whatever it wants.
    pub fn accept_tcp(&self) -> TcpStream {
        let deadline = now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("a socket");
                    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
                    return stream;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock && now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(e) => panic!("nobody connected: {e}"),
            }
        }
    }

    /// Answers the next connection's request with a plain HTTP response.
    pub fn answer_http(&self, response: &str) {
        let mut stream = self.accept_tcp();
        read_request(&mut stream);
        stream
            .write_all(response.as_bytes())
            .expect("the client listens");
    }

    /// The next WebSocket, with the subprotocol agreed to.
    pub fn accept(&self) -> Peer<TcpStream> {
        Peer::accept(self.accept_tcp(), true)
    }

    /// The next WebSocket, as far as a live session.
    pub fn accept_session(&self) -> Peer<TcpStream> {
        self.accept_session_with(&[])
    }

    /// The same with features of the stream.
    pub fn accept_session_with(&self, features: &[&str]) -> Peer<TcpStream> {
        // A connection that is gone before anything was said on it is followed
        // by another: a client may well give one up on a busy machine.
        const ATTEMPTS: usize = 3;
        for _ in 0..ATTEMPTS {
            let mut peer = self.accept();
            if peer.greets() {
                peer.ack(features);
                return peer;
            }
        }
        panic!("{ATTEMPTS} connections in a row were gone before their init");
    }
}

/// Reads up to the blank line that ends a request.
pub fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut byte).expect("a request");
        assert_eq!(read, 1, "the client hung up within its request");
        request.push(byte[0]);
    }
    String::from_utf8(request).expect("a request is text")
}

/// One WebSocket from the server's end.
pub struct Peer<S> {
    pub socket: WebSocket<S>,
    pub authorization: Option<String>,
    pub offered: Option<String>,
}

impl<S: Read + Write> Peer<S> {
    pub fn accept(stream: S, agree: bool) -> Self {
        Self::try_accept(stream, agree).expect("a WebSocket")
    }

    #[expect(clippy::result_large_err, reason = "the library's signature")]
    pub fn try_accept(stream: S, agree: bool) -> Result<Self, String> {
        let mut authorization = None;
        let mut offered = None;
        let header = |request: &Request, name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().expect("plain text").to_owned())
        };
        let callback = |request: &Request, mut response: Response| {
            authorization = header(request, "authorization");
            offered = header(request, "sec-websocket-protocol");
            if agree && let Some(offered) = &offered {
                let value = HeaderValue::from_str(offered).expect("it came as a header");
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", value);
            }
            Ok(response)
        };
        let socket = accept_hdr(stream, callback).map_err(|e| e.to_string())?;
        Ok(Self {
            socket,
            authorization,
            offered,
        })
    }

    pub fn send(&mut self, message: &ServerMessage) {
        self.raw(&encode_server(message, WallTime::UNIX_EPOCH));
    }

    pub fn raw(&mut self, text: &str) {
        self.frame(Message::text(text));
    }

    pub fn frame(&mut self, message: Message) {
        self.socket.send(message).expect("the client listens");
    }

    pub fn binary(&mut self) {
        self.frame(Message::Binary(Bytes::from_static(b"\x00\x01")));
    }

    /// Waits for the client's init; false when the connection is gone first.
    fn greets(&mut self) -> bool {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message = decode_client(text.as_bytes());
                    let message = message.expect("a message of the protocol");
                    assert!(matches!(message, ClientMessage::Init(_)), "{message:?}");
                    return true;
                }
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// The next message; pings are answered on the way.
    pub fn next(&mut self) -> ClientMessage {
        loop {
            if let Message::Text(text) = self.socket.read().expect("a message") {
                return decode_client(text.as_bytes()).expect("a message of the protocol");
            }
        }
    }

    /// The code of the client's close frame; what comes before it is skipped.
    pub fn closed(&mut self) -> Option<u16> {
        loop {
            match self.socket.read() {
                Ok(Message::Close(frame)) => {
                    // Sends the answer.
                    let _ = self.socket.flush();
                    return frame.map(|frame| frame.code.into());
                }
                Ok(_) => {}
                Err(e) => panic!("no close frame: {e}"),
            }
        }
    }

    pub fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        self.socket.close(Some(frame)).expect("the client listens");
    }

    pub fn init(&mut self) -> ConnectionInit {
        match self.next() {
            ClientMessage::Init(init) => init,
            other => panic!("not connection:init: {other:?}"),
        }
    }

    pub fn ack(&mut self, features: &[&str]) {
        self.send(&ServerMessage::Ack(ConnectionAck {
            session_id: "session-1".into(),
            server_time: None,
            config: SessionConfig {
                features: features.iter().map(|f| (*f).into()).collect(),
                // It pings nobody, and on a slow machine a test may take its time.
                ping_interval: Duration::from_secs(120),
                ..SessionConfig::default()
            },
        }));
    }

    pub fn gift(&mut self, id: &str) {
        self.send(&ServerMessage::Gift(gift(id)));
    }

    pub fn ping(&mut self, sequence: u64) -> Pong {
        self.send(&ServerMessage::Ping(Ping {
            sequence,
            sent_at: None,
        }));
        match self.next() {
            ClientMessage::Pong(pong) => pong,
            other => panic!("not heartbeat:pong: {other:?}"),
        }
    }

    pub fn gift_ack(&mut self) -> GiftAck {
        match self.next() {
            ClientMessage::GiftAck(ack) => ack,
            other => panic!("not gift:ack: {other:?}"),
        }
    }

    /// The code of the next message, which is an error.
    pub fn error(&mut self) -> String {
        match self.next() {
            ClientMessage::Error(error) => error.code.to_string(),
            other => panic!("not error: {other:?}"),
        }
    }
}

pub fn gift(id: &str) -> Gift {
    Gift {
        total_value: 10.0,
        ..Gift::one(id, "rose", Sender::named("user-1", "Zoë"))
    }
}
