//! The house rules that a compiler does not know: who may use whom, and how
//! long a file may grow.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A file longer than this has become two concerns.
const LINES: usize = 900;

/// What a layer may name of another.
enum Reach {
    /// All of it.
    Whole(&'static str),
    /// These items of it.
    Only(&'static str, &'static [&'static str]),
}

use Reach::{Only, Whole};

/// Who may use whom. A layer that is missing here may use nothing and is
/// refused until it has its row.
const LAYERS: &[(&str, &[Reach])] = &[
    ("model", &[]),
    // A setting is held in the words of the layer that it is for.
    (
        "config",
        &[
            Only("catalog", &["Lane", "Motion"]),
            Only("show", &["Counting"]),
            Only("on_air", &["Blocked", "Policy"]),
            Only("vault", &["WebOrigin", "WebOriginError"]),
            Only("governor", &["Wish"]),
            Only("model", &["Private"]),
        ],
    ),
    ("governor", &[]),
    ("catalog", &[]),
    ("locale", &[]),
    ("protocol", &[Whole("model")]),
    ("session", &[Whole("protocol"), Whole("model")]),
    (
        "net",
        &[Whole("session"), Whole("protocol"), Whole("model")],
    ),
    ("on_air", &[Whole("model")]),
    ("flash", &[Whole("model")]),
    ("show", &[Whole("catalog"), Whole("on_air"), Whole("model")]),
    // Of the settings the word that was probably meant.
    (
        "showfile",
        &[
            Whole("protocol"),
            Whole("model"),
            Only("config", &["nearest"]),
        ],
    ),
    // Of the protocol what a recorded line says.
    (
        "tune",
        &[
            Whole("showfile"),
            Only("protocol", &["ServerMessage"]),
            Whole("show"),
            Whole("catalog"),
            Whole("model"),
        ],
    ),
    (
        "relay",
        &[
            Whole("draft"),
            Whole("protocol"),
            Whole("model"),
            Whole("tune"),
            // Of the settings its sources, of the network how to get there.
            Only(
                "config",
                &["Rule", "Secret", "SourceKind", "SourceSettings"],
            ),
            Only("net", &["Dialer", "NetError", "Stream"]),
            Only(
                "session",
                &["Backoff", "ConnectFailure", "Problem", "Timing"],
            ),
            // Of the show how it counts.
            Only("show", &["Progress"]),
            Whole("showfile"),
        ],
    ),
    // Of the network its link, and the words that travel on it.
    (
        "stage",
        &[
            Only(
                "net",
                &[
                    "Link",
                    "FromStage",
                    "TO_STAGE_CAPACITY",
                    "FROM_STAGE_CAPACITY",
                ],
            ),
            Only("session", &["ToStage", "ConnectionState"]),
            Whole("show"),
            Whole("catalog"),
            Whole("model"),
        ],
    ),
    (
        "render",
        &[
            Only("governor", &["Wish"]),
            Whole("stage"),
            Whole("vault"),
            Whole("locale"),
            Whole("show"),
            Whole("catalog"),
            Whole("model"),
        ],
    ),
    // Of the settings the devices that they can name.
    (
        "sound",
        &[
            Only("config", &["SoundDevice", "unknown_device"]),
            Whole("stage"),
            Whole("catalog"),
        ],
    ),
    // Of the settings what is said of the overlay, which is all its own; it
    // has a menu, in words and with a choice of qualities.
    (
        "output",
        &[
            Only("config", &["Monitors", "OverlaySettings", "Place"]),
            Only("governor", &["Wish", "Level"]),
            Whole("locale"),
            Whole("draft"),
            Whole("ffmpeg"),
            Whole("render"),
            Whole("stage"),
            Whole("show"),
            Whole("model"),
        ],
    ),
    // Writes files for others as well, by the format and not by our reader.
    ("draft", &[]),
    ("ffmpeg", &[]),
    ("pack", &[Whole("ffmpeg")]),
    // Of the network how to get there.
    (
        "vault",
        &[
            Only("net", &["Dialer", "NetError", "client_config"]),
            Only("session", &["ConnectFailure"]),
            Whole("model"),
        ],
    ),
    (
        "demo",
        &[Whole("protocol"), Whole("catalog"), Whole("model")],
    ),
];

/// Where the parts are put together: these may use everything.
const COMPOSERS: &[&str] = &["bench", "cli", "engine", "main"];

/// One use of another layer: the segments after `crate`.
type Edge = Vec<String>;

/// Why `layer` may not use `edge`, if so.
fn complaint(layer: &str, edge: &Edge) -> Option<String> {
    let target = edge.first()?;
    if target == layer || COMPOSERS.contains(&layer) {
        return None;
    }
    let Some((_, reaches)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        return Some(format!(
            "layer {layer} has no row in the table of who may use whom"
        ));
    };
    let item = edge.get(1).map_or("", String::as_str);
    let allowed = reaches.iter().any(|reach| match reach {
        Whole(name) => name == target,
        Only(name, items) => name == target && items.contains(&item),
    });
    (!allowed).then(|| format!("{layer} may not use crate::{}", edge.join("::")))
}

/// Collects every path into another layer out of one source file.
struct Paths {
    /// The module that is being read, from the crate's root.
    module: Vec<String>,
    edges: BTreeSet<Edge>,
}

impl Paths {
    fn of(source: &str, module: &[String]) -> syn::Result<BTreeSet<Edge>> {
        let mut paths = Self {
            module: module.to_vec(),
            edges: BTreeSet::new(),
        };
        paths.visit_file(&syn::parse_file(source)?);
        Ok(paths.edges)
    }

    /// Notes a path that begins at the crate's root, by `crate` or by enough
    /// `super`.
    fn note(&mut self, segments: &[String]) {
        let ups = segments
            .iter()
            .take_while(|segment| *segment == "super")
            .count();
        let edge = match segments.first().map(String::as_str) {
            Some("crate") => segments[1..].to_vec(),
            Some("super") if ups <= self.module.len() => {
                let mut edge = self.module[..self.module.len() - ups].to_vec();
                edge.extend_from_slice(&segments[ups..]);
                edge
            }
            _ => return,
        };
        if !edge.is_empty() {
            self.edges.insert(edge);
        }
    }

    fn note_use(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_use(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_use(before, tree);
                }
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                before.push(ident.to_string());
                self.note(before);
                before.pop();
            }
            syn::UseTree::Glob(_) => {
                before.push("*".to_owned());
                self.note(before);
                before.pop();
            }
        }
    }

    /// The inside of a macro call is no syntax tree; paths in it are found by
    /// their tokens.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                other => {
                    self.note(&std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        TokenTree::Group(group) => self.note_tokens(group.stream()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
        self.note(&path);
    }
}

/// Tests may reach across: they put parts together to see them work.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|condition| condition == "test")
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.note_use(&mut Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.note(&segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.note_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// `src/show/lanes.rs` is `["show", "lanes"]`; the crate's root is empty.
fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<_> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each source file that is not a test's: its name, its layer, and what it uses.
fn used_by_each_file() -> Vec<(String, String, BTreeSet<Edge>)> {
    let sources = root().join("src");
    let files = rust_files(&sources);
    assert!(files.len() > 5, "the sources were not found");
    let used = files.iter().filter_map(|file| {
        let module = module_of(file.strip_prefix(&sources).unwrap());
        // The root only declares the layers.
        let layer = module.first()?.clone();
        if module.iter().any(|part| part == "tests") {
            return None;
        }
        let edges = Paths::of(&fs::read_to_string(file).unwrap(), &module)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        Some((name, layer, edges))
    });
    used.collect()
}

#[test]
fn each_layer_uses_only_those_below_it() {
    let mut complaints = Vec::new();
    for (name, layer, edges) in used_by_each_file() {
        complaints.extend(
            edges
                .iter()
                .filter_map(|edge| complaint(&layer, edge))
                .map(|complaint| format!("{name}: {complaint}")),
        );
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn no_layer_may_use_more_than_it_does() {
    let files = used_by_each_file();
    let uses = |layer: &str, target: &str, item: Option<&str>| {
        let edges = files.iter().filter(|(_, of, _)| of == layer);
        edges.flat_map(|(_, _, edges)| edges).any(|edge| {
            edge[0] == target && item.is_none_or(|item| edge.get(1).is_some_and(|it| it == item))
        })
    };
    let mut idle = Vec::new();
    for (layer, reaches) in LAYERS {
        for reach in *reaches {
            match reach {
                Whole(target) if uses(layer, target, None) => {}
                Whole(target) => idle.push(format!("{layer} uses nothing of {target}")),
                Only(target, items) => idle.extend(
                    items
                        .iter()
                        .filter(|item| !uses(layer, target, Some(item)))
                        .map(|item| format!("{layer} does not use {target}::{item}")),
                ),
            }
        }
    }
    assert!(idle.is_empty(), "\n{}\n", idle.join("\n"));
}

#[test]
fn no_file_outgrows_its_limit() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "benches", "obs"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > LINES {
                long.push(format!("{}: {lines} lines", file.display()));
            }
        }
    }
    assert!(
        long.is_empty(),
        "split these by concern:\n{}\n",
        long.join("\n")
    );
}

/// What the checker says about `source`, were it the file of `module`.
fn complaints_about(source: &str, module: &[&str]) -> Vec<String> {
    let module: Vec<_> = module.iter().map(ToString::to_string).collect();
    let edges = Paths::of(source, &module).unwrap();
    edges
        .iter()
        .filter_map(|edge| complaint(&module[0], edge))
        .collect()
}

#[test]
fn a_broken_edge_is_seen_however_it_is_written() {
    for source in [
        "use crate::net::spawn;",
        "use crate::{model::Gift, net::{self, spawn}};",
        "use crate::net as wire;",
        "use crate::net::*;",
        "fn f() -> crate::net::Link { todo() }",
        "fn f() { crate::net::spawn() }",
        "fn f() { println!(\"{}\", crate::net::COUNT) }",
        "fn f() { outer!({ inner([crate::net::COUNT]) }) }",
        "use super::super::net::spawn;",
        "mod inner { use super::super::super::net::spawn; }",
        "impl crate::net::Driver for X {}",
    ] {
        let complaints = complaints_about(source, &["show", "lanes"]);
        assert!(
            complaints
                .iter()
                .any(|c| c.starts_with("show may not use crate::net")),
            "{source}: {complaints:?}"
        );
    }
}

#[test]
fn what_is_allowed_passes() {
    for (source, module) in [
        (
            "use crate::{catalog::Lane, model::{Gift, Moment}}; use self::lanes::Lanes;",
            "show",
        ),
        (
            "use crate::net::{FromStage, Link}; fn f(link: crate::net::Link) {}",
            "stage",
        ),
        (
            "use std::net::TcpStream; use tokio::net as sockets;",
            "show",
        ),
        ("#[cfg(test)] mod tests { use crate::net::spawn; }", "show"),
        ("use crate::render::Stage; use crate::net::spawn;", "cli"),
    ] {
        assert_eq!(complaints_about(source, &[module]), [""; 0], "{source}");
    }
}

#[test]
fn the_stage_sees_of_the_network_only_its_link() {
    assert_eq!(
        complaints_about("use crate::net::{Link, spawn}; use crate::net;", &["stage"]),
        [
            "stage may not use crate::net",
            "stage may not use crate::net::spawn"
        ]
    );
}

#[test]
fn a_layer_without_a_row_is_refused() {
    assert_eq!(
        complaints_about("use crate::model::Gift;", &["attic"]),
        ["layer attic has no row in the table of who may use whom"]
    );
}

#[test]
fn modules_are_named_after_their_files() {
    assert_eq!(module_of(Path::new("show/mod.rs")), ["show"]);
    assert_eq!(module_of(Path::new("show/lanes.rs")), ["show", "lanes"]);
    assert_eq!(module_of(Path::new("model.rs")), ["model"]);
    assert!(module_of(Path::new("lib.rs")).is_empty());
}
