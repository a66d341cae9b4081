//! Whom a request is meant for, and which page it comes from.
//!
//! A page in the user's own browser can send requests to a loopback address.
//! It cannot choose `Origin`, and one that has its own name resolve to this
//! machine cannot choose `Host`.

use axum::http::{HeaderMap, HeaderName, header};

use super::problem::Problem;

/// Names of this machine to itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

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
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = one(headers, header::HOST).ok_or_else(Problem::wrong_host)?;
        let name = without_port(host);
        let is_known = |known: &str| known.eq_ignore_ascii_case(name);
        if !LOOPBACK.into_iter().any(is_known) && !self.hosts.iter().any(|own| is_known(own)) {
            return Err(Problem::wrong_host());
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        // Two of them, or one that is no text, is nobody's.
        let origin = one(headers, header::ORIGIN).ok_or_else(Problem::foreign_origin)?;
        let is_own = ["http://", "https://"].into_iter().any(|scheme| {
            let own = origin.strip_prefix(scheme);
            own.is_some_and(|own| own.eq_ignore_ascii_case(host))
        });
        match is_own || self.origins.iter().any(|own| own == origin) {
            true => Ok(()),
            false => Err(Problem::foreign_origin()),
        }
    }
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
        let admitted = door.admit(&headers);
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
            "",
            ":80",
        ] {
            assert_eq!(status(host, None), 421, "{host}");
        }
        assert_eq!(
            Door::default()
                .admit(&HeaderMap::new())
                .unwrap_err()
                .status(),
            421
        );
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
