//! Where the demo's senders have their pictures: a web server with a handful of
//! files, as a platform's own.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest request that is read.
const MAX_HEAD: u64 = 8 * 1024;

/// For a request, and again for its answer; who is slower gets nothing. One is
/// served at a time.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server. Dropping it ends it.
#[derive(Debug)]
pub struct Portraits {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Portraits {
    /// Serves the PNG files of a folder, at a free loopback port.
    ///
    /// # Errors
    /// When the folder cannot be read, or a port or a thread cannot be had.
    pub fn start(folder: &Path) -> io::Result<Self> {
        let files = read(folder)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let thread = std::thread::Builder::new()
            .name("portraits".into())
            .spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if over.load(Ordering::Acquire) {
                        return;
                    }
                    // What became of a stranger's connection is no news.
                    let _ = answer(stream, &files);
                }
            })?;
        Ok(Self {
            address,
            is_over,
            thread: Some(thread),
        })
    }

    /// Where it is, as a browser says it.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Portraits {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // It waits for somebody to come.
        if TcpStream::connect(self.address).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// Every PNG of the folder by its path on the server.
fn read(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".png") {
            files.insert(format!("/{name}"), std::fs::read(&path)?);
        }
    }
    Ok(files)
}

fn answer(mut stream: TcpStream, files: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece)?;
        if read == 0 || (head.len() + read) as u64 > MAX_HEAD {
            return Ok(());
        }
        head.extend_from_slice(&piece[..read]);
    }
    let line = String::from_utf8_lossy(&head);
    let file = line
        .strip_prefix("GET ")
        .and_then(|rest| files.get(rest.split(' ').next()?));
    let (status, body) = match file {
        Some(file) => ("200 OK", file.as_slice()),
        None => ("404 Not Found", &b"there is no such picture"[..]),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(portraits: &Portraits, line: &str) -> String {
        let mut stream = TcpStream::connect(portraits.address).expect("it listens");
        write!(stream, "{line} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn its_pictures_are_served_and_nothing_else_of_the_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ada.png"), "a picture").expect("it is written");
        std::fs::write(folder.path().join("secret"), "a secret").expect("it is written");
        let portraits = Portraits::start(folder.path()).expect("it starts");
        let found = ask(&portraits, "GET /ada.png");
        assert!(found.starts_with("HTTP/1.1 200 OK\r\n") && found.ends_with("a picture"));
        for line in [
            "GET /secret",
            "GET /../ada.png",
            "GET /",
            "POST /ada.png",
            "rubbish",
        ] {
            assert!(ask(&portraits, line).starts_with("HTTP/1.1 404"), "{line}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(Portraits::start(Path::new("nowhere")).is_err());
    }
}
