//! `hyperfocus check`: what is wrong with configuration, catalogue and assets,
//! and where.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use super::Engine;
use super::args::CheckArgs;
use super::plan::{check_webm, environment, find_catalog, read_token};
use super::show::load_catalog;
use super::stdout::print;
use crate::catalog::{Catalog, Recipe, check_picture};
use crate::config::{
    Config, ConfigError, ConfigFile, Folders, ShowSettings, SoundDevice, nearest, unknown_device,
};
use crate::net::Dialer;

/// What was found, line by line.
#[derive(Debug, Default)]
struct Findings {
    fine: Vec<String>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

pub(super) fn run(args: &CheckArgs) -> Result<ExitCode> {
    let mut findings = Findings::default();
    let folders = Folders::of_this_machine();
    let configured = check_config(args.file.path(), &folders, &mut findings);
    let catalog = args.catalog.as_deref().or(configured
        .as_ref()
        .and_then(|config| config.catalog.as_deref()));
    let show = configured.as_ref().map(|config| &config.show);
    let catalog = check_catalog(catalog, show, &mut findings);
    if let (Some(config), Some(catalog)) = (&configured, &catalog) {
        findings.warnings.extend(unknown_gifts(config, catalog));
    }
    if let Some(device) = configured.as_ref().and_then(|c| c.sound.device.as_deref())
        && let Ok(engine) = Engine::of_this_build()
    {
        check_device(device, (engine.devices)(), &mut findings);
    }
    print(findings.to_string().as_bytes())?;
    Ok(match findings.errors.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// A device that is missing is no error: it may be unplugged just now, and
/// the default plays.
fn check_device(wanted: &str, devices: Result<Vec<SoundDevice>>, findings: &mut Findings) {
    match devices.map(|devices| unknown_device(wanted, &devices)) {
        Ok(None) => findings.fine.push(format!("sound device {wanted}")),
        Ok(Some(told)) => findings
            .warnings
            .push(format!("sound.device: {told} (the default would play)")),
        Err(error) => findings
            .warnings
            .push(format!("sound.device: cannot list the devices: {error}")),
    }
}

fn check_config(
    chosen: Option<&Path>,
    folders: &Folders,
    findings: &mut Findings,
) -> Option<Config> {
    let file = match ConfigFile::find(chosen, folders) {
        Ok(file) => file,
        Err(error) => {
            findings.errors.push(error.to_string());
            return None;
        }
    };
    let name = file.as_ref().map_or_else(
        || "no configuration file; defaults and environment".to_owned(),
        |file| format!("configuration {}", file.path.display()),
    );
    match Config::resolve(file.as_ref(), environment(), &[], folders) {
        Ok((config, warnings)) => {
            findings
                .warnings
                .extend(warnings.iter().map(ToString::to_string));
            let unready = config.lacking.iter();
            findings
                .warnings
                .extend(unready.map(|fault| format!("{fault} (`hyperfocus serve` needs it)")));
            let before = findings.errors.len();
            if let Some(token) = &config.token_file
                && let Err(error) = read_token(token)
            {
                findings.errors.push(format!("token_file: {error:#}"));
            }
            if let Some(url) = &config.url
                && let Err(error) = Dialer::new(url, config.ca_file.as_deref())
            {
                findings.errors.push(format!("url: {error}"));
            }
            if let Some(video) = &config.output.webm
                && let Err(error) = check_webm(video)
            {
                findings.errors.push(format!("output.webm: {error}"));
            }
            let read = config
                .sources
                .iter()
                .map(|source| (source, source.kind.file()));
            for (source, file) in read {
                if let Some((key, file)) = file
                    && !file.is_file()
                {
                    let (name, file) = (&source.name, file.display());
                    findings
                        .errors
                        .push(format!("source {name}, {key}: there is no file {file}"));
                }
            }
            #[cfg(feature = "render")]
            if let Some(language) = &config.language
                && crate::locale::Words::of(language).1 != crate::locale::Choice::Spoken
            {
                let known = crate::locale::LANGUAGES.map(|(name, _)| name).join(", ");
                findings.warnings.push(format!(
                    "language: there are no texts in {language}, only in {known}; English is \
                     written"
                ));
            }
            if findings.errors.len() == before {
                findings.fine.push(name);
            }
            Some(config)
        }
        Err(error) => {
            findings
                .errors
                .extend(error.to_string().lines().map(str::to_owned));
            if let ConfigError::Invalid { warnings, .. } = error {
                findings
                    .warnings
                    .extend(warnings.iter().map(ToString::to_string));
            }
            None
        }
    }
}

/// Gifts that rules of sources name and the catalogue lacks. That may be meant: the
/// fallback plays under any name.
fn unknown_gifts(config: &Config, catalog: &Catalog) -> Vec<String> {
    let sources = config.sources.iter();
    let rules = sources.flat_map(|source| source.map.iter().map(move |rule| (source, rule)));
    let unknown = rules.filter(|(_, rule)| {
        let recipe = catalog.recipe(&rule.gift);
        Arc::ptr_eq(recipe, &catalog.fallback)
    });
    let told = unknown.map(|(source, rule)| {
        let near = nearest(&rule.gift, catalog.gifts.keys().map(|key| &**key));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        format!(
            "source {}, map: the catalogue has no gift \"{}\"{hint} (the fallback would play)",
            source.name, rule.gift
        )
    });
    let mut told: Vec<_> = told.collect();
    told.dedup();
    told
}

fn check_catalog(
    chosen: Option<&Path>,
    show: Option<&ShowSettings>,
    findings: &mut Findings,
) -> Option<Catalog> {
    let path = match find_catalog(chosen) {
        Ok(path) => path,
        Err(error) => {
            findings.errors.push(error.to_string());
            return None;
        }
    };
    let loaded = match show {
        Some(show) => load_catalog(&path, show),
        None => Catalog::load(&path).map_err(Into::into),
    };
    let catalog = match loaded {
        Ok(catalog) => catalog,
        Err(error) => {
            findings.errors.push(error.to_string());
            return None;
        }
    };
    findings.fine.push(format!(
        "catalogue {} with {} gifts and the fallback",
        path.display(),
        catalog.gifts.len()
    ));
    let mut seen = BTreeSet::new();
    let before = findings.errors.len();
    for (asset, _) in catalog.assets() {
        if seen.insert(asset.clone())
            && let Err(reason) = check_asset(&catalog.root, &asset)
        {
            findings.errors.push(catalog.fault(&path, &asset, &reason));
        }
    }
    for recipe in catalog.gifts.values().chain([&catalog.fallback]) {
        if let Some(model) = &recipe.model {
            let file = catalog.root.join("models").join(&model.file);
            // One that cannot be read has been told above.
            if let Some(parts) = ModelParts::of(&file) {
                findings.errors.extend(parts.missing(recipe));
            }
        }
    }
    if findings.errors.len() == before {
        findings.fine.push(format!("{} assets", seen.len()));
    }
    Some(catalog)
}

/// What a model has that recipes name.
struct ModelParts {
    nodes: Vec<String>,
    clips: Vec<String>,
}

impl ModelParts {
    /// Reads the first chunk of a binary glTF 2.0 file, which is JSON.
    fn of(path: &Path) -> Option<Self> {
        /// Far more than the JSON of any model that could be played.
        const MOST: u32 = 16 << 20;
        let mut file = File::open(path).ok()?;
        // Magic, version, length of all, length and kind of the chunk.
        let mut head = [0; 20];
        file.read_exact(&mut head).ok()?;
        let length = u32::from_le_bytes(head[12..16].try_into().ok()?);
        if &head[..4] != b"glTF" || &head[16..] != b"JSON" || length > MOST {
            return None;
        }
        let mut json = vec![0; length as usize];
        file.read_exact(&mut json).ok()?;
        let json: serde_json::Value = serde_json::from_slice(&json).ok()?;
        let names = |of: &str| {
            let all = json[of].as_array().into_iter().flatten();
            all.filter_map(|it| it["name"].as_str().map(str::to_owned))
                .collect()
        };
        Some(Self {
            nodes: names("nodes"),
            clips: names("animations"),
        })
    }

    /// What the recipe names and neither the model nor the recipe's pictures have.
    fn missing(&self, recipe: &Recipe) -> Vec<String> {
        let key = &recipe.key;
        let hint = |word: &str, known: &[&str]| {
            let near = nearest(word, known.iter().copied());
            near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
        };
        let ids = recipe.pictures.iter().filter_map(|it| it.id.as_deref());
        let nodes: Vec<_> = self.nodes.iter().map(String::as_str).chain(ids).collect();
        let follows = recipe.emitters.iter().filter_map(|it| it.follow.as_deref());
        let mut told: Vec<_> = follows
            .filter(|follow| !nodes.contains(follow))
            .map(|follow| {
                let hint = hint(follow, &nodes);
                format!("{key}: its model has no node \"{follow}\" to follow{hint}")
            })
            .collect();
        let clips: Vec<_> = self.clips.iter().map(String::as_str).collect();
        let clip = recipe
            .model
            .as_ref()
            .and_then(|model| model.clip.as_deref());
        if let Some(clip) = clip.filter(|clip| !clips.contains(clip)) {
            let hint = hint(clip, &clips);
            told.push(format!(
                "{key}: its model has no animation \"{clip}\"{hint}"
            ));
        }
        told.sort();
        told.dedup();
        told
    }
}

/// Whether a file is there and begins as its ending promises, and a video is one that
/// can be played. (That it also goes on so is seen when it is loaded, and the fallback
/// plays if not.)
fn check_asset(root: &Path, asset: &str) -> Result<(), String> {
    let path = root.join(asset);
    check_head(&path)?;
    if asset.ends_with(".png") {
        check_sides(&path)?;
    }
    #[cfg(feature = "ffmpeg")]
    if asset.starts_with("video/") {
        return check_video(&path);
    }
    Ok(())
}

fn check_sides(path: &Path) -> Result<(), String> {
    let (width, height) = sides(path)?;
    check_picture(width, height)
}

/// By its header; no pixel is read.
fn sides(path: &Path) -> Result<(u32, u32), String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let decoder = png::Decoder::new(BufReader::new(file));
    let reader = decoder
        .read_info()
        .map_err(|error| format!("cannot be read as a PNG: {error}"))?;
    Ok(reader.info().size())
}

/// What is wrong with the first picture of a catalogue, which lies at `path`, that a
/// graphics card may have no room for. (Instead of one that cannot be read the fallback
/// plays.)
#[cfg(feature = "render")]
pub(super) fn too_large(path: &Path, catalog: &Catalog) -> Option<String> {
    let mut pictures = catalog
        .assets()
        .filter(|(asset, _)| asset.ends_with(".png"));
    pictures.find_map(|(asset, _)| {
        let (width, height) = sides(&catalog.root.join(&asset)).ok()?;
        let reason = check_picture(width, height).err()?;
        Some(catalog.fault(path, &asset, &reason))
    })
}

/// By what its container says: decoding all of it would take as long as the show.
#[cfg(feature = "ffmpeg")]
fn check_video(path: &Path) -> Result<(), String> {
    use crate::render::video::{Halves, open};
    open(path, Halves::default()).map(drop).map_err(|error| {
        let told = error.to_string();
        let named = format!("{}: ", path.display());
        let reason = told.strip_prefix(&named).unwrap_or(&told);
        format!("cannot be played: {reason}")
    })
}

fn check_head(path: &Path) -> Result<(), String> {
    let mut head = [0; 12];
    let read = File::open(path)
        .and_then(|mut file| file.read(&mut head))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "is not there".to_owned(),
            _ => format!("cannot be read: {error}"),
        })?;
    let head = &head[..read];
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    let (holds, kind) = match ending {
        "png" => (head.starts_with(b"\x89PNG\r\n\x1a\n"), "a PNG"),
        "ogg" => (head.starts_with(b"OggS"), "Ogg"),
        "wav" => (head.starts_with(b"RIFF"), "WAV"),
        "glb" => (head.starts_with(b"glTF"), "binary glTF"),
        "mp4" => (head.get(4..8) == Some(b"ftyp"), "MP4"),
        "webm" => (head.starts_with(b"\x1a\x45\xdf\xa3"), "WebM"),
        _ => (read > 0, "a file with something in it"),
    };
    if holds {
        Ok(())
    } else {
        Err(format!("is not {kind}"))
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, lines) in [
            ("ok", &self.fine),
            ("warning", &self.warnings),
            ("error", &self.errors),
        ] {
            for line in lines {
                writeln!(f, "{kind:<8} {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of nothing.
    fn picture(width: u32, height: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        let nothing = vec![0; (width * height) as usize];
        writer.write_image_data(&nothing).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn an_asset_must_begin_as_its_ending_promises() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            check_asset(folder.path(), name)
        };
        assert_eq!(check("a.png", &picture(1, 2)), Ok(()));
        assert_eq!(check("a.png", &picture(8192, 1)), Ok(()));
        assert_eq!(
            check("a.png", &picture(1, 8193)),
            Err("is 1x8193; no side may be longer than 8192".to_owned())
        );
        assert_eq!(check("b.png", b"GIF89a"), Err("is not a PNG".to_owned()));
        assert_eq!(check("c.mp4", b"\0\0\0\x20ftypisom"), Ok(()));
        assert_eq!(check("d.mp4", b""), Err("is not MP4".to_owned()));
        assert_eq!(
            check_asset(folder.path(), "none.ogg"),
            Err("is not there".to_owned())
        );
    }

    #[cfg(feature = "render")]
    #[test]
    fn a_catalogue_with_a_texture_that_no_card_has_room_for_goes_on_no_stage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.toml");
        let texture = folder.path().join("textures/dot.png");
        std::fs::create_dir(texture.parent().unwrap()).unwrap();
        std::fs::write(&path, include_str!("../../assets/catalog.toml")).unwrap();
        let catalog = Catalog::load(&path).unwrap();
        assert_eq!(too_large(&path, &catalog), None, "none is there");
        std::fs::write(&texture, picture(1, 8193)).unwrap();
        let fault = too_large(&path, &catalog).unwrap();
        assert!(
            fault.contains("textures/dot.png") && fault.contains("1x8193"),
            "{fault}"
        );
        std::fs::write(&texture, picture(1, 8192)).unwrap();
        assert_eq!(too_large(&path, &catalog), None);
    }

    #[cfg(feature = "ffmpeg")]
    #[test]
    fn a_video_that_cannot_be_played_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.toml");
        let text = r##"
            lanes = { feature = 100, headline = 1000 }
            [fallback]
            name = "Gift"
            kind = "particle"
            seconds = 2
            accents = ["#FFFFFF", "#FFFFFF"]
            [gift.film]
            name = "Film"
            kind = "video"
            seconds = 4
            accents = ["#FFFFFF", "#FFFFFF"]
            video = { file = "film.mp4", size = 800 }
        "##;
        std::fs::write(&path, text).unwrap();
        std::fs::create_dir(folder.path().join("video")).unwrap();
        let film = include_bytes!("../../tests/data/video/halves.mp4");
        for (length, told) in [
            (film.len(), ""),
            (film.len() / 2, "cannot be played: cut short, "),
        ] {
            std::fs::write(folder.path().join("video/film.mp4"), &film[..length]).unwrap();
            let mut findings = Findings::default();
            check_catalog(Some(&path), None, &mut findings);
            let errors = findings.errors.join("; ");
            assert!(errors.contains(told), "{errors}");
            assert_eq!(errors.is_empty(), told.is_empty(), "{errors}");
        }
    }

    #[test]
    fn a_sound_device_that_is_missing_is_a_warning_with_the_nearest_name() {
        let there = vec![SoundDevice {
            id: "hw:CARD=Headset".to_owned(),
            name: "USB Headset".to_owned(),
            is_default: true,
        }];
        let mut findings = Findings::default();
        check_device("usb headset", Ok(there.clone()), &mut findings);
        assert_eq!(findings.fine, ["sound device usb headset"]);
        check_device("USB Hedset", Ok(there), &mut findings);
        assert_eq!(
            findings.warnings,
            [
                "sound.device: there is no sound device \"USB Hedset\"; did you mean \
                 \"USB Headset\"? (the default would play)"
            ]
        );
        assert!(findings.errors.is_empty());
    }

    #[test]
    fn a_catalogue_that_cannot_be_read_names_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.toml");
        std::fs::write(&path, "lanes = 3\n").unwrap();
        let mut findings = Findings::default();
        check_catalog(Some(&path), None, &mut findings);
        assert_eq!(findings.errors.len(), 1);
        assert!(
            findings.errors[0].contains("catalog.toml"),
            "{:?}",
            findings.errors
        );
    }

    #[test]
    fn what_a_recipe_names_in_its_model_must_be_there() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let text = std::fs::read_to_string(shipped.join("catalog.toml")).unwrap();
        let parts = ModelParts::of(&shipped.join("models/rocket.glb")).expect("a model");
        let missing = |text: &str| {
            let catalog = Catalog::parse(text, &shipped.join("catalog.toml")).unwrap();
            parts.missing(catalog.recipe("rocket"))
        };
        assert_eq!(missing(&text), [""; 0]);
        let slip = text.replace("follow = \"exhaust\"", "follow = \"exhausts\"");
        assert_ne!(slip, text);
        let told = missing(&slip);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("did you mean \"exhaust\"?"), "{told:?}");
    }

    #[test]
    fn lanes_that_cross_by_the_configuration_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = folder.path().join("catalog.toml");
        std::fs::write(&catalog, include_str!("../../assets/catalog.toml")).unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "[show]\nfeature_from = 5000\n").unwrap();
        let mut findings = Findings::default();
        let config = check_config(Some(&path), &Folders::of_this_machine(), &mut findings);
        assert_eq!(findings.errors, [""; 0]);
        let show = config.expect("it can be read").show;
        check_catalog(Some(&catalog), Some(&show), &mut findings);
        let told = &findings.errors[0];
        assert!(told.contains("from a value of 5000"), "{told}");
    }

    #[test]
    fn a_token_file_that_is_missing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "token_file = 'nowhere'\nfps = 30\nspf = 1\n").unwrap();
        let mut findings = Findings::default();
        check_config(Some(&path), &Folders::of_this_machine(), &mut findings);
        assert!(findings.errors[0].starts_with("token_file: cannot read the token file"));
        assert!(findings.warnings[0].contains("config.toml:3: unknown key spf"));
        assert_eq!(findings.fine, [""; 0], "it is not well");
    }

    #[test]
    fn what_would_end_a_run_at_once_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(folder.path().join("token"), "two words").unwrap();
        for (settings, told) in [
            ("token_file = 'token'", "on one line without blanks"),
            (
                "url = 'wss://localhost/ws'\nca_file = 'none.pem'",
                "none.pem",
            ),
            ("url = 'WS://localhost/ws'", ""),
            ("[output]\nwebm = 'show.mp4'", "name it .webm"),
            ("[output]\nwebm = 'show.webm'", ""),
        ] {
            std::fs::write(&path, settings).unwrap();
            let mut findings = Findings::default();
            check_config(Some(&path), &Folders::of_this_machine(), &mut findings);
            let errors = findings.errors.join("; ");
            assert!(errors.contains(told), "{settings}: {errors}");
            assert_eq!(errors.is_empty(), told.is_empty(), "{settings}: {errors}");
        }
    }

    #[test]
    fn a_file_of_a_source_that_is_missing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let source = "[[relay.source]]\nkind = 'file'\npath = 'nowhere.jsonl'\n";
        std::fs::write(&path, source).unwrap();
        let mut findings = Findings::default();
        check_config(Some(&path), &Folders::of_this_machine(), &mut findings);
        let told = &findings.errors[0];
        assert!(
            told.starts_with("source file, path: there is no file"),
            "{told}"
        );
    }

    #[test]
    fn a_rule_for_a_gift_that_is_not_there_and_a_secret_that_is_not_are_warnings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let sources = "[[relay.source]]\nkind = 'tikfinity'\n[relay.source.map]\n'a' = 'rosse'\n\
                       'b' = 'Rose'\n[[relay.source]]\nkind = 'twitch'\nclient_id = 'c'\n";
        std::fs::write(&path, sources).unwrap();
        let mut findings = Findings::default();
        let config = check_config(Some(&path), &Folders::of_this_machine(), &mut findings);
        assert_eq!(findings.errors, [""; 0]);
        let told = &findings.warnings[0];
        assert!(
            told.contains("config.toml:6: ") && told.contains("`hyperfocus serve` needs it"),
            "{told}"
        );
        assert_eq!(
            unknown_gifts(&config.unwrap(), &Catalog::shipped()),
            [
                "source tikfinity, map: the catalogue has no gift \"rosse\"; did you mean \"rose\"? \
                 (the fallback would play)"
            ]
        );
    }

    #[cfg(feature = "render")]
    #[test]
    fn a_language_without_texts_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for (language, warnings) in [("de-AT", 0), ("fr", 1)] {
            std::fs::write(&path, format!("language = '{language}'\n")).unwrap();
            let mut findings = Findings::default();
            check_config(Some(&path), &Folders::of_this_machine(), &mut findings);
            assert_eq!(findings.errors, [""; 0]);
            assert_eq!(findings.warnings.len(), warnings, "{language}");
        }
    }
}
