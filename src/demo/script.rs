//! The scripted show, as data: what a backend says, and when.

use std::time::Duration;

use crate::catalog::{Catalog, Kind, Lane};
use crate::model::{AnimationWish, Gift, GiftType, Goal, Private, Sender, StreamStatus};

/// Most lines of one script; twenty of the largest flood that is measured. A
/// longer flood is cut there.
pub const MAX_BEATS: usize = 200_000;

/// Shortest show; below it the parts would fall on each other.
const MIN_LENGTH: Duration = Duration::from_secs(5);

/// Who gives: names that a caption must get right, one for each way in which
/// captions go wrong; and which of the demo's portraits is theirs.
const NAMES: [(&str, Option<&str>); 18] = [
    ("👨\u{200d}👩\u{200d}👧\u{200d}👦 The Okafors", None),
    ("أحمد الزهراني", None),
    ("王小明", Some("xiaoming")),
    ("さくらんぼ", Some("sakuranbo")),
    ("김하늘", None),
    ("יעל כהן", None),
    ("สมชาย ใจดี", None),
    ("👩🏽\u{200d}🚀 Ada", Some("ada")),
    ("Łukasz Żółć", Some("lukasz")),
    ("Nguyễn Thị Mỹ", None),
    ("Дмитрий", Some("dmitri")),
    ("आरव शर्मा", None),
    ("Zo\u{eb} \u{c5}ngstr\u{f6}m", Some("zoe")),
    ("Ελένη", Some("eleni")),
    ("🏳\u{fe0f}\u{200d}🌈 Robin", None),
    ("İpek Yıldız", None),
    ("José Peña", None),
    ("✌🏿 Kofi", Some("kofi")),
];

/// How many gifts the show's streak counts.
const STREAK: u32 = 26;

/// The running totals of the combo; each crosses a milestone.
const COMBO: [u32; 4] = [5, 10, 25, 50];

/// What a backend says over the length of a show, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    pub beats: Vec<Beat>,
}

/// One line and its time, from the moment the renderer has joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    pub at: Duration,
    pub line: Line,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Gift(Gift),
    Status(StreamStatus),
}

impl Script {
    /// Every gift of the catalogue by itself and one that it does not know, a
    /// streak, a combo and a flood, within `length` (at least 5 s). The last
    /// sixth is left for what waits to play out.
    pub fn show(catalog: &Catalog, length: Duration) -> Self {
        let length = length.max(MIN_LENGTH);
        let mut writer = Writer::new(catalog);
        writer.status(Duration::ZERO);
        writer.solos(Duration::ZERO, length.mul_f64(0.52));
        writer.status(length.mul_f64(0.53));
        writer.streak(length.mul_f64(0.55), length.mul_f64(0.67));
        writer.combo(length.mul_f64(0.69), length.mul_f64(0.76));
        writer.status(length.mul_f64(0.77));
        let flood = (length.as_secs_f64() * 4.0).clamp(40.0, 400.0) as usize;
        writer.flood(flood, length.mul_f64(0.78), length.mul_f64(0.83));
        writer.status(length.mul_f64(0.84));
        writer.finish()
    }

    /// `count` small gifts from many people, evenly over `over`.
    pub fn flood(catalog: &Catalog, count: usize, over: Duration) -> Self {
        let mut writer = Writer::new(catalog);
        writer.flood(count.min(MAX_BEATS), Duration::ZERO, over);
        writer.finish()
    }

    /// Gives those who have a portrait the address of theirs, on a server that has
    /// them all; the others have none.
    #[must_use]
    pub fn with_portraits_at(mut self, origin: &str) -> Self {
        for beat in &mut self.beats {
            let Line::Gift(Gift { sender, .. }) = &mut beat.line else {
                continue;
            };
            let named = NAMES.iter().find(|(name, _)| *name == &*sender.name.0);
            if let Some((_, Some(portrait))) = named {
                let url = format!("{origin}/{portrait}.png");
                sender.avatar_url = Some(Private(url.into()));
            }
        }
        self
    }

    /// The gifts, in order.
    pub fn gifts(&self) -> impl Iterator<Item = &Gift> {
        self.beats.iter().filter_map(|beat| match &beat.line {
            Line::Gift(gift) => Some(gift),
            Line::Status(_) => None,
        })
    }

    /// When the last line is said.
    pub fn length(&self) -> Duration {
        self.beats.last().map_or(Duration::ZERO, |beat| beat.at)
    }
}

/// Puts gifts on the timeline, counting as it goes.
struct Writer<'a> {
    catalog: &'a Catalog,
    /// The catalogue's gifts and one unknown, long and short ones in turn.
    types: Vec<GiftType>,
    beats: Vec<Beat>,
    /// Gifts given so far, by quantity: what the goal counts.
    given: u64,
}

impl<'a> Writer<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            types: running_order(catalog),
            beats: Vec::new(),
            given: 0,
        }
    }

    /// Each type once, spaced by how long it plays.
    fn solos(&mut self, from: Duration, to: Duration) {
        let types = self.types.clone();
        let seconds = |gift_type: &GiftType| self.catalog.recipe(gift_type).duration.as_secs_f64();
        let total: f64 = types.iter().map(seconds).sum();
        let mut at = from;
        let starts: Vec<_> = types
            .iter()
            .map(|gift_type| {
                let start = at;
                at += (to - from).mul_f64(seconds(gift_type) / total);
                start
            })
            .collect();
        for (who, (gift_type, at)) in types.into_iter().zip(starts).enumerate() {
            let gift = self.gift(&gift_type, who, 1);
            self.say(at, gift);
        }
    }

    /// One sender's run, a gift at a time, with its final message.
    fn streak(&mut self, from: Duration, to: Duration) {
        let gift_type = self.favourite(&["rose", "heart", "coins"]);
        for count in 1..=STREAK {
            let mut gift = self.gift(&gift_type, 2, 1);
            gift.is_streak = true;
            gift.combo_count = count;
            self.say(
                from + (to - from).mul_f64(f64::from(count - 1) / f64::from(STREAK)),
                gift,
            );
        }
        // The final message repeats the last count, so it adds nothing.
        let mut last = self.gift(&gift_type, 2, 1);
        last.combo_count = STREAK;
        last.total_value = 0.0;
        self.given -= 1;
        self.say(to, last);
    }

    /// One sender's run in leaps from milestone to milestone, ended by silence.
    fn combo(&mut self, from: Duration, to: Duration) {
        let gift_type = self.favourite(&["heart", "confetti", "rose"]);
        let mut before = 0;
        for (step, count) in COMBO.into_iter().enumerate() {
            let mut gift = self.gift(&gift_type, 7, count - before);
            gift.is_streak = true;
            gift.combo_count = count;
            before = count;
            self.say(
                from + (to - from).mul_f64(step as f64 / COMBO.len() as f64),
                gift,
            );
        }
    }

    /// Everybody at once. Floods are of what costs little: a thousand crowns in
    /// a second have not been seen, and each would have the stage to itself.
    fn flood(&mut self, count: usize, from: Duration, to: Duration) {
        let mut types: Vec<_> = self
            .types
            .iter()
            .filter(|gift_type| self.catalog.lane(gift_type, 1.0) == Lane::Ambient)
            .cloned()
            .collect();
        if types.is_empty() {
            types.clone_from(&self.types);
        }
        for number in 0..count {
            // Steps that share no factor with the lengths visit every pair.
            let gift_type = types[number * 7 % types.len()].clone();
            let gift = self.gift(&gift_type, number * 5 + number / NAMES.len(), 1);
            self.say(
                from + (to - from).mul_f64(number as f64 / count as f64),
                gift,
            );
        }
    }

    /// The goal as it stands; its target is set when the script is whole.
    fn status(&mut self, at: Duration) {
        let goal = Goal {
            kind: "gifts".into(),
            target: 0.0,
            current: self.given as f64,
            description: "Gifts for tonight's finale".into(),
        };
        self.beats.push(Beat {
            at,
            line: Line::Status(StreamStatus {
                is_live: true,
                viewer_count: 1_200 + self.given,
                started_at: None,
                goal: Some(goal),
            }),
        });
    }

    fn say(&mut self, at: Duration, gift: Gift) {
        self.beats.push(Beat {
            at,
            line: Line::Gift(gift),
        });
    }

    fn gift(&mut self, gift_type: &GiftType, who: usize, quantity: u32) -> Gift {
        self.given += u64::from(quantity);
        let recipe = self.catalog.recipe(gift_type);
        let price = match self.catalog.lane(gift_type, 1.0) {
            Lane::Headline => self.catalog.lanes.headline,
            Lane::Feature => self.catalog.lanes.feature,
            Lane::Ambient => 1.0,
        };
        let id = format!("demo-{:06}", self.beats.len());
        let kind = match recipe.kind {
            Kind::Particle => "particle",
            Kind::Model => "3d-model",
            Kind::Video => "video",
        };
        Gift {
            quantity,
            total_value: price * f64::from(quantity),
            animation: AnimationWish {
                kind: Some(kind.into()),
                ..AnimationWish::default()
            },
            ..Gift::one(id, gift_type.clone(), sender(who))
        }
    }

    /// The first of `wanted` that the catalogue has, or its first gift.
    fn favourite(&self, wanted: &[&str]) -> GiftType {
        wanted
            .iter()
            .find_map(|name| self.catalog.gifts.get_key_value(*name))
            .map_or_else(
                || self.types[0].clone(),
                |(name, _)| GiftType::from(&**name),
            )
    }

    fn finish(mut self) -> Script {
        let target = (self.given as f64 / 50.0).ceil() * 50.0;
        for beat in &mut self.beats {
            if let Line::Status(StreamStatus {
                goal: Some(goal), ..
            }) = &mut beat.line
            {
                goal.target = target;
            }
        }
        self.beats.sort_by_key(|beat| beat.at);
        Script { beats: self.beats }
    }
}

/// Person `who`; there are as many as numbers, sharing the names.
fn sender(who: usize) -> Sender {
    Sender {
        is_subscriber: who.is_multiple_of(3),
        is_moderator: who.is_multiple_of(7),
        ..Sender::named(format!("user-{who}"), NAMES[who % NAMES.len()].0)
    }
}

/// Longest, shortest, next longest and so on, so that those who share a scarce
/// lane do not queue behind each other; the unknown gift comes last.
fn running_order(catalog: &Catalog) -> Vec<GiftType> {
    let mut by_length: Vec<_> = catalog.gifts.iter().collect();
    by_length.sort_by_key(|(name, recipe)| (std::cmp::Reverse(recipe.duration), (*name).clone()));
    let mut rest = by_length.into_iter();
    let mut order = Vec::new();
    while let Some((long, _)) = rest.next() {
        order.push(GiftType::from(&**long));
        order.extend(rest.next_back().map(|(short, _)| GiftType::from(&**short)));
    }
    let mut unknown = "mystery-box".to_owned();
    while catalog.gifts.contains_key(unknown.as_str()) {
        unknown.push('!');
    }
    order.push(unknown.into());
    order
}
