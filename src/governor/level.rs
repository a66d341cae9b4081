//! What the stage may spend, from everything to the least that is still a show.

use std::fmt;

/// A step of the ladder: 0 has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

/// What a level allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Share of each emitter's particles, up to 1.
    pub particles: f32,
    /// Lines of the largest texture that bloom blurs.
    pub bloom_lines: u32,
    /// Share of the stage's width and height that is drawn, up to 1. Captions
    /// are in the same picture: below three quarters they would be hard to read.
    pub scale: f32,
    /// Of the frames there is time for, every how many-th is drawn.
    pub every: u32,
}

const fn allowance(particles: f32, bloom_lines: u32, scale: f32, every: u32) -> Allowance {
    Allowance {
        particles,
        bloom_lines,
        scale,
        every,
    }
}

/// Particles go first, then size, then frames: fewer sparks are seen least, and
/// halting movement most.
const LADDER: [Allowance; Level::COUNT] = [
    allowance(1.0, 512, 1.0, 1),
    allowance(0.7, 256, 1.0, 1),
    allowance(0.45, 256, 1.0, 1),
    allowance(0.3, 128, 0.85, 1),
    allowance(0.25, 128, 0.75, 1),
    allowance(0.25, 128, 0.75, 2),
    allowance(0.2, 128, 0.75, 3),
];

/// Those that nobody can ask for are the governor's steps between.
const NAMES: [&str; Level::COUNT] = ["ultra", "high", "medium", "modest", "small", "low", "least"];

impl Level {
    /// How many there are.
    pub const COUNT: usize = 7;
    pub const ULTRA: Self = Self(0);
    pub const HIGH: Self = Self(1);
    pub const MEDIUM: Self = Self(2);
    pub const LOW: Self = Self(5);
    /// Below "low": only the governor goes there.
    pub const LEAST: Self = Self(Self::COUNT as u8 - 1);

    /// All of them, the best first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..Self::COUNT as u8).map(Self)
    }

    /// From 0, the best.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The level of that index, or the least.
    pub fn at(index: usize) -> Self {
        Self(index.min(Self::COUNT - 1) as u8)
    }

    pub fn name(self) -> &'static str {
        NAMES[self.index()]
    }

    pub fn allows(self) -> Allowance {
        LADDER[self.index()]
    }

    pub(super) fn down(self, steps: usize) -> Self {
        Self::at(self.index() + steps)
    }

    pub(super) fn up(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f32| (share * 100.0).round();
        write!(
            f,
            "{} % of the particles, {} % of the size, ",
            percent(self.particles),
            percent(self.scale)
        )?;
        match self.every {
            1 => f.write_str("every frame"),
            2 => f.write_str("every second frame"),
            _ => f.write_str("every third frame"),
        }
    }
}

/// What the streamer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wish {
    /// Whatever the machine has time for.
    #[default]
    Auto,
    /// That level, come what may.
    Fixed(Level),
}

impl Wish {
    /// As they are written.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("low", Self::Fixed(Level::LOW)),
        ("medium", Self::Fixed(Level::MEDIUM)),
        ("high", Self::Fixed(Level::HIGH)),
        ("ultra", Self::Fixed(Level::ULTRA)),
    ];

    /// The word and the wish after this one, the first after the last.
    pub fn next(self) -> (&'static str, Self) {
        let at = Self::WORDS.iter().position(|(_, wish)| *wish == self);
        Self::WORDS[at.map_or(0, |at| (at + 1) % Self::WORDS.len())]
    }
}
