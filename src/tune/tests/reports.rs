use super::*;
use crate::tune::words;

fn report(arrivals: &[Arrival], rates: &[f64]) -> Report {
    let notes = vec!["a & b <note>".to_owned()];
    Report::of("gifts & co".to_owned(), &judge(), arrivals, rates, notes)
}

fn crowded() -> Report {
    let crowd = Crowd {
        length: Duration::from_secs(600),
        ..Crowd::default()
    };
    let arrivals = crowd.arrivals(&Catalog::shipped()).unwrap();
    report(&arrivals, &[30.0, 2.0, 10.0])
}

/// Panics unless every element is closed in its turn, every attribute quoted and
/// every ampersand the beginning of an entity. Returns how many elements there are.
fn check_markup(text: &str) -> usize {
    const VOID: [&str; 3] = ["!doctype", "br", "meta"];
    let mut open = Vec::new();
    let mut count = 0;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        check_text(before);
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "in its turn");
            continue;
        }
        count += 1;
        let (tag, is_closed) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name = tag.split_whitespace().next().expect("a tag has a name");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert_eq!(
            tag.matches("=\"").count(),
            tag.matches('"').count() / 2,
            "{tag}"
        );
        check_text(tag);
        if !is_closed && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    count
}

fn check_text(text: &str) {
    for (at, _) in text.match_indices('&') {
        let entity = text[at + 1..].split_once(';').map(|(entity, _)| entity);
        let known = ["amp", "lt", "gt", "quot"];
        assert!(
            entity.is_some_and(|entity| known.contains(&entity)),
            "{text}"
        );
    }
}

#[test]
fn page_and_picture_are_well_formed_and_fetch_nothing() {
    let report = crowded();
    let (page, picture) = (report.html(), report.svg());
    assert!(check_markup(&page) > 100);
    assert!(check_markup(&picture) > 30);
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    for text in [&page, &picture] {
        let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
        for word in [
            "http:", "https:", "url(", "<script", "src=", "@import", "NaN", "\"inf",
        ] {
            assert!(!elsewhere.contains(word), "{word}");
        }
    }
}

#[test]
fn the_page_says_in_words_what_the_pictures_show() {
    let report = crowded();
    let page = report.html();
    let advice = report.advice.as_ref().unwrap();
    assert!(page.contains(&advice.reason));
    assert_eq!(page.matches("recommended: ").count(), 1);
    assert_eq!(page.matches("<th scope=\"row\">").count(), 3);
    assert_eq!(page.matches("<desc").count(), 2);
    assert!(page.contains("gifts &amp; co") && page.contains("a &amp; b &lt;note&gt;"));
    assert!(page.contains("prefers-color-scheme:dark"));
}

#[test]
fn no_viewer_is_named() {
    let mut gift = given(ms(0), "ada", "rose");
    gift.gift.sender = Sender::named("secret-id", "Secret Name");
    let report = report(&[gift], &[2.0]);
    for text in [report.html(), report.svg(), report.to_string()] {
        assert!(!text.to_lowercase().contains("secret"));
    }
}

#[test]
fn the_table_marks_the_recommended_rate() {
    let text = report(&at_once(40, "rose"), &[60.0, 2.0, 20.0]).to_string();
    let marked: Vec<_> = text.lines().filter(|line| line.starts_with('>')).collect();
    assert_eq!(marked.len(), 1, "{text}");
    assert!(
        marked[0].trim_start_matches('>').trim().starts_with("20 "),
        "{text}"
    );
    assert!(
        text.contains("maxGiftsPerSecond 20: At 20 a second"),
        "{text}"
    );
}

#[test]
fn one_gift_and_a_week_of_them_can_be_drawn() {
    let week = ms(7 * 86_400_000);
    let far = [given(ms(0), "ada", "rose"), given(week, "ada", "universe")];
    for gifts in [&far[..1], &far[..]] {
        let report = report(gifts, &[5.0]);
        check_markup(&report.html());
        assert_eq!(report.advice.as_ref().unwrap().rate, 5.0);
    }
}

#[test]
fn figures_are_written_as_people_say_them() {
    let span = |ms: u64| words::span(Duration::from_millis(ms));
    assert_eq!(
        (span(0), span(17), span(100)),
        ("0 ms".into(), "17 ms".into(), "0.1 s".into())
    );
    assert_eq!(span(9_949), "9.9 s");
    assert_eq!(span(9_950), "10 s");
    assert_eq!(span(59_600), "1 min");
    assert_eq!(span(200_000), "3 min 20 s");
    assert_eq!(span(7_500_000), "2 h 5 min");
    assert_eq!(
        [0.0, 0.0004, 0.0251, 0.0996, 0.384, 0.9999, 1.0].map(words::share),
        [
            "0 %",
            "under 0.1 %",
            "2.5 %",
            "10 %",
            "38 %",
            "99.9 %",
            "100 %"
        ]
    );
    assert_eq!(
        [7, 4719, 500_000].map(words::count),
        ["7", "4,719", "500,000"]
    );
    assert_eq!([10.0, 0.5, 1.25].map(words::number), ["10", "0.5", "1.25"]);
    assert_eq!(words::clock(Duration::from_secs(3723)), "1:02:03");
}
