//! What goes on air: names that must not be read out, and whose gifts are shown.
//!
//! Screening changes what is *shown* of a gift and never the gift itself: a
//! blocked name plays as "someone", and its gift, its streak and its ack are
//! those of any other. Which gifts play at all is [`Policy`]'s, which the show
//! follows.

mod fold;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aho_corasick::AhoCorasick;

use crate::model::{Gift, Private};
use fold::{folded_letters, folded_words};

/// Which gifts are drawn. What is not drawn counts on the board all the same,
/// and is acknowledged as dismissed: the streamer chose so.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// A gift, or a streak so far, of less `totalValue` is not drawn.
    pub least_value: f64,
    /// Gift types that are not drawn, in whatever case they come: the catalogue
    /// knows them so, too.
    pub off_types: BTreeSet<Arc<str>>,
    /// The only gift types that are drawn, likewise; none means all.
    pub only_types: BTreeSet<Arc<str>>,
    /// How long a sender waits from one act to the next. Headline gifts do not
    /// wait, and a streak on stage goes on growing.
    pub cool_down: Duration,
}

impl Policy {
    /// Whether a gift of this type is drawn, when its streak or itself is worth
    /// `value` by now.
    pub fn admits(&self, gift_type: &str, value: f64) -> bool {
        let among = |types: &BTreeSet<Arc<str>>| {
            let mut types = types.iter();
            types.any(|it| it.eq_ignore_ascii_case(gift_type))
        };
        let chosen = self.only_types.is_empty() || among(&self.only_types);
        chosen && !among(&self.off_types) && value >= self.least_value
    }
}

/// What is blocked and hidden, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocked {
    /// Whole names.
    pub names: Vec<String>,
    /// Whole words of a name.
    pub words: Vec<String>,
    /// Letters in a row anywhere in a name, whatever stands between them.
    pub parts: Vec<String>,
    /// Nobody's name is shown.
    pub hide_names: bool,
    /// Nobody's picture is shown.
    pub hide_avatars: bool,
}

/// Screens what is shown of the sender.
#[derive(Debug, Clone)]
pub struct Screen {
    names: BTreeSet<String>,
    words: BTreeSet<String>,
    parts: Option<AhoCorasick>,
    hide_names: bool,
    hide_avatars: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Self::new(&Blocked::default())
    }
}

impl Screen {
    pub fn new(blocked: &Blocked) -> Self {
        let letters = |entry: &String| folded_letters(entry);
        let parts: Vec<_> = blocked
            .parts
            .iter()
            .map(letters)
            .filter(|part| !part.is_empty())
            .collect();
        Self {
            names: blocked
                .names
                .iter()
                .map(letters)
                .filter(|name| !name.is_empty())
                .collect(),
            words: blocked
                .words
                .iter()
                .flat_map(|entry| folded_words(entry))
                .collect(),
            // It fails above gigabytes of patterns.
            parts: (!parts.is_empty())
                .then(|| AhoCorasick::new(parts).expect("the lists are bounded")),
            hide_names: blocked.hide_names,
            hide_avatars: blocked.hide_avatars,
        }
    }

    /// Takes from the gift what must not be seen. An empty name is shown as
    /// "someone".
    pub fn apply(&self, gift: &mut Gift) {
        let blocked = self.blocks(&gift.sender.name.0);
        if blocked || self.hide_names {
            gift.sender.name = Private("".into());
        }
        if blocked || self.hide_avatars {
            gift.sender.avatar_url = None;
        }
    }

    /// Whether a name is one that must not be shown.
    pub fn blocks(&self, name: &str) -> bool {
        if self.names.is_empty() && self.words.is_empty() && self.parts.is_none() {
            return false;
        }
        let letters = folded_letters(name);
        let in_parts = || {
            self.parts
                .as_ref()
                .is_some_and(|parts| parts.is_match(&letters))
        };
        let in_words = || folded_words(name).any(|word| self.words.contains(&word));
        self.names.contains(&letters) || in_parts() || in_words()
    }
}
