//! Text of strangers, made safe to draw: it cannot reorder, overpaint or
//! stretch what is beside it.
//!
//! What goes: control characters, bidi overrides, embeddings and isolates,
//! zero-width fillers, private-use and non-characters (no font of ours knows
//! them), combining marks beyond [`MAX_MARKS_IN_A_ROW`]. What stays whole:
//! joined emoji, skin tones, flags, variation selectors, Arabic and Hebrew
//! with their points, Thai and Indic clusters, and the zero-width joiners
//! between letters that Persian and Indic scripts need. Runs of white space
//! become one space.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use super::limits::{MAX_GRAPHEME_CHARS, MAX_LABEL_BYTES, MAX_MARKS_IN_A_ROW};

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Cleans text and cuts it to so many graphemes. Borrows when there was
/// nothing to do, which for plain ASCII takes one pass.
pub fn clean_text(text: &str, max_graphemes: usize) -> Cow<'_, str> {
    // A grapheme has at least one byte.
    if text.len() <= max_graphemes && is_plain(text) {
        return Cow::Borrowed(text);
    }
    let filtered = filter(text);
    if matches!(filtered, Cow::Borrowed(_)) && is_within_caps(text, max_graphemes) {
        return Cow::Borrowed(if text.contains(is_visible) { text } else { "" });
    }
    let mut cleaned = String::with_capacity(filtered.len());
    for grapheme in filtered.graphemes(true).take(max_graphemes) {
        push_capped(&mut cleaned, grapheme);
    }
    cleaned.truncate(cleaned.trim_end().len());
    if !cleaned.contains(is_visible) {
        cleaned.clear();
    }
    Cow::Owned(cleaned)
}

/// Cleans a machine's word (a type, a code, a capability) and cuts it to
/// [`MAX_LABEL_BYTES`].
pub(crate) fn clean_label(label: &str) -> Cow<'_, str> {
    if label.len() <= MAX_LABEL_BYTES && is_plain(label) {
        return Cow::Borrowed(label);
    }
    let filtered = filter(label);
    Cow::Owned(
        filtered[..filtered.floor_char_boundary(MAX_LABEL_BYTES)]
            .trim_end()
            .to_owned(),
    )
}

/// Printable ASCII without a space. Looks at many bytes at a time, as leaving
/// at the first bad one would keep it from doing.
pub(super) fn is_graphic(text: &str) -> bool {
    text.as_bytes().chunks(32).all(|chunk| {
        chunk
            .iter()
            .fold(true, |so_far, byte| so_far & byte.is_ascii_graphic())
    })
}

/// Printable ASCII with single spaces inside only.
fn is_plain(text: &str) -> bool {
    is_graphic(text) || (text.is_ascii() && is_settled(text))
}

/// Nothing to filter out: single spaces, inside only, and no forbidden character.
fn is_settled(text: &str) -> bool {
    let mut after_space = true;
    for c in text.chars() {
        let is_space = c == ' ';
        let is_unsettled = if is_space {
            after_space
        } else {
            is_forbidden(c) || c.is_whitespace()
        };
        if is_unsettled {
            return false;
        }
        after_space = is_space;
    }
    !after_space || text.is_empty()
}

/// Whether no cap can apply, seen without looking for graphemes: they are no
/// more than the code points, and below U+0300 nothing extends one.
fn is_within_caps(text: &str, max_graphemes: usize) -> bool {
    let (mut chars, mut extending) = (0, 0);
    for c in text.chars() {
        chars += 1;
        extending += usize::from(c >= '\u{300}');
    }
    chars <= max_graphemes && extending <= MAX_MARKS_IN_A_ROW
}

/// Drops what may not be there, and folds white space.
fn filter(text: &str) -> Cow<'_, str> {
    if is_settled(text) {
        return Cow::Borrowed(text);
    }
    let mut filtered = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !filtered.is_empty() && !filtered.ends_with(' ') {
                filtered.push(' ');
            }
        } else if !is_forbidden(c) {
            filtered.push(c);
        }
    }
    Cow::Owned(filtered)
}

/// Whether a character other than white space has no place in a name.
fn is_forbidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(c,
        // Soft hyphen, Mongolian vowel separator, zero-width space.
        '\u{ad}' | '\u{180e}' | '\u{200b}'
        // Bidi embeddings and overrides; invisible operators, bidi isolates
        // and deprecated format characters; byte order mark.
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        // Interlinear annotations, object replacement.
        | '\u{fff9}'..='\u{fffc}'
        // Musical and shorthand format controls, the deprecated language tag.
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
        // Private use.
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
        // Non-characters outside the last two planes.
        | '\u{fdd0}'..='\u{fdef}'
    ) || c.is_control()
        || (c as u32) & 0xfffe == 0xfffe
}

/// Pushes a grapheme without its excess: marks in a row, and code points.
fn push_capped(into: &mut String, grapheme: &str) {
    // A mark has two bytes or more, so these cannot be too many.
    if grapheme.len() <= 2 * MAX_MARKS_IN_A_ROW {
        into.push_str(grapheme);
        return;
    }
    let mut marks = 0;
    let mut chars = grapheme.chars();
    for c in chars.by_ref().take(MAX_GRAPHEME_CHARS) {
        if is_mark(c) {
            marks += 1;
            if marks > MAX_MARKS_IN_A_ROW {
                continue;
            }
        } else if !is_selector_or_joiner(c) {
            marks = 0;
        }
        into.push(c);
    }
    if !chars.as_str().is_empty() {
        // A joiner at the cut would join the next grapheme instead.
        let end = into.trim_end_matches(ZERO_WIDTH_JOINER).len();
        into.truncate(end);
    }
}

/// Whether this is drawn onto the character before it.
fn is_mark(c: char) -> bool {
    if c.is_ascii() || is_selector_or_joiner(c) {
        return false;
    }
    // By Unicode's rules GB9 and GB9a a mark, and nothing else, forms one
    // grapheme with any letter before it.
    let mut probe = [b'a'; 5];
    let len = 1 + c.encode_utf8(&mut probe[1..]).len();
    let probe = std::str::from_utf8(&probe[..len]).expect("a letter and a character are UTF-8");
    probe
        .graphemes(true)
        .next()
        .is_some_and(|first| first.len() == len)
}

/// Extends a grapheme without stacking: joiners, variation selectors, skin
/// tones and the tags of regional flags.
fn is_selector_or_joiner(c: char) -> bool {
    matches!(c,
        '\u{200c}' | ZERO_WIDTH_JOINER
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0020}'..='\u{e007f}'
    )
}

/// A name of nothing but these would look like no name at all.
fn is_visible(c: char) -> bool {
    !(c.is_whitespace()
        || (is_selector_or_joiner(c) && !matches!(c, '\u{1f3fb}'..='\u{1f3ff}'))
        || is_mark(c)
        // Bidi marks, Hangul fillers, the blank Braille pattern.
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'))
}
