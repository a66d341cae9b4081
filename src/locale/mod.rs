//! What is written on the stage and in the window, in a language, and numbers
//! as that language writes them.
//!
//! Texts are Fluent messages in `texts/`, built into the program; numbers go
//! through ICU4X with its own data, so that neither asks the machine for
//! anything. The command line and the log stay in English.
//!
//! To add a language, translate `texts/en.ftl` and name the file in
//! [`LANGUAGES`].

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale;
use unic_langid::LanguageIdentifier;

/// The languages that there are texts in, the first being the fallback.
pub const LANGUAGES: [(&str, &str); 2] = [
    ("en", include_str!("texts/en.ftl")),
    ("de", include_str!("texts/de.ftl")),
];

/// The most that is written in full, 10^15; more has a "+" after it. Doubles
/// count whole numbers exactly up to nine times that.
const MOST: u64 = 1_000_000_000_000_000;

/// Everything that can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Text {
    CardSent,
    CardFrom,
    Someone,
    Live,
    Offline,
    Viewers,
    Goal,
    GoalReached,
    Gifters,
    Recent,
    LinkNone,
    LinkConnecting,
    LinkOnline,
    LinkLost,
    LinkEnded,
    NoEvent,
    JustNow,
    SecondsAgo,
    MinutesAgo,
    HoursAgo,
    HelpTitle,
    HelpPause,
    HelpSkip,
    HelpClear,
    HelpMute,
    HelpQuiet,
    HelpReplay,
    HelpTest,
    HelpGround,
    HelpHelp,
    HelpQuit,
    StatePaused,
    StateQuiet,
    StateMuted,
    StateHidden,
    TrayShow,
    TrayMute,
    TrayQuiet,
    TrayQuality,
    TrayWhy,
    TrayQuit,
    QualityAuto,
    QualityLow,
    QualityMedium,
    QualityHigh,
    QualityUltra,
}

impl Text {
    /// Each text and its message.
    const ALL: [(Self, &str); 46] = [
        (Self::CardSent, "card-sent"),
        (Self::CardFrom, "card-from"),
        (Self::Someone, "someone"),
        (Self::Live, "board-live"),
        (Self::Offline, "board-offline"),
        (Self::Viewers, "board-viewers"),
        (Self::Goal, "board-goal"),
        (Self::GoalReached, "board-goal-reached"),
        (Self::Gifters, "board-gifters"),
        (Self::Recent, "board-recent"),
        (Self::LinkNone, "link-none"),
        (Self::LinkConnecting, "link-connecting"),
        (Self::LinkOnline, "link-online"),
        (Self::LinkLost, "link-lost"),
        (Self::LinkEnded, "link-ended"),
        (Self::NoEvent, "link-no-event"),
        (Self::JustNow, "link-just-now"),
        (Self::SecondsAgo, "link-seconds"),
        (Self::MinutesAgo, "link-minutes"),
        (Self::HoursAgo, "link-hours"),
        (Self::HelpTitle, "help-title"),
        (Self::HelpPause, "help-pause"),
        (Self::HelpSkip, "help-skip"),
        (Self::HelpClear, "help-clear"),
        (Self::HelpMute, "help-mute"),
        (Self::HelpQuiet, "help-quiet"),
        (Self::HelpReplay, "help-replay"),
        (Self::HelpTest, "help-test"),
        (Self::HelpGround, "help-ground"),
        (Self::HelpHelp, "help-help"),
        (Self::HelpQuit, "help-quit"),
        (Self::StatePaused, "state-paused"),
        (Self::StateQuiet, "state-quiet"),
        (Self::StateMuted, "state-muted"),
        (Self::StateHidden, "state-hidden"),
        (Self::TrayShow, "tray-show"),
        (Self::TrayMute, "tray-mute"),
        (Self::TrayQuiet, "tray-quiet"),
        (Self::TrayQuality, "tray-quality"),
        (Self::TrayWhy, "tray-why"),
        (Self::TrayQuit, "tray-quit"),
        (Self::QualityAuto, "quality-auto"),
        (Self::QualityLow, "quality-low"),
        (Self::QualityMedium, "quality-medium"),
        (Self::QualityHigh, "quality-high"),
        (Self::QualityUltra, "quality-ultra"),
    ];

    fn message(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(text, _)| *text == self)
            .map_or("", |(_, message)| message)
    }
}

/// Who chose the language, and how it turned out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// There are texts in it.
    Spoken,
    /// There are none: English is written, numbers as the language has them.
    Foreign(String),
    /// It is not the name of a language.
    Unreadable(String),
}

/// The texts of one language and the numbers of one place. Cheap to clone.
#[derive(Clone)]
pub struct Words(Arc<Tongue>);

struct Tongue {
    language: &'static str,
    texts: FluentBundle<FluentResource>,
    numbers: DecimalFormatter,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.0.language).finish()
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::english()
    }
}

impl Words {
    pub fn english() -> Self {
        Self::of("en").0
    }

    /// The texts for a language such as "de", "de-AT" or "de_AT.UTF-8", and
    /// whether there are any. "C" and "POSIX" are English.
    pub fn of(wanted: &str) -> (Self, Choice) {
        let plain = plain(wanted);
        let Ok(identifier) = plain.parse::<LanguageIdentifier>() else {
            return (
                Self::open(LANGUAGES[0], "en"),
                Choice::Unreadable(wanted.to_owned()),
            );
        };
        let spoken: Vec<LanguageIdentifier> = LANGUAGES
            .iter()
            .filter_map(|(name, _)| name.parse().ok())
            .collect();
        let found = negotiate_languages(&[&identifier], &spoken, None, NegotiationStrategy::Lookup);
        let chosen = found
            .first()
            .and_then(|found| spoken.iter().position(|spoken| spoken == *found));
        let words = Self::open(LANGUAGES[chosen.unwrap_or(0)], &plain);
        let choice = match chosen {
            Some(_) => Choice::Spoken,
            None => Choice::Foreign(wanted.to_owned()),
        };
        (words, choice)
    }

    /// The language that the environment names: `LC_ALL`, else `LC_MESSAGES`,
    /// else `LANG`, as POSIX has it.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> (Self, Choice) {
        let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()));
        Self::of(named.as_deref().unwrap_or("en"))
    }

    fn open((language, texts): (&'static str, &'static str), place: &str) -> Self {
        let identifier = language.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // Isolates would keep bidi names apart; nothing here takes one.
        bundle.set_use_isolating(false);
        // What cannot be read is left out; a test reads all.
        let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(texts.to_owned());
        bundle.add_resource_overriding(resource);
        // Digits are Latin everywhere: the counters have no others.
        let numbers = [&format!("{place}-u-nu-latn"), place, "en"]
            .into_iter()
            .filter_map(|place| place.parse::<Locale>().ok())
            .find_map(|place| DecimalFormatter::try_new(place.into(), Default::default()).ok())
            .expect("English numbers are built in");
        Self(Arc::new(Tongue {
            language,
            texts: bundle,
            numbers,
        }))
    }

    /// Which of [`LANGUAGES`] it is.
    pub fn language(&self) -> &'static str {
        self.0.language
    }

    pub fn say(&self, text: Text) -> String {
        self.fill(text, &FluentArgs::new())
    }

    /// A text with a number in it.
    pub fn count(&self, text: Text, count: u64) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("count", count as f64);
        arguments.set("shown", self.number(count));
        self.fill(text, &arguments)
    }

    /// A text about the connection, which is said by `link`.
    pub fn since(&self, text: Text, link: Text, count: u64) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("link", self.say(link));
        arguments.set("count", count as f64);
        arguments.set("shown", self.number(count));
        self.fill(text, &arguments)
    }

    fn fill(&self, text: Text, arguments: &FluentArgs<'_>) -> String {
        let texts = &self.0.texts;
        let pattern = texts
            .get_message(text.message())
            .and_then(|message| message.value());
        let Some(pattern) = pattern else {
            return String::new();
        };
        // Errors leave a hole in the text; a test fills every one.
        texts
            .format_pattern(pattern, Some(arguments), &mut Vec::new())
            .into_owned()
    }

    /// A whole number: "1,234", "1.234", "1 234".
    pub fn number(&self, number: u64) -> String {
        let decimal = Decimal::from(number.min(MOST));
        let shown = self.0.numbers.format(&decimal).to_string();
        if number > MOST { shown + "+" } else { shown }
    }

    /// A value: whole from 1,000 on, with up to two decimals below.
    pub fn amount(&self, value: f64) -> String {
        if value.is_nan() || value < 0.0 {
            return self.number(0);
        }
        let hundredths = (value * 100.0).round();
        if value >= 1_000.0 || hundredths % 100.0 == 0.0 {
            // Floats beyond the largest integer become it.
            return self.number(value.round() as u64);
        }
        let mut decimal = Decimal::from(hundredths as u64);
        decimal.multiply_pow10(-2);
        self.0.numbers.format(&decimal).to_string()
    }
}

/// "de_AT.UTF-8@euro" is "de-AT"; "C" and "POSIX" are English.
fn plain(wanted: &str) -> String {
    let name = wanted
        .split(['.', '@'])
        .next()
        .unwrap_or_default()
        .trim()
        .replace('_', "-");
    match name.as_str() {
        "C" | "POSIX" => "en".to_owned(),
        _ => name,
    }
}
