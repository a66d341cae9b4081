//! The same over TLS, with an authority of the test's own.

use std::sync::Arc;

use hyperfocus::config::{Secret, SourceKind};
use hyperfocus::model::Private;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use super::platform::Platform;
use super::web::Helix;
use super::{house_with, source, until_connected, until_source};
use crate::house::House;

/// The authority's certificate (PEM), and a server that has one of its.
fn authority() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own_key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let own = params.signed_by(&own_key, &issuer).unwrap();
    let own_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], own_key)
        .unwrap();
    (authority.pem(), Arc::new(config))
}

fn twitch(platform: &Platform, helix: &Helix) -> SourceKind {
    SourceKind::Twitch {
        url: platform.url("/ws"),
        api: helix.url(),
        client_id: "client".to_owned(),
        token: Secret::Given(Private("token".to_owned())),
        channel: Some("7".to_owned()),
    }
}

#[test]
fn sockets_and_requests_are_encrypted() {
    let (pem, config) = authority();
    let (platform, helix) = (Platform::secure(config.clone()), Helix::over(Some(config)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let house = House::with(|options| {
        options.sources = vec![source(twitch(&platform, &helix))];
        options.ca_file = Some(file);
    });
    let mut caller = platform.accept();
    caller.say(&json!({
        "metadata": { "message_type": "session_welcome" },
        "payload": { "session": { "id": "a", "keepalive_timeout_seconds": 60 } },
    }));
    for _ in 0..5 {
        let asked = helix.asked();
        assert_eq!(asked.body["condition"]["broadcaster_user_id"], "7");
    }
    until_connected(&house);
}

#[test]
fn who_is_not_trusted_is_not_spoken_to() {
    let (_, config) = authority();
    let platform = Platform::secure(config);
    let url = platform.url("/");
    let house = house_with(SourceKind::Tikfinity { url });
    std::thread::spawn(move || platform.accept());
    let it = until_source(&house, "it is refused", |it| it["state"] == "waiting");
    assert!(
        it["error"].as_str().unwrap().contains("not trusted"),
        "{it}"
    );
}
