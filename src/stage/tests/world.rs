//! A stage that nobody draws, one frame at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;
use bevy::time::{TimePlugin, TimeUpdateStrategy};

use crate::catalog::Catalog;
use crate::model::{AnimationWish, Control, Gift, Outcome, Sender, Telemetry};
use crate::net::{FarEnd, FromStage, Link};
use crate::session::ToStage;
use crate::show::{Show, ShowSettings};
use crate::stage::{
    Act, Climaxed, Director, FellBack, Grew, Shrank, StageLink, StagePlugin, Swelled,
};

/// rose: ambient, 3 s. rocket: feature, 5 s. universe: headline, 6 s.
/// Everything else falls back to 2 s.
const CATALOG: &str = include_str!("../../../tests/data/show.toml");

/// Where their open streaks wait, seconds.
const SUSTAIN: [(&str, f32); 2] = [("rose", 2.0), ("rocket", 1.0)];

/// 1/64 s, which sums up without rounding.
pub const FRAME: Duration = Duration::from_micros(15_625);
pub const FRAME_SECONDS: f32 = 1.0 / 64.0;

/// What those who show an act are told of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    Grew { combo: Option<u32> },
    Climaxed,
    Shrank,
    FellBack,
}

/// What the stage's observers and an act's life say, in order.
#[derive(Resource, Default)]
struct Diary {
    told: Vec<(Entity, Told)>,
    /// The combos that pictures grew by, and when.
    swelled: Vec<(Option<u32>, Duration)>,
    /// When acts came and went.
    came: Vec<(Entity, Duration)>,
    went: Vec<(Entity, Duration)>,
}

pub struct Stage {
    pub app: App,
    pub far: Option<FarEnd>,
    outcomes: Vec<Outcome>,
    telemetry: Vec<Telemetry>,
}

pub fn gift(id: &str, user: &str, gift_type: &str) -> Gift {
    Gift::one(id, gift_type, Sender::named(user, user))
}

/// A gift that asks to be shown for so long.
pub fn lasting(seconds: f32, gift: Gift) -> Gift {
    Gift {
        animation: AnimationWish {
            duration: Some(Duration::from_secs_f32(seconds)),
            ..gift.animation
        },
        ..gift
    }
}

/// One message of a streak of Ann's.
pub fn streak(id: &str, gift_type: &str, combo: u32) -> Gift {
    Gift {
        is_streak: true,
        combo_count: combo,
        ..gift(id, "ann", gift_type)
    }
}

/// The message that ends it.
pub fn last(id: &str, gift_type: &str, combo: u32) -> Gift {
    Gift {
        is_streak: false,
        ..streak(id, gift_type, combo)
    }
}

impl Stage {
    pub fn new() -> Self {
        let (link, far) = Link::loose();
        Self::with(StageLink::new(link), Some(far))
    }

    /// A stage that no network feeds.
    pub fn unlinked() -> Self {
        Self::with(StageLink::default(), None)
    }

    fn with(link: StageLink, far: Option<FarEnd>) -> Self {
        let catalog = Catalog::parse(CATALOG, Path::new("assets/catalog.toml"));
        let mut catalog = catalog.expect("the tests' catalogue is valid");
        for (gift, sustain) in SUSTAIN {
            let recipe = catalog.gifts.get_mut(gift).expect("it is in there");
            Arc::make_mut(recipe).sustain = sustain;
        }
        let catalog = Arc::new(catalog);
        let show = Show::new(ShowSettings::default(), catalog.clone());
        let mut app = App::new();
        app.add_plugins((TimePlugin, StagePlugin))
            .insert_resource(TimeUpdateStrategy::ManualDuration(FRAME))
            .insert_resource(Director::new(show, catalog))
            .insert_resource(link)
            .init_resource::<Diary>()
            .add_observer(|grew: On<Grew>, mut diary: ResMut<Diary>| {
                let told = Told::Grew { combo: grew.combo };
                diary.told.push((grew.entity, told));
            })
            .add_observer(
                |swelled: On<Swelled>, time: Res<Time<Real>>, mut diary: ResMut<Diary>| {
                    diary.swelled.push((swelled.combo, time.elapsed()));
                },
            )
            .add_observer(|climaxed: On<Climaxed>, mut diary: ResMut<Diary>| {
                diary.told.push((climaxed.entity, Told::Climaxed));
            })
            .add_observer(|shrank: On<Shrank>, mut diary: ResMut<Diary>| {
                diary.told.push((shrank.entity, Told::Shrank));
            })
            .add_observer(|fell: On<FellBack>, mut diary: ResMut<Diary>| {
                diary.told.push((fell.entity, Told::FellBack));
            })
            .add_observer(
                |add: On<Add, Act>, time: Res<Time<Real>>, mut diary: ResMut<Diary>| {
                    diary.came.push((add.entity, time.elapsed()));
                },
            )
            .add_observer(
                |remove: On<Remove, Act>, time: Res<Time<Real>>, mut diary: ResMut<Diary>| {
                    diary.went.push((remove.entity, time.elapsed()));
                },
            );
        // The first update only starts the clocks.
        app.update();
        Self {
            app,
            far,
            outcomes: Vec::new(),
            telemetry: Vec::new(),
        }
    }

    pub fn pace(&mut self, frame: Duration) {
        self.app
            .insert_resource(TimeUpdateStrategy::ManualDuration(frame));
    }

    pub fn frame(&mut self) {
        self.app.update();
    }

    pub fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.frame();
        }
    }

    /// Frames for so many seconds, to the next full frame.
    pub fn pass(&mut self, seconds: f32) {
        self.frames((seconds / FRAME_SECONDS).ceil() as usize);
    }

    /// What the network thread has for the stage; the next frame takes it in.
    pub fn send(&self, message: ToStage) {
        let far = self.far.as_ref().expect("the stage has a link");
        far.to_stage.send(message).expect("the stage listens");
    }

    pub fn offer(&self, gift: Gift) {
        self.send(ToStage::Gift(Box::new(gift)));
    }

    /// Offers, and draws the frame that takes it in.
    pub fn give(&mut self, gift: Gift) {
        self.offer(gift);
        self.frame();
    }

    pub fn control(&mut self, control: Control) {
        let world = self.app.world_mut();
        let now = world.resource::<Time<Real>>().elapsed();
        world.resource_mut::<Director>().show.control(now, control);
        self.frame();
    }

    pub fn show(&self) -> &Show {
        &self.app.world().resource::<Director>().show
    }

    pub fn resource<R: Resource>(&self) -> &R {
        self.app.world().resource()
    }

    /// The acts on stage, oldest first.
    pub fn acts(&mut self) -> Vec<Entity> {
        let world = self.app.world_mut();
        let mut acts: Vec<_> = world
            .query::<(Entity, &Act)>()
            .iter(world)
            .map(|(entity, act)| (act.id, entity))
            .collect();
        acts.sort_unstable();
        acts.into_iter().map(|(_, entity)| entity).collect()
    }

    /// The only act on stage.
    pub fn only(&mut self) -> Entity {
        let acts = self.acts();
        assert_eq!(acts.len(), 1, "one act is on stage");
        acts[0]
    }

    pub fn act(&self, entity: Entity) -> &Act {
        self.app.world().get(entity).expect("the act is on stage")
    }

    pub fn told(&self, entity: Entity) -> Vec<Told> {
        let told = self.resource::<Diary>().told.iter();
        told.filter(|(of, _)| *of == entity)
            .map(|(_, told)| *told)
            .collect()
    }

    /// What the pictures grew by so far, and how long after each other.
    pub fn swelled(&self) -> Vec<(Option<u32>, f32)> {
        let swelled = &self.resource::<Diary>().swelled;
        let first = swelled.first().map_or(Duration::ZERO, |&(_, at)| at);
        let since_first = |at: Duration| (at - first).as_secs_f32();
        swelled
            .iter()
            .map(|&(combo, at)| (combo, since_first(at)))
            .collect()
    }

    /// How many acts there have been so far.
    pub fn started(&self) -> usize {
        self.resource::<Diary>().came.len()
    }

    /// Seconds on stage of the acts that have gone, in the order of their
    /// coming.
    pub fn lives(&self) -> Vec<f32> {
        let diary = self.resource::<Diary>();
        let lives = diary.came.iter().filter_map(|(act, came)| {
            let (_, went) = diary.went.iter().find(|(gone, _)| gone == act)?;
            Some((*went - *came).as_secs_f32())
        });
        lives.collect()
    }

    /// What has reached the far end so far, in order.
    pub fn outcomes(&mut self) -> &[Outcome] {
        if let Some(far) = &self.far {
            let sent = far.from_stage.try_iter();
            for said in sent {
                match said {
                    FromStage::Outcome(outcome) => self.outcomes.push(outcome),
                    FromStage::Telemetry(telemetry) => self.telemetry.push(*telemetry),
                }
            }
        }
        &self.outcomes
    }

    /// What the stage has said of itself since it was last asked.
    pub fn told_of_itself(&mut self) -> Vec<Telemetry> {
        self.outcomes();
        std::mem::take(&mut self.telemetry)
    }

    /// As "id verdict", for comparisons that show what they compare.
    pub fn verdicts(&mut self) -> Vec<String> {
        let outcomes = self.outcomes().iter();
        outcomes
            .map(|outcome| format!("{} {:?}", outcome.gift, outcome.verdict))
            .collect()
    }
}
