//! The host's desk: a page that the relay serves, and who may use it.
//!
//! Whoever can read the host's token gets a link with a code in its fragment,
//! which no server and no log sees. The page trades the code for a cookie that
//! no script can read, and with it may do what a host may over HTTP. A cookie is
//! sent by the browser whoever asks it to, so it counts only together with
//! headers that a page cannot choose: see [`Door::is_own_page`]. Browsers do not
//! keep cookies of one machine's ports apart; what listens on a loopback address
//! runs as somebody whom the streamer trusts.
//!
//! [`Door::is_own_page`]: super::door::Door::is_own_page

mod codes;
mod page;
mod sessions;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tracing::error;

use super::api::{json_body_within, json_response};
use super::door::{is_loopback, one};
use super::limits::MAX_SIGN_IN;
use super::lock::lock;
use super::problem::Problem;
use super::server::{Core, Guest};
use super::tokens::Role;
use super::web_address;
use crate::model::{Private, WallTime};

pub(super) use page::{HOW_TO_BUILD, IS_BUILT, script, style};

use codes::Codes;
use sessions::Sessions;

/// What cookies were named before their names had a port; still read.
const COOKIE: &str = "hyperfocus-desk";

/// Codes that were not used, and sessions that were not ended.
#[derive(Debug)]
pub(super) struct Desk {
    /// The codes' time began here.
    clock: Instant,
    codes: Mutex<Codes>,
    sessions: Mutex<Sessions>,
    /// The cookie's name. Cookies do not know ports: another relay of this machine
    /// would sign this one's hosts out with a cookie of the same name.
    cookie: String,
}

impl Desk {
    /// The desk of the relay on this port, for whoever signs in by this host's token.
    ///
    /// # Errors
    /// When the sessions of an earlier run cannot be read.
    pub fn open(folder: &Path, port: u16, token: &Private<String>) -> io::Result<Self> {
        Ok(Self {
            clock: Instant::now(),
            codes: Mutex::default(),
            sessions: Mutex::new(Sessions::load(folder, token)?),
            cookie: format!("{COOKIE}-{port}"),
        })
    }

    /// A code that signs one browser in.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn code(&self) -> io::Result<Private<String>> {
        lock(&self.codes).make(self.clock.elapsed())
    }

    /// The values of our cookie; a browser may have several, of other paths or hosts.
    fn cookies<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let lines = headers.get_all(header::COOKIE).iter();
        // Others on this machine share the line, and may have put anything into it.
        let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        pairs.filter_map(|pair| {
            let (name, value) = str::from_utf8(pair).ok()?.trim().split_once('=')?;
            (name == self.cookie || name == COOKIE).then_some(value)
        })
    }

    /// Whether a request's cookie is that of a session.
    pub fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        let now = WallTime::now();
        let sessions = lock(&self.sessions);
        self.cookies(headers)
            .any(|cookie| sessions.is_open(cookie, now))
    }

    fn redeem(&self, code: &str) -> bool {
        lock(&self.codes).redeem(self.clock.elapsed(), code)
    }

    fn sign_out(&self, headers: &HeaderMap) {
        let mut sessions = lock(&self.sessions);
        for cookie in self.cookies(headers) {
            sessions.close(cookie, WallTime::now());
        }
    }

    /// The cookies that now last longer.
    fn renew<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut sessions = lock(&self.sessions);
        self.cookies(headers)
            .find(|cookie| sessions.renew(cookie, WallTime::now()))
    }
}

/// Where the desk is opened with a code; `relay` is its web address.
pub(super) fn link(relay: &str, code: &Private<String>) -> String {
    format!("{relay}/desk#{}", code.0)
}

/// A cookie for so many seconds; 0 takes it away.
fn set_cookie(core: &Core, headers: &HeaderMap, value: &str, seconds: i64) -> Option<HeaderValue> {
    let origin = one(headers, header::ORIGIN);
    let is_tls = core.speaks_tls() || origin.is_some_and(|it| it.starts_with("https://"));
    // A browser signs in without TLS on this machine only: elsewhere a proxy has it.
    let is_near = one(headers, header::HOST).is_some_and(is_loopback);
    let secure = if is_tls || !is_near { "; Secure" } else { "" };
    let name = &core.desk.cookie;
    let text =
        format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /desk`. Who opens it stays signed in.
pub(super) async fn open(State(core): State<Arc<Core>>, headers: HeaderMap) -> Response {
    let renewed = core.desk.renew(&headers);
    let cookie = renewed.and_then(|cookie| set_cookie(&core, &headers, cookie, sessions::LIFE));
    with_cookie(page::page(), cookie)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    code: String,
}

/// `POST /desk/session`: a code for a cookie.
pub(super) async fn sign_in(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = json_body_within(&headers, body, MAX_SIGN_IN).await?;
    let given: SignIn =
        serde_json::from_slice(&body).map_err(|_| Problem::invalid("send {\"code\": \"...\"}"))?;
    if !core.desk.redeem(&given.code) {
        core.wrong_guess(&guest)?;
        return Err(Problem::wrong_code());
    }
    // The session that this browser had is of no more use to it.
    core.desk.sign_out(&headers);
    let cookie = lock(&core.desk.sessions).open(WallTime::now());
    let cookie = cookie.map_err(|error| no_randomness(&error))?;
    let cookie = set_cookie(&core, &headers, &cookie.0, sessions::LIFE);
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), cookie))
}

/// `DELETE /desk/session`
pub(super) async fn sign_out(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !guest.is_own_page {
        return Err(Problem::unauthorised());
    }
    core.desk.sign_out(&headers);
    let gone = set_cookie(&core, &headers, "", 0);
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), gone))
}

/// `POST /v1/desk/codes`: another link, for whoever has the host's token.
pub(super) async fn post_code(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise_bearer(&guest, &headers, &[Role::Host])?;
    let code = core.desk.code().map_err(|error| no_randomness(&error))?;
    // The door has seen to it that there is one, and that it is ours.
    let host = one(&headers, header::HOST).unwrap_or_default();
    let body = json!({
        "code": code.0,
        // Elsewhere a proxy has it, as for the cookie.
        "url": link(&web_address(core.speaks_tls() || !is_loopback(host), host), &code),
        "expiresIn": codes::LIFE.as_secs(),
    });
    Ok(json_response(StatusCode::CREATED, &body))
}

fn no_randomness(error: &io::Error) -> Problem {
    error!(%error, "nobody can sign in at the desk");
    Problem::crowded("the system has no randomness; try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            "a=b; hyperfocus-desk-7788=one;hyperfocus-desk-7789=no"
                .parse()
                .unwrap(),
        );
        headers.append(
            header::COOKIE,
            "nothyperfocus-desk=no; hyperfocus-desk=two"
                .parse()
                .unwrap(),
        );
        let foreign = HeaderValue::from_bytes(b"user=J\xfcrgen; hyperfocus-desk=three").unwrap();
        headers.append(header::COOKIE, foreign);
        let folder = tempfile::tempdir().unwrap();
        let token = Private("the-hosts-token".to_owned());
        let desk = Desk::open(folder.path(), 7788, &token).unwrap();
        let found: Vec<_> = desk.cookies(&headers).collect();
        assert_eq!(found, ["one", "two", "three"]);
    }
}
