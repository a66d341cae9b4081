//! How a streak climbs: which note its nth gift sounds.

/// Semitones of the major pentatonic within an octave: no two of its notes
/// clash, so overlapping streaks stay pleasant.
const MAJOR_PENTATONIC: [u32; 5] = [0, 2, 4, 7, 9];

/// Nothing climbs further than this: higher, a clip is a chirp.
pub const HIGHEST_SEMITONES: u32 = 24;

/// The gift at which each next note begins. The first six gifts climb an
/// octave note by note, because most streaks are short; the second octave is
/// spread to the hundredth gift, so that a long streak still has somewhere to
/// go. Five of its notes fall on the combo's milestones.
const NOTE_BEGINS_AT: [u32; 11] = [1, 2, 3, 4, 5, 6, 10, 25, 50, 75, 100];

/// The combo at which each next note of its beat begins: one for each that is
/// celebrated, from 5 on.
const BEAT_BEGINS_AT: [u32; 8] = [5, 10, 25, 50, 100, 250, 500, 1000];

/// Semitones above the clip's own pitch for the streak's `count`th gift.
pub fn streak_semitones(count: u32) -> u32 {
    note(&NOTE_BEGINS_AT, count)
}

/// Semitones above the beat's own pitch for a combo of `count`. It climbs
/// slower than the streak and stays a drum.
pub fn combo_semitones(count: u32) -> u32 {
    note(&BEAT_BEGINS_AT, count)
}

/// The note that has begun at `count`.
fn note(begins_at: &[u32], count: u32) -> u32 {
    let degree = begins_at
        .iter()
        .rposition(|&begins| count >= begins)
        .unwrap_or(0);
    let octave = degree / MAJOR_PENTATONIC.len();
    octave as u32 * 12 + MAJOR_PENTATONIC[degree % MAJOR_PENTATONIC.len()]
}

/// How much faster a clip runs to sound `semitones` higher (equal temperament).
pub(super) fn pitch_ratio(semitones: u32) -> f64 {
    (f64::from(semitones) / 12.0).exp2()
}
