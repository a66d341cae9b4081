//! How captions and board look, from the plan.

use bevy::log::{info, warn};

use crate::catalog::Motion;
use crate::cli::LookPlan;
use crate::config;
use crate::locale::{Choice, LANGUAGES, Words};
use crate::render::Look;
use crate::render::boards::{Anchor, BoardSettings};
use crate::render::caption::Theme;

/// The look that a plan asks for. A language without texts is said once.
pub(super) fn look(plan: &LookPlan, motion: Motion) -> Look {
    Look {
        theme: match plan.captions.theme {
            config::Theme::Glass => Theme::Glass,
            config::Theme::Neon => Theme::Neon,
            config::Theme::HighContrast => Theme::HighContrast,
        },
        text_scale: plan.captions.text_scale,
        words: words(plan.language.as_deref()),
        board: board(plan),
        motion,
    }
}

fn words(chosen: Option<&str>) -> Words {
    let (words, choice) = match chosen {
        Some(language) => Words::of(language),
        None => Words::of_environment(|name| std::env::var(name).ok()),
    };
    let known = LANGUAGES.map(|(name, _)| name).join(", ");
    match choice {
        Choice::Spoken => {}
        Choice::Foreign(language) if chosen.is_some() => warn!(
            "there are no texts in {language}, only in {known}: the stage is in English, with \
             numbers as {language} writes them"
        ),
        Choice::Foreign(language) => {
            info!("there are no texts in {language}, only in {known}: the stage is in English");
        }
        Choice::Unreadable(language) => {
            warn!("{language:?} is not the name of a language: the stage is in English");
        }
    }
    words
}

fn board(plan: &LookPlan) -> BoardSettings {
    let board = &plan.board;
    let at = |anchor: Option<config::Anchor>| anchor.map(place);
    BoardSettings {
        visible: board.show,
        begins: plan.board_begins,
        margin: board.margin / 100.0,
        live: at(board.live),
        goal: at(board.goal),
        gifters: at(board.gifters),
        recent: at(board.recent),
        link: at(board.connection),
        gifters_rows: board.gifters_shown,
        recent_rows: board.recent_shown,
    }
}

fn place(anchor: config::Anchor) -> Anchor {
    match anchor {
        config::Anchor::TopLeft => Anchor::TOP_LEFT,
        config::Anchor::Top => Anchor::TOP,
        config::Anchor::TopRight => Anchor::TOP_RIGHT,
        config::Anchor::Left => Anchor::LEFT,
        config::Anchor::Center => Anchor::CENTER,
        config::Anchor::Right => Anchor::RIGHT,
        config::Anchor::BottomLeft => Anchor::BOTTOM_LEFT,
        config::Anchor::Bottom => Anchor::BOTTOM,
        config::Anchor::BottomRight => Anchor::BOTTOM_RIGHT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_defaults_are_the_boards() {
        assert_eq!(board(&LookPlan::default()), BoardSettings::default());
    }
}
