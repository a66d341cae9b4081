//! Every bound of the protocol, with its reason. What happens beyond it is
//! said here too, so that nobody has to search the decoder for it.

use std::time::Duration;

/// The version we speak, sent in every message. Any 1.x is accepted.
pub const VERSION: &str = "1.0.0";

/// The WebSocket subprotocol to offer.
pub const SUBPROTOCOL: &str = "hyperfocus-protocol-v1";

/// Largest message that is decoded; the largest useful one is a gift of about
/// 12 KiB (three URLs, a 64-grapheme name). Beyond: `TOO_LARGE`, and the
/// session goes on.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// What the transport takes before it closes with 1009. Above
/// [`MAX_MESSAGE_BYTES`], so that an oversized message is refused by name
/// rather than by losing the connection.
pub const MAX_TRANSPORT_BYTES: usize = 2 * 1024 * 1024;

/// Deepest nesting of objects and arrays. The contract needs 3; `details` of
/// an error may hold what it likes. Beyond: `MALFORMED`.
pub const MAX_DEPTH: usize = 32;

/// Longest id (gift, user, stream, client). UUIDs have 36 bytes, platform ids
/// up to about 90. Beyond: `MALFORMED`, as a cut id would name something else.
pub const MAX_ID_BYTES: usize = 128;

/// Longest label: a type, an action, a capability, an error code, a session
/// id. Labels are looked up or shown. Beyond: cut, which is found nowhere and shown as
/// far as it goes.
pub const MAX_LABEL_BYTES: usize = 128;

/// Longest URL; what browsers and proxies agree on. Beyond: as if absent.
pub const MAX_URL_BYTES: usize = 2048;

/// Longest display name, in graphemes; a caption cannot show more. Beyond: cut.
pub const MAX_NAME_GRAPHEMES: usize = 64;

/// Longest goal description, in graphemes; two lines of a board. Beyond: cut.
pub const MAX_DESCRIPTION_GRAPHEMES: usize = 120;

/// Longest error text either way, in graphemes; one line of a log. Beyond: cut.
pub const MAX_ERROR_GRAPHEMES: usize = 240;

/// Most code points of one grapheme. The longest emoji (four people with skin
/// tones, joined) has 11, the longest Indic conjuncts about as many; Unicode
/// itself sets no bound. Beyond: the rest of the grapheme is dropped.
pub const MAX_GRAPHEME_CHARS: usize = 24;

/// Most combining marks in a row. Hebrew with points and cantillation needs
/// 4; stacks of more ("zalgo") paint over the neighbours. Beyond: dropped.
pub const MAX_MARKS_IN_A_ROW: usize = 4;

/// Most capabilities or features in a list. Beyond: the rest is ignored.
pub const MAX_NAMES_IN_LIST: usize = 32;

/// Largest quantity of one message: what a counter of seven digits shows.
/// Beyond: clamped, as refusing would lose a gift that somebody paid for.
pub const MAX_QUANTITY: u32 = 1_000_000;

/// Most messages of a test streak: as high as counts are celebrated. Beyond:
/// clamped.
pub const MAX_TEST_STREAK: u32 = 1_000;

/// Most waiting gifts of one `x-telemetry`. Beyond, and beyond what
/// [`MAX_MESSAGE_BYTES`] has room for: left out, the count says how many there
/// are.
pub const MAX_WAITING_TOLD: usize = crate::model::WAITING_TOLD;

/// Range of `animation.duration`: shorter cannot be seen, longer would hold a
/// lane for ever. Beyond: clamped.
pub const DURATION_RANGE: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(60));

/// Range of `pingInterval`: shorter is a flood, longer outlives the idle
/// timeout of common proxies. Beyond: clamped; missing or <= 0: the default.
pub const PING_INTERVAL_RANGE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(120));

/// Range of `maxGiftsPerSecond`: fewer than one in 100 s would never end a
/// queue, and more than 1,000 are more than the stage has places for. Beyond:
/// clamped; missing or <= 0: the default.
pub const RATE_RANGE: (f64, f64) = (0.01, 1000.0);

/// Largest value of one message and largest figure of a goal. Sums of a whole
/// stream of these stay finite, and whole amounts stay exact. Beyond: clamped.
pub const MAX_VALUE: f64 = 1e15;

/// Longest `retryAfter` that is obeyed; a stream may end before a longer one.
/// Beyond: clamped.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// Longest text that is read as a timestamp; RFC 3339 with nanoseconds and an
/// offset has 35 bytes. Beyond: unreadable.
pub const MAX_TIMESTAMP_BYTES: usize = 64;
