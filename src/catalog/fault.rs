//! What is wrong with an asset, told so that it can be mended at once.

use std::fs;
use std::path::Path;

use super::load::nearest;
use super::{Catalog, FALLBACK};

impl Catalog {
    /// One line on an asset that is no good: the catalogue's own `path` and the
    /// line that names it, the gift, the `reason`, and where the file is not
    /// there, the nearest that is.
    pub fn fault(&self, path: &Path, asset: &str, reason: &str) -> String {
        let named_by = self.assets().find(|(other, _)| other == asset);
        let key = named_by.map_or(FALLBACK, |(_, recipe)| &*recipe.key);
        let text = fs::read_to_string(path).unwrap_or_default();
        let line =
            line_naming(&text, key, asset).map_or_else(String::new, |line| format!(":{line}"));
        let hint = nearest_file(&self.root.join(asset))
            .map_or_else(String::new, |stem| format!("; did you mean `{stem}`?"));
        let path = path.display();
        format!("{path}{line}: {key} names {asset}, which {reason}{hint}")
    }
}

/// The first line on which the recipe of `key` names an asset, with its ending
/// or without.
fn line_naming(text: &str, key: &str, asset: &str) -> Option<usize> {
    // As TOML may write it; a type with a blank has to be quoted.
    let tables = if key == FALLBACK {
        vec![key.to_owned()]
    } else {
        ["", "\"", "'"]
            .map(|quote| format!("gift.{quote}{key}{quote}"))
            .to_vec()
    };
    let asset = Path::new(asset);
    let names = [asset.file_name()?, asset.file_stem()?]
        .map(|name| format!("\"{}\"", name.to_string_lossy()));
    let mut is_within = false;
    text.lines()
        .position(|line| {
            if line.trim_start().starts_with('[') {
                let header = line.trim().trim_matches(['[', ']']);
                is_within = tables
                    .iter()
                    .filter_map(|table| header.strip_prefix(&**table))
                    .any(|rest| rest.is_empty() || rest.starts_with('.'));
            }
            is_within && names.iter().any(|name| line.contains(name))
        })
        .map(|index| index + 1)
}

/// What was probably meant by a file that is not there: the nearest name of its
/// kind in its folder, without the ending.
fn nearest_file(path: &Path) -> Option<String> {
    if path.exists() {
        return None;
    }
    let stem = |path: &Path| Some(path.file_stem()?.to_str()?.to_owned());
    let stems: Vec<String> = fs::read_dir(path.parent()?)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|other| other.extension() == path.extension())
        .filter_map(|other| stem(&other))
        .collect();
    nearest(&stem(path)?, stems.iter().map(String::as_str)).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[fallback]\nicon = \"bell\"\n\n[gift.bells]\nsound = \"bell\"\n\n\
                        [gift.bell]\nname = \"Bell\"\n[[gift.bell.picture]]\ntexture = \"bell\"\n\
                        [gift.bell.video]\nfile = \"bell.mp4\"\n";

    #[test]
    fn the_line_is_the_recipes_own() {
        assert_eq!(line_naming(TEXT, FALLBACK, "icons/bell.png"), Some(2));
        assert_eq!(line_naming(TEXT, "bells", "sounds/bell.ogg"), Some(5));
        assert_eq!(line_naming(TEXT, "bell", "textures/bell.png"), Some(10));
        assert_eq!(line_naming(TEXT, "bell", "video/other.mp4"), None);
    }

    #[test]
    fn the_line_of_a_type_that_has_to_be_quoted_is_found() {
        let text = "[gift.\"Hand Heart\"]\nsound = \"bell\"\n\n[[gift.'Hand Heart'.picture]]\n\
                    texture = \"palm\"\n";
        assert_eq!(line_naming(text, "Hand Heart", "sounds/bell.ogg"), Some(2));
        assert_eq!(
            line_naming(text, "Hand Heart", "textures/palm.png"),
            Some(5)
        );
    }

    #[test]
    fn only_files_of_the_same_kind_are_near() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["petal.png", "pettals.ogg"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let near = |name: &str| nearest_file(&folder.path().join(name));
        assert_eq!(near("pettal.png").as_deref(), Some("petal"));
        assert_eq!(near("petal.png"), None, "it is there");
        assert_eq!(near("quartz.png"), None, "nothing is near");
    }
}
