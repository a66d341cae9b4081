//! What the artist has chosen, and how a choice is carried out.

use bevy::prelude::*;

use super::commands::Command;
use super::player::Player;
use super::strip::{self, COMBOS, Control, QUANTITIES, Readout, STREAKS};
use crate::catalog::{Catalog, FALLBACK};
use crate::cli::{Ground, Occasion, PreviewPlan};
use crate::render::Warmup;
use crate::render::captions::CaptionDesk;
use crate::stage::Director;

/// The artist's choices.
#[derive(Resource)]
pub struct Desk {
    gifts: Vec<String>,
    /// Whether the gifts are all that the catalogue has.
    has_all: bool,
    gift: usize,
    grounds: Vec<Ground>,
    ground: usize,
    occasion: Occasion,
    /// Whether the strip is seen.
    pub has_strip: bool,
    pub faults: Vec<String>,
    pub is_closing: bool,
    /// What the mouse holds, and whether the gift played before.
    drag: Option<(Control, bool)>,
}

impl Desk {
    pub fn new(plan: &PreviewPlan, catalog: &Catalog) -> Self {
        let has_all = plan.gifts.len() == 1;
        let mut grounds = plan.grounds.clone();
        for ground in Ground::BUILT_IN {
            if !grounds.contains(&ground) {
                grounds.push(ground);
            }
        }
        let mut desk = Self {
            gifts: plan.gifts.clone(),
            has_all,
            gift: 0,
            grounds,
            ground: 0,
            occasion: plan.occasion.clone(),
            has_strip: true,
            faults: Vec::new(),
            is_closing: false,
            drag: None,
        };
        desk.update_gifts(catalog);
        desk
    }

    /// The gift that is looked at.
    pub fn gift(&self) -> &str {
        &self.gifts[self.gift]
    }

    pub fn ground(&self) -> &Ground {
        &self.grounds[self.ground]
    }

    /// Who asked for one gift can go to all the others.
    pub fn update_gifts(&mut self, catalog: &Catalog) {
        if !self.has_all {
            return;
        }
        let now = self.gift().to_owned();
        let keys = catalog.gifts.keys().map(|key| &**key);
        self.gifts = keys.chain([FALLBACK]).map(str::to_owned).collect();
        let fallback = self.gifts.len() - 1;
        let place = self.gifts.iter().position(|gift| *gift == now);
        self.gift = place.unwrap_or(fallback);
    }

    pub fn is_dragging(&self) -> bool {
        self.drag.is_some()
    }

    pub fn dragged(&self) -> Option<Control> {
        self.drag.map(|(control, _)| control)
    }

    /// Takes hold of a slider or the time bar; the gift stands meanwhile.
    pub fn grab(&mut self, control: Control, player: &mut Player) {
        self.drag = Some((control, player.is_playing));
        if control == Control::Time {
            player.is_playing = false;
        }
    }

    pub fn let_go(&mut self, player: &mut Player) {
        if let Some((control, was_playing)) = self.drag.take()
            && control == Control::Time
        {
            player.is_playing = was_playing;
        }
    }

    /// Moves what is held to this share of its way.
    pub fn drag_to(&mut self, share: f32, world: &mut World) {
        let occasion = &mut self.occasion;
        let (value, ladder) = match self.drag {
            Some((Control::Time, _)) => {
                let mut player = world.resource_mut::<Player>();
                let at = player.timeline().end * share;
                // Not again for every frame in which the hand is still.
                if (player.now() - at).abs() > 0.01 {
                    player.go_to(at);
                }
                return;
            }
            Some((Control::Quantity, _)) => (&mut occasion.quantity, QUANTITIES),
            Some((Control::Combo, _)) => (&mut occasion.combo, COMBOS),
            Some((Control::Streak, _)) => (&mut occasion.growth, STREAKS),
            _ => return,
        };
        let wanted = strip::step_at(ladder, share);
        if *value != wanted {
            *value = wanted;
            self.replay(world);
        }
    }

    /// Plays what is chosen from its beginning.
    pub fn replay(&self, world: &mut World) {
        let catalog = world.resource::<Director>().catalog.clone();
        let recipe = catalog.recipe(self.gift());
        let mut player = world.resource_mut::<Player>();
        player.change(self.gift(), recipe, &self.occasion);
    }

    /// Carries a command out.
    pub fn obey(&mut self, command: Command, world: &mut World) {
        let occasion = &mut self.occasion;
        match command {
            Command::PlayOrStand => return world.resource_mut::<Player>().toggle(),
            Command::Scrub(by) => {
                let mut player = world.resource_mut::<Player>();
                player.is_playing = false;
                let at = player.now() + by;
                return player.go_to(at);
            }
            Command::Begin => return world.resource_mut::<Player>().go_to(0.0),
            Command::Loop => {
                let mut player = world.resource_mut::<Player>();
                player.is_looping = !player.is_looping;
                return;
            }
            Command::Ground(forth) => {
                self.ground = next(self.ground, self.grounds.len(), forth);
                return;
            }
            Command::Strip => {
                self.has_strip = !self.has_strip;
                return;
            }
            Command::Quit => {
                self.is_closing = true;
                return;
            }
            Command::Captions => {
                let mut captions = world.resource_mut::<CaptionDesk>();
                captions.is_off = !captions.is_off;
            }
            Command::Gift(forth) => self.gift = next(self.gift, self.gifts.len(), forth),
            Command::Quantity(more) => {
                occasion.quantity = strip::step(QUANTITIES, occasion.quantity, more);
            }
            Command::Combo(more) => occasion.combo = strip::step(COMBOS, occasion.combo, more),
            Command::Streak(more) => occasion.growth = strip::step(STREAKS, occasion.growth, more),
            Command::Finale => occasion.finale = !occasion.finale,
        }
        self.replay(world);
    }

    /// What the strip is to say.
    pub fn readout(&self, world: &World) -> Readout {
        let player = world.resource::<Player>();
        let director = world.resource::<Director>();
        let timeline = player.timeline();
        let recipe = director.catalog.recipe(self.gift());
        let end = timeline.end.max(f32::EPSILON);
        let said = timeline.messages.iter().skip(1).map(|(at, _)| *at);
        Readout {
            gift: recipe.name.to_string(),
            ground: self.ground().name(),
            time: if world.resource::<Warmup>().is_done() {
                format!("{:.2} / {end:.2} s", player.now())
            } else {
                "warming up".to_owned()
            },
            quantity: self.occasion.quantity,
            combo: self.occasion.combo,
            streak: self.occasion.growth,
            has_finale: self.occasion.finale,
            is_looping: player.is_looping,
            has_captions: !world.resource::<CaptionDesk>().is_off,
            is_playing: player.is_playing,
            marks: said
                .chain([recipe.sustain])
                .map(|at| (at / end).min(1.0))
                .collect(),
            accent: recipe.accents[0].to_srgb8(),
        }
    }
}

/// The next of `count`, or the one before, round and round.
fn next(at: usize, count: usize, forth: bool) -> usize {
    (at + if forth { 1 } else { count - 1 }) % count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_go_round_both_ways() {
        assert_eq!(next(2, 3, true), 0);
        assert_eq!(next(0, 3, false), 2);
        assert_eq!(next(0, 1, false), 0);
    }
}
