//! `[[relay.source]]`: from the file to the settings, and what mistakes are told.

use std::path::{Path, PathBuf};

use hyperfocus::config::{
    Config, ConfigError, ConfigFile, Folders, Secret, SourceKind, SourceSettings, Warning,
};
use hyperfocus::model::Private;

fn resolve(
    file: &str,
    environment: &[(&str, &str)],
) -> Result<(Vec<SourceSettings>, Vec<Warning>), ConfigError> {
    let folders = Folders {
        home: Some(PathBuf::from("/home/someone")),
        config: None,
        state: PathBuf::from("/state"),
    };
    let file = ConfigFile {
        path: PathBuf::from("/etc/show/config.toml"),
        text: file.to_owned(),
    };
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let (config, warnings) = Config::resolve(Some(&file), environment, &[], &folders)?;
    Ok((config.sources, warnings))
}

fn sources(file: &str) -> Vec<SourceSettings> {
    let (sources, warnings) = resolve(file, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    sources
}

fn warned(file: &str) -> String {
    let (_, warnings) = resolve(file, &[]).unwrap();
    let lines: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn refusal(file: &str) -> String {
    resolve(file, &[]).expect_err("must be refused").to_string()
}

#[test]
fn a_kind_is_enough_where_there_is_a_usual_address() {
    let found =
        sources("[[relay.source]]\nkind = 'streamerbot'\n[[relay.source]]\nkind = 'tikfinity'\n");
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].name.as_str(), found[0].stream.as_str()),
        ("streamerbot", "main")
    );
    let SourceKind::Streamerbot { url, password } = &found[0].kind else {
        panic!("{found:?}");
    };
    assert_eq!((url.as_str(), password), ("ws://127.0.0.1:8080/", &None));
    let SourceKind::Tikfinity { url } = &found[1].kind else {
        panic!("{found:?}");
    };
    assert_eq!(url, "ws://localhost:21213/");
}

#[test]
fn everything_that_a_source_says_arrives() {
    let found = sources(
        "[[relay.source]]\nkind = 'twitch'\nname = 'mine'\nstream = 'night'\nclient_id = 'abc'\n\
         token_file = 'twitch.token'\nchannel = '42'\napi = 'http://127.0.0.1:9/helix/'\n\
         url = 'wss://example.org/ws'\n\
         [relay.source.map]\n'Hydrate' = 'rose'\n'cheer:100..999' = { gift = 'coins', value = 2.5 }\n\
         [[relay.source]]\nkind = 'file'\npath = '~/show.jsonl'\nspeed = 20\nloop = true\n",
    );
    assert_eq!(
        (found[0].name.as_str(), found[0].stream.as_str()),
        ("mine", "night")
    );
    assert_eq!(
        found[0].kind,
        SourceKind::Twitch {
            url: "wss://example.org/ws".to_owned(),
            api: "http://127.0.0.1:9/helix".to_owned(),
            client_id: "abc".to_owned(),
            token: Secret::File("/etc/show/twitch.token".into()),
            channel: Some("42".to_owned()),
        }
    );
    let map = &found[0].map;
    let rule = |name: &str| map.iter().find(|rule| rule.name == name).expect("a rule");
    assert_eq!(
        (rule("hydrate").gift.as_str(), rule("hydrate").range),
        ("rose", None)
    );
    assert_eq!(rule("cheer").range, Some((100.0, 999.0)));
    assert_eq!(rule("cheer").value, Some(2.5));
    let SourceKind::File {
        path,
        speed,
        repeats,
    } = &found[1].kind
    else {
        panic!("{found:?}");
    };
    assert_eq!(
        (path.as_path(), *speed, *repeats),
        (Path::new("/home/someone/show.jsonl"), 20.0, true)
    );
}

#[test]
fn a_secret_may_come_from_the_environment_and_goes_before_the_file() {
    let file = "[[relay.source]]\nkind = 'streamerbot'\npassword_file = 'p'\n\
                [[relay.source]]\nkind = 'twitch'\nname = 'my-twitch'\nclient_id = 'c'\n";
    let environment = [
        ("HYPERFOCUS_SOURCE_STREAMERBOT_PASSWORD", "hunter2"),
        ("HYPERFOCUS_SOURCE_MY_TWITCH_TOKEN", "t0ken"),
    ];
    let (found, warnings) = resolve(file, &environment).unwrap();
    assert_eq!(warnings, []);
    let given = |text: &str| Secret::Given(Private(text.to_owned()));
    let SourceKind::Streamerbot { password, .. } = &found[0].kind else {
        panic!("{found:?}");
    };
    assert_eq!(*password, Some(given("hunter2")));
    let SourceKind::Twitch { token, .. } = &found[1].kind else {
        panic!("{found:?}");
    };
    assert_eq!(*token, given("t0ken"));
    let shown = format!("{found:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("t0ken"),
        "{shown}"
    );
}

#[test]
fn a_variable_of_no_source_is_named_and_its_secret_is_not() {
    let file = "[[relay.source]]\nkind = 'streamerbot'\n";
    let environment = [("HYPERFOCUS_SOURCE_STREAMERBOT_PASWORD", "hunter2")];
    let (_, warnings) = resolve(file, &environment).unwrap();
    assert_eq!(
        warnings[0].to_string(),
        "HYPERFOCUS_SOURCE_STREAMERBOT_PASWORD: unknown variable \
         HYPERFOCUS_SOURCE_STREAMERBOT_PASWORD is ignored; did you mean \
         HYPERFOCUS_SOURCE_STREAMERBOT_PASSWORD?"
    );
}

#[test]
fn several_of_a_kind_are_numbered_and_no_two_have_one_name() {
    let twice = "[[relay.source]]\nkind = 'tikfinity'\n".repeat(2);
    let names: Vec<_> = sources(&twice)
        .into_iter()
        .map(|source| source.name)
        .collect();
    assert_eq!(names, ["tikfinity", "tikfinity-2"]);
    let named = "[[relay.source]]\nkind = 'tikfinity'\nname = 'a'\n".repeat(2);
    assert!(
        refusal(&named).ends_with("4: two sources are called \"a\""),
        "{}",
        refusal(&named)
    );
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_that_its_kind_has() {
    let told = warned("[[relay.source]]\nkind = 'file'\npath = 'a'\nspede = 2\n");
    assert_eq!(
        told,
        "/etc/show/config.toml:4: unknown key relay.source.spede is ignored; did you mean speed?"
    );
    let told = warned("[[relay.source]]\nkind = 'tikfinity'\nspeed = 2\n");
    assert!(told.contains(":3: relay.source.speed is ignored"), "{told}");
}

#[test]
fn mistakes_are_told_where_they_stand() {
    for (file, told) in [
        (
            "[[relay.source]]\nurl = 'ws://h'\n",
            "1: relay.source.kind is missing",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinty'\n",
            "did you mean tikfinity?",
        ),
        (
            "[relay.source]\nkind = 'tikfinity'\n",
            "write [[relay.source]] with two brackets",
        ),
        (
            "relay.source = ['tikfinity']\n",
            "write [[relay.source]] with two brackets",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\nurl = 'http://h'\n",
            "for http:// write ws://",
        ),
        (
            "[[relay.source]]\nkind = 'twitch'\ntoken_file = 't'\n",
            "needs a client_id",
        ),
        (
            "[[relay.source]]\nkind = 'twitch'\napi = 'http://api.example'\n",
            "a token goes there; use https://",
        ),
        (
            "[[relay.source]]\nkind = 'twitch'\napi = 'http://127.0.0.1.evil.example/'\n",
            "a token goes there; use https://",
        ),
        ("[[relay.source]]\nkind = 'file'\n", "needs a path"),
        (
            "[[relay.source]]\nkind = 'file'\npath = 'a'\nspeed = 0\n",
            "4: relay.source.speed must be",
        ),
        (
            "[[relay.source]]\nkind = 'file'\nname = 'a b'\n",
            "letters, digits",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'cheer:100..9x' = 'rose'\n",
            "4: relay.source.map, \"cheer:100..9x\": \"100..9x\" is no range",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'cheer:9..1' = 'rose'\n",
            "is no range",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'cheer: 9 ..x' = 'rose'\n",
            "is no range",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'Rose ' = 'rose'\n\
             'rose' = 'crown'\n",
            "another rule is for the same name and range",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'cheer:1' = 'rose'\n\
             'cheer: 1..1' = 'crown'\n",
            "another rule is for the same name and range",
        ),
        (
            "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'rose' = 7\n",
            "give a gift type",
        ),
    ] {
        let refused = refusal(file);
        assert!(refused.contains(told), "{file}\n{refused}");
    }
    let many = "[[relay.source]]\nkind = 'tikfinity'\n".repeat(33);
    assert!(refusal(&many).contains("more than 32"));
}

#[test]
fn a_source_that_lacks_its_secret_is_told_only_to_who_connects_it() {
    let file = ConfigFile {
        path: PathBuf::from("/etc/show/config.toml"),
        text: "[[relay.source]]\nkind = 'tikfinity'\n[[relay.source]]\nkind = 'twitch'\n\
               client_id = 'c'\n"
            .to_owned(),
    };
    let folders = Folders {
        home: None,
        config: None,
        state: PathBuf::from("/state"),
    };
    let (config, warnings) = Config::resolve(Some(&file), [], &[], &folders).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.sources.len(), 1);
    let lacking: Vec<_> = config.lacking.iter().map(ToString::to_string).collect();
    assert_eq!(
        lacking,
        [
            "/etc/show/config.toml:3: a source of kind \"twitch\" needs a token: give token_file, \
             or the variable HYPERFOCUS_SOURCE_TWITCH_TOKEN"
        ]
    );
}

#[test]
fn a_colon_that_no_number_follows_belongs_to_the_name() {
    let found = sources(
        "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'Re: 4 Roses' = 'rose'\n\
         'sub:2' = 'crown'\n'kicks:..99' = 'coins'\n' gift : 5 .. ' = 'lion'\n\
         'Timeout 5:00' = 'rocket'\n",
    );
    let map = &found[0].map;
    let range = |name: &str| {
        map.iter()
            .find(|rule| rule.name == name)
            .expect("a rule")
            .range
    };
    assert_eq!(range("re: 4 roses"), None);
    assert_eq!(range("sub"), Some((2.0, 2.0)));
    assert_eq!(range("kicks"), Some((0.0, 99.0)));
    assert_eq!(range("gift"), Some((5.0, f64::INFINITY)));
    // It may be a name all the same.
    let timeout = map.iter().find(|rule| rule.gift == "rocket");
    assert_eq!(timeout.unwrap().whole.as_deref(), Some("timeout 5:00"));
}

#[test]
fn the_documented_example_has_each_kind_with_its_true_defaults() {
    let example = include_str!("../../docs/config.example.toml");
    let from = example.find("#[[relay.source]]").expect("an example");
    let uncommented: String = example[from..]
        .lines()
        .filter_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')))
        .map(|line| format!("{line}\n"))
        .collect();
    let found = sources(&uncommented);
    let plain = sources(
        "[[relay.source]]\nkind = 'streamerbot'\npassword_file = 'streamerbot.password'\n\
         [[relay.source]]\nkind = 'tikfinity'\n\
         [[relay.source]]\nkind = 'twitch'\nclient_id = 'of your application at dev.twitch.tv'\n\
         token_file = 'twitch.token'\nchannel = '12345678'\n\
         [[relay.source]]\nkind = 'file'\npath = 'show.jsonl'\n",
    );
    assert!(!found[0].map.is_empty());
    for (found, plain) in found.iter().zip(&plain) {
        assert_eq!(
            (&found.name, &found.stream, &found.kind),
            (&plain.name, &plain.stream, &plain.kind)
        );
    }
    assert_eq!(found.len(), plain.len());
}
