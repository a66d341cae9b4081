use std::fs;

use super::*;

fn read(text: &str) -> Result<Recording, RecordingError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gifts.jsonl");
    fs::write(&path, text).unwrap();
    Recording::read(&path, ms(1000))
}

fn line(at: &str, id: &str) -> String {
    format!(
        "{{\"at\":{at},\"message\":{{\"type\":\"gift:received\",\"payload\":{{\"giftId\":\"{id}\",\
         \"giftType\":\"rose\"}}}}}}\n"
    )
}

fn times(recording: &Recording) -> Vec<u128> {
    let arrivals = recording.arrivals.iter();
    arrivals.map(|arrival| arrival.at.as_millis()).collect()
}

#[test]
fn a_relays_history_counts_from_its_first_gift() {
    let history = line("\"2026-01-01T20:00:00.25Z\"", "a") + &line("\"2026-01-01T20:01:00Z\"", "b");
    let recording = read(&history).unwrap();
    assert_eq!(times(&recording), [0, 59_750]);
    assert!(recording.warnings.is_empty(), "{:?}", recording.warnings);
}

#[test]
fn a_gift_that_was_sent_again_counts_once() {
    let recording = read(&(line("0", "a") + &line("5", "b") + &line("9", "a"))).unwrap();
    assert_eq!(times(&recording), [0, 5000]);
    let told = &recording.warnings[0];
    assert!(told.contains("1 gifts were sent again"), "{told}");
}

#[test]
fn what_the_host_did_is_passed_over_and_said() {
    let pause =
        "{\"at\":1,\"message\":{\"type\":\"x-control\",\"payload\":{\"action\":\"pause\"}}}\n";
    let status =
        "{\"at\":2,\"message\":{\"type\":\"stream:status\",\"payload\":{\"isLive\":true}}}\n";
    let recording = read(&(line("0", "a") + pause + status)).unwrap();
    assert_eq!(recording.arrivals.len(), 1);
    let told = recording.warnings.join("\n");
    assert!(told.contains("1 controls of the host"), "{told}");
}

#[test]
fn gifts_without_times_follow_each_other_and_that_is_said() {
    let rose = "{\"giftId\":\"1\",\"giftType\":\"rose\"}\n";
    let recording = read(&(rose.to_owned() + &rose.replace('1', "2"))).unwrap();
    assert_eq!(times(&recording), [0, 1000]);
    let told = recording.warnings.join("\n");
    assert!(told.contains("2 lines have no time"), "{told}");
}

#[test]
fn what_cannot_be_judged_is_refused_with_what_can() {
    let status =
        "{\"at\":2,\"message\":{\"type\":\"stream:status\",\"payload\":{\"isLive\":true}}}\n";
    for (text, told) in [
        (status.to_owned(), "holds no gifts"),
        (String::new(), "holds no messages"),
        (
            line("0", "a") + "rose\n",
            "gifts.jsonl:2: not a JSON object",
        ),
        (
            line("0", "a") + &line("-1", "b"),
            "give seconds of 0 or more",
        ),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let missing = Recording::read(Path::new("nowhere.jsonl"), ms(1000)).unwrap_err();
    assert!(missing.to_string().contains("cannot read nowhere.jsonl"));
}

#[test]
fn more_gifts_than_are_judged_at_once_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gifts.jsonl");
    fs::write(&path, line("0", "a") + &line("1", "b") + &line("2", "c")).unwrap();
    assert!(Recording::read_at_most(3, &path, ms(1000)).is_ok());
    let error = Recording::read_at_most(2, &path, ms(1000)).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("3 gifts, and 2 are judged at once") && told.contains("tail -n 2"));
}
