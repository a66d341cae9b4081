//! One stream's connections and gifts: who gets what, when, and what became of
//! it. Pure: no clock, no socket, and what a frame is made of is the caller's.
//!
//! # How a gift travels
//! Published frames lie in one ring that every connection reads with a cursor
//! of its own, so that a gift costs the same however many are watching and a
//! slow connection keeps nobody waiting.
//!
//! | reader | behind by more than the ring | what was missed |
//! |---|---|---|
//! | viewer | skips to the latest gift | is counted |
//! | host | reads on from the gifts that are not settled | nothing that still matters |
//!
//! # How a gift ends
//! It is *settled* when one host says that it was rendered, or when every host
//! says that it cannot be, of those that are connected and of those that went a
//! moment ago ([`absent`]). Until then hosts get it again: at
//! once and in order after a reconnect, after 30 s and then twice as long each
//! time on a standing connection, and after five times it is *parked*: kept,
//! listed, and no longer sent. A host that says it has received the gift and
//! lets it wait is not asked again before it reconnects.

mod absent;
mod connection;
mod host;
mod progress;
mod ring;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{GiftId, Moment, SessionConfig};
use crate::protocol::ClientType;

use absent::Absent;
use connection::{Connection, Mark, Reader, Status};
use host::Host;
pub(super) use progress::Since;
use progress::Weighed;
use ring::Ring;
pub(super) use tally::Tally;

/// Gifts that a slow connection may be behind before it skips: about a minute at
/// the highest rate that a stage plays.
pub(super) const RING: usize = 4096;

/// Gifts in memory that are not settled, some 100 MB of them; as many as half
/// of what a renderer may owe. Beyond: the oldest is parked.
pub(super) const MAX_UNSETTLED: usize = 100_000;

/// Gifts that one host may owe an ack for, as many as its session holds for
/// its stage. Beyond: it is told, and the rest follows as it acks.
pub(super) const HOST_WINDOW: usize = 50_000;

/// Controls that wait for one connection; a person's clicks. Beyond: the
/// newest is not delivered, and the sender of it learns how many got it.
pub(super) const MAX_CONTROLS: usize = 32;

/// How long a host may take before a gift is sent again; doubles each time.
pub(super) const FIRST_PATIENCE: Duration = Duration::from_secs(30);

/// How often a gift is sent again on one connection before it is parked.
pub(super) const MAX_RESENDS: u32 = 5;

/// A connection, for as long as it lasts. Never used twice.
pub(super) type ConnectionId = u64;

/// Who joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joining {
    pub client_id: Arc<str>,
    pub role: ClientType,
    /// It named `x-control`.
    pub hears_controls: bool,
}

impl Joining {
    fn client(&self) -> Client {
        (self.role, self.client_id.clone())
    }
}

/// Who has one connection at a time. A host and a viewer of one `clientId` are
/// two: else a viewer's token would do to put a host out.
type Client = (ClientType, Arc<str>);

/// A gift's number in the store; grows in the order of acceptance.
pub(super) type Serial = u64;

/// The next thing for a connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next<F> {
    /// A new `connection:ack`, with the session's own id.
    Config(SessionConfig),
    /// A gift, the status or a control.
    Frame(F),
    /// So many gifts are unacknowledged that no more are sent before some are
    /// settled. Said once each time that it begins.
    TellSlow { owed: usize },
    /// Another connection has the same `clientId` and role.
    Displaced,
    /// Nothing now; look again then at the latest.
    Wait(Option<Moment>),
}

/// What `gift:ack` said of a gift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Rendered,
    Failed(Arc<str>),
    /// Received and waiting (`x-ack-interim`).
    Received,
}

/// Where a gift ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Rendered,
    Failed(Arc<str>),
    Parked,
}

/// What the store must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub gift: GiftId,
    pub ending: Ending,
}

/// A gift that is not settled.
struct Open<F> {
    gift: GiftId,
    frame: F,
    /// Clients that cannot render it.
    failed_by: HashSet<Arc<str>>,
    /// Why not, in the latest one's words.
    reason: Option<Arc<str>>,
    /// The hosts here are done with it, and the store was told so.
    is_judged: bool,
}

/// One stream. `F` is a frame, cheap to clone.
pub(super) struct Stream<F> {
    ring: Ring<F>,
    open: BTreeMap<Serial, Open<F>>,
    serials: HashMap<GiftId, Serial>,
    last_serial: Serial,
    connections: HashMap<ConnectionId, Connection<F>>,
    /// Connections that are hosts; a handful among thousands.
    hosts: Vec<ConnectionId>,
    /// The connection that speaks for each client.
    clients: HashMap<Client, ConnectionId>,
    absent: Absent,
    next_connection: ConnectionId,
    config: SessionConfig,
    config_version: u64,
    status: Option<Status<F>>,
    ended: Vec<Ended>,
    tally: Tally,
    weighed: Weighed,
    /// When time was last said to have passed.
    now: Moment,
    is_shared: bool,
}

impl<F: Clone> Stream<F> {
    pub fn new(config: SessionConfig) -> Self {
        Self {
            ring: Ring::new(RING),
            open: BTreeMap::new(),
            serials: HashMap::new(),
            last_serial: 0,
            connections: HashMap::new(),
            hosts: Vec::new(),
            clients: HashMap::new(),
            absent: Absent::default(),
            next_connection: 0,
            config,
            config_version: 0,
            status: None,
            ended: Vec::new(),
            tally: Tally::default(),
            weighed: Weighed::default(),
            now: Moment::ZERO,
            is_shared: false,
        }
    }

    /// Other relays have hosts too. What those here make of a gift settles it only
    /// once [`has_ended`](Self::has_ended) says so: until then it is for any that
    /// comes.
    pub fn share(&mut self) {
        self.is_shared = true;
    }

    /// Takes back a gift that is not settled, before anybody joins. Serials grow
    /// from call to call; one that does not is known already.
    pub fn restore(&mut self, serial: Serial, gift: GiftId, frame: F) {
        if serial <= self.last_serial {
            return;
        }
        self.last_serial = serial;
        if self.open.len() >= MAX_UNSETTLED
            && let Some((&oldest, _)) = self.open.first_key_value()
        {
            self.end(oldest, Ending::Parked);
        }
        self.serials.insert(gift.clone(), serial);
        let open = Open {
            gift,
            frame,
            failed_by: HashSet::new(),
            reason: None,
            is_judged: false,
        };
        self.open.insert(serial, open);
    }

    /// Every gift up to a serial was restored, or has ended. Hosts that have seen
    /// them before may be on their way back.
    pub fn restored_until(&mut self, serial: Serial) {
        self.last_serial = self.last_serial.max(serial);
        if let Some((&last, _)) = self.open.last_key_value() {
            self.absent.opened_with(last);
        }
    }

    /// A gift was accepted: everybody gets it. Serials grow from call to call;
    /// one that does not is known already.
    pub fn publish(&mut self, serial: Serial, gift: GiftId, frame: F) {
        if serial <= self.last_serial {
            return;
        }
        self.tally.published += 1;
        self.ring.push(serial, frame.clone());
        self.restore(serial, gift, frame);
    }

    /// A gift ended, here or on another relay: no host here owes it any more.
    pub fn has_ended(&mut self, gift: &GiftId) {
        if let Some(&serial) = self.serials.get(gift) {
            self.close(serial);
        }
    }

    /// Whether a host may still render a gift, or has yet to see it: one that is
    /// connected, or may be back in a moment.
    pub fn may_render(&self, serial: Serial) -> bool {
        if serial > self.last_serial {
            return !self.hosts.is_empty() || !self.absent.is_empty();
        }
        self.open.get(&serial).is_some_and(|open| {
            self.absent.may_render(serial, &open.failed_by)
                || self
                    .hosts()
                    .any(|(client, host)| !open.failed_by.contains(client) && !host.gave_up(serial))
        })
    }

    /// A connection was told the [`config`](Self::config) of now. The newest
    /// of a client wins; an older one is displaced, and returned too.
    pub fn join(&mut self, joining: Joining) -> (ConnectionId, Option<ConnectionId>) {
        let id = self.next_connection;
        self.next_connection += 1;
        let older = self.clients.insert(joining.client(), id);
        let reader = match joining.role {
            ClientType::Host => {
                self.hosts.push(id);
                self.absent.is_back(&joining.client_id);
                Reader::Host(Box::new(Host::joining_after(self.last_serial)))
            }
            ClientType::Viewer => Reader::Viewer(self.ring.end()),
        };
        let latest = self.status.as_ref();
        let connection = Connection::new(joining, self.config_version, reader, latest);
        self.connections.insert(id, connection);
        if let Some(older) = older {
            if let Some(older) = self.connections.get_mut(&older) {
                older.reader = Reader::Displaced;
            }
            self.is_no_host(older);
        }
        (id, older)
    }

    /// The connection is gone. Gifts that only it could still have rendered wait for
    /// it a little.
    pub fn leave(&mut self, id: ConnectionId, now: Moment) {
        let Some(gone) = self.connections.remove(&id) else {
            return;
        };
        let client = gone.joining.client();
        if self.clients.get(&client) == Some(&id) {
            self.clients.remove(&client);
            if client.0 == ClientType::Host {
                self.absent.has_gone(client.1, now);
            }
        }
        self.is_no_host(id);
    }

    /// Time has passed; to be told now and then. Gifts that waited for hosts that did
    /// not come back are judged by those that are here.
    pub fn pass(&mut self, now: Moment) {
        self.now = now;
        if self.absent.pass(now) {
            self.judge_all();
        }
    }

    fn is_no_host(&mut self, id: ConnectionId) {
        let before = self.hosts.len();
        self.hosts.retain(|host| *host != id);
        if self.hosts.len() < before {
            self.judge_all();
        }
    }

    /// With one host fewer, the others' word may be the last.
    fn judge_all(&mut self) {
        if !self.hosts.is_empty() {
            let open: Vec<Serial> = self.open.keys().copied().collect();
            open.into_iter().for_each(|serial| self.judge(serial));
        }
    }

    /// What goes out next on a connection. Ask again until it is
    /// [`Next::Wait`] or [`Next::Displaced`], and after every change.
    pub fn next(&mut self, id: ConnectionId, now: Moment) -> Next<F> {
        let Some(connection) = self.connections.get_mut(&id) else {
            return Next::Displaced;
        };
        if matches!(connection.reader, Reader::Displaced) {
            return Next::Displaced;
        }
        if connection.config_seen < self.config_version {
            connection.config_seen = self.config_version;
            return Next::Config(self.config.clone());
        }
        let next = match &connection.reader {
            Reader::Host(host) => next_gift(&self.open, &self.ring, host),
            Reader::Viewer(_) | Reader::Displaced => None,
        };
        let next = next.map(|(serial, _)| serial);
        let told = connection.next_control(next);
        if let Some(told) = told.or_else(|| connection.next_status(self.status.as_ref(), next)) {
            return Next::Frame(told);
        }
        match &mut connection.reader {
            Reader::Displaced => Next::Displaced,
            Reader::Viewer(place) => {
                let (frame, skipped) = self.ring.read(place);
                self.tally.skipped += skipped;
                self.tally.delivered += u64::from(frame.is_some());
                frame.map_or(Next::Wait(None), Next::Frame)
            }
            Reader::Host(_) => self.next_for_host(id, now),
        }
    }

    /// Takes what [`next`](Self::next) would say to a viewer while that is gifts:
    /// up to `most`, oldest first. Returns whether that is all there is to say.
    pub fn gifts_for_viewer(
        &mut self,
        id: ConnectionId,
        most: usize,
        mut take: impl FnMut(F),
    ) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else {
            return false;
        };
        let until = match connection.config_seen < self.config_version {
            true => 0,
            false => connection.gifts_until(self.status.as_ref()),
        };
        let Reader::Viewer(place) = &mut connection.reader else {
            return false;
        };
        for _ in 0..most {
            if *place >= until {
                return false;
            }
            let (frame, skipped) = self.ring.read(place);
            self.tally.skipped += skipped;
            let Some(frame) = frame else {
                return true;
            };
            self.tally.delivered += 1;
            take(frame);
        }
        false
    }

    fn next_for_host(&mut self, id: ConnectionId, now: Moment) -> Next<F> {
        loop {
            let Some(host) = host_of(&mut self.connections, id) else {
                return Next::Displaced;
            };
            let Some(serial) = host.pop_due(now) else {
                break;
            };
            if !host.send_again(serial, now) {
                self.judge(serial);
            } else if let Some(open) = self.open.get(&serial) {
                self.tally.resent += 1;
                self.tally.delivered += 1;
                return Next::Frame(open.frame.clone());
            }
        }
        let Some(host) = host_of(&mut self.connections, id) else {
            return Next::Displaced;
        };
        if host.owed() >= HOST_WINDOW {
            return match host.is_told_first_time() {
                true => Next::TellSlow { owed: host.owed() },
                false => Next::Wait(host.next_due()),
            };
        }
        let Some((serial, frame)) = next_gift(&self.open, &self.ring, host) else {
            return Next::Wait(host.next_due());
        };
        host.send(serial, now, self.open.contains_key(&serial));
        self.tally.delivered += 1;
        Next::Frame(frame.clone())
    }

    /// Whether a host was told that it is slow, and waits for room.
    pub fn is_slow(&mut self, id: ConnectionId) -> bool {
        host_of(&mut self.connections, id).is_some_and(|host| host.is_slow())
    }

    /// What a connection said of a gift. A viewer's words change nothing.
    pub fn acked(&mut self, id: ConnectionId, gift: &GiftId, word: Word) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let client = connection.joining.client_id.clone();
        let Reader::Host(host) = &mut connection.reader else {
            return;
        };
        let Some(&serial) = self.serials.get(gift) else {
            self.tally.stray_acks += 1;
            // It may be one that was parked or failed: late, and still the truth.
            if word == Word::Rendered {
                self.ended.push(Ended {
                    gift: gift.clone(),
                    ending: Ending::Rendered,
                });
            }
            return;
        };
        match word {
            Word::Received => host.holds(serial),
            Word::Rendered => {
                host.forget(serial);
                self.end(serial, Ending::Rendered);
            }
            Word::Failed(reason) => {
                host.forget(serial);
                if let Some(open) = self.open.get_mut(&serial) {
                    open.failed_by.insert(client);
                    open.reason = Some(reason);
                    self.judge(serial);
                }
            }
        }
    }

    /// Ends a gift that no host will render any more.
    fn judge(&mut self, serial: Serial) {
        let Some(open) = self.open.get(&serial) else {
            return;
        };
        let (mut hosts, mut failed, mut given_up) = (0, 0, 0);
        for (client, host) in self.hosts() {
            hosts += 1;
            failed += u32::from(open.failed_by.contains(client));
            given_up += u32::from(host.gave_up(serial));
        }
        let is_last_word = hosts > 0 && failed + given_up == hosts;
        if !is_last_word || self.absent.may_render(serial, &open.failed_by) {
            return;
        }
        let ending = match &open.reason {
            Some(reason) if failed == hosts => Ending::Failed(reason.clone()),
            _ => Ending::Parked,
        };
        self.judged(serial, ending);
    }

    /// No host here will render it any more.
    fn judged(&mut self, serial: Serial, ending: Ending) {
        if !self.is_shared {
            return self.end(serial, ending);
        }
        if let Some(open) = self.open.get_mut(&serial)
            && !open.is_judged
        {
            open.is_judged = true;
            let gift = open.gift.clone();
            self.note(gift, ending);
        }
    }

    fn hosts(&self) -> impl Iterator<Item = (&Arc<str>, &Host)> {
        let connections = self.hosts.iter().filter_map(|id| self.connections.get(id));
        connections.filter_map(|connection| match &connection.reader {
            Reader::Host(host) => Some((&connection.joining.client_id, &**host)),
            Reader::Viewer(_) | Reader::Displaced => None,
        })
    }

    fn close(&mut self, serial: Serial) -> Option<GiftId> {
        let open = self.open.remove(&serial)?;
        self.serials.remove(&open.gift);
        self.weighed.close(serial);
        for id in &self.hosts {
            if let Some(host) = host_of(&mut self.connections, *id) {
                host.forget(serial);
            }
        }
        Some(open.gift)
    }

    fn end(&mut self, serial: Serial, ending: Ending) {
        if let Some(gift) = self.close(serial) {
            self.note(gift, ending);
        }
    }

    fn note(&mut self, gift: GiftId, ending: Ending) {
        *match ending {
            Ending::Rendered => &mut self.tally.rendered,
            Ending::Failed(_) => &mut self.tally.failed,
            Ending::Parked => &mut self.tally.parked,
        } += 1;
        self.ended.push(Ended { gift, ending });
    }

    /// Endings that the store has not been told, oldest first.
    pub fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Every connection is told by a new `connection:ack`.
    pub fn set_config(&mut self, config: SessionConfig) {
        self.config = config;
        self.config_version += 1;
    }

    /// The latest status: every connection gets the `given` one, behind the gifts of now,
    /// and one that joins later gets that too, or as a host the one without what is not
    /// `settled`.
    pub fn set_status(&mut self, given: F, settled: F) {
        let version = self.status.as_ref().map_or(1, |latest| latest.version + 1);
        self.status = Some(Status {
            version,
            told: given.clone(),
            after: Mark {
                serial: self.last_serial,
                place: self.ring.end(),
            },
            given,
            settled,
        });
    }

    /// What a connection gets when it joins, in place of the status that the others
    /// have.
    pub fn renew_status(&mut self, given: F, settled: F) {
        if let Some(latest) = &mut self.status {
            (latest.given, latest.settled) = (given, settled);
        }
    }

    /// Tells every connection that named `x-control`, where the stream's
    /// features do too; where it names a `gift`, behind that. Returns how many will get
    /// it.
    pub fn control(&mut self, control: &F, gift: Option<&GiftId>) -> usize {
        let granted = self.config.features.iter();
        if !granted.into_iter().any(|name| &**name == "x-control") {
            return 0;
        }
        // A gift that is settled holds no host up: it came by, or is owed to nobody.
        let after = gift.map_or_else(Mark::default, |gift| Mark {
            serial: self.serials.get(gift).copied().unwrap_or(0),
            place: self.ring.end(),
        });
        let connections = self.connections.values_mut();
        let told = connections.map(|it| usize::from(it.take_in(control, after)));
        told.sum()
    }

    /// Connected hosts and viewers.
    pub fn audience(&self) -> (usize, usize) {
        (self.hosts.len(), self.clients.len() - self.hosts.len())
    }

    /// Whether it is as good as a new one.
    pub fn is_idle(&self) -> bool {
        let has_settings = self.config_version > 0 || self.status.is_some();
        self.connections.is_empty()
            && self.open.is_empty()
            && self.ended.is_empty()
            && !self.absent.are_several()
            && !has_settings
    }

    pub fn unsettled(&self) -> usize {
        self.open.len()
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What must hold after every step.
    #[cfg(test)]
    pub fn verify_invariants(&self) {
        assert_eq!(self.open.len(), self.serials.len());
        assert!(self.open.len() <= MAX_UNSETTLED);
        for (serial, open) in &self.open {
            assert_eq!(self.serials.get(&open.gift), Some(serial));
            assert!(*serial <= self.last_serial);
        }
        for (client, id) in &self.clients {
            let connection = self.connections.get(id).expect("it is connected");
            assert_eq!(&connection.joining.client(), client);
            assert!(!matches!(connection.reader, Reader::Displaced));
        }
        let hosts = self.connections.values();
        let hosts = hosts.filter(|it| matches!(it.reader, Reader::Host(_)));
        assert_eq!(hosts.count(), self.hosts.len());
        self.absent.verify_invariants(|client| {
            self.clients
                .contains_key(&(ClientType::Host, client.clone()))
        });
        for connection in self.connections.values() {
            connection.verify_invariants();
            match &connection.reader {
                Reader::Host(host) => {
                    host.verify_invariants(|serial| self.open.contains_key(&serial));
                }
                Reader::Viewer(place) => assert!(*place <= self.ring.end()),
                Reader::Displaced => {}
            }
        }
    }
}

fn host_of<F>(
    connections: &mut HashMap<ConnectionId, Connection<F>>,
    id: ConnectionId,
) -> Option<&mut Host> {
    match &mut connections.get_mut(&id)?.reader {
        Reader::Host(host) => Some(host),
        Reader::Viewer(_) | Reader::Displaced => None,
    }
}

/// What a host is sent next. Of the time before it came only what matters still; of the
/// time since then all that the ring has, settled by another host or not.
fn next_gift<'a, F: Clone>(
    open: &'a BTreeMap<Serial, Open<F>>,
    ring: &'a Ring<F>,
    host: &Host,
) -> Option<(Serial, &'a F)> {
    let open = open.range(host.after() + 1..).next();
    let open = open.map(|(serial, open)| (*serial, &open.frame));
    let recent = ring.after(host.after().max(host.joined_after()));
    [open, recent]
        .into_iter()
        .flatten()
        .min_by_key(|(serial, _)| *serial)
}
