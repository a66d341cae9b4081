use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use hyperfocus::protocol::ClientType;
use hyperfocus::relay::{Relay, RelayError, Renewal, Role, TlsError, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::guest::init_message;
use crate::house::{House, PATIENCE, Process, gift, now, options, program, token, until};
use crate::http::{Answer, Request};
use crate::renderer::Renderer;

type Secure = StreamOwned<ClientConnection, TcpStream>;

/// A name that this machine cannot resolve (RFC 6761).
const ELSEWHERE: &str = "relay.invalid";

/// An authority of our own, and the files of a relay that it vouches for.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            root: certificate.der().clone(),
            folder,
        }
    }

    /// Writes a fresh certificate and its key.
    fn certify(&self) -> TlsFiles {
        let files = self.files();
        let params = CertificateParams::new(vec![
            "localhost".into(),
            "127.0.0.1".into(),
            ELSEWHERE.into(),
        ])
        .unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.folder.path().join("cert.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    fn root_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn house(&self) -> House {
        let files = self.certify();
        House::with(|options| options.tls = Some(files))
    }

    /// A connection with its handshake done.
    fn connect(&self, address: SocketAddr) -> Secure {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut secure = StreamOwned::new(connection, stream);
        secure.conn.complete_io(&mut secure.sock).unwrap();
        secure
    }

    /// What the relay shows to who connects now.
    fn shown(&self, address: SocketAddr) -> CertificateDer<'static> {
        let secure = self.connect(address);
        secure.conn.peer_certificates().unwrap()[0]
            .clone()
            .into_owned()
    }

    fn send(&self, request: Request) -> Answer {
        let (address, text) = request.written();
        let mut stream = self.connect(address);
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // Some servers end without a farewell; ours says it.
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer).expect("an answer")
    }

    fn give(&self, house: &House, id: &str) {
        let request = house.request(Role::Ingest, "POST", "/v1/streams/main/gifts");
        assert_eq!(self.send(request.json(&gift(id))).status, 201);
    }

    /// A viewer over TLS, joined.
    fn viewer(&self, house: &House) -> WebSocket<Secure> {
        let mut request = "wss://localhost/ws".into_client_request().unwrap();
        let bearer = format!("Bearer {}", house.token(Role::Viewer));
        let bearer = HeaderValue::from_str(&bearer).unwrap();
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let (mut socket, _) = client(request, self.connect(house.address())).unwrap();
        let init = init_message("v", "viewer", "main");
        socket.send(Message::text(init)).unwrap();
        assert!(
            socket
                .read()
                .unwrap()
                .to_text()
                .unwrap()
                .contains("connection:ack")
        );
        socket
    }
}

#[test]
fn https_and_wss_are_on_one_port_and_the_engine_plays_over_it() {
    let authority = Authority::new();
    let house = authority.house();
    assert!(house.url().starts_with("wss://127.0.0.1:"));
    let root = Some(authority.root_file());
    let token = house.token(Role::Host);
    let mut host = Renderer::trusting(&house.url(), &token, "h", ClientType::Host, root);
    let ids: Vec<String> = (0..20).map(|id| id.to_string()).collect();
    for id in &ids {
        authority.give(&house, id);
    }
    host.until("every gift", |host| host.order == ids);
    until("they are settled", || {
        host.play();
        let path = "/v1/streams/main/gifts?state=unacked";
        let answer = authority.send(house.request(Role::Host, "GET", path));
        answer.json()["gifts"].as_array().unwrap().is_empty()
    });
}

#[test]
fn a_new_certificate_is_shown_to_who_comes_next_and_disturbs_nobody() {
    let authority = Authority::new();
    let house = authority.house();
    let mut standing = authority.viewer(&house);
    let mut gets = |id: &str| {
        authority.give(&house, id);
        let gift = loop {
            let message = standing.read().unwrap().into_text().unwrap();
            if message.contains("gift:received") {
                break message;
            }
        };
        assert!(gift.contains(&format!("\"giftId\":\"{id}\"")));
    };
    gets("before");
    let first = authority.shown(house.address());
    assert!(matches!(house.renew_certificate(), Renewal::Unchanged));

    authority.certify();
    assert!(matches!(house.renew_certificate(), Renewal::Renewed));
    let second = authority.shown(house.address());
    assert_ne!(first, second);
    gets("renewed");

    // A key that is another's, and then none at all: said once, the old one stays.
    let files = authority.files();
    let other = KeyPair::generate().unwrap().serialize_pem();
    for bad in [other.as_str(), "no key"] {
        std::fs::write(&files.key, bad).unwrap();
        assert!(matches!(house.renew_certificate(), Renewal::Refused(_)));
        assert!(matches!(house.renew_certificate(), Renewal::Unchanged));
        assert_eq!(authority.shown(house.address()), second);
    }
    std::fs::remove_file(&files.certificate).unwrap();
    assert!(matches!(
        house.renew_certificate(),
        Renewal::Refused(TlsError::Read { .. })
    ));
    gets("still");

    authority.certify();
    assert!(matches!(house.renew_certificate(), Renewal::Renewed));
    assert_ne!(authority.shown(house.address()), second);
    gets("after");
}

#[test]
fn a_new_certificate_is_found_without_being_told() {
    let authority = Authority::new();
    let house = authority.house();
    let first = authority.shown(house.address());
    authority.certify();
    until("it is looked at", || {
        authority.shown(house.address()) != first
    });
}

#[cfg(unix)]
#[test]
fn a_hangup_renews_the_certificate_and_ends_nothing() {
    let authority = Authority::new();
    let files = authority.certify();
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = [&files.certificate, &files.key].map(|it| it.to_str().unwrap());
    let arguments = ["--tls-cert", certificate, "--tls-key", key];
    let mut relay = Process::start_with(folder.path(), 0, &arguments);
    let first = authority.shown(relay.address);
    authority.certify();
    let mut hangup = Command::new("kill");
    hangup.args(["-HUP", &relay.id().to_string()]);
    assert!(hangup.status().unwrap().success());
    until("it is shown", || authority.shown(relay.address) != first);
    assert!(relay.is_running());
    let ingest = token(folder.path(), Role::Ingest);
    let request = Request::new(relay.address, "POST", "/v1/streams/main/gifts");
    let answer = authority.send(request.bearer(&ingest).json(&gift("a")));
    assert_eq!(answer.status, 201);
}

#[test]
fn the_desks_link_is_https_and_has_the_name_of_the_certificate() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.tls = Some(authority.certify());
    options.hosts = vec![ELSEWHERE.into()];
    let relay = Relay::start(options).unwrap();
    let port = relay.address().port();
    assert_eq!(relay.url(), format!("wss://{ELSEWHERE}:{port}/ws"));
    let ours = format!("https://{ELSEWHERE}:{port}/desk#");
    let link = relay.desk_link().unwrap();
    assert!(link.starts_with(&ours), "{link}");

    let config = authority.folder.path().join("config.toml");
    let desk = |trusted: String| {
        std::fs::write(&config, trusted).unwrap();
        let mut desk = program(folder.path());
        desk.args(["desk", "--data-dir"]).arg(folder.path());
        desk.arg("--config").arg(&config).output().unwrap()
    };
    let printed = desk(format!("ca_file = {:?}\n", authority.root_file()));
    let link = String::from_utf8(printed.stdout).unwrap();
    assert!(link.starts_with(&ours), "{link} {:?}", printed.stderr);
    // Whom nobody vouches for is not sent the token.
    assert!(!desk(String::new()).status.success());

    let (_, code) = link.trim().split_once('#').unwrap();
    let sign_in = Request::new(relay.address(), "POST", "/desk/session")
        .header("Host", &format!("{ELSEWHERE}:{port}"))
        .json(&json!({ "code": code }));
    let answer = authority.send(sign_in);
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(answer.head.contains("; Secure"), "{}", answer.head);
}

#[test]
fn files_that_hold_no_pair_stop_the_start_and_say_which() {
    let authority = Authority::new();
    let files = authority.certify();
    let whole = std::fs::read_to_string(&files.certificate).unwrap();
    let start = || {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        options.tls = Some(authority.files());
        match Relay::start(options) {
            Err(error @ RelayError::Tls(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let other = KeyPair::generate().unwrap().serialize_pem();
    for (certificate, key, said) in [
        (whole.as_str(), other.as_str(), "does not fit"),
        (whole.as_str(), "", "no private key"),
        ("", other.as_str(), "no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\n!\n",
            other.as_str(),
            "cannot be understood",
        ),
    ] {
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        let error = start();
        assert!(error.contains(said) && error.contains(".pem"), "{error}");
    }
    std::fs::remove_file(&files.key).unwrap();
    let error = start();
    assert!(
        error.contains("cannot read") && error.contains("key.pem"),
        "{error}"
    );
}

#[test]
fn others_may_be_listened_to_with_a_certificate_only() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    // Nobody's address, so that nothing is opened by trying.
    options.address = "192.0.2.1:0".parse().unwrap();
    let refused = Relay::start(options.clone()).unwrap_err();
    assert!(matches!(refused, RelayError::NotLoopback(_)), "{refused}");
    options.tls = Some(authority.certify());
    let refused = Relay::start(options.clone()).unwrap_err();
    assert!(matches!(refused, RelayError::Listen { .. }), "{refused}");
    // Refused before anything is opened: no name leads to all addresses.
    options.address = "0.0.0.0:0".parse().unwrap();
    let refused = Relay::start(options).unwrap_err();
    assert!(matches!(refused, RelayError::Nameless(_)), "{refused}");
}

#[test]
fn who_speaks_no_tls_is_told_or_closed_and_who_stops_halfway_is_closed() {
    let authority = Authority::new();
    let house = authority.house();
    let plain = Request::new(house.address(), "GET", "/healthz").send();
    assert_eq!(
        (plain.status, plain.problem().as_str()),
        (400, "plain-http")
    );
    assert!(plain.body.contains("wss://"));

    let began = now();
    let open = |said: &[u8]| {
        let mut stream = TcpStream::connect(house.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(said).unwrap();
        stream
    };
    // A record that says it holds a hello of 512 bytes, and nothing; and rubbish in
    // a record of the right kind.
    let halfway = [open(&[22, 3, 1, 2, 0]), open(b"")];
    let mut rubbish = open(&[22, 3, 1, 0, 4, 9, 9, 9, 9]);
    let mut rest = Vec::new();
    let _ = rubbish.read_to_end(&mut rest);
    authority.give(&house, "meanwhile");
    for mut stream in halfway {
        // Closed with or without a word.
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(now() - began < PATIENCE);
}

#[test]
fn one_address_that_never_finishes_its_handshakes_keeps_no_other_out() {
    const PLACES: usize = 8;
    let authority = Authority::new();
    let files = authority.certify();
    let house = House::with(|options| {
        options.tls = Some(files);
        options.max_per_address = Some(PLACES);
    });
    let open = || {
        let stream = TcpStream::connect(house.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let stuck: Vec<_> = (0..PLACES).map(|_| open()).collect();
    let began = now();
    let mut more = open();
    assert_eq!(more.read(&mut [0]).unwrap_or(0), 0, "closed");
    assert!(now() - began < PATIENCE);
    let mut elsewhere = crate::http::connect_from("127.0.0.2", house.address());
    elsewhere.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    elsewhere.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    drop(stuck);
    until("the places are free", || {
        open().write_all(b"x").is_ok() && {
            let mut stream = open();
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").is_ok()
                && stream.read(&mut [0]).is_ok_and(|read| read == 1)
        }
    });
}
