//! Who is woken when a stream has something: connections that look after
//! themselves, and rows of viewers to whom gifts are carried.

use std::collections::HashMap;
use std::sync::Arc;

use super::bell::Bell;
use super::courier::{Lane, Row, SEATS};
use super::hub::ConnectionId;

/// A stream's connections.
#[derive(Default)]
pub(super) struct Callers {
    /// Those that look after themselves.
    alone: HashMap<ConnectionId, Arc<Bell>>,
    seated: HashMap<ConnectionId, (Arc<Bell>, Arc<Row>)>,
    /// Each with how many sit there: who asks need not wait while one is served.
    rows: Vec<(Arc<Row>, usize)>,
}

impl Callers {
    /// The bell of one more.
    pub fn add(&mut self, id: ConnectionId) -> Arc<Bell> {
        self.alone.entry(id).or_default().clone()
    }

    /// Gives one a seat; returns its row if that is to be served from now on.
    pub fn seat(&mut self, id: ConnectionId, lane: Arc<Lane>) -> Option<Arc<Row>> {
        let bell = self.alone.remove(&id)?;
        let with_room = self.rows.iter_mut().find(|(_, taken)| *taken < SEATS);
        let (row, is_new) = match with_room {
            Some((row, taken)) => {
                *taken += 1;
                (row.clone(), false)
            }
            None => {
                let row = Arc::<Row>::default();
                self.rows.push((row.clone(), 1));
                (row, true)
            }
        };
        row.seat(id, bell.clone(), lane);
        self.seated.insert(id, (bell, row.clone()));
        is_new.then_some(row)
    }

    pub fn remove(&mut self, id: ConnectionId) {
        self.alone.remove(&id);
        let Some((_, row)) = self.seated.remove(&id) else {
            return;
        };
        row.leave(id);
        self.rows.retain_mut(|(own, taken)| {
            *taken -= usize::from(Arc::ptr_eq(own, &row));
            *taken > 0
        });
    }

    /// Wakes one.
    pub fn wake(&self, id: ConnectionId) {
        let seated = || self.seated.get(&id).map(|(bell, _)| bell);
        if let Some(bell) = self.alone.get(&id).or_else(seated) {
            bell.ring();
        }
    }

    /// Wakes whoever looks after somebody.
    pub fn wake_rows_and_others(&self) {
        self.alone.values().for_each(|bell| bell.ring());
        self.rows.iter().for_each(|(row, _)| row.bell.ring());
    }

    /// Wakes every connection itself.
    pub fn wake_everybody(&self) {
        let seated = self.seated.values().map(|(bell, _)| bell);
        let bells = self.alone.values().chain(seated);
        bells.for_each(|bell| bell.ring());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::task::{Context, Waker};

    use super::super::courier::test::lane;
    use super::*;

    fn has_rung(bell: &Bell) -> bool {
        bell.poll(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn viewers_fill_the_rows_that_there_are() {
        let mut callers = Callers::default();
        let mut rows = Vec::new();
        for id in 0..2 * SEATS as u64 + 1 {
            callers.add(id);
            rows.extend(callers.seat(id, Arc::new(lane().await.0)));
        }
        assert_eq!(rows.len(), 3);
        // Who leaves makes room in the first row.
        callers.remove(3);
        callers.add(1000);
        assert!(callers.seat(1000, Arc::new(lane().await.0)).is_none());
        assert_eq!(callers.rows[0].1, SEATS);
        // The last of a row takes it along.
        callers.remove(2 * SEATS as u64);
        assert_eq!(callers.rows.len(), 2);
        assert!(has_rung(&rows[2].bell));
        assert!(
            callers.seat(7, Arc::new(lane().await.0)).is_none(),
            "it has a seat"
        );
    }

    #[tokio::test]
    async fn a_row_is_woken_in_place_of_those_who_sit_in_it() {
        let mut callers = Callers::default();
        let bells: Vec<_> = (0..3).map(|id| callers.add(id)).collect();
        let row = callers.seat(2, Arc::new(lane().await.0)).unwrap();
        let rung = || -> HashSet<usize> {
            let rung = bells.iter().enumerate().filter(|(_, bell)| has_rung(bell));
            rung.map(|(id, _)| id).collect()
        };
        callers.wake_rows_and_others();
        assert_eq!(rung(), HashSet::from([0, 1]));
        assert!(has_rung(&row.bell));
        callers.wake_everybody();
        assert_eq!(rung(), HashSet::from([0, 1, 2]));
        callers.wake(2);
        assert_eq!(rung(), HashSet::from([2]));
    }
}
