//! How many gifts a second come from a loopback socket to the stage's channel,
//! against a bare tokio-tungstenite loop that reads the same bytes and throws
//! them away, and against one that decodes them and throws them away.
//!
//! The runs are interleaved; the last line on stdout is one JSON object with
//! the raw figures, in gifts a second. For one core, run under `taskset -c 0`.

use std::hint::black_box;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use hyperfocus::model::{AnimationWish, Gift, Private, Sender, WallTime};
use hyperfocus::net::{NetConfig, Waker, spawn};
use hyperfocus::protocol::{ClientType, ServerMessage, decode_server, encode_server, limits};
use hyperfocus::session::{SessionSettings, ToStage};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Message, accept_hdr};

const GIFTS: usize = 100_000;
const RUNS: usize = 5;

#[expect(clippy::disallowed_methods, reason = "a benchmark owns a clock")]
fn now() -> Instant {
    Instant::now()
}

fn main() {
    let frames = Arc::new(frames());
    let (mut ours, mut bare, mut decoding) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        bare.push(read_loop(&frames, |text| {
            black_box(text);
        }));
        decoding.push(read_loop(&frames, |text| {
            black_box(decode_server(text.as_bytes()).expect("a gift"));
        }));
        ours.push(through_link(&frames));
    }
    let list = |runs: &[f64]| {
        let runs: Vec<String> = runs.iter().map(|rate| format!("{rate:.0}")).collect();
        runs.join(",")
    };
    println!(
        "{{\"id\":\"socket_to_stage\",\"unit\":\"gifts/s\",\"runs\":[{}],\"baseline_runs\":[{}],\"decoding_runs\":[{}]}}",
        list(&ours),
        list(&bare),
        list(&decoding)
    );
}

/// A flood of gifts of about 700 bytes, as the bytes of unmasked text frames.
fn frames() -> Vec<u8> {
    let url = |what: &str| {
        let path = "x".repeat(70);
        Some(Private(
            format!("https://cdn.example.org/{what}/{path}").into(),
        ))
    };
    let mut frames = Vec::new();
    for number in 0..GIFTS {
        let gift = Gift {
            id: format!("550e8400-e29b-41d4-a716-{number:012}").into(),
            gift_type: "rose".into(),
            quantity: 1,
            total_value: 10.0,
            sender: Sender {
                user_id: Private("user-1234567890".into()),
                name: Private("Zoë the Generous".into()),
                avatar_url: url("avatars"),
                is_subscriber: true,
                is_moderator: false,
            },
            animation: AnimationWish {
                kind: Some("particle".into()),
                duration: Some(Duration::from_secs(3)),
                asset_url: url("assets"),
                sound_url: None,
            },
            is_streak: false,
            combo_count: 0,
            rank: Some(3),
            sent_at: None,
        };
        let text = encode_server(&ServerMessage::Gift(gift), WallTime::UNIX_EPOCH);
        let length = u16::try_from(text.len()).expect("under 64 KiB");
        frames.extend([0x81, 126]);
        frames.extend(length.to_be_bytes());
        frames.extend(text.into_bytes());
    }
    frames
}

/// A server for one connection: a `connection:ack`, then the frames as fast as
/// they are taken, then silence until the client leaves.
#[expect(clippy::result_large_err, reason = "the library's signature")]
fn serve(frames: Arc<Vec<u8>>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the client");
        let agree = |request: &Request, mut response: Response| {
            if request.headers().contains_key("sec-websocket-protocol") {
                let value = HeaderValue::from_static(limits::SUBPROTOCOL);
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", value);
            }
            Ok(response)
        };
        let mut socket = accept_hdr(stream, agree).expect("a WebSocket");
        let ack = r#"{"type":"connection:ack","payload":{"sessionId":"s"}}"#;
        socket.send(Message::text(ack)).expect("the client listens");
        socket
            .get_mut()
            .write_all(&frames)
            .expect("the client listens");
        while socket.read().is_ok() {}
    });
    (format!("ws://127.0.0.1:{port}/"), server)
}

fn rate(since: Instant) -> f64 {
    GIFTS as f64 / since.elapsed().as_secs_f64()
}

fn read_loop(frames: &Arc<Vec<u8>>, mut each: impl FnMut(&str)) -> f64 {
    let (url, server) = serve(frames.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let rate = runtime.block_on(async {
        let connected = connect_async_with_config(url, None, true).await;
        let (mut socket, _) = connected.expect("a WebSocket");
        socket.next().await.expect("the ack").expect("the ack");
        let start = now();
        for _ in 0..GIFTS {
            let message = socket.next().await.expect("a gift").expect("a gift");
            each(message.to_text().expect("text"));
        }
        rate(start)
    });
    server.join().expect("the server ends");
    rate
}

fn through_link(frames: &Arc<Vec<u8>>) -> f64 {
    let (url, server) = serve(frames.clone());
    let waker = Waker::default();
    let (wake, woken) = std::sync::mpsc::sync_channel(1);
    waker.set(move || {
        let _ = wake.try_send(());
    });
    let link = spawn(NetConfig {
        url,
        token: None,
        ca_file: None,
        session: SessionSettings::new("bench", "bench", ClientType::Host),
        waker,
    })
    .expect("the configuration is sound");
    let mut start = None;
    let mut received = 0;
    while received < GIFTS {
        woken.recv().expect("the network thread lives");
        for message in link.drain() {
            if let ToStage::Gift(gift) = message {
                start.get_or_insert_with(now);
                black_box(gift);
                received += 1;
            }
        }
    }
    let rate = rate(start.expect("gifts came"));
    link.shutdown();
    server.join().expect("the server ends");
    rate
}
