//! Carries gifts to viewers who rest.
//!
//! Most of what a gift costs for each of a thousand viewers is not its bytes but
//! the waking of a task. So viewers sit in rows, and a row's task writes to all of
//! them. A connection's own task wakes for what is not a gift, and to go on where
//! its socket takes no more.
//!
//! A row that carried rests a moment ([`REST`]): a gift that comes alone goes out at
//! once, and those of a busy stream go together, so that what a viewer costs does
//! not grow with the gifts.
//!
//! Who writes to a socket is settled by its [`Lane`]: its connection lends it while
//! it has nothing to write itself, and takes it back with what was left over.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::bell::Bell;
use super::channel::Channel;
use super::hub::{ConnectionId, RING};
use super::lock::lock;
use super::socket::outgoing;

/// Viewers in a row: what one task writes before others have their turn, half a
/// millisecond at the most.
pub(super) const SEATS: usize = 32;

/// Gifts carried to a viewer at once. Beyond: its own task goes on.
const BATCH: usize = outgoing::AT_ONCE;

/// Gifts after which nobody rests on, long before a viewer would have to skip some.
const PRESSING: u64 = RING as u64 / 8;

/// From one time that gifts are carried to the next. A renderer that gets more than
/// these twenty messages a second has them wait for their turn in its show for longer
/// than that.
pub(super) const REST: Duration = Duration::from_millis(50);

/// A way to write to one connection.
pub(super) struct Lane {
    wire: Arc<OwnedWriteHalf>,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    /// All that the connection had to write is the system's.
    is_lent: bool,
    /// What the system did not take.
    left: VecDeque<Bytes>,
}

impl Lane {
    pub fn new(wire: Arc<OwnedWriteHalf>) -> Self {
        Self {
            wire,
            state: Mutex::default(),
        }
    }

    /// Until it is taken back, or does not take all.
    pub fn lend(&self) {
        lock(&self.state).is_lent = true;
    }

    /// From here on only the connection writes, and this first.
    pub fn take_back(&self) -> VecDeque<Bytes> {
        let mut state = lock(&self.state);
        state.is_lent = false;
        std::mem::take(&mut state.left)
    }

    /// Writes what `due` puts into `batch`, which is empty again afterwards.
    /// Returns whether the connection has to go on by itself: it is awake, `due`
    /// says that this was not all, or the system does not take it all.
    fn carry(
        &self,
        batch: &mut VecDeque<Bytes>,
        due: impl FnOnce(&mut VecDeque<Bytes>) -> bool,
    ) -> bool {
        let mut state = lock(&self.state);
        if !state.is_lent {
            return true;
        }
        let is_all = due(batch);
        while !batch.is_empty() {
            // Why it takes no more is found out by the connection.
            let written = outgoing::with_slices(batch, |slices| match slices {
                [one] => self.wire.try_write(one),
                several => self.wire.try_write_vectored(several),
            });
            match written {
                Ok(written @ 1..) => outgoing::advance(batch, written),
                Ok(0) | Err(_) => break,
            }
        }
        if is_all && batch.is_empty() {
            return false;
        }
        state.is_lent = false;
        state.left.extend(batch.drain(..));
        true
    }
}

struct Seat {
    id: ConnectionId,
    bell: Arc<Bell>,
    lane: Arc<Lane>,
}

/// Viewers to whom one task carries.
#[derive(Default)]
pub(super) struct Row {
    pub bell: Bell,
    seats: Mutex<Vec<Seat>>,
}

impl Row {
    pub fn seat(&self, id: ConnectionId, bell: Arc<Bell>, lane: Arc<Lane>) {
        lock(&self.seats).push(Seat { id, bell, lane });
    }

    /// A row that is empty then is over.
    pub fn leave(&self, id: ConnectionId) {
        let mut seats = lock(&self.seats);
        seats.retain(|seat| seat.id != id);
        if seats.is_empty() {
            self.bell.ring();
        }
    }

    /// Carries when the bell rings, and not before it has rested; until it rings for
    /// an empty row.
    pub async fn serve(self: Arc<Self>, channel: Arc<Channel>) {
        let mut batch = VecDeque::new();
        let mut rested = Instant::now();
        let mut published = 0;
        loop {
            poll_fn(|cx| self.bell.poll(cx)).await;
            if rested > Instant::now() {
                tokio::select! {
                    () = sleep_until(rested) => {}
                    () = self.is_pressed(&channel, published + PRESSING) => {}
                }
            }
            let now = channel.hub().tally().published;
            match self.carry(&channel, &mut batch) {
                Carried::Nothing => {}
                Carried::Gifts => (rested, published) = (Instant::now() + REST, now),
                Carried::ToNobody => return,
            }
            // A bell that rang meanwhile is answered at once: others would have no
            // turn on this thread where that is over and over again.
            yield_now().await;
        }
    }

    /// Resolves when so many gifts were published; looks whenever the bell rings.
    async fn is_pressed(&self, channel: &Channel, published: u64) {
        poll_fn(|cx| {
            loop {
                if channel.hub().tally().published >= published {
                    return Poll::Ready(());
                }
                ready!(self.bell.poll(cx));
            }
        })
        .await;
    }

    /// Carries to everybody once.
    fn carry(&self, channel: &Channel, batch: &mut VecDeque<Bytes>) -> Carried {
        let seats = lock(&self.seats);
        let mut has_carried = false;
        for seat in &*seats {
            let has_more = seat.lane.carry(batch, |batch| {
                let mut hub = channel.hub();
                hub.gifts_for_viewer(seat.id, BATCH, |frame| {
                    batch.push_back(frame.into_bytes());
                    has_carried = true;
                })
            });
            if has_more {
                seat.bell.ring();
            }
        }
        match has_carried {
            _ if seats.is_empty() => Carried::ToNobody,
            true => Carried::Gifts,
            false => Carried::Nothing,
        }
    }
}

/// What came of a turn along a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    Nothing,
    Gifts,
    ToNobody,
}

#[cfg(test)]
pub(super) mod test {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A lane, and the other end of its wire.
    pub async fn lane() -> (Lane, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(listener.accept(), TcpStream::connect(address));
        let (_, write) = ours.unwrap().0.into_split();
        write.writable().await.unwrap();
        (Lane::new(Arc::new(write)), theirs.unwrap())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpStream;

    use super::super::channel::default_config;
    use super::super::hub::Joining;
    use super::super::socket::Frame;
    use super::test::lane;
    use super::*;
    use crate::protocol::ClientType;

    /// A gift that is `number` all over.
    fn gift(number: u8, length: usize) -> Bytes {
        vec![number; length].into()
    }

    fn carry(lane: &Lane, gifts: &[Bytes]) -> bool {
        let mut batch = VecDeque::new();
        let has_more = lane.carry(&mut batch, |batch| {
            batch.extend(gifts.iter().cloned());
            true
        });
        assert!(batch.is_empty());
        has_more
    }

    #[tokio::test]
    async fn a_lane_is_written_to_while_it_is_lent_and_only_then() {
        let (lane, mut theirs) = lane().await;
        let mut asked = false;
        assert!(lane.carry(&mut VecDeque::new(), |_| {
            asked = true;
            true
        }));
        assert!(!asked, "what is due stays so for the connection");
        lane.lend();
        assert!(!carry(&lane, &[gift(1, 3), gift(2, 2)]));
        assert!(!carry(&lane, &[]), "and it is lent still");
        assert!(lane.take_back().is_empty());
        assert!(carry(&lane, &[gift(3, 1)]));
        drop(lane);
        let mut read = Vec::new();
        theirs.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, [1, 1, 1, 2, 2]);
    }

    #[tokio::test]
    async fn a_connection_that_has_more_coming_gets_its_lane_back() {
        let (lane, _theirs) = lane().await;
        lane.lend();
        assert!(lane.carry(&mut VecDeque::new(), |_| false));
        let mut asked = false;
        assert!(lane.carry(&mut VecDeque::new(), |_| {
            asked = true;
            true
        }));
        assert!(!asked);
    }

    #[tokio::test]
    async fn what_a_full_socket_does_not_take_is_left_in_order() {
        let (lane, mut theirs) = lane().await;
        let gifts: Vec<Bytes> = (0..16).map(|it| gift(it, 1 << 20)).collect();
        lane.lend();
        assert!(carry(&lane, &gifts), "16 MB fit into no socket");
        assert!(
            carry(&lane, &[gift(99, 1)]),
            "nothing goes past what is left"
        );
        let left: Vec<u8> = lane.take_back().into_iter().flatten().collect();
        drop(lane);
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).await.unwrap();
        assert!(!all.is_empty() && !left.is_empty());
        all.extend(left);
        assert_eq!(all, gifts.concat());
    }

    #[tokio::test]
    async fn a_connection_whose_other_side_is_gone_is_left_to_find_out() {
        let (lane, theirs) = lane().await;
        drop(theirs);
        lane.lend();
        // The first write may reach the system before it knows.
        while !carry(&lane, &[gift(1, 1)]) {
            yield_now().await;
        }
        assert_eq!(lane.take_back().len(), 1);
    }

    /// A stream with one viewer, whose lane is lent, and the viewer's end of the wire.
    async fn watched() -> (Arc<Channel>, TcpStream) {
        let channel = Arc::new(Channel::new("s".into(), default_config()));
        let (id, _, _) = channel.join(Joining {
            client_id: "v".into(),
            role: ClientType::Viewer,
            hears_controls: false,
        });
        let (lane, theirs) = lane().await;
        lane.lend();
        channel.seat(id, Arc::new(lane));
        (channel, theirs)
    }

    /// Frames of two bytes and a digit, the serial's last.
    fn publish(channel: &Channel, serial: u64) {
        let frame = Frame::text(&(serial % 10).to_string());
        let gift = serial.to_string();
        channel.hub().publish(serial, gift.as_str().into(), frame);
        channel.wake();
    }

    async fn read<const BYTES: usize>(theirs: &mut TcpStream) -> [u8; BYTES] {
        let mut read = [0; BYTES];
        theirs.read_exact(&mut read).await.unwrap();
        read
    }

    #[tokio::test]
    async fn a_row_that_carried_rests_and_carries_the_next_together() {
        let (channel, mut theirs) = watched().await;
        let start = Instant::now();
        publish(&channel, 1);
        assert_eq!(read::<3>(&mut theirs).await[2], b'1');
        for serial in 2..=3 {
            publish(&channel, serial);
            // The row's turn, if it took one now.
            yield_now().await;
        }
        let mut next = [0; 6];
        let count = theirs.read(&mut next).await.unwrap();
        assert!(start.elapsed() >= REST, "it carried again at once");
        assert_eq!((count, next[2], next[5]), (6, b'2', b'3'));
    }

    #[tokio::test]
    async fn a_row_does_not_rest_on_while_gifts_press() {
        let (channel, mut theirs) = watched().await;
        publish(&channel, 1);
        read::<3>(&mut theirs).await;
        let mut theirs = theirs.into_std().unwrap();
        let mut waiting = [0; 3];
        for serial in 2..=PRESSING {
            publish(&channel, serial);
        }
        publish(&channel, PRESSING + 1);
        // Its turns; no timer has any.
        for _ in 0..3 {
            yield_now().await;
        }
        assert!(std::io::Read::read(&mut theirs, &mut waiting).is_ok_and(|read| read == 3));
    }
}
