use std::fs;
use std::time::Duration;

use super::*;
use crate::protocol::{ServerMessage, decode_server};

fn open(text: &str) -> Result<ShowFile, ShowFileError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.jsonl");
    fs::write(&path, text).unwrap();
    ShowFile::open(&path)
}

/// Gift ids in the order in which they are played by `seconds`.
fn played(file: &mut ShowFile, seconds: f64) -> Vec<String> {
    let by = Duration::from_secs_f64(seconds);
    std::iter::from_fn(|| file.next_by(by).unwrap())
        .map(|bytes| match decode_server(&bytes).unwrap() {
            ServerMessage::Gift(gift) => gift.id.to_string(),
            other => format!("{other:?}"),
        })
        .collect()
}

fn gift(at: &str, id: &str) -> String {
    format!(
        "{{\"at\": {at}, \"message\": {{\"type\": \"gift:received\", \"payload\": \
         {{\"giftId\": \"{id}\", \"giftType\": \"rose\"}}}}}}\n"
    )
}

#[test]
fn lines_come_when_their_time_has_come() {
    let text = gift("0", "a") + "\n  \n" + &gift("1.25", "b") + &gift("1.25", "c");
    let mut file = open(&text).unwrap();
    assert_eq!(
        (file.gifts(), file.length()),
        (3, Duration::from_millis(1250))
    );
    assert_eq!(played(&mut file, 0.0), ["a"]);
    assert!(played(&mut file, 1.2).is_empty() && !file.is_over());
    assert_eq!(played(&mut file, 1.25), ["b", "c"]);
    assert!(file.is_over() && file.warnings().is_empty());
}

#[test]
fn an_export_of_gifts_plays_by_their_own_times() {
    let text = "\u{feff}{\"giftId\":\"late\",\"giftType\":\"rose\",\"metadata\":{\"timestamp\":\"2026-01-01T20:00:03.5Z\"}}\r\n\
        {\"giftId\":\"early\",\"giftType\":\"rose\",\"metadata\":{\"timestamp\":\"2026-01-01T20:00:01Z\"}}\n\
        {\"type\":\"gift:received\",\"payload\":{\"giftId\":\"middle\",\"giftType\":\"rose\"},\"timestamp\":\"2026-01-01T21:00:02+01:00\"}";
    let mut file = open(text).unwrap();
    assert_eq!(file.length(), Duration::from_millis(2500));
    assert!(
        file.warnings()[0].contains(":2: it is earlier"),
        "{:?}",
        file.warnings()
    );
    assert_eq!(played(&mut file, 1.0), ["early", "middle"]);
    assert_eq!(played(&mut file, 3.0), ["late"]);
}

#[test]
fn mistakes_are_told_with_their_line_and_the_nearest_word() {
    let cases = [
        (
            gift("1", "a").replace("received", "receive"),
            "did you mean \"gift:received\"?",
        ),
        (
            gift("1", "a").replace("\"at\"", "\"att\""),
            "did you mean \"at\"?",
        ),
        (gift("-1", "a"), "\"at\" is -1; give seconds of 0 or more"),
        (gift("\"tomorrow\"", "a"), "or a date as"),
        (gift("1", "a").replace("giftType", "giftTyp"), "giftType"),
        ("{\"at\": 2}\n".to_owned(), "say what was sent"),
        (
            "{\"giftId\": \"a\", \"giftType\": \"rose\"}\n".to_owned(),
            "it has no time",
        ),
        (gift("700000", "a"), "more than a week"),
        (
            gift("\"2026-01-01T00:00:00Z\"", "a"),
            "give all of them seconds",
        ),
        ("rose\n".to_owned(), "not a JSON object"),
        (format!("{}\n", "x".repeat(70_000)), "no message is so long"),
    ];
    for (line, words) in cases {
        let told = open(&(gift("0", "good") + "\n" + &line))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("show.jsonl:3: ") && told.contains(words),
            "{told}"
        );
    }
    let told = open("\n\n").unwrap_err().to_string();
    assert!(told.contains("holds no messages"), "{told}");
}

#[test]
fn what_only_a_connection_needs_is_passed_over() {
    let ping = "{\"at\": 0, \"message\": {\"type\": \"heartbeat:ping\", \"payload\": {\"sequence\": 1}}}\n";
    let ack = "{\"type\": \"gift:ack\", \"payload\": {}}\n";
    let mut file = open(&(ping.to_owned() + ack + &gift("1", "a"))).unwrap();
    assert!(
        file.warnings()[0].contains("2 heartbeats"),
        "{:?}",
        file.warnings()
    );
    assert_eq!(played(&mut file, 9.0), ["a"]);
}

#[test]
fn a_show_that_was_kept_can_be_played() {
    let mut writer = Writer::new(Vec::new());
    let status = br#"{"type":"stream:status","payload":{"isLive":true}}"#;
    writer.keep(Duration::from_millis(20), status).unwrap();
    writer
        .keep(
            Duration::ZERO,
            b"{\"type\":\"heartbeat:ping\",\"payload\":{\"sequence\":1}}",
        )
        .unwrap();
    writer.keep(Duration::ZERO, b"\x00nonsense").unwrap();
    let spread = "{\n\"type\": \"gift:received\",\r\n\"payload\": {\"giftId\": \"x\", \"giftType\": \"rose\"}}";
    writer
        .keep(Duration::from_millis(1500), spread.as_bytes())
        .unwrap();
    assert_eq!(writer.lines(), 2);
    let mut file = open(&String::from_utf8(writer.into_inner()).unwrap()).unwrap();
    assert_eq!(
        (file.gifts(), file.length()),
        (1, Duration::from_millis(1500))
    );
    assert_eq!(played(&mut file, 2.0).pop().unwrap(), "x");
}

#[test]
fn a_kept_show_never_takes_the_place_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.jsonl");
    drop(Writer::create(&path).unwrap());
    let error = Writer::create(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn lines_without_a_time_may_follow_those_before_them() {
    let rose = |id: &str| format!("{{\"giftId\": \"{id}\", \"giftType\": \"rose\"}}\n");
    let timed = |text: String| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.jsonl");
        fs::write(&path, text).unwrap();
        let mut file = ShowFile::open_timed(&path, Duration::from_millis(1500)).unwrap();
        let mut read = Vec::new();
        while let Some((at, ServerMessage::Gift(gift))) = file.next_message().unwrap() {
            read.push((at.as_millis(), gift.id.to_string()));
        }
        (read, file.warnings().join("\n"))
    };
    let (read, told) = timed(rose("a") + &gift("10", "b") + &rose("c") + &rose("d"));
    let times: Vec<_> = read.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 10_000, 11_500, 13_000]);
    assert!(told.contains("3 lines have no time"), "{told}");
    let (read, _) = timed(gift("\"2026-01-01T00:00:00Z\"", "a") + &rose("b"));
    assert_eq!(read[1], (1500, "b".to_owned()));
}

#[test]
fn what_a_full_disk_left_of_a_line_is_taken_back() {
    use std::io::Write;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.jsonl");
    let mut writer = Writer::create(&path).unwrap();
    let message = br#"{"type": "gift:received", "payload": {"giftId": "a", "giftType": "rose"}}"#;
    writer.keep(Duration::from_secs(1), message).unwrap();
    let mut torn = fs::OpenOptions::new().append(true).open(&path).unwrap();
    torn.write_all(b"{\"at\": 2, \"mess").unwrap();
    writer.cut().unwrap();
    let mut show = ShowFile::open(&path).unwrap();
    assert_eq!(played(&mut show, 9.0), ["a"]);
}

#[test]
fn a_show_is_a_week_at_most_wherever_its_first_line_lies() {
    let day = |day: u32| gift(&format!("\"2026-03-{day:02}T12:00:00Z\""), "a");
    assert!(open(&(day(20) + &day(14) + &day(21))).is_ok());
    for lines in [[20, 29, 20], [29, 20, 20], [20, 14, 26]] {
        let told = open(&lines.map(day).concat()).unwrap_err().to_string();
        assert!(told.contains("more than a week before or after"), "{told}");
    }
}
