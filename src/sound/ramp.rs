//! A gain that moves in a straight line, so that no change clicks.

/// A value on its way to a target, one step a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ramp {
    value: f32,
    target: f32,
    step: f32,
    left: u32,
}

impl Ramp {
    pub(super) fn at(value: f32) -> Self {
        Self {
            value,
            target: value,
            step: 0.0,
            left: 0,
        }
    }

    /// Heads for `target` and is there after `frames`. Asking again for the
    /// same target can only make it arrive sooner.
    pub(super) fn aim(&mut self, target: f32, frames: u32) {
        if target == self.target && self.left <= frames {
            return;
        }
        if frames == 0 {
            *self = Self::at(target);
            return;
        }
        self.target = target;
        self.step = (target - self.value) / frames as f32;
        self.left = frames;
    }

    /// The value for the next frame.
    pub(super) fn next(&mut self) -> f32 {
        if self.left > 0 {
            self.left -= 1;
            self.value = if self.left == 0 {
                self.target
            } else {
                self.value + self.step
            };
        }
        self.value
    }

    pub(super) fn value(&self) -> f32 {
        self.value
    }

    pub(super) fn is_settled(&self) -> bool {
        self.left == 0
    }

    /// Arrives at once; for when nothing is audible.
    pub(super) fn finish(&mut self) {
        *self = Self::at(self.target);
    }
}
