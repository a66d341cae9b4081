//! The board by itself, as it stands after a moment of quiet.

use std::time::Duration;

use super::{Frame, Rehearsal, STEP, StillError};
use crate::model::{Control, Gift, StreamStatus};
use crate::render::boards::Boards;
use crate::render::captions::CaptionDesk;
use crate::render::{Pipelines, Warmup};
use crate::stage::{Connected, ConnectionState, LastEvent};

impl Rehearsal {
    /// The board after a backend said `status` and sent `gifts`, which do not
    /// play; `after` is the time that has passed since.
    ///
    /// # Errors
    /// When something that it needs never comes.
    pub fn board(
        &mut self,
        status: StreamStatus,
        gifts: Vec<Gift>,
        after: Duration,
    ) -> Result<Frame, StillError> {
        let now = self.now();
        let show = &mut self.director().show;
        show.set_status(now, status);
        for gift in gifts {
            show.offer(now, gift);
        }
        // They were given all the same.
        show.control(now, Control::Clear);
        self.app.world_mut().resource_mut::<LastEvent>().0 = Some(now);
        self.app.world_mut().resource_mut::<Connected>().0 = Some(ConnectionState::Online);
        let until = now + after;
        self.move_clock_by(STEP);
        while self.now() < until {
            self.app.update();
            self.let_paint()?;
        }
        self.frame(after.as_secs_f32())
    }

    /// Plays on until the board stands still, and returns how it looks then.
    ///
    /// # Errors
    /// When something that it needs never comes.
    pub fn settled_board(&mut self) -> Result<Frame, StillError> {
        self.move_clock_by(STEP);
        self.wait_until("a board that stands still", |world| {
            world.resource::<CaptionDesk>().pending() == 0
                && !world.resource::<Boards>().is_moving()
        })?;
        let at = self.now().as_secs_f32();
        self.frame(at)
    }

    /// Pipelines made since the stage was warm; 0 is as it should be.
    pub fn pipelines_made(&self) -> usize {
        let world = self.app.world();
        world
            .resource::<Warmup>()
            .pipelines_since(world.resource::<Pipelines>())
    }

    /// The clock stands while something is painted.
    fn let_paint(&mut self) -> Result<(), StillError> {
        if self.app.world().resource::<CaptionDesk>().pending() == 0 {
            return Ok(());
        }
        self.move_clock_by(Duration::ZERO);
        self.wait_until("a part of the board", |world| {
            world.resource::<CaptionDesk>().pending() == 0
        })?;
        self.move_clock_by(STEP);
        Ok(())
    }
}
