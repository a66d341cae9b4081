//! Every bound of the running relay, with its reason, and what keeps them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::lock::lock;
use super::tokens::Role;

/// Connections at once, WebSockets among them: what two processors can keep
/// up with. Beyond: closed at once.
pub(super) const MAX_CONNECTIONS: usize = 20_000;

/// Connections of one address, or of one IPv6 network: more than one household
/// has, and half of [`MAX_GREETING`]. Those from this machine are not counted
/// unless somebody says so, since a proxy before the relay brings everybody.
/// Beyond: closed at once.
pub(super) const MAX_PER_ADDRESS: usize = 500;

/// Connections that have not said `connection:init`. Beyond: 503.
pub(super) const MAX_GREETING: usize = 1_024;

/// TLS handshakes at once: some seconds' work of two processors. Beyond: closed
/// at once.
pub(super) const MAX_HANDSHAKES: usize = 1_024;

/// Largest file of certificates or of a key that is read; a chain has a few KiB.
pub(super) const MAX_PEM: u64 = 1024 * 1024;

/// How often certificate files are looked at.
pub(super) const TLS_CHECK: Duration = Duration::from_secs(5);

/// Addresses whose requests are counted. Beyond: those that have been quiet are
/// forgotten early.
const MAX_ADDRESSES: usize = 100_000;

/// Readers of events at once; a desk or two for each host. Beyond: 503.
pub(super) const MAX_EVENT_READERS: usize = 256;

/// Streams at once. Beyond: 503, and a WebSocket is closed with 1013.
pub(super) const MAX_STREAMS: usize = 10_000;

/// For a request's head, for its body, and for `connection:init`. Beyond:
/// closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that takes nothing for so long is gone.
pub(super) const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a closing connection is waited for.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// How long the sources' last gifts may take to be stored: the store gives up an
/// attempt after 5 s, and one may have begun before the end did. Beyond: lost, and
/// said.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(12);

/// Largest body of a request. Beyond: 413.
pub(super) const MAX_BODY: usize = 2 * 1024 * 1024;

/// What is read of a body after the answer that refused it, for those who do not listen
/// before they have sent all. Beyond: closed.
pub(super) const MAX_UNWANTED: usize = 16 * 1024 * 1024;

/// Largest body of a request that signs in, which anybody may send: a code and the
/// words around it. Beyond: 413.
pub(super) const MAX_SIGN_IN: usize = 1024;

/// Gifts in one request, so that one commit stays short. Beyond: 413.
pub(super) const MAX_GIFTS: usize = 1_000;

/// Gifts listed at once, and read from the store at once for an export.
pub(super) const MAX_LISTED: usize = 1_000;

/// What a request's head may take, lines and all. Beyond: 431.
pub(super) const MAX_HEAD: usize = 16 * 1024;

/// Requests of one address: so many a second, and so many at once; about what
/// two processors serve. A crowd of viewers behind one proxy may come together,
/// and so may a platform's gifts. Beyond: 429.
const REQUESTS: (u32, u32) = (20_000, 100_000);

/// Wrong tokens from one address; more is somebody guessing. Beyond: 429.
const GUESSES: (u32, u32) = (1, 20);

/// Messages of a host, which may ack a whole flood at once and repeats on a new
/// connection what was not proven to have arrived. Beyond: read more slowly.
const HOST_MESSAGES: (u32, u32) = (20_000, 100_000);

/// Messages of a viewer, whose acks are counted and no more. Beyond: read more
/// slowly.
const VIEWER_MESSAGES: (u32, u32) = (1_000, 5_000);

fn quota((per_second, burst): (u32, u32)) -> Quota {
    let count = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(count(per_second)).allow_burst(count(burst))
}

type PerAddress = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>;

/// How often an address may do something.
pub(super) struct Rates {
    clock: DefaultClock,
    requests: PerAddress,
    guesses: PerAddress,
}

impl Rates {
    pub fn new() -> Self {
        Self {
            clock: DefaultClock::default(),
            requests: RateLimiter::hashmap(quota(REQUESTS)),
            guesses: RateLimiter::hashmap(quota(GUESSES)),
        }
    }

    /// # Errors
    /// How long to wait.
    pub fn request(&self, address: IpAddr) -> Result<(), Duration> {
        check(&self.requests, &self.clock, address)
    }

    /// Whether it is time to [tidy](Self::tidy), whatever the clock says.
    pub fn is_crowded(&self) -> bool {
        self.requests.len().max(self.guesses.len()) > MAX_ADDRESSES
    }

    /// A wrong token came.
    ///
    /// # Errors
    /// How long to wait.
    pub fn guess(&self, address: IpAddr) -> Result<(), Duration> {
        check(&self.guesses, &self.clock, address)
    }

    /// Forgets addresses that have been quiet.
    pub fn tidy(&self) {
        for limiter in [&self.requests, &self.guesses] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// Whom an address stands for: of IPv6, who has one has its whole network of 64
/// bits.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(network).into()
        }
        address => address,
    }
}

/// Who has how many connections.
#[derive(Debug, Clone)]
pub(super) struct Seats(Arc<SeatsInner>);

#[derive(Debug)]
struct SeatsInner {
    bound: Option<usize>,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    of: IpAddr,
}

impl Seats {
    /// `bound` is for every address, this machine's too;
    /// [`MAX_PER_ADDRESS`], for the others', when absent.
    pub fn new(bound: Option<usize>) -> Self {
        Self(Arc::new(SeatsInner {
            bound,
            counts: Mutex::default(),
        }))
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        lock(&self.0.counts)
    }

    /// None when the address has as many as it may.
    pub fn take(&self, address: IpAddr) -> Option<Seat> {
        let of = neighbourhood(address);
        let bound = match self.0.bound {
            None if of.is_loopback() || address.is_loopback() => usize::MAX,
            bound => bound.unwrap_or(MAX_PER_ADDRESS),
        };
        let mut counts = self.counts();
        let count = counts.entry(of).or_default();
        if *count >= bound {
            return None;
        }
        *count += 1;
        let seats = self.clone();
        Some(Seat { seats, of })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.seats.counts();
        if let Some(count) = counts.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

fn check(limiter: &PerAddress, clock: &DefaultClock, address: IpAddr) -> Result<(), Duration> {
    limiter
        .check_key(&neighbourhood(address))
        .map_err(|refused| refused.wait_time_from(clock.now()))
}

/// How fast one connection's messages are read: a bucket that fills with time,
/// and that may be overdrawn by what one read brings in.
pub(super) struct Pace {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Pace {
    pub fn of(role: Role, now: Instant) -> Self {
        let (per_second, burst) = match role {
            Role::Host => HOST_MESSAGES,
            Role::Viewer | Role::Ingest => VIEWER_MESSAGES,
        };
        Self {
            per_second: f64::from(per_second),
            burst: f64::from(burst),
            left: f64::from(burst),
            at: now,
        }
    }

    /// So many messages were read; how long to wait before more are.
    pub fn wait(&mut self, messages: u32, now: Instant) -> Option<Duration> {
        let gained = (now - self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.left = (self.left + gained).min(self.burst) - f64::from(messages);
        (self.left < 0.0).then(|| Duration::from_secs_f64(-self.left / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_that_guesses_is_told_to_wait_and_others_are_not() {
        let rates = Rates::new();
        let guesser = IpAddr::from(Ipv4Addr::LOCALHOST);
        let burst = GUESSES.1;
        assert!((0..burst).all(|_| rates.guess(guesser).is_ok()));
        let wait = rates.guess(guesser).unwrap_err();
        assert!(
            wait <= Duration::from_secs(1) && !wait.is_zero(),
            "{wait:?}"
        );
        assert!(rates.guess(Ipv4Addr::new(127, 0, 0, 2).into()).is_ok());
        assert!(rates.request(guesser).is_ok());
    }

    #[test]
    fn a_flood_of_messages_is_read_at_its_pace() {
        let mut now = Instant::now();
        let mut pace = Pace::of(Role::Viewer, now);
        let (per_second, burst) = VIEWER_MESSAGES;
        assert_eq!(pace.wait(burst, now), None);
        assert_eq!(pace.wait(per_second, now), Some(Duration::from_secs(1)));
        now += Duration::from_secs(1);
        assert_eq!(pace.wait(0, now), None);
        assert!(pace.wait(1, now).is_some());
        // However long it was silent, the burst is all that it may have saved.
        now += Duration::from_secs(3600);
        assert_eq!(pace.wait(burst, now), None);
        assert!(pace.wait(1, now).is_some());
    }

    #[test]
    fn an_address_has_so_many_connections_and_this_machine_itself_all_of_them() {
        let stranger = IpAddr::from([203, 0, 113, 7]);
        let seats = Seats::new(None);
        let taken: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|_| seats.take(stranger).expect("there is one"))
            .collect();
        assert!(seats.take(stranger).is_none());
        assert!(seats.take(IpAddr::from([203, 0, 113, 8])).is_some());
        drop(taken);
        assert!(seats.take(stranger).is_some(), "given back");
        assert!(seats.counts().is_empty(), "and forgotten");
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let crowd: Vec<_> = (0..=MAX_PER_ADDRESS).map(|_| seats.take(here)).collect();
        assert!(crowd.iter().all(Option::is_some));
        let seats = Seats::new(Some(1));
        let first = seats.take(here);
        assert!(first.is_some() && seats.take(here).is_none());
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let one = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(one("2001:db8:1:2:3::4"), one("2001:db8:1:2:ffff::1"));
        assert_ne!(one("2001:db8:1:2::1"), one("2001:db8:1:3::1"));
        assert_eq!(one("::ffff:192.0.2.1"), one("192.0.2.1"));
        assert_ne!(one("192.0.2.1"), one("192.0.2.2"));
    }
}
