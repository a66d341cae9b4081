use std::collections::BTreeSet;

use fluent_bundle::{FluentArgs, FluentResource};

use super::*;

fn words(language: &str) -> Words {
    Words::of(language).0
}

#[test]
fn every_language_says_everything() {
    let ids = |source: &str| -> BTreeSet<String> {
        source
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" ="))
            .map(|(id, _)| id.to_owned())
            .collect()
    };
    let known: BTreeSet<String> = Text::ALL.iter().map(|(_, id)| (*id).to_owned()).collect();
    for (language, source) in LANGUAGES {
        assert!(
            FluentResource::try_new(source.to_owned()).is_ok(),
            "{language}"
        );
        assert_eq!(ids(source), known, "{language}");
        let words = words(language);
        assert_eq!(words.language(), language);
        for (text, id) in Text::ALL {
            let mut arguments = FluentArgs::new();
            arguments.set("count", 2);
            arguments.set("shown", "2");
            arguments.set("link", "x");
            let message = words.0.texts.get_message(id).expect("it was listed");
            let pattern = message.value().expect("a message has a value");
            let mut errors = Vec::new();
            words
                .0
                .texts
                .format_pattern(pattern, Some(&arguments), &mut errors);
            assert!(errors.is_empty(), "{language}: {id}: {errors:?}");
            assert!(!words.count(text, 2).is_empty(), "{language}: {id}");
        }
    }
}

#[test]
fn one_and_several_differ() {
    let english = words("en");
    assert_eq!(english.count(Text::CardFrom, 1), "from 1 person");
    assert_eq!(english.count(Text::CardFrom, 31), "from 31 people");
    let german = words("de");
    assert_eq!(german.count(Text::CardFrom, 1), "von 1 Person");
    assert_eq!(german.count(Text::CardFrom, 12_345), "von 12.345 Personen");
}

#[test]
fn numbers_are_written_as_their_place_does() {
    for (place, expected) in [
        ("en", "1,234,567"),
        ("de", "1.234.567"),
        ("de-CH", "1'234'567"),
        ("de_AT.UTF-8", "1\u{a0}234\u{a0}567"),
        ("fr-FR", "1\u{202f}234\u{202f}567"),
        ("hi-IN", "12,34,567"),
        ("ar-EG", "1,234,567"),
        ("es", "1.234.567"),
    ] {
        assert_eq!(words(place).number(1_234_567), expected, "{place}");
    }
    assert_eq!(
        words("es").number(1_234),
        "1234",
        "Spanish groups from 10,000"
    );
}

#[test]
fn values_keep_cents_only_while_they_are_small() {
    let english = words("en");
    for (value, expected) in [
        (0.0, "0"),
        (0.5, "0.50"),
        (12.0, "12"),
        (12.345, "12.35"),
        (999.999, "1,000"),
        (1_234.56, "1,235"),
        (f64::MAX, "1,000,000,000,000,000+"),
        (f64::INFINITY, "1,000,000,000,000,000+"),
        (f64::NAN, "0"),
        (-3.0, "0"),
    ] {
        assert_eq!(english.amount(value), expected, "{value}");
    }
    assert_eq!(words("de").amount(12.5), "12,50");
    assert_eq!(english.number(u64::MAX), "1,000,000,000,000,000+");
}

#[test]
fn the_language_falls_back_to_english_and_says_so() {
    for (wanted, language, choice) in [
        ("de", "de", Choice::Spoken),
        ("de_DE.UTF-8", "de", Choice::Spoken),
        ("de-AT", "de", Choice::Spoken),
        ("en_GB", "en", Choice::Spoken),
        ("C", "en", Choice::Spoken),
        ("C.UTF-8", "en", Choice::Spoken),
        ("POSIX", "en", Choice::Spoken),
        ("fr_FR", "en", Choice::Foreign("fr_FR".into())),
        (
            "klingonese!",
            "en",
            Choice::Unreadable("klingonese!".into()),
        ),
        ("", "en", Choice::Unreadable(String::new())),
    ] {
        let (words, chosen) = Words::of(wanted);
        assert_eq!((words.language(), chosen), (language, choice), "{wanted}");
    }
}

#[test]
fn the_environment_is_asked_in_the_order_of_posix() {
    let of = |given: &[(&str, &str)]| {
        Words::of_environment(|name| {
            given
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
        .0
        .language()
    };
    assert_eq!(of(&[]), "en");
    assert_eq!(of(&[("LANG", "de_DE.UTF-8")]), "de");
    assert_eq!(of(&[("LANG", "de_DE"), ("LC_ALL", "C.UTF-8")]), "en");
    assert_eq!(of(&[("LANG", "de_DE"), ("LC_ALL", "")]), "de");
    assert_eq!(of(&[("LANG", "en"), ("LC_MESSAGES", "de")]), "de");
}
