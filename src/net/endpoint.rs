//! Where the backend is.

use std::fmt;

use tokio_tungstenite::tungstenite::http::Uri;

use super::NetError;
use crate::protocol::limits;

/// A `ws://` or `wss://` address. Shown without its query, which may carry a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    uri: Uri,
    host: String,
    port: u16,
    tls: bool,
}

impl Endpoint {
    /// # Errors
    /// [`NetError::Url`], saying what is wrong and what to write instead; it
    /// does not repeat the URL.
    pub fn parse(url: &str) -> Result<Self, NetError> {
        if url.len() > limits::MAX_URL_BYTES {
            return Err(NetError::Url("it is longer than 2048 bytes"));
        }
        let uri: Uri = url.trim().parse().map_err(|_| {
            NetError::Url("it is not a URL; write something like wss://example.org/ws")
        })?;
        let scheme = uri.scheme_str().map(str::to_ascii_lowercase);
        let tls = match scheme.as_deref() {
            Some("ws") => false,
            Some("wss") => true,
            Some("http") => return Err(NetError::Url("write ws:// instead of http://")),
            Some("https") => return Err(NetError::Url("write wss:// instead of https://")),
            Some(_) => return Err(NetError::Url("it must begin with ws:// or wss://")),
            None => {
                return Err(NetError::Url(
                    "it must begin with ws:// or wss://, as in wss://example.org/ws",
                ));
            }
        };
        if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(NetError::Url(
                "a name or password in it is not supported; put the token into a token file",
            ));
        }
        let bracketed = uri.host().unwrap_or_default();
        let host = bracketed.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(NetError::Url("the host name is missing"));
        }
        let has_port = uri.authority().is_some_and(|a| {
            a.as_str()
                .strip_prefix(bracketed)
                .is_some_and(|rest| !rest.is_empty())
        });
        let port = match uri.port_u16() {
            Some(0) => return Err(NetError::Url("the port must be 1 to 65535")),
            Some(port) => port,
            None if has_port => return Err(NetError::Url("the port must be 1 to 65535")),
            None if tls => 443,
            None => 80,
        };
        let host = host.to_owned();
        Ok(Self {
            uri,
            host,
            port,
            tls,
        })
    }

    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A name or an address, without an IPv6 address's brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether the way there leads over no network.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        let authority = self.uri.authority().map_or("", |a| a.as_str());
        write!(f, "{scheme}://{authority}{}", self.uri.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_form_are_read() {
        for (url, host, port, tls) in [
            ("ws://example.org", "example.org", 80, false),
            ("wss://example.org/ws", "example.org", 443, true),
            ("ws://127.0.0.1:8080/ws", "127.0.0.1", 8080, false),
            ("ws://[::1]:9000/", "::1", 9000, false),
            ("wss://[2001:db8::1]/x", "2001:db8::1", 443, true),
            ("  ws://localhost:1  ", "localhost", 1, false),
        ] {
            let endpoint = Endpoint::parse(url).expect(url);
            assert_eq!(
                (endpoint.host(), endpoint.port(), endpoint.is_tls()),
                (host, port, tls)
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_repeating_it() {
        for (url, hint) in [
            ("", "not a URL"),
            ("example.org/ws", "not a URL"),
            ("example.org", "must begin"),
            ("/ws", "must begin"),
            ("https://example.org", "write wss://"),
            ("http://example.org", "write ws://"),
            ("ftp://example.org", "must begin"),
            ("ws://", "not a URL"),
            ("ws://me:secret@example.org/", "token file"),
            ("ws://example.org:0/", "port"),
            ("ws://example.org:99999/", "port"),
        ] {
            let message = Endpoint::parse(url).expect_err(url).to_string();
            assert!(message.contains(hint), "{url}: {message}");
            assert!(!message.contains("secret"));
        }
        let long = format!("ws://h/{}", "x".repeat(3000));
        assert!(Endpoint::parse(&long).is_err());
    }

    #[test]
    fn a_token_in_the_query_is_not_shown() {
        let endpoint = Endpoint::parse("wss://example.org:8443/ws?token=secret").expect("valid");
        assert_eq!(endpoint.to_string(), "wss://example.org:8443/ws");
        assert_eq!(endpoint.uri().query(), Some("token=secret"));
    }
}
