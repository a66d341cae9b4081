use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyperfocus::protocol::ClientType;
use hyperfocus::relay::Role;
use serde_json::Value;

use crate::house::{Process, gift, now, token, until};
use crate::http::Request;
use crate::renderer::Renderer;

/// Gives gifts until told to stop, each until it is accepted. Returns how many.
fn give(address: SocketAddr, token: &str, giver: usize, stop: &AtomicBool) -> usize {
    let mut given = 0;
    while !stop.load(Ordering::Relaxed) {
        let gift = gift(&format!("{giver}-{given}"));
        loop {
            let request = Request::new(address, "POST", "/v1/streams/main/gifts");
            match request.bearer(token).json(&gift).try_send() {
                // 200: the answer to an earlier try was lost with the process.
                Ok(answer) if matches!(answer.status, 200 | 201) => break,
                Ok(answer) => panic!("{answer:?}"),
                Err(error) => assert_ne!(error.kind(), io::ErrorKind::InvalidInput),
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        given += 1;
    }
    given
}

fn listed(address: SocketAddr, token: &str, state: &str) -> usize {
    let (mut count, mut after) = (0, 0);
    loop {
        let path = format!("/v1/streams/main/gifts?state={state}&limit=1000&after={after}");
        let answer = Request::new(address, "GET", &path).bearer(token).send();
        let page: Value = answer.json();
        count += page["gifts"].as_array().unwrap().len();
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return count,
        }
    }
}

/// The relay is killed again and again while gifts come in and go out. How
/// often is `HYPERFOCUS_TEST_KILLS`, or 10.
#[test]
fn killed_under_load_it_loses_no_accepted_gift_and_none_is_drawn_twice() {
    const GIVERS: usize = 4;
    let kills = std::env::var("HYPERFOCUS_TEST_KILLS");
    let kills: u64 = kills.map_or(10, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut relay = Process::start(folder.path(), 0, &[]);
    let address = relay.address;
    let host = token(folder.path(), Role::Host);
    let ingest = token(folder.path(), Role::Ingest);
    let stop = AtomicBool::new(false);
    let url = format!("ws://{address}/ws");
    let renderer = Renderer::join(&url, &host, "h", ClientType::Host);
    let renderer = Mutex::new(renderer);
    let given: usize = std::thread::scope(|scope| {
        let givers: Vec<_> = (0..GIVERS)
            .map(|giver| {
                scope.spawn({
                    let (ingest, stop) = (&ingest, &stop);
                    move || give(address, ingest, giver, stop)
                })
            })
            .collect();
        for round in 0..kills {
            // Not in step with anything the relay does.
            let until = now() + Duration::from_millis(100 + round * 37 % 200);
            while now() < until {
                renderer.lock().unwrap().play();
                std::thread::sleep(Duration::from_millis(1));
            }
            relay.kill();
            relay = Process::start(folder.path(), address.port(), &[]);
        }
        stop.store(true, Ordering::Relaxed);
        givers.into_iter().map(|giver| giver.join().unwrap()).sum()
    });
    let mut renderer = renderer.into_inner().unwrap();
    renderer.until("every accepted gift", |it| it.drawn.len() == given);
    assert!(
        renderer.drawn.values().all(|times| *times == 1),
        "drawn twice"
    );
    until("all are settled", || {
        renderer.play();
        listed(address, &host, "unacked") == 0
    });
    assert_eq!(listed(address, &host, "rendered"), given);
    assert!(given > 10 * GIVERS, "{given} gifts are no load");
    eprintln!("{kills} kills, {given} gifts, each drawn and settled once");
    // It is the relay's port still, and nobody else's.
    assert!(TcpStream::connect(address).is_ok());
}
