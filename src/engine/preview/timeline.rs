//! What is said to the stage in the course of a preview, and when.

use crate::catalog::Recipe;
use crate::cli::Occasion;
use crate::model::{Gift, Sender};

/// Seconds before a streak's first growth, and from one to the next where there
/// is time; fast tapping comes to three or four a second.
const FIRST_GROWTH: f32 = 0.5;
const GROWTH_EVERY: f32 = 0.3;
/// All growth comes within this, long before a streak has to make room.
const GROWTH_WITHIN: f32 = 8.0;
/// Seconds that an act rests at its sustain point before its streak ends.
const REST: f32 = 0.6;
/// Seconds that are looked at after a streak's last growth.
const AFTERGLOW: f32 = 1.6;
/// What a piece is worth unless the artist says.
const PIECE: f64 = 10.0;

/// A gift's life on stage, in seconds from its beginning.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The first is what begins it, at 0.
    pub messages: Vec<(f32, Gift)>,
    /// What moments are counted from: the beginning, the last growth, the end
    /// of the streak.
    pub origin: f32,
    /// From when something is worth looking at.
    pub begin: f32,
    /// When it is over, or has nothing new to show.
    pub end: f32,
}

impl Timeline {
    pub fn of(recipe: &Recipe, gift_type: &str, occasion: &Occasion) -> Self {
        let duration = recipe.duration.as_secs_f32();
        let is_streak = occasion.combo > 0 || occasion.growth > 0 || occasion.finale;
        let message = |step: u32, is_open: bool| Gift {
            quantity: if step == 0 { occasion.quantity } else { 1 },
            total_value: occasion
                .value
                .unwrap_or(PIECE * f64::from(occasion.quantity)),
            is_streak: is_open,
            combo_count: if is_streak {
                occasion.combo.max(1).saturating_add(step)
            } else {
                0
            },
            ..Gift::one(
                format!("preview-{step}-{is_open}"),
                gift_type,
                Sender::named("preview", occasion.sender.as_str()),
            )
        };
        let mut messages = vec![(0.0, message(0, is_streak))];
        if !is_streak {
            return Self {
                messages,
                origin: 0.0,
                begin: 0.0,
                end: duration,
            };
        }
        let every = GROWTH_EVERY.min(GROWTH_WITHIN / occasion.growth.max(1) as f32);
        for step in 1..=occasion.growth {
            let at = FIRST_GROWTH + (step - 1) as f32 * every;
            messages.push((at, message(step, true)));
        }
        let grown = messages.last().map_or(0.0, |(at, _)| *at);
        if occasion.growth > 0 && !occasion.finale {
            return Self {
                messages,
                origin: grown,
                begin: 0.0,
                end: grown.max(recipe.sustain) + AFTERGLOW,
            };
        }
        let ended = if occasion.finale {
            grown.max(recipe.sustain) + REST
        } else {
            grown.max(recipe.sustain)
        };
        messages.push((ended, message(occasion.growth, false)));
        let end = ended + duration - recipe.sustain;
        Self {
            messages,
            origin: if occasion.finale { ended } else { 0.0 },
            begin: if occasion.finale {
                ended - REST / 2.0
            } else {
                0.0
            },
            end,
        }
    }

    /// `count` moments evenly over what is worth looking at, from `origin`; the
    /// very beginning and the very end show nothing.
    pub fn moments(&self, count: u32) -> impl Iterator<Item = f32> + '_ {
        let length = self.end - self.begin;
        (0..count).map(move |step| {
            let share = (step as f32 + 0.5) / count as f32;
            self.begin + length * share - self.origin
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalog::Catalog;
    use crate::show::{Cue, Event, Show, ShowSettings};

    fn catalog() -> Catalog {
        let text = r##"
[lanes]
feature = 100
headline = 1000
[fallback]
name = "Gift"
kind = "particle"
seconds = 3
sustain = 1.5
accents = ["#FFFFFF", "#FFFFFF"]
"##;
        Catalog::parse(text, Path::new("catalog.toml")).unwrap()
    }

    fn timeline(combo: u32, growth: u32, finale: bool) -> Timeline {
        let occasion = Occasion {
            quantity: 1,
            value: None,
            combo,
            growth,
            finale,
            sender: "Ana".into(),
        };
        Timeline::of(&catalog().fallback, "gift", &occasion)
    }

    /// What a show makes of it, in words.
    fn cues(timeline: &Timeline) -> Vec<String> {
        let mut show = Show::new(ShowSettings::default(), std::sync::Arc::new(catalog()));
        let mut cues = Vec::new();
        for (at, gift) in &timeline.messages {
            let now = std::time::Duration::from_secs_f32(1.0 + at);
            show.offer(now, gift.clone());
            while let Some(event) = show.poll(now) {
                cues.push(match event {
                    Event::Cue(Cue::Start(start)) => format!("start {}", start.tally.combo),
                    Event::Cue(Cue::Grow { tally, .. }) => format!("grow {}", tally.combo),
                    Event::Cue(Cue::Climax { tally, .. }) => format!("climax {}", tally.quantity),
                    _ => continue,
                });
            }
        }
        cues
    }

    #[test]
    fn a_single_gift_is_one_message_and_lasts_as_its_recipe_says() {
        let single = timeline(0, 0, false);
        assert_eq!(cues(&single), ["start 0"]);
        assert_eq!((single.origin, single.end), (0.0, 3.0));
        let moments: Vec<f32> = single.moments(3).collect();
        assert_eq!(moments, [0.5, 1.5, 2.5]);
    }

    #[test]
    fn a_combo_is_shown_by_one_gift_that_lasts_no_longer() {
        let combo = timeline(25, 0, false);
        assert_eq!(cues(&combo), ["start 25", "climax 1"]);
        assert_eq!((combo.origin, combo.end), (0.0, 3.0));
    }

    #[test]
    fn a_streak_grows_gift_by_gift_and_waits() {
        let streak = timeline(0, 3, false);
        assert_eq!(cues(&streak), ["start 1", "grow 2", "grow 3", "grow 4"]);
        assert_eq!(streak.origin, streak.messages[3].0);
        assert!(streak.end > streak.origin && streak.begin == 0.0);
    }

    #[test]
    fn a_finale_comes_after_the_growth_and_the_sustain_point() {
        for growth in [0, 2, 100] {
            let finale = timeline(0, growth, true);
            let told = cues(&finale);
            assert_eq!(told.last(), Some(&format!("climax {}", growth + 1)));
            assert!(finale.origin > 1.5 && finale.begin < finale.origin);
            assert!((finale.end - finale.origin - 1.5).abs() < 1e-3);
            assert!(finale.origin < 12.0, "it must not have to make room");
        }
    }
}
