use std::path::{Path, PathBuf};
use std::time::Duration;

use hyperfocus::config::{
    Anchor, Config, ConfigError, ConfigFile, Folders, LiveOutput, Role, Size, SoundSettings,
    Warning, keys, nearest,
};
use hyperfocus::governor::{Level, Wish};
use hyperfocus::show::Counting;

fn folders() -> Folders {
    Folders {
        home: Some(PathBuf::from("/home/someone")),
        config: Some(PathBuf::from("/etc/xdg/hyperfocus")),
        state: PathBuf::from("/home/someone/.local/state/hyperfocus"),
    }
}

fn resolve(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<(Config, Vec<Warning>), ConfigError> {
    let file = ConfigFile {
        path: PathBuf::from("/etc/show/config.toml"),
        text: file.to_owned(),
    };
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    let flags: Vec<_> = flags
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect();
    Config::resolve(Some(&file), environment, &flags, &folders())
}

fn refusal(file: &str) -> String {
    resolve(file, &[], &[])
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn nothing_given_is_the_defaults() {
    let (config, warnings) = resolve("", &[("PATH", "/bin")], &[]).unwrap();
    assert_eq!(config, Config::with_defaults(&folders()));
    assert_eq!(warnings, []);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "fps = 24\nstream = 'file'\nrole = 'viewer'";
    let environment = [
        ("HYPERFOCUS_FPS", "30"),
        ("HYPERFOCUS_STREAM", "environment"),
    ];
    let (config, _) = resolve(file, &environment, &[("fps", "50")]).unwrap();
    assert_eq!(config.fps, 50);
    assert_eq!(config.stream.as_deref(), Some("environment"));
    assert_eq!(config.role, Role::Viewer);
}

#[test]
fn an_unknown_key_is_a_warning_with_its_line_and_the_nearest_known_key() {
    let (config, warnings) = resolve("fps = 24\n\n[show]\nstreak_silense = 4\n", &[], &[]).unwrap();
    assert_eq!(config.fps, 24);
    assert_eq!(
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "/etc/show/config.toml:4: unknown key show.streak_silense is ignored; \
          did you mean show.streak_silence?"
        ]
    );
}

#[test]
fn a_key_in_the_wrong_section_is_led_to_the_right_one() {
    let (_, warnings) = resolve("volume = 0.5", &[], &[]).unwrap();
    assert!(
        warnings[0].message.ends_with("did you mean sound.volume?"),
        "{}",
        warnings[0]
    );
}

#[test]
fn an_unknown_variable_of_ours_is_a_warning_and_foreign_ones_are_none() {
    let environment = [
        ("HYPERFOCUS_STREAMS", "x"),
        ("HYPERFOCUS_LOG", "debug"),
        ("HYPERFOCUS_TEST_PYTHON", "python3"),
        ("HOME", "/"),
    ];
    let (_, warnings) = resolve("", &environment, &[]).unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0]
            .to_string()
            .ends_with("did you mean HYPERFOCUS_STREAM?")
    );
}

#[test]
fn a_wrong_type_is_an_error_with_its_line_and_what_would_be_right() {
    assert_eq!(
        refusal("\nfps = 'many'\n"),
        "/etc/show/config.toml:2: fps must be a whole number of frames per second, 1 to 240, \
         not \"many\""
    );
    assert_eq!(
        refusal("headless = 'true'"),
        "/etc/show/config.toml:1: headless must be true or false, not \"true\""
    );
}

#[test]
fn a_lanes_volume_out_of_range_or_a_nameless_device_is_an_error() {
    let told = refusal("[sound]\nheadline = 1.5\nfeature = -1\nambient = 'loud'\ndevice = ''\n");
    assert_eq!(told.lines().count(), 4, "{told}");
    assert!(told.contains("config.toml:2: sound.headline must be a number, 0 (silent) to 1"));
    assert!(told.contains("config.toml:5: sound.device must be the name of a sound device"));
}

#[test]
fn every_error_is_told_at_once() {
    let told = refusal("fps = 0\n[sound]\nvolume = 2\nmuted = []\n");
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(told.contains("config.toml:4: sound.muted must be true or false, not a list of 0"));
}

#[test]
fn numbers_are_held_to_their_range() {
    for (file, holds) in [
        ("fps = 240", true),
        ("fps = 241", false),
        ("fps = 59.94", false),
        ("fps = nan", false),
        ("[show]\nstreak_silence = 0.9", false),
        ("[show]\nstreak_silence = 10", true),
        ("[sound]\nvolume = -0.1", false),
        ("[show]\nfeature_from = inf", false),
        ("size = '16x8192'", true),
        ("size = '15x100'", false),
        ("size = 'big'", false),
        ("stream = '  '", false),
    ] {
        assert_eq!(resolve(file, &[], &[]).is_ok(), holds, "{file}");
    }
}

#[test]
fn a_misspelt_word_is_answered_with_the_nearest() {
    let told = refusal("[show]\ncounting = 'cumulativ'");
    assert!(
        told.ends_with("not \"cumulativ\" (did you mean cumulative?)"),
        "{told}"
    );
}

#[test]
fn an_address_is_checked_as_far_as_it_can_be_without_calling_it() {
    for good in [
        "ws://localhost",
        "wss://backend.example/ws",
        "ws://127.0.0.1:8080/ws?stream=1",
        "ws://[::1]:8080/",
        "ws://[::1]",
    ] {
        assert!(
            resolve(&format!("url = '{good}'"), &[], &[]).is_ok(),
            "{good}"
        );
    }
    for (bad, reason) in [
        ("backend.example", "begin with wss://"),
        ("https://backend.example", "write wss://"),
        ("ftp://backend.example", "must be a ws:// or wss:// address"),
        ("ws:///ws", "the host is missing"),
        ("ws://a b/", "has a blank in it"),
        ("ws://host:0/", "the port must be"),
        ("ws://host:99999/", "the port must be"),
    ] {
        let told = refusal(&format!("url = '{bad}'"));
        assert!(told.contains(reason), "{bad}: {told}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    let told = refusal("url = 'wss://someone:secret@backend.example/'");
    assert!(
        !told.contains("secret") && told.contains("token goes into a file"),
        "{told}"
    );
}

#[test]
fn a_token_in_an_address_is_not_repeated() {
    let told = refusal("url = 'https://backend.example/ws?token=secret'");
    assert!(
        told.contains("wss://") && !told.contains("secret"),
        "{told}"
    );
}

#[test]
fn a_list_that_would_show_nothing_is_refused() {
    for list in ["output.to = []", "show.lanes = []"] {
        let told = refusal(list);
        assert!(told.contains("name at least one"), "{told}");
    }
}

#[test]
fn the_stage_is_served_to_this_machine_alone() {
    let to = |words| resolve("", &[], &[("output.to", words)]).map(|(config, _)| config.output.to);
    let loopback = |text: &str| LiveOutput::Nut(text.parse().unwrap());
    assert_eq!(
        to("obs,nut://127.0.0.1:7878").unwrap(),
        [LiveOutput::Obs, loopback("127.0.0.1:7878")]
    );
    assert_eq!(
        to("nut://localhost:7878/").unwrap(),
        [loopback("127.0.0.1:7878")]
    );
    assert_eq!(to("nut://[::1]:7878").unwrap(), [loopback("[::1]:7878")]);
    for outside in ["0.0.0.0:7878", "192.168.1.2:7878", "[::]:7878", "host:1"] {
        let told = refusal(&format!("[output]\nto = ['nut://{outside}']"));
        assert!(told.contains("write nut://127.0.0.1:PORT"), "{told}");
    }
    for portless in ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999"] {
        let told = refusal(&format!("[output]\nto = ['nut://{portless}']"));
        assert!(told.contains("1 to 65535"), "{told}");
    }
}

#[test]
fn quality_is_a_word() {
    let (config, _) = resolve("quality = 'medium'", &[], &[]).unwrap();
    assert_eq!(config.quality, Wish::Fixed(Level::MEDIUM));
    let environment = [("HYPERFOCUS_QUALITY", "auto")];
    let (config, _) = resolve("quality = 'low'", &environment, &[]).unwrap();
    assert_eq!(config.quality, Wish::Auto);
    let told = refusal("quality = 'meduim'");
    assert!(told.ends_with("(did you mean medium?)"), "{told}");
}

#[test]
fn broken_toml_names_the_line() {
    let told = refusal("fps = 24\nsize = \"1920x1080\n");
    assert!(
        told.starts_with("/etc/show/config.toml:2: not TOML: "),
        "{told}"
    );
}

#[test]
fn a_section_written_as_a_value_is_explained() {
    assert_eq!(
        refusal("show = 3"),
        "/etc/show/config.toml:1: show is a section: write [show], then its keys below"
    );
}

#[test]
fn paths_of_the_file_are_meant_from_its_folder_and_those_of_flags_from_here() {
    let file = "token_file = 'token'\ncatalog = '~/catalog.toml'\nstate_dir = '/var/show'";
    let (config, _) = resolve(file, &[], &[("output.webm", "out/show.webm")]).unwrap();
    assert_eq!(
        config.token_file.as_deref(),
        Some(Path::new("/etc/show/token"))
    );
    assert_eq!(
        config.catalog.as_deref(),
        Some(Path::new("/home/someone/catalog.toml"))
    );
    assert_eq!(config.state_dir, Path::new("/var/show"));
    assert_eq!(
        config.output.webm.as_deref(),
        Some(Path::new("out/show.webm"))
    );
}

#[test]
fn thresholds_that_leave_a_lane_empty_are_refused_where_they_stand() {
    let told = refusal("[show]\nheadline_from = 10\nfeature_from = 20\n");
    assert!(
        told.starts_with("/etc/show/config.toml:3: show.feature_from (20)"),
        "{told}"
    );
}

#[test]
fn a_missing_file_is_none_unless_it_was_asked_for() {
    let nowhere = tempfile::tempdir().unwrap();
    let folders = Folders {
        config: Some(nowhere.path().to_owned()),
        ..folders()
    };
    assert!(ConfigFile::find(None, &folders).unwrap().is_none());
    let asked = nowhere.path().join("mine.toml");
    let told = ConfigFile::find(Some(&asked), &folders)
        .unwrap_err()
        .to_string();
    assert!(told.starts_with("cannot read the configuration") && told.contains("mine.toml"));
}

#[test]
fn a_file_too_long_to_be_a_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    let told = ConfigFile::find(Some(&path), &folders())
        .unwrap_err()
        .to_string();
    assert!(told.contains("longer than 1 MiB"), "{told}");
}

const EXAMPLE: &str = include_str!("../../docs/config.example.toml");

#[test]
fn the_documented_example_says_nothing_as_it_stands() {
    let (config, warnings) = resolve(EXAMPLE, &[], &[]).unwrap();
    assert_eq!(config, Config::with_defaults(&folders()));
    assert_eq!(warnings, []);
}

#[test]
fn the_documented_example_shows_every_setting_with_its_true_default() {
    let whole: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let (config, warnings) = resolve(&whole, &[], &[]).unwrap();
    assert_eq!(warnings, []);

    let table: toml::Table = whole.parse().unwrap();
    for key in keys() {
        let pointer = key.split_once('.').map_or_else(
            || table.get(key),
            |(section, name)| table.get(section).and_then(|inner| inner.get(name)),
        );
        assert!(pointer.is_some(), "the example lacks {key}");
    }

    let defaults = Config::with_defaults(&folders());
    assert_eq!(
        (
            config.role,
            config.size,
            config.fps,
            config.headless,
            config.play_unseen,
        ),
        (
            defaults.role,
            defaults.size,
            defaults.fps,
            defaults.headless,
            defaults.play_unseen
        )
    );
    assert_eq!(config.quality, defaults.quality);
    assert_eq!(config.state_dir, defaults.state_dir);
    assert_eq!(config.show.streak_silence, defaults.show.streak_silence);
    assert_eq!(config.show.counting, defaults.show.counting);
    assert_eq!(config.show.motion, defaults.show.motion);
    assert_eq!(config.on_air, defaults.on_air);
    let sound = SoundSettings {
        device: config.sound.device.clone(),
        ..defaults.sound
    };
    assert_eq!(config.sound, sound);
    assert_eq!(config.captions, defaults.captions);
    assert_eq!(config.board, defaults.board);
    assert_eq!(config.output.raw, defaults.output.raw);
}

#[test]
fn settings_arrive_where_they_belong() {
    let environment = [
        ("HYPERFOCUS_SIZE", "640x360"),
        ("HYPERFOCUS_SHOW_STREAK_SILENCE", "4.5"),
        ("HYPERFOCUS_SHOW_COUNTING", "Cumulative"),
        ("HYPERFOCUS_SOUND_MUTED", "yes"),
        ("HYPERFOCUS_SOUND_AMBIENT", "0.25"),
        ("HYPERFOCUS_SOUND_DEVICE", " USB Headphones "),
        ("HYPERFOCUS_OUTPUT_RAW", "1"),
    ];
    let (config, warnings) = resolve("", &environment, &[("play_unseen", "true")]).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        config.size,
        Size {
            width: 640,
            height: 360
        }
    );
    assert_eq!(config.show.streak_silence, Duration::from_millis(4500));
    assert_eq!(config.show.counting, Counting::Cumulative);
    assert!(config.sound.muted && config.output.raw && config.play_unseen);
    assert_eq!((config.sound.ambient, config.sound.feature), (0.25, 1.0));
    assert_eq!(config.sound.device.as_deref(), Some("USB Headphones"));
}

#[test]
fn the_board_is_off_and_its_parts_are_placed_or_switched_off() {
    let (config, _) = resolve("", &[], &[]).unwrap();
    assert!(!config.board.show);
    assert_eq!(config.board.connection, None);
    let file = "[board]\nshow = true\ngoal = 'bottom'\nrecent = 'off'\ngifters_shown = 3\n";
    let environment = [("HYPERFOCUS_BOARD_CONNECTION", "bottom-right")];
    let (config, warnings) = resolve(file, &environment, &[("board.live", "off")]).unwrap();
    assert_eq!(warnings, []);
    let board = config.board;
    assert!(board.show);
    assert_eq!(
        (board.goal, board.recent, board.connection, board.live),
        (Some(Anchor::Bottom), None, Some(Anchor::BottomRight), None)
    );
    assert_eq!((board.gifters_shown, board.recent_shown), (3, 4));
}

#[test]
fn the_look_is_held_to_its_words_and_ranges() {
    for (file, holds) in [
        ("[captions]\ntheme = 'neon'", true),
        ("[captions]\ntheme = 'high-contrast'", true),
        ("[captions]\ntheme = 'paper'", false),
        ("[captions]\ntext_scale = 1.6", true),
        ("[captions]\ntext_scale = 1.7", false),
        ("[board]\nmargin = 20", true),
        ("[board]\nmargin = 21", false),
        ("[board]\ngoal = 'middle'", false),
        ("[board]\nrecent_shown = 0", false),
        ("[board]\nrecent_shown = 2.5", false),
        ("language = 'de-AT'", true),
        ("language = 'de_AT'", true),
        ("language = 'zh-Hant-TW'", true),
        ("language = 'german'", false),
        ("language = 'd'", false),
        ("language = 'de-'", false),
    ] {
        assert_eq!(resolve(file, &[], &[]).is_ok(), holds, "{file}");
    }
    let told = refusal("[captions]\ntheme = 'neno'");
    assert!(told.ends_with("(did you mean neon?)"), "{told}");
    let told = resolve("", &[], &[("board.show", "maybe")]).unwrap_err();
    assert!(told.to_string().starts_with("--board: "), "{told}");
}

#[test]
fn nearest_stays_silent_when_nothing_is_near() {
    assert_eq!(nearest("tokenfile", keys()), Some("token_file"));
    assert_eq!(nearest("flux_capacitor", keys()), None);
}

#[test]
fn lists_are_arrays_in_the_file_and_commas_elsewhere() {
    let file = "[on_air]\nblocked_words = ['one', ' two ', '']\nleast_value = 5\ncool_down = 1.5\n";
    let environment = [("HYPERFOCUS_ON_AIR_OFF_TYPES", "rocket, lion,")];
    let (config, warnings) = resolve(file, &environment, &[]).unwrap();
    assert_eq!(warnings, []);
    let on_air = config.on_air;
    assert_eq!(on_air.blocked.words, ["one", "two"]);
    assert_eq!(
        on_air.policy.off_types,
        ["lion".into(), "rocket".into()].into()
    );
    assert_eq!(on_air.policy.least_value, 5.0);
    assert_eq!(on_air.policy.cool_down, Duration::from_millis(1500));
}

#[test]
fn where_pictures_come_from_is_named_one_by_one() {
    let file = "[on_air]\navatars_from = ['cdn.example', 'http://127.0.0.1:8080/']";
    let (config, _) = resolve(file, &[], &[]).unwrap();
    let [cdn, here] = &config.on_air.avatars_from[..] else {
        panic!("there are two");
    };
    assert!(cdn.is_of(true, "cdn.example", 443));
    assert!(here.is_of(false, "127.0.0.1", 8080));
    let told = refusal("[on_air]\navatars_from = ['a.example', 'https://me:secret@b.example']");
    assert!(
        told.contains("entry 2: write scheme and host alone"),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn what_is_no_list_of_texts_is_refused_without_repeating_it() {
    let told = refusal("[on_air]\nblocked_names = 'somebody'");
    assert!(told.contains("write it in [brackets]"), "{told}");
    let told = refusal("[on_air]\nblocked_names = ['x', 1]");
    assert!(
        told.contains("must be a list of up to 2000 texts"),
        "{told}"
    );
    let entries = "'x',".repeat(2_001);
    let told = refusal(&format!("[on_air]\nblocked_names = [{entries}]"));
    assert!(told.contains("not a list of 2001"), "{told}");
}
