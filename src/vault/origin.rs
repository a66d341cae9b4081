//! Which web servers pictures may come from.

use std::net::Ipv6Addr;
use std::str::FromStr;

use thiserror::Error;

/// Longest name that DNS has (RFC 1035, 2.3.4).
const MAX_HOST: usize = 253;

/// A web server that may be asked for pictures: scheme, host and port, as browsers
/// take them together (RFC 6454). `https://` may be left away; `*.` before the host
/// means every name below it, and not itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin {
    is_tls: bool,
    /// In lower case; an IPv6 address without its brackets.
    host: String,
    port: u16,
    with_all_below: bool,
}

/// Why a text names no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebOriginError {
    #[error("it begins with neither https:// nor http://")]
    Scheme,
    #[error("write scheme and host alone, without a path, a name or a password")]
    NotAlone,
    #[error("it names no host")]
    Host,
    #[error("the port is not 1 to 65535")]
    Port,
}

impl WebOrigin {
    /// Whether this is where something is: `host` as a URL has it, an IPv6 address
    /// without its brackets.
    pub fn is_of(&self, is_tls: bool, host: &str, port: u16) -> bool {
        if (is_tls, port) != (self.is_tls, self.port) {
            return false;
        }
        let host = host.to_ascii_lowercase();
        match self.with_all_below {
            true => host
                .strip_suffix(self.host.as_str())
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            false => host == self.host,
        }
    }

    /// Whether it is asked over TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }
}

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let text = text.trim().to_ascii_lowercase();
        let (is_tls, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return Err(WebOriginError::Scheme),
            None => (true, text.as_str()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(WebOriginError::NotAlone);
        }
        let (with_all_below, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(WebOriginError::Host)?;
                let is_address = address.parse::<Ipv6Addr>().is_ok() && !with_all_below;
                let port = match port.strip_prefix(':') {
                    None if port.is_empty() => None,
                    None => return Err(WebOriginError::Port),
                    port => port,
                };
                (Some(address).filter(|_| is_address), port)
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (named(host), Some(port)),
                None => (named(rest), None),
            },
        };
        let port = match port {
            None if is_tls => 443,
            None => 80,
            Some(port) => port
                .parse()
                .ok()
                .filter(|it| *it > 0)
                .ok_or(WebOriginError::Port)?,
        };
        Ok(Self {
            is_tls,
            host: host.ok_or(WebOriginError::Host)?.to_owned(),
            port,
            with_all_below,
        })
    }
}

/// A name or an IPv4 address, if it can be one.
fn named(host: &str) -> Option<&str> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (host.len() <= MAX_HOST && host.split('.').all(is_label)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> WebOrigin {
        text.parse().expect(text)
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let cdn = origin(" CDN.example ");
        assert_eq!(cdn, origin("https://cdn.example:443/"));
        assert!(cdn.is_of(true, "cdn.EXAMPLE", 443));
        assert!(!cdn.is_of(false, "cdn.example", 443));
        assert!(!cdn.is_of(true, "cdn.example", 8443));
        assert!(!cdn.is_of(true, "a.cdn.example", 443));
        assert!(origin("http://127.0.0.1:8080").is_of(false, "127.0.0.1", 8080));
        assert!(origin("http://[::1]").is_of(false, "::1", 80));
    }

    #[test]
    fn a_star_is_every_name_below() {
        let all = origin("*.cdn.example");
        assert!(all.is_of(true, "a.cdn.example", 443));
        assert!(all.is_of(true, "a.b.cdn.example", 443));
        for other in [
            "cdn.example",
            ".cdn.example",
            "evilcdn.example",
            "a.cdn.example.evil",
        ] {
            assert!(!all.is_of(true, other, 443), "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_told_why() {
        for (text, why) in [
            ("ftp://a.example", WebOriginError::Scheme),
            ("https://a.example/faces", WebOriginError::NotAlone),
            ("https://me:word@a.example", WebOriginError::NotAlone),
            ("https://a.example?x", WebOriginError::NotAlone),
            ("", WebOriginError::Host),
            ("*", WebOriginError::Host),
            ("*.", WebOriginError::Host),
            ("a..example", WebOriginError::Host),
            ("a b.example", WebOriginError::Host),
            ("a.*.example", WebOriginError::Host),
            ("*.[::1]", WebOriginError::Host),
            ("[::1", WebOriginError::Host),
            ("[nothing]", WebOriginError::Host),
            ("a.example:", WebOriginError::Port),
            ("a.example:0", WebOriginError::Port),
            ("a.example:65536", WebOriginError::Port),
            ("[::1]x", WebOriginError::Port),
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(why), "{text}");
        }
    }
}
