//! Every bound of the running relay, with its reason, and what keeps them.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::tokens::Role;

/// Connections at once, WebSockets among them: what two processors can keep
/// up with. Beyond: closed at once.
pub(super) const MAX_CONNECTIONS: usize = 20_000;

/// Connections that have not said `connection:init`. Beyond: 503.
pub(super) const MAX_GREETING: usize = 1_024;

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

/// Largest body of a request. Beyond: 413.
pub(super) const MAX_BODY: usize = 2 * 1024 * 1024;

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

fn check(limiter: &PerAddress, clock: &DefaultClock, address: IpAddr) -> Result<(), Duration> {
    limiter
        .check_key(&address)
        .map_err(|refused| refused.wait_time_from(clock.now()))
}

/// How fast one connection's messages are read.
pub(super) struct Pace {
    limiter: governor::DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Pace {
    pub fn of(role: Role) -> Self {
        let messages = match role {
            Role::Host => HOST_MESSAGES,
            Role::Viewer | Role::Ingest => VIEWER_MESSAGES,
        };
        Self {
            limiter: RateLimiter::direct(quota(messages)),
            clock: DefaultClock::default(),
        }
    }

    /// A message was read; how long to wait for the next.
    pub fn wait(&self) -> Option<Duration> {
        let refused = self.limiter.check().err()?;
        Some(refused.wait_time_from(self.clock.now()))
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
        let pace = Pace::of(Role::Viewer);
        let burst = VIEWER_MESSAGES.1;
        assert!((0..burst).all(|_| pace.wait().is_none()));
        // The bucket refills while we look.
        assert!((0..burst).any(|_| pace.wait().is_some()));
    }
}
