//! Who is signed in at the desk. It is kept in a file, so that a dock in OBS
//! stays signed in when the relay starts anew; the file has hashes, since what
//! stands in it should sign nobody in. They are the sessions of one host's token:
//! who replaces it, because others have come by it, signs everybody out.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};
use tracing::warn;

use crate::draft::Draft;
use crate::model::{Private, WallTime};
use crate::relay::secret;

/// Random bytes in a cookie: as many as nobody can guess, in all the time that
/// it is good for.
const COOKIE_BYTES: usize = 32;

/// Seconds that a session lasts after the page was opened last: a season, so
/// that a dock is not signed out in the middle of a stream.
pub(super) const LIFE: i64 = 90 * DAY;

/// A session that has lost this many of its seconds is renewed when its page is
/// opened; not each time, since each is a write.
const RENEWED_AFTER: i64 = DAY;

const DAY: i64 = 24 * 60 * 60;

/// Browsers and docks of one streamer. Beyond: the one whose page was opened the
/// longest ago is signed out.
const MAX_SESSIONS: usize = 32;

type Hash = [u8; digest::SHA256_OUTPUT_LEN];

/// The sessions of a relay, in the order in which they end.
#[derive(Debug)]
pub(super) struct Sessions {
    path: PathBuf,
    /// Of the token by which all of them were opened.
    token: Hash,
    kept: Vec<Session>,
}

#[derive(Debug)]
struct Session {
    /// Of the cookie's value. It is random, so that a plain hash will do.
    hash: Hash,
    /// Seconds since the Unix epoch.
    until: i64,
}

impl Sessions {
    /// Those of an earlier run with the same host's token. What cannot be read has to
    /// sign in again.
    ///
    /// # Errors
    /// When there is a file and it cannot be read.
    pub fn load(folder: &Path, token: &Private<String>) -> io::Result<Self> {
        let token = hash_of(&token.0);
        let path = folder.join("desk.sessions");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let text = String::from_utf8_lossy(&text);
        let mut lines = text.lines();
        let is_by_it = lines.next() == Some(&*token_line(&token));
        let lines = lines.filter(|_| is_by_it);
        let mut kept: Vec<_> = lines.filter_map(Session::parse).collect();
        kept.sort_unstable_by_key(|session| session.until);
        kept.drain(..kept.len().saturating_sub(MAX_SESSIONS));
        Ok(Self { path, token, kept })
    }

    /// A new session: the value of its cookie.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn open(&mut self, now: WallTime) -> io::Result<Private<String>> {
        let cookie = Private(secret::random::<COOKIE_BYTES>()?);
        let now = now.as_second();
        self.kept.retain(|session| session.until > now);
        if self.kept.len() >= MAX_SESSIONS {
            self.kept.remove(0);
        }
        self.kept.push(Session {
            hash: hash_of(&cookie.0),
            until: now + LIFE,
        });
        self.save();
        Ok(cookie)
    }

    pub fn is_open(&self, cookie: &str, now: WallTime) -> bool {
        self.find(cookie, now).is_some()
    }

    /// The page was opened; true when the cookie now lasts longer than the
    /// browser thinks.
    pub fn renew(&mut self, cookie: &str, now: WallTime) -> bool {
        let until = now.as_second() + LIFE;
        let Some(at) = self.find(cookie, now) else {
            return false;
        };
        if until - self.kept[at].until < RENEWED_AFTER {
            return false;
        }
        let hash = self.kept.remove(at).hash;
        self.kept.push(Session { hash, until });
        self.save();
        true
    }

    pub fn close(&mut self, cookie: &str, now: WallTime) {
        if let Some(at) = self.find(cookie, now) {
            self.kept.remove(at);
            self.save();
        }
    }

    /// The time it takes tells nothing.
    fn find(&self, cookie: &str, now: WallTime) -> Option<usize> {
        let hash = hash_of(cookie);
        let mut found = u64::MAX;
        for (at, session) in (0_u64..).zip(&self.kept) {
            found.conditional_assign(&at, session.hash.ct_eq(&hash));
        }
        let at = usize::try_from(found).ok()?;
        let session = self.kept.get(at)?;
        (session.until > now.as_second()).then_some(at)
    }

    /// A disk that does not take it costs a sign-in after the next start, and no
    /// more.
    fn save(&self) {
        let written = Draft::of(&self.path, "part")
            .map_err(io::Error::other)
            .and_then(|draft| {
                let mut file = secret::for_its_owner()
                    .create(true)
                    .truncate(true)
                    .open(draft.temporary())?;
                writeln!(file, "{}", token_line(&self.token))?;
                for session in &self.kept {
                    writeln!(file, "{session}")?;
                }
                draft.publish()
            });
        if let Err(error) = written {
            let file = self.path.display();
            warn!(%file, %error, "who is signed in at the desk was not kept");
        }
    }
}

impl Session {
    fn parse(line: &str) -> Option<Self> {
        let (hash, until) = line.split_once(' ')?;
        Some(Self {
            hash: URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok()?,
            until: until.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", URL_SAFE_NO_PAD.encode(self.hash), self.until)
    }
}

/// The file's first line.
fn token_line(hash: &Hash) -> String {
    format!("token {}", URL_SAFE_NO_PAD.encode(hash))
}

fn hash_of(secret: &str) -> Hash {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    let mut hash = Hash::default();
    hash.copy_from_slice(digest.as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> WallTime {
        WallTime::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn token() -> Private<String> {
        Private("the-hosts-token".to_owned())
    }

    fn load(folder: &Path) -> Sessions {
        Sessions::load(folder, &token()).unwrap()
    }

    #[test]
    fn a_session_lasts_its_time_through_a_new_start_and_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut sessions = load(folder.path());
        let [one, other] = [0, 1].map(|second| sessions.open(at(second)).unwrap().0);
        let mut sessions = load(folder.path());
        assert!(sessions.is_open(&one, at(LIFE - 1)));
        assert!(!sessions.is_open(&one, at(LIFE)));
        assert!(!sessions.is_open("", at(0)) && !sessions.is_open(&one[1..], at(0)));
        sessions.close(&one, at(2));
        let sessions = load(folder.path());
        assert!(!sessions.is_open(&one, at(3)));
        assert!(sessions.is_open(&other, at(3)));
    }

    #[test]
    fn the_file_signs_nobody_in_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut sessions = load(folder.path());
        let cookie = sessions.open(at(0)).unwrap().0;
        let path = folder.path().join("desk.sessions");
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&cookie), "{text}");
        assert!(!text.contains(&token().0), "{text}");
        for stands_there in text.split_whitespace() {
            assert!(!sessions.is_open(stands_there, at(1)));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn another_token_signs_everybody_out_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let mut sessions = load(folder.path());
        let cookie = sessions.open(at(0)).unwrap().0;
        let other = Private("another-token".to_owned());
        let mut replaced = Sessions::load(folder.path(), &other).unwrap();
        assert!(!replaced.is_open(&cookie, at(1)));
        replaced.open(at(1)).unwrap();
        assert!(!load(folder.path()).is_open(&cookie, at(1)));
        // Nobody knows by which token those of an earlier version were opened.
        let path = folder.path().join("desk.sessions");
        let until = at(LIFE).as_second();
        let hash = URL_SAFE_NO_PAD.encode(hash_of(&cookie));
        fs::write(&path, format!("{hash} {until}\n")).unwrap();
        assert!(!load(folder.path()).is_open(&cookie, at(1)));
    }

    #[test]
    fn an_opened_page_renews_it_at_most_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let mut sessions = load(folder.path());
        let cookie = sessions.open(at(0)).unwrap().0;
        assert!(!sessions.renew(&cookie, at(DAY - 1)));
        assert!(sessions.renew(&cookie, at(DAY)));
        assert!(!sessions.renew(&cookie, at(DAY + 1)));
        let sessions = load(folder.path());
        assert!(sessions.is_open(&cookie, at(LIFE + DAY - 1)));
    }

    #[test]
    fn the_one_that_was_away_longest_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let mut sessions = load(folder.path());
        let first = sessions.open(at(0)).unwrap().0;
        let second = sessions.open(at(1)).unwrap().0;
        assert!(sessions.renew(&first, at(DAY)));
        for _ in 2..=MAX_SESSIONS {
            sessions.open(at(DAY)).unwrap();
        }
        assert!(!sessions.is_open(&second, at(DAY)));
        assert!(sessions.is_open(&first, at(DAY)));
    }

    #[test]
    fn a_spoilt_file_costs_a_sign_in_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.sessions");
        fs::write(&path, b"\xff\xff rubbish\nshort 17\n\n").unwrap();
        let mut sessions = load(folder.path());
        let cookie = sessions.open(at(0)).unwrap().0;
        let sessions = load(folder.path());
        assert!(sessions.is_open(&cookie, at(1)));
        assert_eq!(sessions.kept.len(), 1);
    }
}
