//! What is asked of the captions' thread, and for whom.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bevy::prelude::*;

use crate::catalog::{Recipe, icon_path};
use crate::render::boards::Part;
use crate::render::caption::painter::CaptionSettings;
use crate::render::caption::{
    BoardSpec, CaptionKind, CaptionPainter, CaptionRequest, CounterSpec, Picture, PixelBuffer,
};
use crate::render::look::Look;
use crate::render::patience::Patience;
use crate::stage::Director;

/// Icons are painted about this large at most; the files are small.
const MAX_ICON_BYTES: u64 = 4 << 20;

/// What was asked of the painter, and for whom.
#[derive(Resource, Default)]
pub struct CaptionDesk {
    /// `None` when the system refuses another thread: acts play without
    /// captions, which is said once.
    pub(super) painter: Option<CaptionPainter>,
    pub(super) orders: HashMap<u64, Order>,
    next: u64,
    icons: HashMap<String, Option<Picture>>,
    /// Acts get no card and no counter; what is fused into videos or spelled is
    /// painted.
    pub is_off: bool,
    /// Painted parts of the board, until the board takes them; one of each is
    /// asked for at a time.
    pub(super) boards: Vec<(Part, PixelBuffer)>,
}

#[derive(Clone, PartialEq)]
pub(super) enum Order {
    Card(Entity),
    Counter(Entity),
    /// For an act that spells it.
    Name(Entity),
    Fusion {
        act: Entity,
        tag: Arc<str>,
    },
    Board(Part),
}

impl Order {
    /// Whose it is, unless it is the board's.
    pub fn act(&self) -> Option<Entity> {
        match self {
            Self::Card(act) | Self::Counter(act) | Self::Name(act) | Self::Fusion { act, .. } => {
                Some(*act)
            }
            Self::Board(_) => None,
        }
    }
}

pub(super) fn open_desk(mut desk: ResMut<CaptionDesk>, look: Res<Look>) {
    let settings = CaptionSettings {
        words: look.words.clone(),
    };
    desk.painter = CaptionPainter::spawn(settings, || {})
        .inspect_err(|error| warn!("gifts play without captions: no thread ({error})"))
        .ok();
}

impl CaptionDesk {
    /// Images asked for and not yet there.
    pub fn pending(&self) -> usize {
        self.painter.as_ref().map_or(0, CaptionPainter::pending)
    }

    /// Icons are read from their files again when they are next wanted.
    pub fn forget_icons(&mut self) {
        self.icons.clear();
    }

    pub(super) fn order(&mut self, order: Order, kind: CaptionKind) -> bool {
        self.next += 1;
        self.order_as(self.next, order, kind)
    }

    /// The number of an act, which climbs: in place of an older one that still waits to
    /// be painted. One that is in work is shown too, or a number that climbs in every
    /// frame would never be seen.
    pub(super) fn order_number(&mut self, act: Entity, number: CounterSpec) -> bool {
        let order = Order::Counter(act);
        let kind = CaptionKind::Counter(number);
        let older = self.orders.iter().find(|(_, of)| **of == order);
        match older.map(|(ticket, _)| *ticket) {
            Some(ticket) => self.order_as(ticket, order, kind),
            None => self.order(order, kind),
        }
    }

    fn order_as(&mut self, ticket: u64, order: Order, kind: CaptionKind) -> bool {
        if self.is_off && matches!(order, Order::Card(_) | Order::Counter(_)) {
            return false;
        }
        let Some(painter) = &mut self.painter else {
            return false;
        };
        let taken = painter.request(CaptionRequest { ticket, kind }).is_ok();
        if taken {
            self.orders.insert(ticket, order);
        }
        taken
    }

    /// The same in place of what was asked for before and is not painted yet, once the
    /// newer one has room.
    pub(super) fn order_instead(&mut self, order: Order, kind: CaptionKind) -> bool {
        let last = self.next;
        let taken = self.order(order.clone(), kind);
        if taken {
            let stale = |ticket: &u64, of: &mut Order| *ticket <= last && *of == order;
            for (ticket, _) in self.orders.extract_if(stale) {
                if let Some(painter) = &mut self.painter {
                    painter.cancel(ticket);
                }
            }
        }
        taken
    }

    /// What was painted since, and for whom. Of several numbers of one act that came
    /// together there is only the newest.
    pub(super) fn painted(&mut self, patience: Patience) -> Vec<(Order, PixelBuffer)> {
        let Some(painter) = &mut self.painter else {
            return Vec::new();
        };
        let painted: Vec<_> = match patience.is_some() {
            true => painter.finish(patience.0),
            false => painter.drain().collect(),
        };
        let mut known = Vec::with_capacity(painted.len());
        for (ticket, picture) in painted {
            // A number keeps its ticket for the next, until its act goes.
            let order = match self.orders.get(&ticket) {
                Some(number @ Order::Counter(_)) => Some(number.clone()),
                _ => self.orders.remove(&ticket),
            };
            let Some(order) = order else {
                continue;
            };
            if matches!(order, Order::Counter(_)) {
                known.retain(|(of, _)| *of != order);
            }
            known.push((order, picture));
        }
        known
    }

    /// Asks for a part of the board; false when there is no room for it now.
    pub(in crate::render) fn order_board(&mut self, part: Part, spec: BoardSpec) -> bool {
        self.order(Order::Board(part), CaptionKind::Board(Box::new(spec)))
    }

    /// The board's parts that were painted since.
    pub(in crate::render) fn take_boards(&mut self) -> Vec<(Part, PixelBuffer)> {
        std::mem::take(&mut self.boards)
    }

    /// Whether a part of the board is being painted.
    pub(in crate::render) fn is_painting(&self, part: Part) -> bool {
        let of_it = |order: &Order| matches!(order, Order::Board(of) if *of == part);
        self.orders.values().any(of_it)
    }

    /// A gift's icon, read when it is first wanted.
    pub(in crate::render) fn icon(
        &mut self,
        director: &Director,
        recipe: &Recipe,
    ) -> Option<Picture> {
        let stem = recipe.icon.as_ref()?;
        self.icons
            .entry(stem.clone())
            .or_insert_with(|| {
                let path = director.catalog.root.join(icon_path(stem));
                read_icon(&path)
                    .inspect_err(|error| warn!("no icon from {}: {error}", path.display()))
                    .ok()
            })
            .clone()
    }
}

/// Reads an icon once in a run; it is small and on disk.
fn read_icon(path: &Path) -> Result<Picture, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_ICON_BYTES {
        return Err(format!("{size} bytes are too many for an icon"));
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    Picture::from_png(&bytes).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::render::caption::{Accent, Rgba, Theme};

    fn number(count: u64) -> CounterSpec {
        CounterSpec {
            count,
            accent: Accent::from_one(Rgba::hex(0xFF69B4)),
            theme: Theme::Glass,
            size_px: 24.0,
        }
    }

    /// A desk with a painter, and a channel that says when it has painted something.
    fn desk() -> (CaptionDesk, crossbeam_channel::Receiver<()>) {
        let (woken, wake) = crossbeam_channel::unbounded();
        let painter = CaptionPainter::spawn(CaptionSettings::default(), move || {
            // The receiver is gone when the test is over.
            let _ = woken.send(());
        });
        let desk = CaptionDesk {
            painter: Some(painter.expect("the system has threads")),
            ..CaptionDesk::default()
        };
        (desk, wake)
    }

    #[test]
    fn a_number_that_climbs_as_fast_as_it_is_painted_is_seen_climbing() {
        let (mut desk, wake) = desk();
        let act = World::new().spawn_empty().id();
        assert!(desk.order_number(act, number(1)));
        let painted = wake.recv_timeout(Duration::from_secs(60));
        painted.expect("an image within a minute");
        // The next gift is there before the first one's number is taken.
        assert!(desk.order_number(act, number(2)));
        let shown = desk.painted(Patience::default());
        assert_eq!(shown.len(), 1);
        assert!(shown[0].0 == Order::Counter(act));
    }

    #[test]
    fn of_numbers_that_come_together_the_newest_is_shown() {
        let (mut desk, _wake) = desk();
        let act = World::new().spawn_empty().id();
        for count in [1, 1_000_000] {
            assert!(desk.order_number(act, number(count)));
        }
        let both = desk.painted(Patience::OF_A_RECORDING);
        assert!(desk.order_number(act, number(1)));
        let one = desk.painted(Patience::OF_A_RECORDING);
        assert_eq!((both.len(), one.len()), (1, 1));
        assert!(both[0].1.width > one[0].1.width);
    }
}
