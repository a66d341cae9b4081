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

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Vec<SoundDevice> {
        [
            ("default", "Default Audio Device"),
            ("hw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("plughw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            ("hw:CARD=Headset,DEV=0", "Jabra Evolve 65, USB Audio"),
        ]
        .map(|(id, name)| SoundDevice {
            id: id.to_owned(),
            name: name.to_owned(),
            is_default: id == "default",
        })
        .to_vec()
    }

    #[test]
    fn a_device_goes_by_its_name_or_its_id_in_any_case() {
        for wanted in [
            "Jabra Evolve 65, USB Audio",
            " jabra evolve 65, usb audio ",
            "HW:card=headset,dev=0",
        ] {
            assert_eq!(unknown_device(wanted, &machine()), None, "{wanted}");
        }
    }

    #[test]
    fn an_unknown_device_is_told_with_the_nearest_that_there_is() {
        let told = |wanted: &str| unknown_device(wanted, &machine()).expect("it is unknown");
        assert_eq!(
            told("Jabra"),
            "there is no sound device \"Jabra\"; did you mean \"Jabra Evolve 65, USB Audio\"?"
        );
        assert_eq!(
            told("Default Adio Devise"),
            "there is no sound device \"Default Adio Devise\"; did you mean \
             \"Default Audio Device\"?"
        );
        assert!(told("gramophone").ends_with("; `hyperfocus devices` lists what there is"));
        assert_eq!(
            unknown_device("Jabra", &[]).as_deref(),
            Some("there is no sound device \"Jabra\"; this machine has none")
        );
    }
}
