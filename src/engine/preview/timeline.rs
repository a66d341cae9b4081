//! What is said to the stage in the course of a preview, and when.

use crate::catalog::Recipe;
use crate::cli::Occasion;
use crate::model::{AnimationWish, Gift, Private, Sender};

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
            id: format!("preview-{step}-{is_open}").into(),
            gift_type: gift_type.into(),
            quantity: if step == 0 { occasion.quantity } else { 1 },
            total_value: occasion
                .value
                .unwrap_or(PIECE * f64::from(occasion.quantity)),
            sender: Sender {
                user_id: Private("preview".into()),
                name: Private(occasion.sender.as_str().into()),
                avatar_url: None,
                is_subscriber: false,
                is_moderator: false,
            },
            animation: AnimationWish::default(),
            is_streak: is_open,
            combo_count: if is_streak {
                occasion.combo.max(1).saturating_add(step)
            } else {
                0
            },
            rank: None,
            sent_at: None,
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
