//! Relays that share a store, on a real nats-server.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::stream::Info;
use hyperfocus::protocol::ClientType;
use hyperfocus::relay::{NatsOptions, Relay, RelayError, Role, StoreError};
use serde_json::{Value, json};

use crate::foreign_nats::Nats;
use crate::guest::Guest;
use crate::house::{House, Process, gift, now, options, program, token, until};
use crate::http::{Answer, Request};
use crate::renderer::Renderer;

pub fn on(nats: &Nats) -> NatsOptions {
    NatsOptions {
        servers: nats.url(),
        credentials: None,
        authorities: None,
        replicas: 1,
    }
}

/// A relay that keeps everything on each of three servers, once these have agreed
/// who leads.
fn on_all(servers: &[Nats; 3], folder: &Path) -> Relay {
    let mut options = options(folder);
    options.nats = Some(NatsOptions {
        servers: servers.each_ref().map(Nats::url).join(","),
        replicas: 3,
        ..on(&servers[0])
    });
    let mut relay = None;
    until("the servers have found each other", || {
        relay = Relay::start(options.clone()).ok();
        relay.is_some()
    });
    relay.unwrap()
}

/// What a server says of the stream that relays keep everything in.
fn log(nats: &Nats) -> Info {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(nats.url()).await.unwrap();
        let context = async_nats::jetstream::new(client);
        let log = context.get_stream("HYPERFOCUS").await.unwrap();
        log.cached_info().clone()
    })
}

/// Two relays on one server; nothing, said aloud, where there is none.
fn two() -> Option<(Nats, House, House)> {
    let nats = Nats::start()?;
    let relay = || House::with(|options| options.nats = Some(on(&nats)));
    let (first, second) = (relay(), relay());
    Some((nats, first, second))
}

fn guest(house: &House, client: &str, role: &str) -> Guest {
    let token = match role {
        "host" => house.token(Role::Host),
        _ => house.token(Role::Viewer),
    };
    Guest::join(house.address(), &token, client, role)
}

fn ask(house: &House, role: Role, method: &str, what: &str, body: &Value) -> Answer {
    let path = format!("/v1/streams/main/{what}");
    house.request(role, method, &path).json(body).send()
}

#[test]
fn a_gift_given_to_one_relay_is_shown_by_another_and_settled_on_both() {
    let Some((_nats, first, second)) = two() else {
        return;
    };
    let mut host = guest(&second, "h", "host");
    let mut viewer = guest(&second, "v", "viewer");
    first.give("a");
    assert_eq!((host.gift(), viewer.gift()), ("a".into(), "a".into()));
    assert_eq!(first.listed("unacked"), ["a"]);
    host.ack("a", true, None);
    until("it is settled on the first", || {
        first.figure("unsettled_gifts") == 0
    });
    for house in [&first, &second] {
        assert_eq!(house.listed("rendered"), ["a"]);
    }
    // Whoever comes to the first is not shown it again.
    let mut host = guest(&first, "h", "host");
    second.give("b");
    assert_eq!(host.gift(), "b");
}

#[test]
fn the_same_gift_given_to_two_relays_is_one_gift() {
    let Some((_nats, first, second)) = two() else {
        return;
    };
    let mut host = guest(&first, "h", "host");
    first.give("a");
    assert_eq!(second.post(&gift("a")).status, 200);
    let mut other = gift("a");
    other["giftType"] = json!("lion");
    assert_eq!(second.post(&other).status, 409);
    // At the same time, too.
    let created = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for house in [&first, &second, &first, &second] {
            let created = &created;
            scope.spawn(move || {
                let answer = house.post(&gift("b"));
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                created.fetch_add(u64::from(answer.status == 201), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(created.into_inner(), 1);
    second.give("c");
    assert_eq!([host.gift(), host.gift(), host.gift()], ["a", "b", "c"]);
}

#[test]
fn a_gift_fails_only_when_every_host_of_every_relay_says_so() {
    let Some((_nats, first, mut second)) = two() else {
        return;
    };
    let mut here = guest(&first, "here", "host");
    let mut there = guest(&second, "there", "host");
    for id in ["shown", "failed", "left"] {
        first.give(id);
        assert_eq!((here.gift(), there.gift()), (id.into(), id.into()));
        here.ack(id, false, Some("no picture"));
    }
    there.ack("shown", true, None);
    there.ack("failed", false, Some("no sound"));
    until("one is settled by each word", || {
        second.listed("rendered") == ["shown"] && second.listed("failed") == ["failed"]
    });
    assert_eq!(first.listed("unacked"), ["left"]);
    // The last host that might have shown it goes, with its relay.
    second.stop();
    until("the first's word is the last", || {
        first.listed("failed") == ["failed", "left"]
    });
    until("nobody owes it", || first.figure("unsettled_gifts") == 0);
}

#[test]
fn a_host_that_moves_gets_what_the_host_there_could_not_show() {
    let Some((_nats, first, mut second)) = two() else {
        return;
    };
    let mut here = guest(&first, "here", "host");
    let mut there = guest(&second, "there", "host");
    for id in ["g", "h"] {
        first.give(id);
        assert_eq!((here.gift(), there.gift()), (id.into(), id.into()));
        here.ack(id, false, Some("no picture"));
    }
    there.ack("h", false, Some("no picture"));
    until("all were asked, and g was objected to", || {
        first.listed("failed") == ["h"]
    });
    second.stop();
    let mut moved = guest(&first, "there", "host");
    assert_eq!(moved.gift(), "g");
    moved.ack("g", true, None);
    until("it was shown", || first.listed("rendered") == ["g"]);
}

#[test]
fn settings_status_and_controls_cross() {
    let Some((_nats, first, second)) = two() else {
        return;
    };
    let mut host = guest(&second, "h", "host");
    let rate = json!({ "maxGiftsPerSecond": 7.5 });
    assert_eq!(
        ask(&first, Role::Host, "PATCH", "config", &rate).status,
        200
    );
    assert_eq!(
        host.next_of("connection:ack")["config"]["maxGiftsPerSecond"],
        7.5
    );
    // A change of something else on the other relay keeps it.
    let pings = json!({ "pingInterval": 20_000 });
    let both = ask(&second, Role::Host, "PATCH", "config", &pings).json();
    assert_eq!(
        (&both["maxGiftsPerSecond"], &both["pingInterval"]),
        (&json!(7.5), &json!(20_000))
    );
    assert_eq!(
        host.next_of("connection:ack")["config"]["pingInterval"],
        20_000
    );
    let status = json!({ "isLive": true, "viewerCount": 3 });
    assert_eq!(
        ask(&first, Role::Ingest, "PUT", "status", &status).status,
        204
    );
    assert_eq!(host.next_of("stream:status")["viewerCount"], 3.0);
    let skip = json!({ "action": "skip" });
    assert_eq!(
        ask(&first, Role::Host, "POST", "control", &skip).status,
        200
    );
    assert_eq!(host.next_of("x-control")["action"], "skip");
    // Its own renderers get it once.
    let answer = ask(&second, Role::Host, "POST", "control", &skip);
    assert_eq!(answer.json()["renderers"], 1);
    assert_eq!(host.next_of("x-control")["action"], "skip");
    first.give("a");
    assert_eq!(host.gift(), "a");
}

#[test]
fn a_relay_reads_a_stream_once_however_many_watch() {
    let Some((nats, first, second)) = two() else {
        return;
    };
    let crowd = |house: &House| -> Vec<Guest> {
        (0..20)
            .map(|n| guest(house, &format!("v{n}"), "viewer"))
            .collect()
    };
    let mut crowds = [crowd(&first), crowd(&second)];
    first.give("a");
    for viewer in crowds.iter_mut().flatten() {
        assert_eq!(viewer.gift(), "a");
    }
    let consumers = log(&nats).state.consumer_count;
    assert_eq!(consumers, 2, "one for each relay");
}

#[test]
fn nats_goes_and_comes_back_and_all_goes_on_by_itself() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let house = House::with(|options| options.nats = Some(on(&nats)));
    let mut host = guest(&house, "h", "host");
    house.give("before");
    assert_eq!(host.gift(), "before");
    nats.kill();
    let ready = || {
        Request::new(house.address(), "GET", "/readyz")
            .send()
            .status
    };
    until("it is told", || ready() == 503);
    let refused = house.post(&gift("meanwhile"));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(
        refused.head.to_lowercase().contains("retry-after"),
        "{refused:?}"
    );
    // What a host says meanwhile is kept for later.
    host.ack("before", true, None);
    nats.start_again();
    until("it is back", || ready() == 200);
    until("gifts are accepted", || {
        matches!(house.post(&gift("meanwhile")).status, 200 | 201)
    });
    // On the connection that has stood all the time.
    assert_eq!(host.gift(), "meanwhile");
    until("the ending was written", || {
        house.listed("rendered") == ["before"]
    });
    assert_eq!(house.listed("unacked"), ["meanwhile"]);
}

#[test]
fn credentials_come_from_a_file_and_are_told_nobody() {
    let users = "authorization { user: relay, password: \"hunter-2\" }";
    let Some(nats) = Nats::with(users) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut stranger = options(folder.path());
    stranger.nats = Some(on(&nats));
    let refused = Relay::start(stranger).unwrap_err();
    let said = refused.to_string();
    assert!(
        matches!(refused, RelayError::Store(StoreError::Foreign { .. })),
        "{said}"
    );
    let file = folder.path().join("nats.credentials");
    std::fs::write(&file, "relay:hunter-2\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let house = House::with(|options| {
        let credentials = Some(file.clone());
        options.nats = Some(NatsOptions {
            credentials,
            ..on(&nats)
        });
    });
    house.give("a");
    // Nor may they stand where everybody can read them.
    let url = nats.url().replace("nats://", "nats://relay:hunter-2@");
    let output = program(folder.path())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            &url,
            "--data-dir",
        ])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--store-credentials"), "{said}");
    assert!(!said.contains("hunter-2"), "{said}");
}

#[test]
fn a_relay_that_is_told_three_replicas_has_each_of_three_servers_keep_everything() {
    let Some(servers) = Nats::three() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let _relay = on_all(&servers, folder.path());
    let log = log(&servers[0]);
    assert_eq!(log.config.num_replicas, 3);
    let others = log.cluster.map(|cluster| cluster.replicas.len());
    assert_eq!(others, Some(2), "beside the one that leads");
}

#[test]
#[ignore = "three servers may take longer than our patience to agree on a busy machine; run it by hand"]
fn one_of_three_nats_servers_may_go_without_a_gift_being_lost() {
    let Some(mut servers) = Nats::three() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let relay = on_all(&servers, folder.path());
    let token = |role| relay.tokens().secret(role).0.clone();
    let mut host = Guest::join(relay.address(), &token(Role::Host), "h", "host");
    let mut given = Vec::new();
    for n in 0..40 {
        if n == 20 {
            servers[0].kill();
        }
        let id = n.to_string();
        let post = || {
            let request = Request::new(relay.address(), "POST", "/v1/streams/main/gifts");
            let request = request.bearer(&token(Role::Ingest)).json(&gift(&id));
            request.send().status
        };
        until("it is accepted", || matches!(post(), 200 | 201));
        given.push(id);
    }
    for id in given {
        assert_eq!(host.gift(), id, "once, and in order");
    }
}

/// One address for relays that come and go, as a load balancer is: it passes
/// connections on to whichever it was told last.
struct Balancer {
    address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
}

impl Balancer {
    fn new(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(target));
        let own = target.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let target = *own.lock().unwrap();
                if let Ok(relay) = TcpStream::connect(target) {
                    let back = (relay.try_clone().unwrap(), client.try_clone().unwrap());
                    std::thread::spawn(move || pass(client, relay));
                    std::thread::spawn(move || pass(back.0, back.1));
                }
            }
        });
        Self { address, target }
    }

    fn point_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = target;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // Either end may go at any time.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Gives gifts until told to stop, each until it is accepted by one relay or the
/// other. Returns how many.
fn give(relays: [SocketAddr; 2], token: &str, giver: usize, stop: &AtomicBool) -> usize {
    let mut given = 0;
    while !stop.load(Ordering::Relaxed) {
        let gift = gift(&format!("{giver}-{given}"));
        for relay in relays.into_iter().cycle().skip(given) {
            let request = Request::new(relay, "POST", "/v1/streams/main/gifts");
            // 200: the answer to an earlier try was lost with the process.
            match request.bearer(token).json(&gift).try_send() {
                Ok(answer) if matches!(answer.status, 200 | 201) => break,
                Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                Err(error) => assert_ne!(error.kind(), io::ErrorKind::InvalidInput),
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        given += 1;
    }
    given
}

fn listed(address: SocketAddr, token: &str, state: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/v1/streams/main/gifts?state={state}&limit=1000&after={after}");
        let page = Request::new(address, "GET", &path)
            .bearer(token)
            .send()
            .json();
        all.extend(page["gifts"].as_array().unwrap().iter().cloned());
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return all,
        }
    }
}

/// The same tokens for another relay, as one gives them to all of a cluster.
fn copy_tokens(from: &Path, to: &Path) {
    for role in Role::ALL {
        let name = format!("{}.token", role.name());
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Relays are killed in turn while gifts come in through both, and NATS once;
/// the renderer is moved to the other each time.
#[test]
fn a_client_is_moved_from_a_killed_relay_and_no_gift_is_lost_or_drawn_twice() {
    const GIVERS: usize = 3;
    const ROUNDS: u64 = 6;
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let url = nats.url();
    let start = |relay: usize, port: u16| {
        Process::start_with(folders[relay].path(), port, &["--store", &url])
    };
    let first = start(0, 0);
    copy_tokens(folders[0].path(), folders[1].path());
    let mut relays = [first, start(1, 0)];
    let addresses = [relays[0].address, relays[1].address];
    let [host, ingest] = [Role::Host, Role::Ingest].map(|role| token(folders[0].path(), role));
    let balancer = Balancer::new(addresses[0]);
    let url = format!("ws://{}/ws", balancer.address);
    let mut renderer = Renderer::join(&url, &host, "h", ClientType::Host);
    let stop = AtomicBool::new(false);
    let given: usize = std::thread::scope(|scope| {
        let (ingest, stop) = (&ingest, &stop);
        let givers: Vec<_> = (0..GIVERS)
            .map(|giver| scope.spawn(move || give(addresses, ingest, giver, stop)))
            .collect();
        for round in 0..ROUNDS {
            // Not in step with anything the relays do.
            let until = now() + Duration::from_millis(150 + round * 37 % 200);
            while now() < until {
                renderer.play();
                std::thread::sleep(Duration::from_millis(1));
            }
            if round == ROUNDS / 2 {
                nats.kill();
                nats.start_again();
                continue;
            }
            let victim = usize::from(round % 2 == 1);
            balancer.point_to(addresses[1 - victim]);
            relays[victim].kill();
            relays[victim] = start(victim, addresses[victim].port());
        }
        stop.store(true, Ordering::Relaxed);
        givers.into_iter().map(|giver| giver.join().unwrap()).sum()
    });
    renderer.until("every accepted gift", |it| it.drawn.len() == given);
    for address in addresses {
        until("all are settled", || {
            renderer.play();
            listed(address, &host, "unacked").is_empty()
        });
        assert_eq!(listed(address, &host, "rendered").len(), given);
    }
    let twice = renderer.drawn.iter().filter(|(_, times)| **times != 1);
    assert_eq!(twice.count(), 0, "drawn twice");
    assert!(given > 10 * GIVERS, "{given} gifts are no load");
    eprintln!("{ROUNDS} kills, {given} gifts, each drawn and settled once");
}
