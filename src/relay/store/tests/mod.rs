//! What every store must do, and what is SQLite's own. The suite takes a way to
//! open the store again, as a relay that starts anew does.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::model::Sender;
use crate::relay::hub::Ending;
use crate::relay::lock::lock;

mod file;
mod foreign;
mod lists;

#[path = "../../../../tests/foreign/nats.rs"]
#[expect(dead_code, reason = "the relay's own tests use more of it")]
mod nats_server;

/// What was heard of a stream.
#[derive(Default)]
struct Heard(Mutex<Vec<News>>);

impl Feed for Heard {
    fn hear(&self, stream: &StreamId, news: Vec<News>) {
        if *stream != self::stream() {
            return;
        }
        let mut heard = lock(&self.0);
        heard.extend(news);
    }

    fn may_render(&self, _: &StreamId, _: Serial) -> bool {
        false
    }
}

impl Heard {
    /// Everything since the last call.
    fn take(&self) -> Vec<News> {
        let mut heard = lock(&self.0);
        std::mem::take(&mut heard)
    }

    fn gifts(&self) -> Vec<Fresh> {
        let gifts = self.take().into_iter().filter_map(|news| match news {
            News::Gift(gift) => Some(gift),
            _ => None,
        });
        gifts.collect()
    }
}

/// A store that can be closed and opened again.
trait Bench {
    fn start(&self, feed: Arc<dyn Feed>) -> BoxFuture<'_, Box<dyn Store>>;
}

/// Opens it, and the stream of the tests: what is kept there, and what is heard.
async fn open(bench: &dyn Bench) -> (Box<dyn Store>, Kept, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let store = bench.start(heard.clone()).await;
    store.open(&stream()).await.unwrap();
    let mut first = heard.take();
    assert_eq!(first.len(), 1, "{first:?}");
    let News::Kept(kept) = first.remove(0) else {
        panic!("{first:?}");
    };
    (store, kept, heard)
}

struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn options(&self) -> SqliteOptions {
        SqliteOptions {
            folder: self.0.path().to_owned(),
            max_mib: None,
            start_clean: false,
        }
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("relay.sqlite")
    }
}

impl Bench for Sqlite {
    fn start(&self, feed: Arc<dyn Feed>) -> BoxFuture<'_, Box<dyn Store>> {
        let opened = Opened::open(&self.options()).unwrap();
        let store: Box<dyn Store> = Box::new(opened.start(feed).unwrap());
        Box::pin(std::future::ready(store))
    }
}

struct Nats(nats_server::Nats);

impl Nats {
    fn options(&self) -> NatsOptions {
        NatsOptions {
            servers: self.0.url(),
            credentials: None,
            authorities: None,
            replicas: 1,
        }
    }
}

impl Bench for Nats {
    fn start(&self, feed: Arc<dyn Feed>) -> BoxFuture<'_, Box<dyn Store>> {
        Box::pin(async move {
            let store = NatsStore::connect(&self.options(), feed).await.unwrap();
            Box::new(store) as Box<dyn Store>
        })
    }
}

/// Every test of the suite, against a store on either bench.
macro_rules! conformance {
    ($($test:ident)*) => {
        mod on_sqlite {
            use super::*;
            $(
                #[test]
                fn $test() {
                    block_on(suite::$test(&Sqlite::new()));
                }
            )*
        }

        mod on_nats {
            use super::*;
            $(
                #[test]
                fn $test() {
                    if let Some(server) = nats_server::Nats::start() {
                        block_on(suite::$test(&Nats(server)));
                    }
                }
            )*
        }
    };
}

conformance! {
    a_gift_is_kept_fed_once_and_there_again_after_a_restart
    the_same_gift_again_is_a_repeat_whenever_it_says_it_was_sent
    a_reused_id_with_a_higher_combo_is_an_update_under_an_id_of_its_own
    the_end_of_a_streak_under_its_reused_id_has_an_id_of_its_own
    another_gift_under_a_known_id_is_a_conflict
    endings_are_kept_heard_and_what_is_settled_does_not_come_back
    a_late_word_makes_a_parked_gift_rendered_and_settled_ones_stay
    what_hosts_failed_turns_out_to_be_shown_and_the_desks_word_stays
    parked_gifts_are_counted_when_a_stream_opens_and_from_then_on
    settings_and_status_are_heard_and_survive
    lists_are_pages_in_order
    lists_of_every_state_are_pages_in_the_order_of_the_gifts
    history_forgets_what_has_ended_and_nothing_else
    what_history_forgot_may_come_again
    many_at_once_are_each_kept_once
    what_comes_in_one_array_is_judged_gift_by_gift
    a_stream_that_was_closed_is_heard_of_when_it_is_opened_again
}

fn stream() -> StreamId {
    "main".into()
}

fn now() -> WallTime {
    WallTime::from_second(1_800_000_000).unwrap()
}

fn gift(id: &str) -> Gift {
    Gift::one(id, "rose", Sender::named("ada", "Ada 😀"))
}

fn combo(id: &str, combo_count: u32) -> Gift {
    Gift {
        is_streak: true,
        combo_count,
        ..gift(id)
    }
}

async fn accept(store: &dyn Store, gift: Gift) -> Admission {
    let offers = vec![Offer::new(gift, now())];
    store
        .accept(&stream(), offers, now())
        .await
        .unwrap()
        .remove(0)
}

async fn end(store: &dyn Store, id: &str, ending: Ending) {
    let gift = id.into();
    store
        .end(&stream(), vec![Ended { gift, ending }], now())
        .await;
}

/// How many more gifts are parked, by what was heard.
fn parked(news: &[News]) -> i64 {
    let more = news.iter().map(|news| match news {
        News::Parked(more) => *more,
        _ => 0,
    });
    more.sum()
}

async fn listed(store: &dyn Store, state: Option<State>) -> Vec<String> {
    let page = Page {
        state,
        order: Order::Oldest,
        after: 0,
        limit: 100,
    };
    let listed = store.list(&stream(), page).await.unwrap();
    listed.iter().map(|it| it.gift.to_string()).collect()
}

mod suite {
    use super::*;

    pub(super) use super::lists::*;

    pub async fn a_gift_is_kept_fed_once_and_there_again_after_a_restart(bench: &dyn Bench) {
        let (store, kept, heard) = open(bench).await;
        assert_eq!(kept, Kept::default());
        assert_eq!(
            accept(&*store, gift("a")).await,
            Admission::Accepted("a".into())
        );
        assert_eq!(
            accept(&*store, gift("b")).await,
            Admission::Accepted("b".into())
        );
        let fresh = heard.gifts();
        let ids: Vec<&str> = fresh.iter().map(|it| &*it.gift).collect();
        assert_eq!(ids, ["a", "b"], "heard of before accept returned");
        assert!(fresh[0].serial < fresh[1].serial);
        drop(store);
        let (_store, kept, heard) = open(bench).await;
        assert_eq!(kept.unsettled, fresh);
        assert!(kept.until >= fresh[1].serial);
        assert!(heard.take().is_empty());
    }

    pub async fn the_same_gift_again_is_a_repeat_whenever_it_says_it_was_sent(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        accept(&*store, gift("a")).await;
        let later = Gift {
            sent_at: Some(WallTime::now()),
            ..gift("a")
        };
        for again in [gift("a"), later] {
            assert_eq!(
                accept(&*store, again).await,
                Admission::Repeated("a".into())
            );
        }
        assert_eq!(heard.gifts().len(), 1);
        let both = vec![Offer::new(gift("x"), now()), Offer::new(gift("x"), now())];
        let both = store.accept(&stream(), both, now()).await.unwrap();
        let expected = [
            Admission::Accepted("x".into()),
            Admission::Repeated("x".into()),
        ];
        assert_eq!(both, expected);
    }

    pub async fn a_reused_id_with_a_higher_combo_is_an_update_under_an_id_of_its_own(
        bench: &dyn Bench,
    ) {
        let (store, _, heard) = open(bench).await;
        accept(&*store, combo("s", 1)).await;
        let update = Admission::Accepted("s:5".into());
        assert_eq!(accept(&*store, combo("s", 5)).await, update);
        let again = Admission::Repeated("s:5".into());
        assert_eq!(accept(&*store, combo("s", 5)).await, again);
        let fresh = heard.gifts();
        let message = decode_server(fresh[1].message.as_bytes()).unwrap();
        let ServerMessage::Gift(sent) = message else {
            panic!("{message:?}");
        };
        assert_eq!((&*sent.id, sent.combo_count), ("s:5", 5));
        let changed = Gift {
            quantity: 3,
            ..combo("s", 5)
        };
        let conflict = Admission::Conflict("s:5".into());
        assert_eq!(accept(&*store, changed).await, conflict);
        let long = "l".repeat(limits::MAX_ID_BYTES);
        accept(&*store, combo(&long, 1)).await;
        let too_long = Admission::Conflict(long.as_str().into());
        assert_eq!(accept(&*store, combo(&long, 2)).await, too_long);
    }

    pub async fn the_end_of_a_streak_under_its_reused_id_has_an_id_of_its_own(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        let is_over = |id: &str, count| Gift {
            is_streak: false,
            ..combo(id, count)
        };
        accept(&*store, combo("s", 1)).await;
        accept(&*store, combo("s", 5)).await;
        accept(&*store, combo("one", 1)).await;
        heard.take();
        for (gift, id) in [(is_over("s", 5), "s:5:end"), (is_over("one", 1), "one:end")] {
            let accepted = Admission::Accepted(id.into());
            assert_eq!(accept(&*store, gift.clone()).await, accepted);
            let again = Admission::Repeated(id.into());
            assert_eq!(accept(&*store, gift).await, again);
        }
        let fresh = heard.gifts();
        let ids: Vec<&str> = fresh.iter().map(|it| &*it.gift).collect();
        assert_eq!(ids, ["s:5:end", "one:end"]);
        let known = Admission::Repeated("s:5".into());
        assert_eq!(accept(&*store, combo("s", 5)).await, known, "late");
        // Somebody else's ends nothing, and without a count none is repeated.
        let other = Gift {
            gift_type: "lion".into(),
            ..is_over("one", 1)
        };
        let conflict = Admission::Conflict("one".into());
        assert_eq!(accept(&*store, other).await, conflict);
        accept(&*store, combo("none", 0)).await;
        let conflict = Admission::Conflict("none".into());
        assert_eq!(accept(&*store, is_over("none", 0)).await, conflict);
    }

    pub async fn another_gift_under_a_known_id_is_a_conflict(bench: &dyn Bench) {
        let (store, _, _) = open(bench).await;
        accept(&*store, gift("a")).await;
        let other = Gift {
            gift_type: "lion".into(),
            ..gift("a")
        };
        assert_eq!(
            accept(&*store, other.clone()).await,
            Admission::Conflict("a".into())
        );
        // In another stream it is nobody's.
        for elsewhere in ["other", "main.gift", "*", "a Stream 😀", ">"] {
            let offers = vec![Offer::new(other.clone(), now())];
            let admitted = store.accept(&elsewhere.into(), offers, now()).await;
            assert_eq!(admitted.unwrap(), [Admission::Accepted("a".into())]);
        }
    }

    pub async fn endings_are_kept_heard_and_what_is_settled_does_not_come_back(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        for id in ["a", "b", "c", "d"] {
            accept(&*store, gift(id)).await;
        }
        heard.take();
        let endings = [
            ("a", Ending::Rendered),
            ("b", Ending::Failed("no picture".into())),
            ("c", Ending::Parked),
        ];
        for (id, ending) in endings.clone() {
            end(&*store, id, ending).await;
        }
        store.flush().await;
        let mut news = heard.take();
        news.sort_by_key(|it| format!("{it:?}"));
        let mut expected: Vec<News> = endings.into_iter().map(ended).collect();
        expected.push(News::Parked(1));
        expected.sort_by_key(|it| format!("{it:?}"));
        assert_eq!(news, expected);
        assert_eq!(listed(&*store, Some(State::Rendered)).await, ["a"]);
        assert_eq!(listed(&*store, Some(State::Failed)).await, ["b"]);
        assert_eq!(listed(&*store, Some(State::Parked)).await, ["c"]);
        assert_eq!(listed(&*store, Some(State::Unacked)).await, ["d"]);
        for (id, state, reason) in [
            ("a", State::Rendered, None),
            ("b", State::Failed, Some("no picture")),
            ("c", State::Parked, None),
            ("d", State::Unacked, None),
        ] {
            let found = store.find(&stream(), &id.into()).await.unwrap().unwrap();
            assert_eq!((&*found.gift, found.state), (id, state));
            assert_eq!(found.reason.as_deref(), reason);
            assert!(found.message.contains(&format!("\"giftId\":\"{id}\"")));
        }
        let unknown = store.find(&stream(), &"e".into()).await;
        assert_eq!(unknown.unwrap(), None);
        assert_eq!(listed(&*store, None).await, ["a", "b", "c", "d"]);
        drop(store);
        let (_store, kept, _) = open(bench).await;
        let left: Vec<&str> = kept.unsettled.iter().map(|it| &*it.gift).collect();
        assert_eq!(left, ["d"]);
    }

    fn ended((gift, ending): (&str, Ending)) -> News {
        let gift = gift.into();
        News::Ended(Ended { gift, ending })
    }

    pub async fn a_late_word_makes_a_parked_gift_rendered_and_settled_ones_stay(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        accept(&*store, gift("a")).await;
        end(&*store, "a", Ending::Parked).await;
        store.flush().await;
        end(&*store, "a", Ending::Rendered).await;
        store.flush().await;
        heard.take();
        end(&*store, "a", Ending::Failed("late".into())).await;
        end(&*store, "a", Ending::Rendered).await;
        end(&*store, "unknown", Ending::Rendered).await;
        store.flush().await;
        assert_eq!(heard.take(), [], "nothing has changed");
        assert_eq!(listed(&*store, Some(State::Rendered)).await, ["a"]);
        assert_eq!(listed(&*store, Some(State::Parked)).await, [""; 0]);
    }

    pub async fn what_hosts_failed_turns_out_to_be_shown_and_the_desks_word_stays(
        bench: &dyn Bench,
    ) {
        let (store, _, heard) = open(bench).await;
        let again = format!("{SENT_AGAIN}another");
        for (id, reason) in [("a", "no picture"), ("b", DISMISSED), ("c", again.as_str())] {
            accept(&*store, gift(id)).await;
            end(&*store, id, Ending::Parked).await;
            store.flush().await;
            end(&*store, id, Ending::Failed(reason.into())).await;
        }
        store.flush().await;
        assert_eq!(parked(&heard.take()), 0);
        for id in ["a", "b", "c", "a"] {
            end(&*store, id, Ending::Rendered).await;
        }
        store.flush().await;
        assert_eq!(heard.take(), [ended(("a", Ending::Rendered))]);
        assert_eq!(listed(&*store, Some(State::Rendered)).await, ["a"]);
        assert_eq!(listed(&*store, Some(State::Failed)).await, ["b", "c"]);
        let shown = store.find(&stream(), &"a".into()).await.unwrap().unwrap();
        assert_eq!(shown.reason, None);
        drop(store);
        let (_store, kept, _) = open(bench).await;
        assert_eq!(kept.unsettled, []);
    }

    pub async fn parked_gifts_are_counted_when_a_stream_opens_and_from_then_on(bench: &dyn Bench) {
        let (store, kept, heard) = open(bench).await;
        assert_eq!(kept.parked, 0);
        for id in ["a", "b", "c", "shown"] {
            accept(&*store, gift(id)).await;
        }
        for id in ["a", "b", "c"] {
            end(&*store, id, Ending::Parked).await;
        }
        end(&*store, "shown", Ending::Rendered).await;
        store.flush().await;
        assert_eq!(parked(&heard.take()), 3);
        // One turns out to be shown, one is parked again, one was shown already.
        end(&*store, "a", Ending::Rendered).await;
        end(&*store, "b", Ending::Parked).await;
        end(&*store, "shown", Ending::Parked).await;
        store.flush().await;
        assert_eq!(parked(&heard.take()), -1);
        drop(store);
        let (store, kept, heard) = open(bench).await;
        let mut now_parked = kept.parked as i64;
        let counting = async {
            // NATS counts them beside all else.
            while now_parked < 2 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                now_parked += parked(&heard.take());
            }
        };
        let counted = tokio::time::timeout(std::time::Duration::from_secs(30), counting).await;
        assert_eq!((counted, now_parked), (Ok(()), 2));
        // Another is shown after all, and the last is dismissed.
        end(&*store, "b", Ending::Rendered).await;
        end(&*store, "c", Ending::Failed("dismissed".into())).await;
        store.flush().await;
        assert_eq!(parked(&heard.take()), -2);
        assert_eq!(listed(&*store, Some(State::Parked)).await, [""; 0]);
        assert_eq!(listed(&*store, Some(State::Failed)).await, ["c"]);
    }

    pub async fn settings_and_status_are_heard_and_survive(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        let config = SessionConfig {
            ping_interval: std::time::Duration::from_millis(1500),
            max_gifts_per_second: 12.5,
            features: vec!["x-control".into()],
        };
        let first = SessionConfig::default();
        store.keep_config(&stream(), &first).await.unwrap();
        store.keep_config(&stream(), &config).await.unwrap();
        for live in ["{\"live\":0}", "{\"live\":1}"] {
            store.keep_status(&stream(), live).await.unwrap();
        }
        let news = [
            News::Config(first),
            News::Config(config.clone()),
            News::Status("{\"live\":0}".into()),
            News::Status("{\"live\":1}".into()),
        ];
        assert_eq!(heard.take(), news, "heard of before the answer");
        // What is noted of a status that is not there any more puts nothing back.
        store
            .note_status(&stream(), "{\"live\":0}", "{\"live\":2}")
            .await;
        store.flush().await;
        assert_eq!(heard.take(), [], "and nobody hears of it");
        drop(store);
        let (_store, kept, _) = open(bench).await;
        assert_eq!(kept.config, Some(config));
        assert_eq!(kept.status.as_deref(), Some("{\"live\":1}"));
    }

    pub async fn history_forgets_what_has_ended_and_nothing_else(bench: &dyn Bench) {
        let (store, _, _) = open(bench).await;
        for id in ["shown", "open", "parked"] {
            accept(&*store, gift(id)).await;
        }
        end(&*store, "shown", Ending::Rendered).await;
        end(&*store, "parked", Ending::Parked).await;
        store.flush().await;
        assert_eq!(store.forget_before(now()).await.unwrap(), 0, "not yet old");
        let later = WallTime::from_second(1_900_000_000).unwrap();
        assert_eq!(store.forget_before(later).await.unwrap(), 1);
        assert_eq!(store.forget_before(later).await.unwrap(), 0);
        assert_eq!(listed(&*store, None).await, ["open", "parked"]);
        drop(store);
        let (_store, kept, _) = open(bench).await;
        let left: Vec<&str> = kept.unsettled.iter().map(|it| &*it.gift).collect();
        assert_eq!(left, ["open"]);
    }

    pub async fn what_history_forgot_may_come_again(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        accept(&*store, gift("a")).await;
        end(&*store, "a", Ending::Parked).await;
        store.flush().await;
        end(&*store, "a", Ending::Rendered).await;
        store.flush().await;
        let later = WallTime::from_second(1_900_000_000).unwrap();
        assert_eq!(store.forget_before(later).await.unwrap(), 1);
        heard.take();
        let again = accept(&*store, gift("a")).await;
        assert_eq!(again, Admission::Accepted("a".into()));
        assert_eq!(heard.gifts().len(), 1);
        assert_eq!(listed(&*store, Some(State::Unacked)).await, ["a"]);
        drop(store);
        let (_store, kept, _) = open(bench).await;
        assert_eq!(kept.unsettled.len(), 1);
    }

    pub async fn many_at_once_are_each_kept_once(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        let offers = (0..500).map(|id| {
            let offers = vec![Offer::new(gift(&(id % 250).to_string()), now())];
            store.accept(&stream(), offers, now())
        });
        let admissions = futures_util::future::join_all(offers).await;
        let is_new = |it: &&Result<Vec<Admission>, StoreError>| {
            matches!(it.as_ref().unwrap()[..], [Admission::Accepted(_)])
        };
        assert_eq!(admissions.iter().filter(is_new).count(), 250);
        let serials: Vec<Serial> = heard.gifts().iter().map(|it| it.serial).collect();
        assert_eq!(serials.len(), 250);
        assert!(serials.is_sorted(), "in the order of the serials");
    }

    pub async fn what_comes_in_one_array_is_judged_gift_by_gift(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        accept(&*store, gift("known")).await;
        accept(&*store, combo("s", 1)).await;
        heard.take();
        let other = Gift {
            quantity: 2,
            ..gift("known")
        };
        let mut gifts: Vec<Gift> = (0..40).map(|id| gift(&id.to_string())).collect();
        gifts[3] = gift("known");
        gifts[4] = other;
        gifts[20] = combo("s", 7);
        gifts[21] = gift("19");
        let mut expected: Vec<_> = gifts
            .iter()
            .map(|gift| Admission::Accepted(gift.id.clone()))
            .collect();
        expected[3] = Admission::Repeated("known".into());
        expected[4] = Admission::Conflict("known".into());
        expected[20] = Admission::Accepted("s:7".into());
        expected[21] = Admission::Repeated("19".into());
        let offers = gifts.into_iter().map(|gift| Offer::new(gift, now()));
        let admissions = store.accept(&stream(), offers.collect(), now()).await;
        assert_eq!(admissions.unwrap(), expected);
        let accepted = expected.iter().filter_map(|admission| match admission {
            Admission::Accepted(id) => Some(id.to_string()),
            Admission::Repeated(_) | Admission::Conflict(_) => None,
        });
        let fresh = heard.gifts();
        let heard: BTreeSet<String> = fresh.iter().map(|it| it.gift.to_string()).collect();
        assert_eq!((heard, fresh.len()), (accepted.collect(), 37));
        let page = Page {
            state: Some(State::Unacked),
            order: Order::Oldest,
            after: 0,
            limit: 100,
        };
        let listed = store.list(&stream(), page).await.unwrap();
        let listed = listed[2..].iter().map(|it| (it.serial, &it.message));
        assert!(listed.eq(fresh.iter().map(|it| (it.serial, &it.message))));
    }

    pub async fn a_stream_that_was_closed_is_heard_of_when_it_is_opened_again(bench: &dyn Bench) {
        let (store, _, heard) = open(bench).await;
        accept(&*store, gift("a")).await;
        store.close(&stream());
        accept(&*store, gift("b")).await;
        heard.take();
        store.open(&stream()).await.unwrap();
        let [News::Kept(kept)] = &heard.take()[..] else {
            panic!("what is kept, and nothing else");
        };
        let there: Vec<&str> = kept.unsettled.iter().map(|it| &*it.gift).collect();
        assert_eq!(there, ["a", "b"]);
        accept(&*store, gift("c")).await;
        assert_eq!(heard.gifts().len(), 1);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}
