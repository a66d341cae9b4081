//! As much of HTTP as the tests need, written out on a socket.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::house::PATIENCE;

pub struct Request {
    address: SocketAddr,
    head: String,
    has_host: bool,
    body: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            head: format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n"),
            has_host: false,
            body: String::new(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.has_host |= name == "Host";
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = body.to_owned();
        let length = body.len().to_string();
        self.header("Content-Type", kind)
            .header("Content-Length", &length)
    }

    /// The same in chunks of so many bytes.
    pub fn json_in_chunks(mut self, body: &Value, size: usize) -> Self {
        let body = body.to_string();
        for chunk in body.as_bytes().chunks(size) {
            let chunk = String::from_utf8_lossy(chunk);
            self.body += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
        }
        self.body += "0\r\n\r\n";
        self.header("Content-Type", "application/json")
            .header("Transfer-Encoding", "chunked")
    }

    pub fn send(self) -> Answer {
        self.try_send().expect("an answer")
    }

    pub fn try_send(self) -> io::Result<Answer> {
        let mut stream = self.open()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Answer::parse(&answer).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Sends it; the status of the answer, of which the rest may never end.
    pub fn status(self) -> u16 {
        let mut start = [0; "HTTP/1.1 200".len()];
        let mut stream = self.open().expect("it is there");
        stream.read_exact(&mut start).expect("an answer");
        let status = String::from_utf8_lossy(&start[9..]);
        status.parse().expect("a status")
    }

    /// Sends it; the answer is the caller's to read.
    pub fn open(self) -> io::Result<TcpStream> {
        let (address, text) = self.written();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // A server that refuses a large body may close before it has all of it.
        let _ = stream.write_all(text.as_bytes());
        Ok(stream)
    }

    /// To whom, and what goes out.
    pub fn written(self) -> (SocketAddr, String) {
        let host = match self.has_host {
            true => String::new(),
            false => format!("Host: {}\r\n", self.address),
        };
        let Self { head, body, .. } = self;
        (self.address, format!("{head}{host}\r\n{body}"))
    }
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let is_chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        Some(Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_owned(),
            body: match is_chunked {
                true => unchunked(body)?,
                false => body.to_owned(),
            },
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The last part of a problem's type.
    pub fn problem(&self) -> String {
        assert!(
            self.head.contains("application/problem+json"),
            "not a problem: {self:?}"
        );
        let body = self.json();
        assert_eq!(body["status"], self.status);
        assert!(body["title"].is_string() && body["detail"].is_string());
        let kind = body["type"].as_str().unwrap();
        kind.strip_prefix("urn:hyperfocus:problem:")
            .unwrap()
            .to_owned()
    }
}

fn unchunked(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body += after.get(..size)?;
        rest = after.get(size..)?.strip_prefix("\r\n")?;
    }
}

/// A connection that comes from another address of this machine.
pub fn connect_from(address: &str, to: SocketAddr) -> TcpStream {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket
            .bind(format!("{address}:0").parse().unwrap())
            .unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}
