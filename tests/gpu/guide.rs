//! The newcomer's guide in assets/README.md, followed to the letter: its shell
//! blocks are run in order, its recipe is added where it says.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::offscreen::alone;
use crate::program::{Program, folder};

const GUIDE: &str = include_str!("../../assets/README.md");

/// The fenced blocks up to the part on what is there, by language.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let guide = GUIDE.split("\n## What is here").next().unwrap_or_default();
    let mut fences = guide.split("\n```");
    fences.next();
    let blocks = fences.step_by(2).map(|block| {
        let (language, text) = block.split_once('\n').expect("a block has lines");
        (language, text)
    });
    blocks.collect()
}

fn shell(commands: &str, home: &Path) {
    let program = Path::new(env!("CARGO_BIN_EXE_hyperfocus"));
    let folder = program.parent().expect("a program is in a folder");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&paths));
    let ran = Command::new("bash")
        .args(["-euc", commands])
        .current_dir(home)
        .env("PATH", std::env::join_paths(paths).expect("paths"))
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("HYPERFOCUS_CONFIG")
        .env("ALSA_CONFIG_PATH", "/dev/null")
        .output()
        .expect("bash is there");
    assert!(
        ran.status.success(),
        "{commands}\n{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_newcomer_who_follows_the_guide_has_a_gift() {
    let home = folder();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    copy_folder(&assets, &home.path().join("assets"));
    let catalog = home.path().join("mine/catalog.toml");
    let blocks = blocks();
    assert!(blocks.len() >= 6, "the guide has fewer steps than it had");
    for (language, text) in blocks {
        match language {
            "sh" => {
                let _alone = alone();
                shell(text, home.path());
            }
            "toml" => {
                let whole = fs::read_to_string(&catalog).unwrap();
                fs::write(&catalog, format!("{whole}\n{text}")).unwrap();
            }
            "text" => tells_of_a_misspelt_word(text, home.path(), &catalog),
            other => panic!("the guide has a block in {other:?}"),
        }
    }

    let sheet = image::open(home.path().join("mine/look/wish-sheet.png")).unwrap();
    let colours: std::collections::BTreeSet<_> =
        sheet.to_rgb8().pixels().map(|pixel| pixel.0).collect();
    assert!(colours.len() > 1_000, "the sheet shows next to nothing");
    let streak = home
        .path()
        .join("mine/look/wish-streak5-climax-0.40s-checker.png");
    assert!(streak.is_file());
}

/// The mistake that the guide makes, and what it says one is told.
fn tells_of_a_misspelt_word(told: &str, home: &Path, catalog: &Path) {
    let good = fs::read_to_string(catalog).unwrap();
    let (right, wrong) = ("\ntexture = \"wish\"", "\ntextur = \"wish\"");
    assert!(GUIDE.contains(wrong.trim()) && good.contains(right));
    fs::write(catalog, good.replace(right, wrong)).unwrap();
    let line = 2 + good[..good.find(right).unwrap()].matches('\n').count();
    let ran = Program::start(&["check", "--catalog", "mine/catalog.toml"], home, &[]).wait();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.out), ran.err);
    assert!(!ran.status.success());
    for words in told.lines().chain([&*format!("catalog.toml:{line}:")]) {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    fs::write(catalog, good).unwrap();
}
