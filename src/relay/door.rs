//! Whom a request is meant for, and which page it comes from.
//!
//! A page in the user's own browser can send requests to a loopback address.
//! It cannot choose `Origin`, and one that has its own name resolve to this
//! machine cannot choose `Host`.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use super::problem::Problem;

/// This machine's name to itself; its loopback addresses are others.
const LOCALHOST: &str = "localhost";

/// What page a request is from, as the browser says (Fetch Metadata, W3C).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which hosts and origins are ours.
#[derive(Debug, Clone, Default)]
pub struct Door {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Door {
    /// Those besides the loopback names and their own origins.
    pub fn new(hosts: Vec<String>, origins: Vec<String>) -> Self {
        Self { hosts, origins }
    }

    /// # Errors
    /// 421 for a host and 403 for an origin that is not ours.
    pub(super) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = one(headers, header::HOST).ok_or_else(Problem::wrong_host)?;
        // A request may name its target a second time, as to a proxy.
        let target = uri.authority().map_or(host, |authority| authority.as_str());
        if !self.is_ours(host) || !self.is_ours(target) {
            return Err(Problem::wrong_host());
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        // Two of them, or one that is no text, is nobody's.
        let origin = one(headers, header::ORIGIN).ok_or_else(Problem::foreign_origin)?;
        match is_own(origin, host) || self.origins.iter().any(|own| own == origin) {
            true => Ok(()),
            false => Err(Problem::foreign_origin()),
        }
    }

    /// The origin of a request from a page that was allowed besides our own: its
    /// browser must be told so (Fetch, CORS protocol).
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = one(headers, header::ORIGIN)?;
        let is_listed = self.origins.iter().any(|own| own == origin);
        is_listed.then(|| headers[header::ORIGIN].clone())
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = without_port(host);
        is_loopback(host) || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether a request certainly comes from a page that we served: it says so
    /// in a header that no page can choose. Reading sends no `Origin`, but says
    /// where the page is from. A page from another port of this machine would be
    /// sent the same cookies, and is not ours.
    pub(super) fn is_own_page(method: &Method, headers: &HeaderMap) -> bool {
        let host = one(headers, header::HOST).unwrap_or_default();
        match headers.contains_key(header::ORIGIN) {
            true => one(headers, header::ORIGIN).is_some_and(|origin| is_own(origin, host)),
            false => method.is_safe() && one(headers, FETCH_SITE) == Some("same-origin"),
        }
    }
}

/// Whether a host, with its port or without, is this machine's name for itself.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = without_port(host);
    name.eq_ignore_ascii_case(LOCALHOST) || address_in(name).is_some_and(|it| it.is_loopback())
}

/// The address that a host without its port is, if it is one.
fn address_in(host: &str) -> Option<IpAddr> {
    let v6 = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    match v6 {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<IpAddr>().ok().filter(IpAddr::is_ipv4),
    }
}

/// How requests for an address name it as their host.
pub(super) fn host_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn is_own(origin: &str, host: &str) -> bool {
    ["http://", "https://"].into_iter().any(|scheme| {
        let own = origin.strip_prefix(scheme);
        own.is_some_and(|own| own.eq_ignore_ascii_case(host))
    })
}

/// The value of a header that is there once.
pub(super) fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(host: &str, origin: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let door = Door::new(
            vec!["relay.example".into()],
            vec!["https://dock.example".into()],
        );
        let admitted = door.admit(&Uri::from_static("/"), &headers);
        admitted.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn our_own_names_come_in() {
        for host in [
            "localhost",
            "LOCALHOST:7788",
            "127.0.0.1:1",
            "[::1]:7788",
            "[::1]",
            "127.0.0.2:7788",
        ] {
            assert_eq!(status(host, None), 200, "{host}");
        }
        assert_eq!(status("relay.example", Some("https://relay.example")), 200);
        assert_eq!(status("localhost:7", Some("http://localhost:7")), 200);
        assert_eq!(status("localhost:7", Some("https://dock.example")), 200);
    }

    #[test]
    fn a_name_that_was_made_to_point_here_does_not() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil:80",
            "192.0.2.7:7788",
            "[2001:db8::7]",
            "::1",
            "",
            ":80",
        ] {
            assert_eq!(status(host, None), 421, "{host}");
        }
        assert_eq!(
            Door::default()
                .admit(&Uri::default(), &HeaderMap::new())
                .unwrap_err()
                .status(),
            421
        );
    }

    #[test]
    fn a_request_that_names_another_target_does_not() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost".parse().unwrap());
        let door = Door::default();
        let ours = Uri::from_static("http://localhost:7788/ws");
        assert!(door.admit(&ours, &headers).is_ok());
        let other = Uri::from_static("http://evil.example/ws");
        assert!(door.admit(&other, &headers).is_err());
    }

    #[test]
    fn a_page_is_ours_when_the_browser_says_so() {
        let says = |method, name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "localhost:7".parse().unwrap());
            headers.insert(name, value.parse().unwrap());
            Door::is_own_page(&method, &headers)
        };
        assert!(says(Method::POST, "origin", "http://localhost:7"));
        assert!(says(Method::GET, "origin", "http://localhost:7"));
        assert!(says(Method::GET, "sec-fetch-site", "same-origin"));
        for (method, name, value) in [
            (Method::GET, "origin", "http://localhost:8"),
            (Method::GET, "sec-fetch-site", "same-site"),
            (Method::GET, "sec-fetch-site", "none"),
            (Method::GET, "accept", "*/*"),
            (Method::POST, "sec-fetch-site", "same-origin"),
        ] {
            assert!(!says(method, name, value), "{name}: {value}");
        }
    }

    #[test]
    fn a_foreign_page_does_not() {
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost:8",
            "file://",
        ] {
            assert_eq!(status("localhost:7", Some(origin)), 403, "{origin}");
        }
    }
}
