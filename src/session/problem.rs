//! What can go wrong with a connection, in words for the streamer, and what
//! the session does about each.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// Longest text of a peer's that is repeated to the user; RFC 6455 allows a
/// close reason 123 bytes.
const MAX_QUOTE: usize = 123;

/// Close codes, RFC 6455 section 7.4.1 and the IANA registry behind it.
pub mod close_code {
    pub const NORMAL: u16 = 1000;
    pub const PROTOCOL: u16 = 1002;
    pub const UNSUPPORTED_DATA: u16 = 1003;
    pub const NOT_UTF8: u16 = 1007;
    pub const POLICY: u16 = 1008;
    pub const TOO_BIG: u16 = 1009;
    /// Private: a newer connection came with the same `clientId`. Those that mirror
    /// what HTTP says of a wrong request (4400, 4401, 4403, 4404) end a session, too.
    pub const DUPLICATE_CLIENT: u16 = 4409;
}

/// Why a connection attempt came to nothing, as the network sees it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectFailure {
    #[error("the host name cannot be resolved ({0}); check the URL and the network")]
    Dns(Arc<str>),
    #[error("the connection was refused; is the backend running, and is the port right?")]
    Refused,
    #[error("the server cannot be reached ({0}); check the URL and the network")]
    Unreachable(Arc<str>),
    #[error("the server did not answer in time; check the URL and the network")]
    TimedOut,
    #[error("the server's certificate is not trusted: {0}")]
    Certificate(Arc<str>),
    #[error("no encrypted connection can be made ({0}); does the server speak TLS on this port?")]
    Tls(Arc<str>),
    /// The server would not have the subprotocol, or the client library
    /// would not have a server that does not name it.
    #[error("the server did not agree to the subprotocol hyperfocus-protocol-v1")]
    Subprotocol,
    #[error("{}", http_text(*.status))]
    Http {
        status: u16,
        retry_after: Option<Duration>,
    },
    #[error("the server does not speak WebSocket here ({0}); check the URL's path and port")]
    NotWebSocket(Arc<str>),
}

fn http_text(status: u16) -> String {
    match status {
        401 | 403 => format!(
            "the server refused the token (HTTP {status}); check the token and that it is for this stream"
        ),
        300..=399 => format!(
            "the server redirects elsewhere (HTTP {status}); use the address it redirects to"
        ),
        404 => "there is no WebSocket at this address (HTTP 404); check the URL's path".to_owned(),
        429 => "the server asks for fewer connections (HTTP 429)".to_owned(),
        500..=599 => format!("the server is in trouble (HTTP {status})"),
        _ => format!(
            "the server does not speak WebSocket here (HTTP {status}); check the URL's path and port"
        ),
    }
}

/// Why a connection ended, or could not begin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    #[error(transparent)]
    Connect(#[from] ConnectFailure),
    #[error(
        "the server took the connection but sent no connection:ack within {} s; \
         is this a hyperfocus-protocol-v1 backend?",
        .0.as_secs_f32()
    )]
    NoAck(Duration),
    #[error("the server has been silent for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("{}", closed_text(*.code, .reason))]
    Closed {
        /// `None` when the connection broke without a close frame.
        code: Option<u16>,
        reason: Arc<str>,
    },
    #[error("the server refused the session: {code} {message}")]
    Refused { code: Arc<str>, message: Arc<str> },
    /// It said so before its `connection:ack`, and then closed or said no more.
    #[error("the server would not begin a session: {code} {message}")]
    Unwelcome { code: Arc<str>, message: Arc<str> },
    #[error("the server speaks another major version of hyperfocus-protocol; update the renderer")]
    UnsupportedVersion,
    #[error("the server sent a binary frame, which the protocol does not have")]
    Binary,
    #[error("the server sent a message over 2 MiB")]
    TooLarge,
    #[error("the server sent text that is not UTF-8")]
    NotUtf8,
    #[error("the server broke the WebSocket protocol")]
    BadFrames,
}

fn closed_text(code: Option<u16>, reason: &str) -> String {
    let said = match reason {
        "" => String::new(),
        reason => format!(": \"{reason}\""),
    };
    match code {
        None => "the connection was lost".to_owned(),
        Some(close_code::POLICY | 4401 | 4403) => format!(
            "the server refused this client{said}; check the token and that it is for this stream"
        ),
        Some(code) if is_duplicate(code, reason) => format!(
            "another renderer took over with the same client id{said}; run only one per state directory"
        ),
        Some(code) => format!("the server closed the connection (code {code}{said})"),
    }
}

/// A private code says "replaced" by its number or in so many words.
fn is_duplicate(code: u16, reason: &str) -> bool {
    let says_so = || {
        let reason = reason.to_ascii_lowercase();
        ["duplicate", "replaced", "superseded"]
            .iter()
            .any(|word| reason.contains(word))
    };
    code == close_code::DUPLICATE_CLIENT || ((4000..5000).contains(&code) && says_so())
}

/// What the session does about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Try again, soon at first.
    Retry,
    /// Try again, but trying soon would not help.
    RetrySlowly,
    /// Trying again cannot help: stop and tell the user.
    Stop,
}

impl Problem {
    /// A close by the peer, with its reason made fit to be shown.
    pub fn closed(code: Option<u16>, reason: &str) -> Self {
        Self::Closed {
            // 1005 and 1006 never travel: they are a library's way of saying
            // "no code" and "no close frame".
            code: code.filter(|code| !matches!(code, 1005 | 1006)),
            reason: quote(reason),
        }
    }

    pub(super) fn reaction(&self) -> Reaction {
        match self {
            Self::Connect(failure) => failure.reaction(),
            Self::NoAck(_) | Self::Silent(_) => Reaction::Retry,
            Self::Closed { code: None, .. } => Reaction::Retry,
            Self::Closed {
                code: Some(code),
                reason,
            } => match code {
                1000 | 1001 | 1011..=1013 => Reaction::Retry,
                1008 | 4400 | 4401 | 4403 | 4404 => Reaction::Stop,
                _ if is_duplicate(*code, reason) => Reaction::Stop,
                _ => Reaction::RetrySlowly,
            },
            Self::Refused { .. } | Self::UnsupportedVersion => Reaction::Stop,
            Self::Unwelcome { .. } => Reaction::RetrySlowly,
            Self::Binary | Self::TooLarge | Self::NotUtf8 | Self::BadFrames => {
                Reaction::RetrySlowly
            }
        }
    }

    /// How long the peer asked us to stay away.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Connect(ConnectFailure::Http { retry_after, .. }) => *retry_after,
            _ => None,
        }
    }
}

impl ConnectFailure {
    fn reaction(&self) -> Reaction {
        match self {
            Self::Dns(_) | Self::Refused | Self::Unreachable(_) | Self::TimedOut => Reaction::Retry,
            // A certificate is renewed, a path deployed: worth another look,
            // seldom.
            Self::Certificate(_) | Self::Tls(_) | Self::Subprotocol | Self::NotWebSocket(_) => {
                Reaction::RetrySlowly
            }
            Self::Http { status, .. } => match status {
                401 | 403 => Reaction::Stop,
                408 | 429 | 500..=599 => Reaction::Retry,
                _ => Reaction::RetrySlowly,
            },
        }
    }
}

/// A peer's words, without control characters and cut to a line.
pub(super) fn quote(text: &str) -> Arc<str> {
    let mut quoted: String = text.chars().filter(|c| !c.is_control()).collect();
    if quoted.len() > MAX_QUOTE {
        let end = quoted.floor_char_boundary(MAX_QUOTE);
        quoted.truncate(end);
    }
    quoted.into()
}

/// Error codes that mean "your credentials will not do", as backends spell
/// them.
pub(super) fn is_auth_code(code: &str) -> bool {
    [
        "AUTH_FAILED",
        "AUTH_REQUIRED",
        "AUTHENTICATION_FAILED",
        "FORBIDDEN",
        "INVALID_TOKEN",
        "TOKEN_EXPIRED",
        "UNAUTHENTICATED",
        "UNAUTHORIZED",
    ]
    .iter()
    .any(|known| code.eq_ignore_ascii_case(known))
}
