use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyperfocus::catalog::{Catalog, LaneThresholds};
use hyperfocus::demo::{Beat, DemoServer, Line, Report, Script, ServerOptions};
use hyperfocus::model::{Gift, Private, SessionConfig, WallTime};
use hyperfocus::protocol::{
    ClientMessage, ClientType, ConnectionInit, GiftAck, Pong, ServerMessage, decode_server,
    encode_client, limits,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response, header};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything here takes, so that a fault fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

const CATALOG: &str = r##"
[lanes]
feature = 100.0
headline = 1000.0

[fallback]
name = "Gift"
kind = "particle"
seconds = 2.0
accents = ["#FFFFFF", "#FFD700"]

[gift.rose]
name = "Rose"
kind = "particle"
seconds = 3.0
accents = ["#FF69B4", "#FFFFFF"]

[gift.heart]
name = "Heart"
kind = "particle"
seconds = 4.0
accents = ["#FF0080", "#FFFFFF"]

[gift.galaxy]
name = "Galaxy"
kind = "particle"
lane = "headline"
seconds = 6.0
accents = ["#00CED1", "#FFFFFF"]
"##;

fn catalog() -> Catalog {
    Catalog::parse(CATALOG, Path::new("catalog.toml")).unwrap()
}

/// A flood squeezed into no time at all: everything is due at once.
fn at_once(count: usize) -> Script {
    Script::flood(&catalog(), count, Duration::ZERO)
}

fn serve(script: Script, token: Option<&str>) -> DemoServer {
    let options = ServerOptions {
        token: token.map(|token| Private(token.into())),
        session: SessionConfig {
            ping_interval: Duration::from_millis(20),
            ..SessionConfig::default()
        },
        ..ServerOptions::default()
    };
    DemoServer::start(script, options).unwrap()
}

/// A renderer that does only what it is told.
struct Renderer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    upgrade: Response<Option<Vec<u8>>>,
}

impl Renderer {
    async fn connect(server: &DemoServer, token: Option<&str>) -> Result<Self, Error> {
        let mut request = server.url().into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(limits::SUBPROTOCOL),
        );
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            headers.insert(header::AUTHORIZATION, value);
        }
        let (socket, upgrade) = connect_async(request).await?;
        Ok(Self { socket, upgrade })
    }

    /// Connects, says hello and reads the ack.
    async fn join(server: &DemoServer) -> Self {
        let mut renderer = Self::connect(server, None).await.unwrap();
        renderer.say(&init()).await;
        assert!(matches!(renderer.hear().await, ServerMessage::Ack(_)));
        renderer
    }

    async fn say(&mut self, message: &ClientMessage) {
        let text = encode_client(message, WallTime::now());
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn hear(&mut self) -> ServerMessage {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let frame = frame.expect("the server says something").unwrap().unwrap();
            if let Message::Text(text) = frame {
                return decode_server(text.as_bytes()).unwrap();
            }
        }
    }

    /// The next `count` gifts; pings on the way are answered.
    async fn hear_gifts(&mut self, count: usize) -> Vec<Gift> {
        let mut gifts = Vec::new();
        while gifts.len() < count {
            match self.hear().await {
                ServerMessage::Gift(gift) => gifts.push(gift),
                ServerMessage::Ping(ping) => self.say(&pong(ping.sequence)).await,
                _ => {}
            }
        }
        gifts
    }

    async fn ack(&mut self, gift: &Gift) {
        self.say(&ack(gift, None)).await;
    }

    /// Closes in order, which the server's account then includes all of.
    async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        while let Ok(Some(Ok(_))) = tokio::time::timeout(PATIENCE, self.socket.next()).await {}
    }
}

fn init() -> ClientMessage {
    ClientMessage::Init(ConnectionInit {
        client_id: "c".into(),
        stream_id: "s".into(),
        client_type: ClientType::Host,
        capabilities: Vec::new(),
        version: "0".into(),
    })
}

fn ack(gift: &Gift, error: Option<&str>) -> ClientMessage {
    ClientMessage::GiftAck(GiftAck {
        gift_id: gift.id.clone(),
        received_at: WallTime::now(),
        rendered: error.is_none(),
        error: error.map(Arc::from),
    })
}

fn pong(sequence: u64) -> ClientMessage {
    ClientMessage::Pong(Pong {
        sequence,
        at: WallTime::now(),
        latency_ms: 0.0,
        memory_mb: 1.0,
        queue_size: 0,
    })
}

/// Asks for the account until it is as expected; other tasks go on meanwhile.
async fn report_when(server: &DemoServer, expected: impl Fn(&Report) -> bool) -> Report {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let report = server.report();
        if expected(&report) {
            return report;
        }
        assert!(tokio::time::Instant::now() < deadline, "{report:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_gift_is_sent_in_order_and_accounted_for_exactly_once() {
    let script = at_once(500);
    let expected: Vec<_> = script.gifts().map(|gift| gift.id.clone()).collect();
    let server = serve(script, None);
    let mut renderer = Renderer::join(&server).await;
    let gifts = renderer.hear_gifts(500).await;
    assert_eq!(
        gifts.iter().map(|gift| gift.id.clone()).collect::<Vec<_>>(),
        expected
    );
    for (number, gift) in gifts.iter().enumerate() {
        let error = (number % 50 == 0).then_some("OVERLOADED");
        renderer.say(&ack(gift, error)).await;
    }
    renderer.leave().await;
    let report = server.stop();
    assert!(report.is_exactly_once(), "{report:?}");
    assert_eq!(
        (report.sent, report.acked, report.rendered),
        (500, 500, 490)
    );
    assert_eq!(
        report.refused,
        BTreeMap::from([("OVERLOADED".to_owned(), 10)])
    );
    assert!(report.ack_delay.max > Duration::ZERO);
}

#[tokio::test]
async fn an_ack_too_many_and_one_for_nothing_are_noticed() {
    let server = serve(at_once(1), None);
    let mut renderer = Renderer::join(&server).await;
    let mut gift = renderer.hear_gifts(1).await.remove(0);
    renderer.ack(&gift).await;
    renderer.ack(&gift).await;
    gift.id = "ghost".into();
    renderer.ack(&gift).await;
    renderer.leave().await;
    let report = server.stop();
    assert_eq!((report.acked_twice, report.acked_unknown), (1, 1));
    assert!(!report.is_exactly_once());
}

#[tokio::test]
async fn pings_rise_by_one_and_their_pongs_are_timed() {
    let server = serve(Script::default(), None);
    let mut renderer = Renderer::join(&server).await;
    for expected in 0..5 {
        let ServerMessage::Ping(ping) = renderer.hear().await else {
            panic!("only pings are due");
        };
        assert_eq!(ping.sequence, expected);
        renderer.say(&pong(ping.sequence)).await;
    }
    let report = report_when(&server, |report| report.pongs >= 5).await;
    assert!(report.pings >= 5);
    assert!(report.pong_delay.max < PATIENCE);
}

#[tokio::test]
async fn what_was_not_acked_comes_again_first_and_in_order() {
    let server = serve(at_once(6), None);
    let mut renderer = Renderer::join(&server).await;
    let gifts = renderer.hear_gifts(6).await;
    renderer.ack(&gifts[1]).await;
    renderer.ack(&gifts[4]).await;
    renderer.leave().await;

    let mut renderer = Renderer::join(&server).await;
    let again = renderer.hear_gifts(4).await;
    let ids = |gifts: &[Gift]| gifts.iter().map(|gift| gift.id.clone()).collect::<Vec<_>>();
    let expected: Vec<_> = [0, 2, 3, 5]
        .map(|number: usize| gifts[number].clone())
        .into();
    assert_eq!(ids(&again), ids(&expected));
    for gift in &again {
        renderer.ack(gift).await;
    }
    renderer.leave().await;
    let report = server.stop();
    assert_eq!((report.connections, report.sent, report.resent), (2, 6, 4));
    assert!(report.is_exactly_once(), "{report:?}");
}

#[tokio::test]
async fn only_the_token_opens_the_door() {
    let server = serve(Script::default(), Some("open-sesame"));
    for wrong in [None, Some("open-sesamE"), Some("open-sesame2"), Some("")] {
        match Renderer::connect(&server, wrong)
            .await
            .err()
            .expect("must be refused")
        {
            Error::Http(response) => assert_eq!(response.status(), 401),
            other => panic!("{wrong:?}: {other}"),
        }
    }
    assert!(
        Renderer::connect(&server, Some("open-sesame"))
            .await
            .is_ok()
    );
    assert_eq!(
        report_when(&server, |report| report.unauthorised == 4)
            .await
            .connections,
        0
    );
}

#[tokio::test]
async fn the_subprotocol_is_echoed_when_it_was_offered() {
    let server = serve(Script::default(), None);
    let renderer = Renderer::connect(&server, None).await.unwrap();
    let echoed = renderer
        .upgrade
        .headers()
        .get(header::SEC_WEBSOCKET_PROTOCOL)
        .unwrap();
    assert_eq!(echoed, limits::SUBPROTOCOL);
    let (_, upgrade) = connect_async(server.url()).await.unwrap();
    assert!(
        !upgrade
            .headers()
            .contains_key(header::SEC_WEBSOCKET_PROTOCOL)
    );
}

#[tokio::test]
async fn who_speaks_before_init_is_told_so_and_may_go_on() {
    let server = serve(at_once(1), None);
    let mut renderer = Renderer::connect(&server, None).await.unwrap();
    renderer.say(&pong(0)).await;
    match renderer.hear().await {
        ServerMessage::Error(error) => assert_eq!(&*error.code, "NOT_INITIALIZED"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_second_init_changes_nothing() {
    let server = serve(at_once(1), None);
    let mut renderer = Renderer::join(&server).await;
    let gift = renderer.hear_gifts(1).await.remove(0);
    renderer.say(&init()).await;
    loop {
        match renderer.hear().await {
            ServerMessage::Error(error) => {
                assert_eq!(&*error.code, "ALREADY_INITIALIZED");
                break;
            }
            ServerMessage::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
    renderer.ack(&gift).await;
    renderer.leave().await;
    let report = server.stop();
    assert_eq!((report.connections, report.resent), (1, 0));
    assert!(report.is_exactly_once());
}

#[tokio::test]
async fn nonsense_is_answered_with_one_error_and_the_session_goes_on() {
    let server = serve(at_once(1), None);
    let mut renderer = Renderer::join(&server).await;
    renderer
        .socket
        .send(Message::text("{\"type\":"))
        .await
        .unwrap();
    loop {
        match renderer.hear().await {
            ServerMessage::Error(error) => {
                assert_eq!(&*error.code, "MALFORMED");
                break;
            }
            ServerMessage::Gift(gift) => renderer.ack(&gift).await,
            _ => {}
        }
    }
    let report = report_when(&server, |report| report.acked == 1).await;
    assert_eq!(report.malformed, 1);
}

#[tokio::test]
async fn a_binary_frame_is_closed_with_1003() {
    let server = serve(Script::default(), None);
    let mut renderer = Renderer::join(&server).await;
    renderer
        .socket
        .send(Message::binary(vec![1, 2, 3]))
        .await
        .unwrap();
    let code = loop {
        match tokio::time::timeout(PATIENCE, renderer.socket.next())
            .await
            .unwrap()
        {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Some(Ok(_)) => {}
            other => panic!("closed without a word: {other:?}"),
        }
    };
    assert_eq!(code, Some(1003));
}

#[tokio::test]
async fn the_newest_renderer_wins() {
    let server = serve(Script::default(), None);
    let mut first = Renderer::join(&server).await;
    let _second = Renderer::join(&server).await;
    let code = loop {
        match tokio::time::timeout(PATIENCE, first.socket.next())
            .await
            .unwrap()
        {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Some(Ok(_)) => {}
            other => panic!("closed without a word: {other:?}"),
        }
    };
    assert_eq!(code, Some(4001));
}

#[tokio::test]
async fn a_renderer_that_never_reads_is_still_heard() {
    // More than loopback buffers hold, so that the writer must be waiting.
    let server = serve(at_once(50_000), None);
    let mut renderer = Renderer::join(&server).await;
    let gift = renderer.hear_gifts(1).await.remove(0);
    renderer.ack(&gift).await;
    let report = report_when(&server, |report| report.acked == 1).await;
    assert!(report.sent < 50_000, "the buffers held everything");
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let server = serve(Script::default(), None);
    let mut renderer = Renderer::join(&server).await;
    let stopped = tokio::task::spawn_blocking(move || server.stop());
    let frame = loop {
        match tokio::time::timeout(PATIENCE, renderer.socket.next())
            .await
            .unwrap()
        {
            Some(Ok(Message::Close(frame))) => break frame,
            Some(Ok(_)) => {}
            other => panic!("closed without a word: {other:?}"),
        }
    };
    assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1000));
    assert_eq!(stopped.await.unwrap().connections, 1);
}

#[test]
fn a_taken_port_is_an_error() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address: SocketAddr = taken.local_addr().unwrap();
    let options = ServerOptions {
        address,
        ..ServerOptions::default()
    };
    let error = DemoServer::start(Script::default(), options).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn the_show_has_every_gift_a_streak_a_combo_and_a_flood() {
    let length = Duration::from_secs(30);
    let script = Script::show(&catalog(), length);
    assert!(
        script.length() < length.mul_f64(0.85),
        "nothing is left to play out"
    );
    assert!(script.beats.is_sorted_by_key(|beat| beat.at));

    let solos: Vec<_> = script
        .gifts()
        .take(4)
        .map(|gift| &*gift.gift_type)
        .collect();
    assert_eq!(solos, ["galaxy", "rose", "heart", "mystery-box"]);

    let streak: Vec<_> = script
        .gifts()
        .filter(|gift| &*gift.sender.user_id.0 == "user-2" && gift.combo_count > 0)
        .map(|gift| (gift.combo_count, gift.is_streak))
        .collect();
    assert_eq!(streak.len(), 27);
    assert!(
        streak[..26]
            .iter()
            .enumerate()
            .all(|(n, s)| *s == (n as u32 + 1, true))
    );
    assert_eq!(streak[26], (26, false));

    let combo: Vec<_> = script
        .gifts()
        .filter(|gift| &*gift.sender.user_id.0 == "user-7" && gift.is_streak)
        .map(|gift| (gift.combo_count, gift.quantity))
        .collect();
    assert_eq!(combo, [(5, 5), (10, 5), (25, 15), (50, 25)]);

    let flood = length.mul_f64(0.78)..length.mul_f64(0.83);
    assert_eq!(
        script
            .beats
            .iter()
            .filter(|beat| flood.contains(&beat.at))
            .count(),
        120
    );
}

#[test]
fn no_two_gifts_of_a_show_share_an_id() {
    let script = Script::show(&catalog(), Duration::from_secs(60));
    let ids: std::collections::BTreeSet<_> = script.gifts().map(|gift| &gift.id).collect();
    assert_eq!(ids.len(), script.gifts().count());
}

#[test]
fn names_of_every_script_arrive_whole() {
    let script = Script::show(&catalog(), Duration::from_secs(30));
    let names: String = script
        .gifts()
        .map(|gift| gift.sender.name.0.to_string())
        .collect();
    for part in [
        "ë",
        "أحمد",
        "יעל",
        "王小明",
        "さくら",
        "김하늘",
        "สมชาย",
        "👩🏽\u{200d}🚀",
    ] {
        assert!(names.contains(part), "{part}");
    }
    for gift in script.gifts() {
        let message = ServerMessage::Gift(gift.clone());
        let text = hyperfocus::protocol::encode_server(&message, WallTime::UNIX_EPOCH);
        let ServerMessage::Gift(read) = decode_server(text.as_bytes()).unwrap() else {
            panic!("not a gift: {text}");
        };
        assert_eq!(read.sender.name, gift.sender.name);
        assert_eq!(
            (read.quantity, read.combo_count),
            (gift.quantity, gift.combo_count)
        );
    }
}

#[test]
fn the_goal_is_reached_for_and_never_passed() {
    let script = Script::show(&catalog(), Duration::from_secs(30));
    let goals: Vec<_> = script
        .beats
        .iter()
        .filter_map(|beat| match beat {
            Beat {
                line: Line::Status(status),
                ..
            } => status.goal.clone(),
            Beat { .. } => None,
        })
        .collect();
    assert!(goals.len() >= 3);
    assert!(goals.is_sorted_by(|a, b| a.current < b.current));
    assert!(
        goals
            .iter()
            .all(|goal| goal.target > 0.0 && goal.current <= goal.target)
    );
}

#[test]
fn values_lead_each_gift_into_its_lane() {
    let catalog = catalog();
    let LaneThresholds { headline, .. } = catalog.lanes;
    let script = Script::show(&catalog, Duration::from_secs(30));
    let galaxy = script
        .gifts()
        .find(|gift| &*gift.gift_type == "galaxy")
        .unwrap();
    assert_eq!(galaxy.total_value, headline);
}

#[test]
fn a_flood_is_as_large_and_as_long_as_asked() {
    let script = Script::flood(&catalog(), 10_000, Duration::from_secs(1));
    assert_eq!(script.gifts().count(), 10_000);
    assert!(script.length() < Duration::from_secs(1));
}
