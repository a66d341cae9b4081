use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use hyperfocus::net::{NetConfig, NetError, spawn};
use hyperfocus::session::{ConnectFailure, Problem};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::server::{Peer, Server};
use crate::stage::{Stage, config};

/// An authority of our own, its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    _dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("ca.pem");
        fs::write(&file, certificate.pem()).expect("a file");
        Self {
            issuer: Issuer::new(params, key),
            file,
            _dir: dir,
        }
    }

    fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring knows them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a pair");
        Arc::new(config)
    }
}

fn secure(server: &Server, authority: Option<&Authority>) -> NetConfig {
    let mut config = config(&format!("wss://127.0.0.1:{}/ws", server.port()));
    config.ca_file = authority.map(|a| a.file.clone());
    config
}

fn accept(
    server: &Server,
    config: Arc<ServerConfig>,
) -> Result<Peer<StreamOwned<ServerConnection, TcpStream>>, String> {
    let connection = ServerConnection::new(config).expect("a sound configuration");
    Peer::try_accept(StreamOwned::new(connection, server.accept_tcp()), true)
}

fn certificate_failure(stage: &mut Stage) -> String {
    match stage.problem() {
        Problem::Connect(failure @ ConnectFailure::Certificate(_)) => failure.to_string(),
        other => panic!("not about the certificate: {other}"),
    }
}

#[test]
fn a_session_over_tls_with_a_private_authority() {
    let (server, authority) = (Server::new(), Authority::new());
    let mut stage = Stage::with(secure(&server, Some(&authority)));
    let mut peer = accept(&server, authority.server("127.0.0.1", |_| {})).expect("trusted");
    peer.init();
    peer.ack(&[]);
    stage.online();
    peer.gift("a");
    let gift = stage.gift();
    stage.play(&gift);
    assert_eq!(&*peer.gift_ack().gift_id, "a");
    stage.link.request_shutdown();
    assert_eq!(peer.closed(), Some(1000));
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let (server, ours, theirs) = (Server::new(), Authority::new(), Authority::new());
    let mut stage = Stage::with(secure(&server, Some(&ours)));
    // Of the same name, as both are new from the same mould.
    assert!(accept(&server, theirs.server("127.0.0.1", |_| {})).is_err());
    let text = certificate_failure(&mut stage);
    assert!(text.contains("name its certificate file"), "{text}");
}

#[test]
fn a_private_authority_has_to_be_named() {
    let (server, authority) = (Server::new(), Authority::new());
    let mut stage = match Stage::try_with(secure(&server, None)) {
        Ok(stage) => stage,
        // A machine without any authorities says so even earlier.
        Err(error) => return assert!(matches!(error, NetError::NoAuthorities), "{error}"),
    };
    assert!(accept(&server, authority.server("127.0.0.1", |_| {})).is_err());
    let text = certificate_failure(&mut stage);
    assert!(text.contains("name its certificate file"), "{text}");
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let (server, authority) = (Server::new(), Authority::new());
    let mut stage = Stage::with(secure(&server, Some(&authority)));
    assert!(accept(&server, authority.server("example.org", |_| {})).is_err());
    let text = certificate_failure(&mut stage);
    assert!(text.contains("another host name"), "{text}");
}

#[test]
fn an_expired_certificate_is_not_trusted() {
    let (server, authority) = (Server::new(), Authority::new());
    let mut stage = Stage::with(secure(&server, Some(&authority)));
    let expired = authority.server("127.0.0.1", |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    assert!(accept(&server, expired).is_err());
    let text = certificate_failure(&mut stage);
    assert!(text.contains("expired"), "{text}");
}

#[test]
fn a_server_without_tls_is_not_mistaken_for_one_with() {
    let (server, authority) = (Server::new(), Authority::new());
    let mut stage = Stage::with(secure(&server, Some(&authority)));
    let mut stream = server.accept_tcp();
    let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    match stage.problem() {
        Problem::Connect(failure @ ConnectFailure::Tls(_)) => {
            assert!(failure.to_string().contains("speak TLS"), "{failure}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_certificate_file_that_holds_none_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let empty = dir.path().join("empty.pem");
    fs::write(&empty, "nothing here").expect("a file");
    for path in [empty, dir.path().join("missing.pem")] {
        let mut config = config("wss://127.0.0.1:1/");
        config.ca_file = Some(path.clone());
        let error = spawn(config).expect_err("no certificate");
        assert!(matches!(error, NetError::CaFile { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()));
    }
}
