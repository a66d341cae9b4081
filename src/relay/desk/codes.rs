//! Codes that sign a browser in: each once, and soon.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use subtle::ConstantTimeEq as _;

use crate::model::{Moment, Private};
use crate::relay::secret;

/// Random bytes in a code: nobody guesses 128 bits in [`LIFE`].
const CODE_BYTES: usize = 16;

/// How long a code signs somebody in: from a terminal to a browser or a dock.
pub(super) const LIFE: Duration = Duration::from_secs(10 * 60);

/// Codes that wait to be used; more is somebody asking in a loop. Beyond: the
/// oldest is forgotten.
const MAX_CODES: usize = 16;

/// The codes that nobody has used, oldest first.
#[derive(Debug, Default)]
pub(super) struct Codes(VecDeque<(Moment, Private<String>)>);

impl Codes {
    /// # Errors
    /// When the system has no randomness.
    pub fn make(&mut self, now: Moment) -> io::Result<Private<String>> {
        self.forget_old(now);
        if self.0.len() >= MAX_CODES {
            self.0.pop_front();
        }
        let code = Private(secret::random::<CODE_BYTES>()?);
        self.0.push_back((now, code.clone()));
        Ok(code)
    }

    /// Uses a code up; false when it is none. The time it takes tells nothing
    /// but the length.
    pub fn redeem(&mut self, now: Moment, given: &str) -> bool {
        self.forget_old(now);
        let before = self.0.len();
        self.0
            .retain(|(_, code)| !bool::from(code.0.as_bytes().ct_eq(given.as_bytes())));
        self.0.len() < before
    }

    fn forget_old(&mut self, now: Moment) {
        self.0.retain(|(made, _)| now.saturating_sub(*made) < LIFE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_no_other_does() {
        let mut codes = Codes::default();
        let [one, other] = [0, 1].map(|at| codes.make(Duration::from_secs(at)).unwrap().0);
        assert_ne!(one, other);
        let now = Duration::from_secs(2);
        assert!(!codes.redeem(now, ""));
        assert!(!codes.redeem(now, &one[1..]));
        assert!(codes.redeem(now, &one));
        assert!(!codes.redeem(now, &one), "it was used");
        assert!(codes.redeem(now, &other), "the other one was not");
    }

    #[test]
    fn a_code_grows_old() {
        let mut codes = Codes::default();
        let code = codes.make(Duration::ZERO).unwrap().0;
        assert!(!codes.redeem(LIFE, &code));
        let code = codes.make(LIFE).unwrap().0;
        assert!(codes.redeem(LIFE + LIFE - Duration::from_millis(1), &code));
    }

    #[test]
    fn whoever_asks_in_a_loop_pushes_out_the_oldest() {
        let mut codes = Codes::default();
        let made: Vec<_> = (0..=MAX_CODES)
            .map(|_| codes.make(Duration::ZERO).unwrap().0)
            .collect();
        assert!(!codes.redeem(Duration::ZERO, &made[0]));
        assert!(
            made[1..]
                .iter()
                .all(|code| codes.redeem(Duration::ZERO, code))
        );
    }
}
