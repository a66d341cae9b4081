//! Which font for which character.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use parley::fontique::GenericFamily;
use parley::{FontContext, FontFamily, FontFamilyName};

/// What the captions are designed with, in Debian's fonts-noto-core,
/// fonts-noto-cjk and fonts-noto-color-emoji.
const DESIGNED_WITH: [&str; 6] = [
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Noto Sans CJK SC",
    "Noto Color Emoji",
];

/// Ahead of what the system would choose: one family of designs, so that a
/// name in two scripts looks like one name.
const SCRIPTS: [&str; 3] = ["Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Thai"];

/// Answers of the search through all fonts that are remembered. When full they
/// are forgotten; a search costs a few milliseconds.
const MAX_SEARCHES: usize = 512;

/// The system's fonts.
pub(super) struct Fonts {
    pub context: FontContext,
    /// Every installed family; listed on the first search.
    families: Vec<Rc<str>>,
    searches: HashMap<String, Option<Rc<str>>>,
}

impl Fonts {
    pub fn discover() -> Self {
        Self {
            context: FontContext::new(),
            families: Vec::new(),
            searches: HashMap::new(),
        }
    }

    pub fn missing_families(&mut self) -> Vec<&'static str> {
        DESIGNED_WITH
            .into_iter()
            .filter(|name| self.context.collection.family_id(name).is_none())
            .collect()
    }

    /// An installed family that has every visible character of a cluster.
    pub fn family_with(&mut self, cluster: &str) -> Option<Rc<str>> {
        if let Some(known) = self.searches.get(cluster) {
            return known.clone();
        }
        if self.families.is_empty() {
            let mut names: Vec<Rc<str>> = self
                .context
                .collection
                .family_names()
                .map(Rc::from)
                .collect();
            // Sans before serif and monospace, then by name, so that the
            // answer does not depend on the order of directories.
            names.sort_by_key(|name| (!name.contains("Sans"), name.contains("Mono"), name.clone()));
            self.families = names;
        }
        let found = (0..self.families.len())
            .find(|&i| self.covers(&self.families[i].clone(), cluster))
            .map(|i| self.families[i].clone());
        if self.searches.len() >= MAX_SEARCHES {
            self.searches.clear();
        }
        self.searches.insert(cluster.to_owned(), found.clone());
        found
    }

    fn covers(&mut self, family: &str, cluster: &str) -> bool {
        let covered = || {
            let family = self.context.collection.family_by_name(family)?;
            let font = family.default_font()?;
            let data = font.load(Some(&mut self.context.source_cache))?;
            let charmap = font.charmap_index();
            let charmap = charmap.charmap(data.as_ref())?;
            let mut visible = cluster.chars().filter(|&c| !is_invisible(c)).peekable();
            visible.peek()?;
            visible
                .all(|c| charmap.map(c).is_some_and(|glyph| glyph != 0))
                .then_some(())
        };
        let mut covered = covered;
        covered().is_some()
    }
}

/// The families for a text, in order. Han characters are drawn as the text's
/// own language draws them, as far as its other characters tell.
pub(super) fn stack_for(text: &str) -> Vec<&'static str> {
    let has = |ranges: &[std::ops::RangeInclusive<char>]| {
        text.chars().any(|c| ranges.iter().any(|r| r.contains(&c)))
    };
    let cjk = if has(&[
        '\u{3040}'..='\u{30FF}',
        '\u{31F0}'..='\u{31FF}',
        '\u{FF66}'..='\u{FF9D}',
    ]) {
        "Noto Sans CJK JP"
    } else if has(&[
        '\u{1100}'..='\u{11FF}',
        '\u{3130}'..='\u{318F}',
        '\u{AC00}'..='\u{D7AF}',
    ]) {
        "Noto Sans CJK KR"
    } else if has(&['\u{3100}'..='\u{312F}']) {
        "Noto Sans CJK TC"
    } else {
        "Noto Sans CJK SC"
    };
    let mut stack = vec!["Noto Sans"];
    stack.extend(SCRIPTS);
    stack.push(cjk);
    stack
}

/// A list of families: `first` if any, the stack, then the system's own.
pub(super) fn family(stack: &[&'static str], first: Option<&str>) -> FontFamily<'static> {
    let named = |name: &str| FontFamilyName::Named(Cow::Owned(name.to_owned()));
    let list: Vec<FontFamilyName<'static>> = first
        .into_iter()
        .chain(stack.iter().copied())
        .map(named)
        .chain([FontFamilyName::Generic(GenericFamily::SansSerif)])
        .collect();
    FontFamily::List(Cow::Owned(list))
}

/// As [`family`], with emoji first.
pub(super) fn emoji_family(stack: &[&'static str]) -> FontFamily<'static> {
    let named = |name: &'static str| FontFamilyName::Named(Cow::Borrowed(name));
    let list: Vec<FontFamilyName<'static>> = [
        named("Noto Color Emoji"),
        FontFamilyName::Generic(GenericFamily::Emoji),
    ]
    .into_iter()
    .chain(stack.iter().copied().map(named))
    .chain([FontFamilyName::Generic(GenericFamily::SansSerif)])
    .collect();
    FontFamily::List(Cow::Owned(list))
}

/// Whether a cluster is to be drawn as a colour emoji: by an explicit selector
/// or keycap, or by its default presentation (Unicode's emoji-data.txt,
/// `Emoji_Presentation`; all pictographs of the supplementary planes count,
/// which is what chat programs do).
pub(super) fn is_emoji(cluster: &str) -> bool {
    if cluster.contains('\u{FE0E}') {
        return false;
    }
    if cluster.contains(['\u{FE0F}', '\u{20E3}']) {
        return true;
    }
    cluster.chars().next().is_some_and(|c| {
        matches!(c,
            '\u{231A}'..='\u{231B}' | '\u{23E9}'..='\u{23EC}' | '\u{23F0}' | '\u{23F3}'
            | '\u{25FD}'..='\u{25FE}' | '\u{2614}'..='\u{2615}' | '\u{2648}'..='\u{2653}'
            | '\u{267F}' | '\u{2693}' | '\u{26A1}' | '\u{26AA}'..='\u{26AB}'
            | '\u{26BD}'..='\u{26BE}' | '\u{26C4}'..='\u{26C5}' | '\u{26CE}' | '\u{26D4}'
            | '\u{26EA}' | '\u{26F2}'..='\u{26F3}' | '\u{26F5}' | '\u{26FA}' | '\u{26FD}'
            | '\u{2705}' | '\u{270A}'..='\u{270B}' | '\u{2728}' | '\u{274C}' | '\u{274E}'
            | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2795}'..='\u{2797}' | '\u{27B0}'
            | '\u{27BF}' | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}'
            | '\u{1F004}' | '\u{1F0CF}' | '\u{1F18E}' | '\u{1F191}'..='\u{1F19A}'
            | '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F200}'..='\u{1F64F}'
            | '\u{1F680}'..='\u{1F6FF}' | '\u{1F7E0}'..='\u{1F7F0}' | '\u{1F900}'..='\u{1FAFF}'
        )
    })
}

/// Characters that shape their neighbours and draw nothing.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}
