//! `hyperfocus tune` as a user meets it.

use std::fs;
use std::path::Path;
use std::process::Command;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn tune(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .arg("tune")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Twenty people give a rose each, a tenth of a second apart.
fn recording() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..20)
        .map(|gift| {
            format!(
                "{{\"at\":\"2026-01-01T20:00:{:02}.{}Z\",\"message\":{{\"type\":\"gift:received\",\
                 \"payload\":{{\"giftId\":\"{gift}\",\"giftType\":\"rose\",\"sender\":{{\"userId\":\
                 \"user-{gift}\",\"username\":\"Secret\"}}}}}}}}\n",
                gift / 10,
                gift % 10
            )
        })
        .collect();
    fs::write(folder.path().join("history.jsonl"), &lines).unwrap();
    (folder, lines)
}

#[test]
fn a_history_becomes_a_table_a_picture_and_a_page() {
    let (folder, _) = recording();
    let ran = tune(
        folder.path(),
        &[
            "history.jsonl",
            "--rates",
            "1,30",
            "--svg",
            "rates.svg",
            "--html",
            "out/report.html",
        ],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.err, "");
    assert!(
        ran.out.starts_with("history.jsonl: 20 gifts in 1.9 s"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\nmaxGiftsPerSecond 30: "), "{}", ran.out);
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    let picture = fs::read_to_string(folder.path().join("rates.svg")).unwrap();
    assert!(page.ends_with("</html>\n") && picture.ends_with("</svg>\n"));
    assert!(!page.contains("Secret") && !page.contains("user-1"));
}

#[test]
fn without_a_word_about_files_the_report_lies_beside_the_recording() {
    let (folder, _) = recording();
    let path = folder.path().join("history.jsonl");
    let ran = tune(&std::env::temp_dir(), &[path.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for (kind, end) in [("html", "</html>\n"), ("svg", "</svg>\n")] {
        let report = folder.path().join(format!("history.rates.{kind}"));
        assert!(fs::read_to_string(&report).unwrap().ends_with(end));
        assert!(ran.err.contains(report.to_str().unwrap()), "{}", ran.err);
    }
    tune(folder.path(), &["--crowd", "5", "--minutes", "1"]);
    assert!(folder.path().join("crowd.rates.html").is_file());
    // Who wants figures only, or names a file, gets no other.
    let (other, _) = recording();
    tune(other.path(), &["history.jsonl", "--json"]);
    tune(other.path(), &["history.jsonl", "--svg", "a.svg"]);
    let mut files: Vec<_> = fs::read_dir(other.path()).unwrap().collect();
    files.retain(|it| it.as_ref().unwrap().path().is_file());
    assert_eq!(files.len(), 2, "{files:?}");
}

#[cfg(unix)]
#[test]
fn the_table_is_printed_even_where_the_report_cannot_be_written() {
    let (folder, _) = recording();
    let ran = tune(
        folder.path(),
        &["history.jsonl", "--html", "history.jsonl/report.html"],
    );
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("maxGiftsPerSecond"), "{}", ran.out);
    assert!(ran.err.contains("history.jsonl/report.html"), "{}", ran.err);
}

#[test]
fn its_json_has_the_relays_words_and_every_gift_in_one_ending() {
    let (folder, _) = recording();
    let ran = tune(
        folder.path(),
        &["history.jsonl", "--rates", "1..30", "--json"],
    );
    let figures: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(figures["gifts"], 20);
    assert_eq!(figures["seconds"], 1.9);
    assert_eq!(figures["busiestMinute"]["gifts"], 20);
    assert!(figures["recommended"]["reason"].is_string());
    let rates = figures["rates"].as_array().unwrap();
    for rate in rates {
        let count = |ending: &str| rate[ending].as_u64().unwrap();
        let endings = [
            "played",
            "joinedStreak",
            "joinedBundle",
            "refused",
            "dismissed",
        ];
        assert_eq!(endings.map(count).iter().sum::<u64>(), 20);
        for field in [
            "waitP50",
            "waitP95",
            "waitMax",
            "foldedShare",
            "refusedShare",
            "coverage",
        ] {
            assert!(rate[field].is_f64(), "{field}: {rate}");
        }
    }
    // At one a second the last of twenty starts at 19 s, and came at 1.9 s.
    let longest = rates[0]["waitMax"].as_f64().unwrap();
    assert!((17.1..17.2).contains(&longest), "{longest}");
}

#[test]
fn a_crowd_needs_no_recording_and_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let judged = |seed: &str| {
        let crowd = [
            "--crowd",
            "30",
            "--minutes",
            "5",
            "--seed",
            seed,
            "--rates",
            "5",
            "--json",
        ];
        let ran = tune(folder.path(), &crowd);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out
    };
    assert_eq!(judged("7"), judged("7"));
    assert_ne!(judged("7"), judged("8"));
}

#[test]
fn what_cannot_be_judged_exits_with_the_reason() {
    let (folder, lines) = recording();
    fs::write(folder.path().join("bad.jsonl"), format!("{lines}rose\n")).unwrap();
    for (arguments, code, told) in [
        (
            &["nowhere.jsonl"][..],
            1,
            "there is no recording at nowhere.jsonl",
        ),
        (&["bad.jsonl"], 1, "bad.jsonl:21: not a JSON object"),
        (
            &["history.jsonl", "--rates", "60..2"],
            2,
            "did you mean 2..60?",
        ),
        (&["history.jsonl", "--rates", "0"], 2, "from 0.01 to 1000"),
        (&["history.jsonl", "--crowd", "5"], 2, "cannot be used with"),
        (&["history.jsonl", "--seed", "5"], 2, "cannot be used with"),
        (&[], 2, "<FILE>"),
        (
            &["history.jsonl", "--svg", "./history.jsonl"],
            1,
            "take the recording's place",
        ),
        (
            &["history.jsonl", "--svg", "a", "--html", "a"],
            1,
            "name two files",
        ),
        (
            &["--crowd", "60000", "--minutes", "10080"],
            1,
            "make it smaller",
        ),
        (
            &["history.jsonl", "--catalog", "nowhere.toml"],
            1,
            "no catalogue at nowhere.toml",
        ),
    ] {
        let ran = tune(folder.path(), arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{arguments:?}: {}", ran.err);
    }
    let kept = fs::read_to_string(folder.path().join("history.jsonl")).unwrap();
    assert_eq!(kept, lines, "the recording stays as it was");
}
