//! Figures as people read them.

use std::time::Duration;

/// "10 a second", "0.5 a second".
pub(super) fn a_second(rate: f64) -> String {
    format!("{} a second", self::rate(rate))
}

/// A rate, whole: it is what is to be configured.
pub(super) fn rate(rate: f64) -> String {
    rate.to_string()
}

/// A count with its thousands apart: "4,719".
pub(super) fn count(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with at most two decimals and no idle zeros.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// "17 ms", "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    // What rounds to the next unit is told in it.
    if seconds < 0.0995 {
        return format!("{:.0} ms", 1000.0 * seconds);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (more, unit, less, part) = match whole {
        0..60 => return format!("{whole} s"),
        60..3600 => (whole / 60, "min", whole % 60, "s"),
        _ => (whole / 3600, "h", whole % 3600 / 60, "min"),
    };
    match less {
        0 => format!("{more} {unit}"),
        _ => format!("{more} {unit} {less} {part}"),
    }
}

/// "0 %", "under 0.1 %", "2.5 %", "38 %", "99.7 %": all is said only of all.
pub(super) fn share(share: f64) -> String {
    let percent = 100.0 * share;
    if percent <= 0.0 {
        "0 %".to_owned()
    } else if percent < 0.1 {
        "under 0.1 %".to_owned()
    } else if percent < 9.95 {
        format!("{} %", number((percent * 10.0).round() / 10.0))
    } else if (99.0..100.0).contains(&percent) {
        format!("{} %", number((percent * 10.0).floor() / 10.0))
    } else {
        format!("{percent:.0} %")
    }
}

/// A moment of a recording: "4:05", "1:02:03".
pub(super) fn clock(at: Duration) -> String {
    let whole = at.as_secs();
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
