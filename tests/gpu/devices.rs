//! What the program says of the machine's sound devices: an ALSA of the test's
//! own has two, and neither makes a sound.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

const ALSA: &str = r#"
pcm.!default { type null hint { show on description "Default Audio Device" } }
pcm.house { type null hint { show on description "House Speakers" } }
"#;

fn say(arguments: &[&str], home: &TempDir) -> String {
    let alsa = home.path().join("asound.conf");
    fs::write(&alsa, ALSA).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .args(arguments)
        .env("ALSA_CONFIG_PATH", &alsa)
        .env_remove("HYPERFOCUS_SOUND_DEVICE")
        .output()
        .expect("the program starts");
    String::from_utf8(output.stdout).expect("it says text")
}

#[test]
fn the_sound_devices_are_listed_with_a_star_at_the_default() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(
        say(&["devices"], &home),
        "* Default Audio Device  default\n  House Speakers        house\n"
    );
}

#[test]
fn check_knows_the_sound_devices() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    let check = |device: &str| {
        fs::write(&config, format!("[sound]\ndevice = '{device}'\n")).unwrap();
        say(&["check", "--config", &config.to_string_lossy()], &home)
    };
    let told = check("house speakers");
    assert!(
        told.contains("ok       sound device house speakers"),
        "{told}"
    );
    let told = check("House Speker");
    assert!(told.contains("warning  sound.device:"), "{told}");
    assert!(told.contains("did you mean \"House Speakers\"?"), "{told}");
}
