//! Text brought to the form in which look-alikes are alike.
//!
//! Compatibility forms, case, accents and confusable characters fall together:
//! the skeletons of UTS 39 (Unicode Security Mechanisms, section 4) over NFKC
//! (UAX 15) and simple case folding.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// The letters and digits of `text`, nothing between them.
pub(super) fn folded_letters(text: &str) -> String {
    folded(text).filter(|c| c.is_alphanumeric()).collect()
}

/// The words of `text`: what stands between anything but letters and digits.
pub(super) fn folded_words(text: &str) -> impl Iterator<Item = String> {
    let folded: String = folded(text).collect();
    let words: Vec<String> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    let compatible: String = text.nfkc().filter(|c| !is_ignored(*c)).collect();
    // The skeleton maps capitals to look-alikes that folding would have kept
    // apart, so case goes both before and after.
    let lower = UniCase::new(compatible).to_folded_case();
    let skeleton: String = skeleton(&lower).collect();
    UniCase::new(skeleton)
        .to_folded_case()
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(merged)
        .collect::<Vec<_>>()
        .into_iter()
}

/// A capital I looks like a small L, so the two letters of either count as
/// one; and a zero's skeleton is the letter.
fn merged(c: char) -> char {
    match c {
        'i' | '1' | '|' | '!' => 'l',
        '0' => 'o',
        '@' => 'a',
        '$' => 's',
        '3' => 'e',
        _ => c,
    }
}

/// Invisible characters that are put between letters: soft hyphen, zero-width
/// space and joiners, word joiner, variation selectors, byte-order mark.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}
