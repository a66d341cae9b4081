//! Against real servers on loopback, kind ones and others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use image::{ImageFormat, Rgba, RgbaImage};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::model::Private;

const PATIENT: Duration = Duration::from_secs(20);

/// What a server does with a path.
type Site = fn(&str, &mut dyn Socket);

trait Socket: Read + Write {}

impl<T: Read + Write> Socket for T {}

/// Answers as its site does, and remembers what was asked.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(site: Site) -> Self {
        Self::start_with(site, None)
    }

    fn start_with(site: Site, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (requests, is_over) = (requests.clone(), is_over.clone());
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if is_over.load(Ordering::Acquire) {
                        return;
                    }
                    let (requests, tls) = (requests.clone(), tls.clone());
                    // Each ends with its client.
                    std::thread::spawn(move || match tls {
                        None => serve(stream, site, &requests),
                        Some(tls) => {
                            let session = ServerConnection::new(tls).expect("a session");
                            serve(StreamOwned::new(session, stream), site, &requests);
                        }
                    });
                }
            }
        });
        Self {
            address,
            requests,
            is_over,
            thread: Some(thread),
        }
    }

    fn origin(&self) -> WebOrigin {
        format!("http://{}", self.address)
            .parse()
            .expect("an origin")
    }

    fn url(&self, path: &str) -> Private<Arc<str>> {
        Private(format!("http://{}{path}", self.address).into())
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ended in order");
        }
    }
}

fn serve(mut stream: impl Read + Write, site: Site, requests: &Mutex<Vec<String>>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).expect("a head is text");
    let path = head
        .split(' ')
        .nth(1)
        .expect("it asks for a path")
        .to_owned();
    requests.lock().expect("nobody panicked").push(head);
    site(&path, &mut stream);
    let _ = stream.flush();
}

fn green() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbaImage::from_pixel(40, 40, Rgba([0, 200, 0, 255]))
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("it can be written");
    bytes.into_inner()
}

fn answer(to: &mut dyn Socket, status: &str, headers: &str, body: &[u8]) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
    // Who has heard enough hangs up.
    let _ = to
        .write_all(head.as_bytes())
        .and_then(|()| to.write_all(body));
}

fn kind(_: &str, to: &mut dyn Socket) {
    answer(to, "200 OK", "", &green());
}

fn web(url: &str) -> Private<Arc<str>> {
    Private(url.into())
}

fn open(origins: Vec<WebOrigin>) -> Vault {
    Vault::open(origins, None, || {}).expect("a vault")
}

/// The face at an address, when it can be had.
fn face_at(vault: &mut Vault, url: &Private<Arc<str>>) -> Option<Face> {
    assert_eq!(vault.ask(url), Asked::Coming);
    let mut arrived = vault.finish(PATIENT);
    assert_eq!(arrived.len(), 1, "each ask is answered once");
    let arrived = arrived.remove(0);
    assert!(arrived.url == *url);
    arrived.face
}

#[test]
fn a_face_comes_and_nothing_is_told_about_us() {
    let server = Server::start(kind);
    let mut vault = open(vec![server.origin()]);
    let face = face_at(&mut vault, &server.url("/a.png?size=40")).expect("a face");
    assert_eq!(face.side, 40);
    assert_eq!(face.rgba[..4], [0, 200, 0, 255]);
    let requests = server.requests();
    let head = requests[0].to_ascii_lowercase();
    assert!(
        head.starts_with("get /a.png?size=40 http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains(&format!("host: {}\r\n", server.address)));
    let names: Vec<_> = head
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    assert_eq!(names, ["host", "accept", "user-agent"]);
}

#[test]
fn whoever_waits_is_woken() {
    let server = Server::start(kind);
    let (bell, rung) = crossbeam_channel::bounded(1);
    let wake = move || bell.send(()).expect("somebody waits");
    let mut vault = Vault::open(vec![server.origin()], None, wake).expect("a vault");
    assert_eq!(vault.ask(&server.url("/")), Asked::Coming);
    rung.recv_timeout(PATIENT).expect("it rings");
    assert_eq!(vault.take().len(), 1, "and it is there by then");
}

#[test]
fn nobody_is_asked_who_was_not_named() {
    let server = Server::start(kind);
    let mut vault = open(vec!["https://cdn.example".parse().expect("an origin")]);
    for (url, host) in [
        (server.url("/a.png"), "127.0.0.1"),
        (web("https://cdn.example.evil/a.png"), "cdn.example.evil"),
        (web("http://cdn.example/a.png"), "cdn.example"),
        (web("https://cdn.example:8443/a.png"), "cdn.example"),
    ] {
        assert_eq!(vault.ask(&url), Asked::Foreign(host.to_owned()));
    }
    assert_eq!(vault.ask(&web("file:///etc/hostname")), Asked::Never);
    assert_eq!(vault.ask(&web("")), Asked::Never);
    assert!(vault.finish(PATIENT).is_empty());
    assert!(server.requests().is_empty());
}

#[test]
fn who_was_named_sends_to_nobody_else() {
    let other = Server::start(kind);
    let server = Server::start(|path, to| match path {
        "/here" => answer(to, "302 Found", "location: /a.png\r\n", b""),
        "/a.png" => answer(to, "200 OK", "", &green()),
        // To wherever the path says.
        away => answer(to, "302 Found", &format!("location: http:/{away}\r\n"), b""),
    });
    let mut vault = open(vec![server.origin()]);
    assert!(face_at(&mut vault, &server.url("/here")).is_some());
    let away = format!("/{}/a.png", other.address);
    assert!(face_at(&mut vault, &server.url(&away)).is_none());
    assert!(other.requests().is_empty());
    let mut vault = open(vec![server.origin(), other.origin()]);
    assert!(face_at(&mut vault, &server.url(&away)).is_some());
}

#[test]
fn a_ring_of_addresses_is_left() {
    let server = Server::start(|_, to| answer(to, "302 Found", "location: /\r\n", b""));
    let mut vault = open(vec![server.origin()]);
    assert!(face_at(&mut vault, &server.url("/")).is_none());
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn what_cannot_be_had_is_told_as_that() {
    let server = Server::start(|path, to| match path {
        "/none" => answer(to, "404 Not Found", "", &green()),
        "/empty" => answer(to, "200 OK", "", b""),
        "/page" => answer(to, "200 OK", "content-type: image/png\r\n", b"<html>"),
        "/nowhere" => answer(to, "302 Found", "", b""),
        "/rubbish" => drop(to.write_all(b"\0\0\0\0")),
        "/half" => drop(to.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nab")),
        "/huge" => drop(to.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n")),
        "/endless" => {
            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            let mut sent = to.write_all(head);
            while sent.is_ok() {
                sent = to.write_all(&[0; 4096]);
            }
        }
        _ => {}
    });
    let mut vault = open(vec![server.origin()]);
    for path in [
        "/none", "/empty", "/page", "/nowhere", "/rubbish", "/half", "/huge", "/endless", "/silent",
    ] {
        assert!(face_at(&mut vault, &server.url(path)).is_none(), "{path}");
    }
}

/// Says nothing until the other side has hung up.
fn silent(_: &str, to: &mut dyn Socket) {
    let _ = to.read(&mut [0]);
}

#[test]
fn a_server_that_takes_too_long_is_left() {
    let server = Server::start(silent);
    let patience = Duration::from_millis(50);
    let mut vault =
        Vault::with_patience(vec![server.origin()], None, patience, || {}).expect("a vault");
    assert!(face_at(&mut vault, &server.url("/")).is_none());
}

#[test]
fn what_is_beyond_the_bound_is_not_taken_and_the_end_waits_for_nobody() {
    let server = Server::start(silent);
    let patience = Duration::from_secs(3600);
    let mut vault =
        Vault::with_patience(vec![server.origin()], None, patience, || {}).expect("a vault");
    let asked = (0..1000).map(|number| vault.ask(&server.url(&format!("/{number}"))));
    let taken = asked.take_while(|asked| *asked == Asked::Coming).count();
    assert!((80..=84).contains(&taken), "{taken}");
    assert_eq!(vault.ask(&server.url("/more")), Asked::Full);
    // This would hang for an hour if it waited for what is on its way.
    drop(vault);
}

#[test]
fn a_certificate_is_believed_when_somebody_vouches_for_it() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let chain = vec![CertificateDer::from(signed.cert.der().to_vec())];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together");
    let server = Server::start_with(kind, Some(Arc::new(config)));
    let folder = tempfile::tempdir().expect("a folder");
    let vouched = folder.path().join("ca.pem");
    std::fs::write(&vouched, signed.cert.pem()).expect("it can be written");

    let origin: WebOrigin = format!("localhost:{}", server.address.port())
        .parse()
        .expect("an origin");
    let url = Private(format!("https://localhost:{}/a.png", server.address.port()).into());
    // Beside one without: each is asked in its own way.
    let plain = Server::start(kind);
    let origins = vec![origin.clone(), plain.origin()];
    let mut vault = Vault::open(origins, Some(&vouched), || {}).expect("a vault");
    assert!(face_at(&mut vault, &url).is_some());
    assert!(face_at(&mut vault, &plain.url("/a.png")).is_some());
    let mut doubting = open(vec![origin]);
    assert!(face_at(&mut doubting, &url).is_none());
}
