//! A crowd of viewers on one thread, that count what they get, say that they are
//! there when they are asked, and look no further.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use memchr::memmem::Finder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::served::PATIENCE;

/// WebSocket's own pong, which counts as well as the protocol's: masked, and empty.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

/// How a viewer says hello, and what it counts.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Of the upgrade request.
    pub path: &'static str,
    pub token: Option<String>,
    /// What is said after the upgrade, before masking; `{n}` is the viewer's
    /// number.
    pub hello: String,
    /// What stands in the answer to that.
    pub welcome: &'static str,
    /// What stands once in every message that counts.
    pub mark: &'static str,
}

impl Manners {
    pub fn of_the_protocol(token: Option<String>) -> Self {
        Self {
            path: "/ws",
            token,
            hello: r#"{"type":"connection:init","payload":{"clientId":"v{n}","streamId":"main","clientType":"viewer","capabilities":[],"version":"0"}}"#.into(),
            welcome: "connection:ack",
            mark: "gift:received",
        }
    }
}

/// Viewers that are connected until they are dropped.
pub struct Crowd {
    size: u64,
    /// A word for each gift that all of them have.
    rounds: Receiver<u64>,
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// # Errors
    /// When not all of them are let in.
    pub fn join(address: SocketAddr, size: usize, manners: Manners) -> Result<Self> {
        let (joined, all) = channel();
        let (round, rounds) = channel();
        let (stop, stopped) = watch::channel(());
        let counter = Arc::new(Counter {
            got: AtomicU64::new(0),
            size: size as u64,
            round,
            mark: Finder::new(manners.mark).into_owned(),
            ping: Finder::new("heartbeat:ping"),
        });
        let thread = std::thread::Builder::new()
            .name("crowd".into())
            .spawn(move || {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let Ok(runtime) = runtime.enable_all().build() else {
                    return;
                };
                runtime.block_on(run(address, size, &manners, &counter, &joined, stopped));
            })?;
        let crowd = Self {
            size: size as u64,
            rounds,
            stop,
            thread: Some(thread),
        };
        let came: Result<usize> = all
            .recv_timeout(PATIENCE)
            .context("they do not all come in")?;
        ensure!(came? == size, "not all came in");
        Ok(crowd)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Waits until everybody has so many gifts more.
    ///
    /// # Errors
    /// When somebody does not get one.
    pub fn wait_for_rounds(&self, rounds: usize) -> Result<()> {
        for _ in 0..rounds {
            self.rounds
                .recv_timeout(PATIENCE)
                .context("not everybody got the gift")?;
        }
        Ok(())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.send_replace(());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

struct Counter {
    got: AtomicU64,
    size: u64,
    round: Sender<u64>,
    mark: Finder<'static>,
    ping: Finder<'static>,
}

impl Counter {
    fn count(&self, found: u64) {
        let before = self.got.fetch_add(found, Ordering::Relaxed);
        for round in before / self.size..(before + found) / self.size {
            // Nobody waits for the last ones.
            let _ = self.round.send(round);
        }
    }
}

async fn run(
    address: SocketAddr,
    size: usize,
    manners: &Manners,
    counter: &Arc<Counter>,
    joined: &Sender<Result<usize>>,
    mut stopped: watch::Receiver<()>,
) {
    let mut members = tokio::task::JoinSet::new();
    for number in 0..size {
        match join(address, number, manners).await {
            Ok(stream) => members.spawn(watch_on(stream, counter.clone())),
            Err(error) => {
                let _ = joined.send(Err(error.context(format!("viewer {number}"))));
                return;
            }
        };
    }
    let _ = joined.send(Ok(size));
    // They end with the set.
    let _ = stopped.changed().await;
}

async fn join(address: SocketAddr, number: usize, manners: &Manners) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let token = manners.token.as_ref();
    let token = token.map_or_else(String::new, |it| format!("Authorization: Bearer {it}\r\n"));
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{token}\r\n",
        manners.path
    );
    stream.write_all(request.as_bytes()).await?;
    until(&mut stream, "\r\n\r\n").await?;
    let hello = manners.hello.replace("{n}", &number.to_string());
    stream.write_all(&masked(hello.as_bytes())).await?;
    until(&mut stream, manners.welcome).await?;
    Ok(stream)
}

/// Reads up to something, and not much further: nothing that counts is sent
/// before everybody is there.
async fn until(stream: &mut TcpStream, what: &str) -> Result<()> {
    let finder = Finder::new(what);
    let mut got = Vec::new();
    while finder.find(&got).is_none() {
        let read = stream.read_buf(&mut got).await?;
        ensure!(
            read > 0 && got.len() < 64 * 1024,
            "no {what:?} in {:?}",
            String::from_utf8_lossy(&got)
        );
    }
    Ok(())
}

async fn watch_on(stream: TcpStream, counter: Arc<Counter>) {
    let longest = counter.mark.needle().len().max(counter.ping.needle().len());
    let overlap = longest - 1;
    let mut tail: Vec<u8> = Vec::new();
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        // On the stack of the one thread: a thousand viewers share it.
        let mut part = [0; 16 * 1024];
        let read = match stream.try_read(&mut part[overlap..]) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => return,
        };
        // What is looked for may lie across two reads.
        let start = overlap - tail.len();
        part[start..overlap].copy_from_slice(&tail);
        let seen = &part[start..overlap + read];
        // What lies in the tail alone was seen before.
        let is_new = |finder: &Finder, at: usize| at + finder.needle().len() > tail.len();
        let Counter { mark, ping, .. } = &*counter;
        let found = mark.find_iter(seen).filter(|at| is_new(mark, *at)).count();
        let is_asked = ping.find_iter(seen).any(|at| is_new(ping, at));
        let keep = seen.len().min(overlap);
        tail.clear();
        tail.extend_from_slice(&seen[seen.len() - keep..]);
        if found > 0 {
            counter.count(found as u64);
        }
        // A ping may come along with a gift; who twice says nothing is let go.
        if is_asked {
            // Where the system has no room for it, the next one does.
            let _ = stream.try_write(&PONG);
        }
    }
}

/// A text frame with a mask of nothing.
fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length @ ..126) => frame.push(0x80 | length),
        _ => {
            let length = u16::try_from(text.len()).expect("a short greeting");
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    frame
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn gifts_are_counted_once_and_pings_answered_wherever_a_read_ends() {
        let text = b"gift:received heartbeat:ping gift:received";
        for cut in 1..text.len() {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
            let (stream, mut server) = (ours.unwrap(), theirs.unwrap().0);
            let (round, rounds) = channel();
            let counter = Arc::new(Counter {
                got: AtomicU64::new(0),
                size: 1,
                round,
                mark: Finder::new("gift:received"),
                ping: Finder::new("heartbeat:ping"),
            });
            let watching = tokio::spawn(watch_on(stream, counter));
            for part in [&text[..cut], &text[cut..]] {
                server.write_all(part).await.unwrap();
                // The viewer's turn, on this thread.
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
            }
            let mut pong = [0; PONG.len()];
            server.read_exact(&mut pong).await.unwrap();
            assert_eq!(pong, PONG, "cut at {cut}");
            server.shutdown().await.unwrap();
            watching.await.unwrap();
            assert_eq!(rounds.iter().count(), 2, "cut at {cut}");
            let more = server.read(&mut pong).await.unwrap();
            assert_eq!(more, 0, "one answer, cut at {cut}");
        }
    }
}
