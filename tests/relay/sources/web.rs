//! As much of an HTTP server as Helix takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use serde_json::{Value, json};

use super::platform::{Pipe, wrapped};
use crate::house::PATIENCE;

/// A request as Helix got it.
#[derive(Debug)]
pub struct Asked {
    /// Method and path.
    pub line: String,
    /// Lower case.
    pub headers: String,
    pub token: String,
    pub body: Value,
}

type Answering = Box<dyn FnMut(&Asked) -> (u16, Value) + Send>;

/// Answers until the test's process ends.
pub struct Helix {
    port: u16,
    is_secure: bool,
    asked: Receiver<Asked>,
    answering: Arc<Mutex<Answering>>,
}

impl Helix {
    /// Grants everything to the user 1337.
    pub fn new() -> Self {
        Self::over(None)
    }

    pub fn over(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let grant = |asked: &Asked| match asked.line.starts_with("GET") {
            true => (200, json!({ "data": [{ "id": "1337", "login": "host" }] })),
            false => (202, json!({ "data": [{ "status": "enabled" }] })),
        };
        let answering: Arc<Mutex<Answering>> = Arc::new(Mutex::new(Box::new(grant)));
        let (tell, asked) = channel();
        let is_secure = tls.is_some();
        let answers = answering.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, tell, answers) = (tls.clone(), tell.clone(), answers.clone());
                std::thread::spawn(move || {
                    let mut pipe = BufReader::new(wrapped(stream, tls.as_ref()));
                    let Some(asked) = read(&mut pipe) else { return };
                    let (status, body) = (answers.lock().unwrap())(&asked);
                    let body = body.to_string();
                    let _ = tell.send(asked);
                    let _ = write!(
                        pipe.get_mut(),
                        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n\
                         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = pipe.get_mut().flush();
                });
            }
        });
        Self {
            port,
            is_secure,
            asked,
            answering,
        }
    }

    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/helix", self.port)
    }

    pub fn answer(&self, answer: impl FnMut(&Asked) -> (u16, Value) + Send + 'static) {
        *self.answering.lock().unwrap() = Box::new(answer);
    }

    pub fn asked(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("it asks")
    }

    /// What has been asked and not been looked at.
    pub fn rest(&self) -> usize {
        self.asked.try_iter().count()
    }
}

fn read(pipe: &mut BufReader<Box<dyn Pipe>>) -> Option<Asked> {
    let mut line = String::new();
    pipe.read_line(&mut line).ok()?;
    let mut headers = String::new();
    let mut token = String::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        pipe.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.trim().split_once(':')?;
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => token = value.trim().to_owned(),
            _ => {}
        }
        headers += &header.to_lowercase();
    }
    let mut body = vec![0; length];
    pipe.read_exact(&mut body).ok()?;
    Some(Asked {
        line: line.trim().trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        token,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}
