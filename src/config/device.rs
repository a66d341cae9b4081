//! Which of a machine's sound outputs a setting names.

use super::nearest;

/// A sound output of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundDevice {
    /// What the system calls it; no two have the same.
    pub id: String,
    /// What it is called for people; several may share it.
    pub name: String,
    /// Whether it plays when none is chosen.
    pub is_default: bool,
}

impl SoundDevice {
    /// Whether somebody who writes `wanted` means this one.
    pub fn is(&self, wanted: &str) -> bool {
        let wanted = wanted.trim().to_lowercase();
        self.id.to_lowercase() == wanted || self.name.to_lowercase() == wanted
    }
}

/// Says that `wanted` is none of `devices`, and which may have been meant;
/// `None` when it is one of them.
pub fn unknown_device(wanted: &str, devices: &[SoundDevice]) -> Option<String> {
    if devices.iter().any(|device| device.is(wanted)) {
        return None;
    }
    let hint = match nearest_device(wanted, devices) {
        Some(near) => format!("did you mean {near:?}?"),
        None if devices.is_empty() => "this machine has none".to_owned(),
        None => "`hyperfocus devices` lists what there is".to_owned(),
    };
    Some(format!("there is no sound device {wanted:?}; {hint}"))
}

/// The name or id that was probably meant: one that contains the word, or is
/// a few letters off.
fn nearest_device<'a>(wanted: &str, devices: &'a [SoundDevice]) -> Option<&'a str> {
    let folded = wanted.trim().to_lowercase();
    let words = || {
        let names = devices.iter().map(|device| device.name.as_str());
        names.chain(devices.iter().map(|device| device.id.as_str()))
    };
    let contains = |word: &&str| !folded.is_empty() && word.to_lowercase().contains(&folded);
    if let Some(found) = words().find(contains) {
        return Some(found);
    }
    let lower: Vec<String> = words().map(str::to_lowercase).collect();
    let near = nearest(&folded, lower.iter().map(String::as_str))?;
    words().find(|word| word.to_lowercase() == near)
}
