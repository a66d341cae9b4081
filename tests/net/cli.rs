//! The program as a user meets it: arguments in, words and an exit code out.

use std::path::Path;
use std::process::{Command, Output};

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program in an empty folder with nothing of this machine's settings.
fn hyperfocus(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    Ran {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn help_and_version_are_there() {
    let folder = folder();
    let help = hyperfocus(&["--help"], folder.path(), &[]);
    assert_eq!(help.code, Some(0));
    for command in [
        "run",
        "demo",
        "tune",
        "check",
        "pack",
        "bench",
        "completions",
        "man",
    ] {
        assert!(help.out.contains(&format!("\n  {command}")), "{}", help.out);
    }
    let version = hyperfocus(&["--version"], folder.path(), &[]);
    assert_eq!(
        version.out.trim(),
        format!("hyperfocus {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_misspelt_flag_exits_with_2_and_the_nearest() {
    let ran = hyperfocus(&["run", "--steam", "s"], folder().path(), &[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--stream"), "{}", ran.err);
}

#[test]
fn run_without_a_backend_says_how_to_name_one() {
    let ran = hyperfocus(&["run", "--headless"], folder().path(), &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("give --url wss://"), "{}", ran.err);
}

#[test]
fn run_refuses_a_wrong_address_naming_the_flag() {
    let arguments = [
        "run",
        "--headless",
        "--url",
        "https://h/ws",
        "--stream",
        "s",
    ];
    let ran = hyperfocus(&arguments, folder().path(), &[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err
            .contains("--url: url must be a ws:// or wss:// address")
            && ran.err.contains("wss://"),
        "{}",
        ran.err
    );
}

#[test]
fn a_missing_token_file_is_named() {
    let arguments = [
        "run",
        "--headless",
        "--url",
        "ws://127.0.0.1:9/ws",
        "--stream",
        "s",
        "--token-file",
        "no",
    ];
    let ran = hyperfocus(&arguments, folder().path(), &[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("cannot read the token file no"),
        "{}",
        ran.err
    );
}

#[cfg(unix)]
#[test]
fn a_token_that_others_can_read_is_a_warning_that_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cret\n").unwrap();
    let arguments = [
        "run",
        "--headless",
        "--url",
        "ws://127.0.0.1:9/ws",
        "--stream",
        "s",
        "--token-file",
        "token",
        "--catalog",
        "nowhere.toml",
    ];
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(mode)).unwrap();
        let ran = hyperfocus(&arguments, folder.path(), &[]);
        assert_eq!(ran.err.contains("chmod 600 token"), warned, "{}", ran.err);
        assert!(!ran.err.contains("s3cret"));
        assert!(
            ran.err.contains("there is no catalogue at nowhere.toml"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn without_a_display_run_points_to_headless() {
    let arguments = ["run", "--url", "ws://127.0.0.1:9/ws", "--stream", "s"];
    let ran = hyperfocus(&arguments, folder().path(), &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("add --headless"), "{}", ran.err);
}

#[test]
fn check_names_file_line_and_the_nearest_key() {
    let folder = folder();
    let config = folder.path().join(".config/hyperfocus/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "fps = 30\n\n[sound]\nvolum = 0.5\n").unwrap();
    let warned = hyperfocus(&["check"], folder.path(), &[]);
    assert!(
        warned.out.contains(
            "config.toml:4: unknown key sound.volum is ignored; did you mean sound.volume?"
        ),
        "{}",
        warned.out
    );

    std::fs::write(&config, "fps = 'many'\nrole = 'guest'\n").unwrap();
    let refused = hyperfocus(&["check"], folder.path(), &[]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.out.contains("config.toml:1: fps must be"),
        "{}",
        refused.out
    );
    assert!(
        refused.out.contains("config.toml:2: role must be"),
        "{}",
        refused.out
    );
}

#[test]
fn a_source_whose_secret_is_elsewhere_stops_none_but_the_relay() {
    let folder = folder();
    let config = folder.path().join("config.toml");
    std::fs::write(
        &config,
        "[[relay.source]]\nkind = 'twitch'\nclient_id = 'c'\n",
    )
    .unwrap();
    let told = "config.toml:1: a source of kind \"twitch\" needs a token";
    let check = hyperfocus(&["check", "--config", "config.toml"], folder.path(), &[]);
    assert!(
        check.out.contains(&format!("warning  {told}")),
        "{}{}",
        check.out,
        check.err
    );
    let arguments = [
        "tune",
        "--config",
        "config.toml",
        "--crowd",
        "60",
        "--minutes",
        "1",
    ];
    let tune = hyperfocus(&arguments, folder.path(), &[]);
    assert_eq!(tune.code, Some(0), "{}", tune.err);
}

#[test]
fn check_names_each_asset_that_is_missing_or_no_such_thing() {
    let folder = folder();
    let catalog = folder.path().join("catalog.toml");
    std::fs::create_dir(folder.path().join("sounds")).unwrap();
    std::fs::write(folder.path().join("sounds/bell.ogg"), "not a sound").unwrap();
    let text = r##"
[lanes]
feature = 100.0
headline = 1000.0
[fallback]
name = "Gift"
kind = "particle"
seconds = 2.0
accents = ["#FFFFFF", "#FFD700"]
icon = "nothing"
sound = "bell"
[gift.chime]
name = "Chime"
kind = "particle"
seconds = 2.0
accents = ["#FFFFFF", "#FFD700"]
sound = "bel"
"##;
    std::fs::write(&catalog, text).unwrap();
    let ran = hyperfocus(&["check", "--catalog", "catalog.toml"], folder.path(), &[]);
    let line = "catalog.toml:17: chime names sounds/bel.ogg, which is not there; \
                did you mean `bell`?";
    assert!(ran.out.contains(line), "{}", ran.out);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("catalog.toml:10: fallback names icons/nothing.png, which is not there"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("fallback names sounds/bell.ogg, which is not Ogg"),
        "{}",
        ran.out
    );
}

#[test]
fn a_wrong_variable_is_named_as_one() {
    let ran = hyperfocus(&["check"], folder().path(), &[("HYPERFOCUS_FPS", "0")]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("HYPERFOCUS_FPS: fps must be"),
        "{}",
        ran.out
    );
}

/// As after `| head -1`.
#[test]
fn a_reader_who_has_had_enough_is_no_error() {
    let folder = folder();
    for arguments in [&["check"][..], &["obs", "doctor"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let Output { status, stderr, .. } = Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .stdout(writer)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&stderr);
        // What it found decides, as it does where everything is read.
        let read = hyperfocus(arguments, folder.path(), &[]);
        assert_eq!(status.code(), read.code, "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = hyperfocus(&["completions", shell], folder().path(), &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.out.contains("token-file"), "{shell}");
    }
}

#[test]
fn manual_pages_are_printed_or_written_for_each_subcommand() {
    let folder = folder();
    let printed = hyperfocus(&["man"], folder.path(), &[]);
    assert!(printed.out.contains(".TH hyperfocus 1"), "{}", printed.out);
    let written = hyperfocus(&["man", "pages"], folder.path(), &[]);
    assert_eq!(written.code, Some(0), "{}", written.err);
    for page in ["hyperfocus.1", "hyperfocus-run.1", "hyperfocus-demo.1"] {
        assert!(folder.path().join("pages").join(page).is_file(), "{page}");
    }
}
