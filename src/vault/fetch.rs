//! One picture over HTTP, from nowhere but where the user allows.

use std::net::Ipv6Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_LENGTH, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::origin::WebOrigin;
use crate::net::Dialer;
use crate::session::ConnectFailure;

/// Largest file that is taken; a platform's pictures have 2 to 200 KB.
const MAX_BYTES: usize = 1024 * 1024;

/// Elsewheres that are followed; a picture's server sends to its cache, and no
/// further.
const MAX_REDIRECTS: usize = 3;

/// What a picture is asked for with.
const FORMATS: &str = "image/webp, image/png, image/jpeg";

/// Who may be asked, and how.
pub(super) struct Allowed {
    pub origins: Vec<WebOrigin>,
    /// Absent when no origin is asked over TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// For all of a picture.
    pub patience: Duration,
}

/// Why there is no picture. Says nothing of its path, by which a person is known.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("its address is no web address")]
    Address,
    #[error("{0} is not among on_air.avatars_from")]
    Foreign(String),
    #[error("its server sends from one address to the next")]
    Astray,
    #[error("{0}")]
    Connect(ConnectFailure),
    #[error("its server breaks off: {0}")]
    Broken(#[from] hyper::Error),
    #[error("its server answers with {0}")]
    Status(StatusCode),
    #[error("it is larger than 1 MiB")]
    TooLarge,
    #[error("its server takes longer than {} s", .0.as_secs_f32())]
    Late(Duration),
}

/// Where a picture is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    is_tls: bool,
    /// Without an IPv6 address's brackets.
    pub host: String,
    port: u16,
    uri: Uri,
}

impl Target {
    pub fn parse(url: &str) -> Result<Self, Refusal> {
        let uri: Uri = url.trim().parse().map_err(|_| Refusal::Address)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(Refusal::Address),
        };
        let authority = uri.authority().ok_or(Refusal::Address)?;
        // The host, and perhaps its port, and nothing that another reader could take
        // for either.
        let (all, host) = (authority.as_str(), authority.host());
        let port = match authority.port_u16() {
            Some(port) if port > 0 && all == format!("{host}:{port}") => port,
            None if all == host && is_tls => 443,
            None if all == host => 80,
            _ => return Err(Refusal::Address),
        };
        let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let is_host = match address {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains(['[', ']', ':', '%']),
        };
        if !is_host {
            return Err(Refusal::Address);
        }
        let host = address.unwrap_or(host);
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port,
            uri,
        })
    }

    /// Where its server sends to instead (RFC 9110, 10.2.2); a path that is not from
    /// the root is not followed.
    fn elsewhere(&self, location: &str) -> Result<Self, Refusal> {
        let scheme = if self.is_tls { "https" } else { "http" };
        let authority = self.uri.authority().map_or("", |it| it.as_str());
        match location {
            _ if location.starts_with("//") => Self::parse(&format!("{scheme}:{location}")),
            _ if location.starts_with('/') => {
                Self::parse(&format!("{scheme}://{authority}{location}"))
            }
            _ => Self::parse(location),
        }
    }

    /// What its server is asked for.
    fn path(&self) -> String {
        let path = self.uri.path_and_query().map_or("", |it| it.as_str());
        match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        }
    }

    pub fn is_among(&self, origins: &[WebOrigin]) -> bool {
        let mut origins = origins.iter();
        origins.any(|origin| origin.is_of(self.is_tls, &self.host, self.port))
    }
}

/// The host of a web address; none of anything else.
pub fn host_of(url: &str) -> Option<String> {
    Target::parse(url).ok().map(|target| target.host)
}

/// What a server says.
enum Answer {
    Picture(Vec<u8>),
    Elsewhere(String),
}

/// The bytes of a picture.
pub(super) async fn fetch(url: &str, allowed: &Allowed) -> Result<Vec<u8>, Refusal> {
    let late = |_| Refusal::Late(allowed.patience);
    timeout(allowed.patience, follow(url, allowed))
        .await
        .map_err(late)?
}

async fn follow(url: &str, allowed: &Allowed) -> Result<Vec<u8>, Refusal> {
    let mut target = Target::parse(url)?;
    for _ in 0..=MAX_REDIRECTS {
        if !target.is_among(&allowed.origins) {
            return Err(Refusal::Foreign(target.host));
        }
        match ask(&target, allowed).await? {
            Answer::Picture(bytes) => return Ok(bytes),
            Answer::Elsewhere(location) => target = target.elsewhere(&location)?,
        }
    }
    Err(Refusal::Astray)
}

async fn ask(target: &Target, allowed: &Allowed) -> Result<Answer, Refusal> {
    let authority = target.uri.authority().map_or("", |it| it.as_str());
    let path = target.path();
    let scheme = if target.is_tls { "wss" } else { "ws" };
    let dialer = Dialer::trusting(&format!("{scheme}://{authority}/"), allowed.tls.clone())
        .map_err(|_| Refusal::Address)?;
    let stream = dialer.secure().await.map_err(Refusal::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, FORMATS)
        .header(
            USER_AGENT,
            concat!("hyperfocus/", env!("CARGO_PKG_VERSION")),
        )
        .body(String::new())
        .map_err(|_| Refusal::Address)?;
    // Gone with the set, however far it is.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    read(sender.send_request(request).await?).await
}

async fn read(response: Response<Incoming>) -> Result<Answer, Refusal> {
    let headers = response.headers();
    if response.status().is_redirection() {
        let location = headers.get(LOCATION).and_then(|it| it.to_str().ok());
        let location = location.ok_or(Refusal::Status(response.status()))?;
        return Ok(Answer::Elsewhere(location.to_owned()));
    }
    if response.status() != StatusCode::OK {
        return Err(Refusal::Status(response.status()));
    }
    let declared = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    if declared
        .and_then(|it| it.parse().ok())
        .is_some_and(|it: usize| it > MAX_BYTES)
    {
        return Err(Refusal::TooLarge);
    }
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            if bytes.len() + data.len() > MAX_BYTES {
                return Err(Refusal::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Answer::Picture(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).expect(url)
    }

    #[test]
    fn an_address_says_where_a_picture_is() {
        let from = target("HTTPS://cdn.example/a/b.png?size=64");
        assert_eq!(
            (from.is_tls, from.host.as_str(), from.port),
            (true, "cdn.example", 443)
        );
        assert_eq!(
            from.elsewhere("/c.png").expect("a path"),
            target("https://cdn.example/c.png")
        );
        assert_eq!(
            from.elsewhere("//other.example/c").expect("no scheme"),
            target("https://other.example/c")
        );
        let other = "http://[::1]:8080/x";
        assert_eq!(from.elsewhere(other).expect("all of it"), target(other));
        assert_eq!(target(other).host, "::1");
        assert!(from.elsewhere("c.png").is_err());
        assert_eq!(from.path(), "/a/b.png?size=64");
        assert_eq!(target("https://cdn.example?size=64").path(), "/?size=64");
        assert_eq!(target("https://cdn.example").path(), "/");
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for url in [
            "",
            "a.png",
            "/a.png",
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
            "https://",
            "https://me:word@cdn.example/",
            "https://cdn.example:99999/",
            "https://cdn.example:0/",
            "https://a b/",
            "https://cdn.example:443[x]:80/",
            "https://[cdn.example]evil.example:443/",
            "https://[cdn.example]/",
            "https://cdn%2eexample/",
        ] {
            assert!(matches!(Target::parse(url), Err(Refusal::Address)), "{url}");
        }
    }
}
