//! One picture over time: when gifts came, and how long they waited at the
//! recommended rate.

use std::time::Duration;

use super::Report;
use super::plot::{ACROSS, Picture, WaitScale};
use crate::tune::words::{a_second, clock, number, span};

const HEIGHT: f64 = 344.0;
/// Top and bottom of the two plots.
const GIFTS: (f64, f64) = (36.0, 126.0);
const WAITS: (f64, f64) = (174.0, 294.0);
/// Marks of the time's axis, at most.
const MOST_MARKS: u32 = 8;

impl Report {
    /// `None` without a recommended rate.
    pub(super) fn over_time(&self) -> Option<String> {
        let advice = self.advice.as_ref()?;
        let mut picture = Picture::new("over-time", HEIGHT);
        self.draw_gifts(&mut picture);
        let head = format!(
            "How long they wait at {}: 95 % and the longest",
            a_second(advice.rate)
        );
        picture.head(WAITS.0 - 16.0, &head);
        self.draw_course(&mut picture);
        self.draw_time(&mut picture);
        let described = format!("{}. The table has the waits.", self.summary());
        Some(picture.finish("When gifts came and how long they waited", &described, None))
    }

    fn x(&self, slice: usize) -> f64 {
        let share = slice as f64 / self.course.slices.len().max(1) as f64;
        ACROSS.start + (ACROSS.end - ACROSS.start) * share
    }

    fn draw_gifts(&self, picture: &mut Picture) {
        let (top, bottom) = GIFTS;
        picture.head(16.0, "Gifts that come, a minute");
        let slices = &self.course.slices;
        let a_minute = 60.0 / self.course.length.as_secs_f64().max(1.0);
        let most = slices.iter().map(|slice| slice.gifts).max().unwrap_or(0);
        let most = round_up(most as f64 * a_minute);
        for mark in [0.0, most / 2.0, most] {
            let y = bottom - (bottom - top) * mark / most;
            picture.mark(y, &number(mark));
        }
        for (index, slice) in slices
            .iter()
            .enumerate()
            .filter(|(_, slice)| slice.gifts > 0)
        {
            let gifts = slice.gifts as f64 * a_minute;
            let high = bottom - (bottom - top) * gifts / most;
            let told = format!("from {}: {} gifts", self.begin(index), slice.gifts);
            picture.block(
                self.x(index)..self.x(index + 1) - 0.5,
                high..bottom,
                "streak",
                &told,
            );
        }
    }

    fn draw_course(&self, picture: &mut Picture) {
        let (top, bottom) = WAITS;
        let slices = &self.course.slices;
        let longest = slices.iter().map(|slice| slice.wait.max).max();
        let scale = WaitScale::to(longest.unwrap_or_default(), bottom, top);
        scale.draw(picture);
        for (index, slice) in slices
            .iter()
            .enumerate()
            .filter(|(_, slice)| slice.gifts > 0)
        {
            let across = self.x(index)..self.x(index + 1) - 0.5;
            let middle = f64::midpoint(across.start, across.end);
            let (p95, max) = (scale.y(slice.wait.p95), scale.y(slice.wait.max));
            let told = format!(
                "from {}: 95 % within {}, the longest {}",
                self.begin(index),
                span(slice.wait.p95),
                span(slice.wait.max)
            );
            picture.block(across, p95..bottom, "played", &told);
            if p95 - max < 4.0 {
                continue;
            }
            picture.put(format_args!(
                "<circle cx=\"{middle:.1}\" cy=\"{max:.1}\" r=\"1.8\" class=\"f-max\"/>"
            ));
        }
    }

    fn begin(&self, slice: usize) -> String {
        clock(self.course.length * slice as u32)
    }

    fn draw_time(&self, picture: &mut Picture) {
        let slices = self.course.slices.len() as u32;
        let step = [1, 2, 5, 6, 10, 12, 15, 20, 30, 60]
            .into_iter()
            .find(|step| slices / step < MOST_MARKS)
            .unwrap_or(slices.max(1));
        for slice in (0..=slices).step_by(step as usize) {
            let x = self.x(slice as usize);
            picture.text(x, WAITS.1 + 18.0, "middle", "", &self.begin(slice as usize));
        }
        let unit = match self.course.length * slices {
            long if long > Duration::from_secs(3600) => "hours, minutes and seconds",
            _ => "minutes and seconds",
        };
        let axis = format!(
            "{unit} from the beginning; a bar is {}",
            span(self.course.length)
        );
        picture.below(HEIGHT - 10.0, &axis);
    }
}

/// The next of 2, 4, 6, 8, 10, 20 and so on: half of it is round as well.
fn round_up(value: f64) -> f64 {
    let mut decade = 1.0;
    loop {
        for step in [2.0, 4.0, 6.0, 8.0, 10.0] {
            if step * decade >= value {
                return step * decade;
            }
        }
        decade *= 10.0;
    }
}
