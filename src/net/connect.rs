//! From an address to an open WebSocket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::fmt::rfc2822;
use rustls::ClientConfig;
#[cfg(any(feature = "relay", feature = "render"))]
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::sleep;
#[cfg(any(feature = "relay", feature = "render"))]
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{
    AUTHORIZATION, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL,
};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::NetError;
use super::endpoint::Endpoint;
use super::metered::Metered;
use super::tls;
use crate::model::WallTime;
use crate::protocol::limits;
use crate::session::ConnectFailure;

/// Bytes read at once. A flood of gifts comes some 80 to a read.
const READ_BUFFER: usize = 64 * 1024;

/// Frames gathered before they are written without being asked to.
const WRITE_BUFFER: usize = 32 * 1024;

/// Past this a frame is refused. Writing stops at the first refusal of the
/// socket, so in practice one frame over [`WRITE_BUFFER`] is the most.
const MAX_WRITE_BUFFER: usize = 1024 * 1024;

/// Head start of one address over the next; RFC 8305 section 8.
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses tried per attempt; a name with more is a riddle, and the next
/// attempt resolves it afresh.
const MAX_ADDRESSES: usize = 8;

pub(crate) type Stream = WebSocketStream<MaybeTlsStream<Metered<TcpStream>>>;

/// All that is needed to connect, again and again.
pub(crate) struct Dialer {
    pub endpoint: Endpoint,
    /// Where it is, when that need not be asked for by its name.
    pub known: Option<SocketAddr>,
    pub token: Option<HeaderValue>,
    pub tls: Option<Arc<ClientConfig>>,
    /// Bytes that came in over any connection.
    pub heard: Arc<AtomicU64>,
}

impl Dialer {
    /// `ca_file` names authorities that are trusted besides the system's.
    ///
    /// # Errors
    /// When the address or the file cannot be used.
    pub fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, NetError> {
        let endpoint = Endpoint::parse(url)?;
        let tls = match endpoint.is_tls() {
            true => Some(tls::client_config(ca_file)?),
            false => None,
        };
        Ok(Self::of(endpoint, tls))
    }

    /// The same with `tls` for an address that asks for it: reading authorities'
    /// files takes longer than connecting.
    ///
    /// # Errors
    /// When the address cannot be used.
    #[cfg(feature = "render")]
    pub fn trusting(url: &str, tls: Option<Arc<ClientConfig>>) -> Result<Self, NetError> {
        let endpoint = Endpoint::parse(url)?;
        let tls = tls.filter(|_| endpoint.is_tls());
        Ok(Self::of(endpoint, tls))
    }

    fn of(endpoint: Endpoint, tls: Option<Arc<ClientConfig>>) -> Self {
        Self {
            endpoint,
            known: None,
            token: None,
            tls,
            heard: Arc::default(),
        }
    }

    /// For another address of the same service, as its server names it.
    ///
    /// # Errors
    /// When it is no address of the same host or one below it, or would be
    /// less safe.
    #[cfg(feature = "relay")]
    pub fn elsewhere(&self, url: &str) -> Result<Self, NetError> {
        let endpoint = Endpoint::parse(url)?;
        let (from, to) = (self.endpoint.host(), endpoint.host());
        let is_below = to
            .strip_suffix(from)
            .is_some_and(|rest| rest.ends_with('.'));
        if from != to && !is_below {
            return Err(NetError::Url("the server names an address of another host"));
        }
        if endpoint.is_tls() != self.endpoint.is_tls() {
            return Err(NetError::Url(
                "the server names an address of another scheme",
            ));
        }
        Ok(Self {
            token: self.token.clone(),
            ..Self::of(endpoint, self.tls.clone())
        })
    }

    /// TCP, and TLS over it where the address asks for that. Has no time limit
    /// of its own.
    #[cfg(any(feature = "relay", feature = "render"))]
    pub async fn secure(&self) -> Result<MaybeTlsStream<TcpStream>, ConnectFailure> {
        let tcp = self.tcp().await?;
        let Some(config) = &self.tls else {
            return Ok(MaybeTlsStream::Plain(tcp));
        };
        let name = ServerName::try_from(self.endpoint.host().to_owned())
            .map_err(|error| ConnectFailure::Dns(error.to_string().into()))?;
        let stream = TlsConnector::from(config.clone()).connect(name, tcp).await;
        let stream = stream.map_err(|error| explain(Error::Io(error)))?;
        Ok(MaybeTlsStream::Rustls(stream))
    }

    /// Opens a connection; also returns whether the server named the
    /// subprotocol. Has no time limit of its own.
    pub async fn dial(&self, offer: bool) -> Result<(Stream, bool), ConnectFailure> {
        let tcp = self.tcp().await?;
        // A heartbeat's answer is small and must not wait for company.
        tcp.set_nodelay(true).map_err(|e| unreachable(&e))?;
        let socket = Metered::new(tcp, self.heard.clone());
        let connector = match &self.tls {
            Some(config) => Connector::Rustls(config.clone()),
            None => Connector::Plain,
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits::MAX_TRANSPORT_BYTES))
            .max_frame_size(Some(limits::MAX_TRANSPORT_BYTES))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_WRITE_BUFFER);
        let request = self.request(offer).map_err(explain)?;
        let opened =
            client_async_tls_with_config(request, socket, Some(config), Some(connector)).await;
        let (stream, response) = opened.map_err(explain)?;
        let named = response.headers().contains_key(SEC_WEBSOCKET_PROTOCOL);
        Ok((stream, named))
    }

    fn request(&self, offer: bool) -> Result<Request, Error> {
        let mut request = self.endpoint.uri().into_client_request()?;
        let headers = request.headers_mut();
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        if offer {
            headers.insert(
                SEC_WEBSOCKET_PROTOCOL,
                HeaderValue::from_static(limits::SUBPROTOCOL),
            );
        }
        Ok(request)
    }

    /// Tries the host's addresses, each with a head start over the next, and
    /// keeps the first that answers.
    pub async fn tcp(&self) -> Result<TcpStream, ConnectFailure> {
        let mut addresses = self.addresses().await?.into_iter();
        let mut attempts = FuturesUnordered::new();
        let mut failure = None;
        loop {
            if let Some(address) = addresses.next() {
                attempts.push(TcpStream::connect(address));
            } else if attempts.is_empty() {
                return Err(failure
                    .unwrap_or_else(|| ConnectFailure::Dns("the name has no address".into())));
            }
            let more = addresses.len() > 0;
            tokio::select! {
                Some(result) = attempts.next() => match result {
                    Ok(stream) => return Ok(stream),
                    // A refusal says more than a missing route of the other
                    // address family.
                    Err(e) if failure != Some(ConnectFailure::Refused) => {
                        failure = Some(unreachable(&e));
                    }
                    Err(_) => {}
                },
                () = sleep(STAGGER), if more => {}
            }
        }
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, ConnectFailure> {
        if let Some(address) = self.known {
            return Ok(vec![address]);
        }
        let (host, port) = (self.endpoint.host(), self.endpoint.port());
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let resolved = tokio::net::lookup_host((host, port))
            .await
            .map_err(|e| ConnectFailure::Dns(e.to_string().into()))?;
        Ok(interleave(resolved.take(MAX_ADDRESSES)))
    }
}

/// Address families in turn, the resolver's favourite first; RFC 8305
/// section 4.
fn interleave(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let all: Vec<SocketAddr> = addresses.collect();
    let favourite = all.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = all.into_iter().partition(|a| a.is_ipv6() == favourite);
    let mut second = second.into_iter();
    let mut turns = Vec::new();
    for address in first {
        turns.push(address);
        turns.extend(second.next());
    }
    turns.extend(second);
    turns
}

fn unreachable(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectFailure::Refused,
        io::ErrorKind::TimedOut => ConnectFailure::TimedOut,
        _ => ConnectFailure::Unreachable(error.to_string().into()),
    }
}

fn explain(error: Error) -> ConnectFailure {
    match error {
        Error::Io(io) => {
            let tls = io.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
            tls.map_or_else(|| hung_up(&io), tls::explain)
        }
        Error::Tls(e) => ConnectFailure::Tls(e.to_string().into()),
        Error::Http(response) => {
            let asked = response.headers().get(RETRY_AFTER);
            let asked = asked.and_then(|value| retry_after(value.to_str().ok()?, WallTime::now()));
            ConnectFailure::Http {
                status: response.status().as_u16(),
                retry_after: asked.map(|asked| asked.min(limits::MAX_RETRY_AFTER)),
            }
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            ConnectFailure::Subprotocol
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            ConnectFailure::Unreachable("it hung up before answering".into())
        }
        other => ConnectFailure::NotWebSocket(other.to_string().into()),
    }
}

/// Seconds or a date, RFC 9110 section 10.2.3. One that has passed asks for nothing.
fn retry_after(text: &str, now: WallTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Duration::try_from(at.duration_since(now)).ok()
}

fn hung_up(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => {
            ConnectFailure::Unreachable("it hung up before answering".into())
        }
        _ => unreachable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_read_in_seconds_and_as_a_date() {
        let now = "2015-10-21T07:27:30Z".parse().expect("a time");
        let asked = |text| retry_after(text, now).map(|asked| asked.as_secs());
        assert_eq!(asked(" 120 "), Some(120));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(30));
        assert_eq!(asked("Wed, 21 Oct 2015 07:27:00 GMT"), None);
        assert_eq!(asked("soon"), None);
    }

    #[test]
    fn address_families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"];
        let parsed = addresses.iter().map(|a| a.parse().expect("an address"));
        let turns: Vec<String> = interleave(parsed).iter().map(ToString::to_string).collect();
        assert_eq!(
            turns,
            ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]
        );
    }
}
