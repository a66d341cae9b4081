//! What every store must do, and what is SQLite's own. The suite takes a way to
//! open the store again, as a relay that starts anew does.

use std::path::Path;
use std::sync::mpsc;

use tempfile::TempDir;

use super::*;
use crate::model::Sender;
use crate::relay::hub::Ending;

/// A store that can be closed and opened again.
trait Bench {
    /// Opens it; what it fed comes out of the receiver.
    fn open(&self) -> (Box<dyn Store>, Vec<Kept>, mpsc::Receiver<Vec<Fresh>>);
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
    fn open(&self) -> (Box<dyn Store>, Vec<Kept>, mpsc::Receiver<Vec<Fresh>>) {
        start(Opened::open(&self.options()).unwrap())
    }
}

fn start(mut opened: Opened) -> (Box<dyn Store>, Vec<Kept>, mpsc::Receiver<Vec<Fresh>>) {
    let (feed, fed) = mpsc::channel();
    let kept = std::mem::take(&mut opened.kept);
    let store = opened.start(Box::new(move |fresh| {
        let _ = feed.send(fresh);
    }));
    (Box::new(store.unwrap()), kept, fed)
}

/// Every test of the suite, against a store that `bench` makes.
macro_rules! conformance {
    ($bench:expr; $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(suite::$test(&$bench));
            }
        )*
    };
}

conformance! {
    Sqlite::new();
    a_gift_is_kept_fed_once_and_there_again_after_a_restart
    the_same_gift_again_is_a_repeat_whenever_it_says_it_was_sent
    a_reused_id_with_a_higher_combo_is_an_update_under_an_id_of_its_own
    another_gift_under_a_known_id_is_a_conflict
    endings_are_kept_and_what_is_settled_does_not_come_back
    a_late_word_makes_a_parked_gift_rendered_and_settled_ones_stay
    settings_and_status_survive
    lists_are_pages_in_order
    history_forgets_what_has_ended_and_nothing_else
    many_at_once_are_each_kept_once
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

/// What has ended is safe with the next thing that is.
async fn settle(store: &dyn Store) {
    store.keep_status(&stream(), "{}").await.unwrap();
}

async fn listed(store: &dyn Store, state: Option<State>) -> Vec<String> {
    let page = Page {
        state,
        after: 0,
        limit: 100,
    };
    let listed = store.list(&stream(), page).await.unwrap();
    listed.iter().map(|it| it.gift.to_string()).collect()
}

mod suite {
    use super::*;

    pub async fn a_gift_is_kept_fed_once_and_there_again_after_a_restart(bench: &dyn Bench) {
        let (store, kept, fed) = bench.open();
        assert!(kept.is_empty());
        assert_eq!(
            accept(&*store, gift("a")).await,
            Admission::Accepted("a".into())
        );
        assert_eq!(
            accept(&*store, gift("b")).await,
            Admission::Accepted("b".into())
        );
        let fresh: Vec<Fresh> = fed.try_iter().flatten().collect();
        let ids: Vec<&str> = fresh.iter().map(|it| &*it.gift).collect();
        assert_eq!(ids, ["a", "b"], "fed before accept returned");
        assert!(fresh[0].serial < fresh[1].serial);
        drop(store);
        let (_store, kept, fed) = bench.open();
        assert_eq!(kept.len(), 1);
        let again = kept[0].unsettled.iter();
        let again: Vec<_> = again.map(|(s, g, m)| (*s, &**g, m.as_str())).collect();
        let first = fresh
            .iter()
            .map(|it| (it.serial, &*it.gift, it.message.as_str()));
        assert_eq!(again, first.collect::<Vec<_>>());
        assert_eq!(fed.try_iter().count(), 0);
    }

    pub async fn the_same_gift_again_is_a_repeat_whenever_it_says_it_was_sent(bench: &dyn Bench) {
        let (store, _, fed) = bench.open();
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
        assert_eq!(fed.try_iter().flatten().count(), 1);
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
        let (store, _, fed) = bench.open();
        accept(&*store, combo("s", 1)).await;
        let update = Admission::Accepted("s:5".into());
        assert_eq!(accept(&*store, combo("s", 5)).await, update);
        let again = Admission::Repeated("s:5".into());
        assert_eq!(accept(&*store, combo("s", 5)).await, again);
        let fresh: Vec<Fresh> = fed.try_iter().flatten().collect();
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

    pub async fn another_gift_under_a_known_id_is_a_conflict(bench: &dyn Bench) {
        let (store, _, _) = bench.open();
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
        let offers = vec![Offer::new(other, now())];
        let elsewhere = store.accept(&"other".into(), offers, now()).await.unwrap();
        assert_eq!(elsewhere, [Admission::Accepted("a".into())]);
    }

    pub async fn endings_are_kept_and_what_is_settled_does_not_come_back(bench: &dyn Bench) {
        let (store, _, _) = bench.open();
        for id in ["a", "b", "c", "d"] {
            accept(&*store, gift(id)).await;
        }
        end(&*store, "a", Ending::Rendered).await;
        end(&*store, "b", Ending::Failed("no picture".into())).await;
        end(&*store, "c", Ending::Parked).await;
        settle(&*store).await;
        assert_eq!(listed(&*store, Some(State::Rendered)).await, ["a"]);
        assert_eq!(listed(&*store, Some(State::Failed)).await, ["b"]);
        assert_eq!(listed(&*store, Some(State::Parked)).await, ["c"]);
        assert_eq!(listed(&*store, Some(State::Unacked)).await, ["d"]);
        assert_eq!(listed(&*store, None).await, ["a", "b", "c", "d"]);
        drop(store);
        let (_store, kept, _) = bench.open();
        let left: Vec<&str> = kept[0].unsettled.iter().map(|it| &*it.1).collect();
        assert_eq!(left, ["d"]);
    }

    pub async fn a_late_word_makes_a_parked_gift_rendered_and_settled_ones_stay(bench: &dyn Bench) {
        let (store, _, _) = bench.open();
        accept(&*store, gift("a")).await;
        end(&*store, "a", Ending::Parked).await;
        end(&*store, "a", Ending::Rendered).await;
        end(&*store, "a", Ending::Failed("late".into())).await;
        end(&*store, "unknown", Ending::Rendered).await;
        settle(&*store).await;
        assert_eq!(listed(&*store, Some(State::Rendered)).await, ["a"]);
    }

    pub async fn settings_and_status_survive(bench: &dyn Bench) {
        let (store, _, _) = bench.open();
        let config = SessionConfig {
            ping_interval: std::time::Duration::from_millis(1500),
            max_gifts_per_second: 12.5,
            features: vec!["x-control".into()],
        };
        store
            .keep_config(&stream(), &SessionConfig::default())
            .await
            .unwrap();
        store.keep_config(&stream(), &config).await.unwrap();
        store.keep_status(&stream(), "{\"live\":1}").await.unwrap();
        drop(store);
        let (_store, kept, _) = bench.open();
        assert_eq!(kept[0].config, Some(config));
        assert_eq!(kept[0].status.as_deref(), Some("{\"live\":1}"));
    }

    pub async fn lists_are_pages_in_order(bench: &dyn Bench) {
        let (store, _, _) = bench.open();
        for id in 0..7 {
            accept(&*store, gift(&id.to_string())).await;
        }
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = Page {
                state: Some(State::Unacked),
                after,
                limit: 3,
            };
            let listed = store.list(&stream(), page).await.unwrap();
            let Some(last) = listed.last() else { break };
            after = last.serial;
            assert!(listed.len() <= 3);
            seen.extend(listed.iter().map(|it| it.gift.to_string()));
        }
        assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6"]);
    }

    pub async fn history_forgets_what_has_ended_and_nothing_else(bench: &dyn Bench) {
        let (store, _, _) = bench.open();
        for id in ["shown", "open", "parked"] {
            accept(&*store, gift(id)).await;
        }
        end(&*store, "shown", Ending::Rendered).await;
        end(&*store, "parked", Ending::Parked).await;
        assert_eq!(store.forget_before(now()).await.unwrap(), 0, "not yet old");
        let later = WallTime::from_second(1_900_000_000).unwrap();
        assert_eq!(store.forget_before(later).await.unwrap(), 1);
        assert_eq!(listed(&*store, None).await, ["open", "parked"]);
    }

    pub async fn many_at_once_are_each_kept_once(bench: &dyn Bench) {
        let (store, _, fed) = bench.open();
        let offers = (0..500).map(|id| {
            let offers = vec![Offer::new(gift(&(id % 250).to_string()), now())];
            store.accept(&stream(), offers, now())
        });
        let admissions = futures_util::future::join_all(offers).await;
        let is_new = |it: &&Result<Vec<Admission>, StoreError>| {
            matches!(it.as_ref().unwrap()[..], [Admission::Accepted(_)])
        };
        assert_eq!(admissions.iter().filter(is_new).count(), 250);
        let serials: Vec<Serial> = fed.try_iter().flatten().map(|it| it.serial).collect();
        assert_eq!(serials.len(), 250);
        assert!(serials.is_sorted(), "fed in the order of the serials");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn two_relays_cannot_share_a_folder() {
    let bench = Sqlite::new();
    let _first = bench.open();
    let second = Opened::open(&bench.options()).err().unwrap();
    assert!(matches!(second, StoreError::InUse(_)), "{second}");
}

#[test]
fn a_full_database_refuses_recovers_and_forgets_no_ending() {
    let bench = Sqlite::new();
    let bounded = SqliteOptions {
        max_mib: Some(1),
        ..bench.options()
    };
    let (store, _, _fed) = start(Opened::open(&bounded).unwrap());
    block_on(async {
        let mut id = 0;
        let refused = loop {
            let big = Gift {
                sender: Sender::named("u", "n".repeat(60)),
                ..gift(&format!("{id:0100}"))
            };
            let offers = (0..50).map(|n| {
                Offer::new(
                    Gift {
                        id: format!("{id}-{n}").into(),
                        ..big.clone()
                    },
                    now(),
                )
            });
            match store.accept(&stream(), offers.collect(), now()).await {
                Ok(_) => id += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, StoreError::Full), "{refused}");
        assert!(!store.is_well());
        assert!(id > 0, "some had room");
        // Endings change what is there and need little room; gone, they make it.
        let ended = (0..id).flat_map(|id| (0..50).map(move |n| format!("{id}-{n}")));
        let ended = ended.map(|gift| Ended {
            gift: gift.as_str().into(),
            ending: Ending::Rendered,
        });
        store.end(&stream(), ended.collect(), now()).await;
        let later = WallTime::from_second(1_900_000_000).unwrap();
        let mut forgotten = 0;
        for _ in 0..20 {
            forgotten += store.forget_before(later).await.unwrap_or(0);
        }
        assert_eq!(forgotten, id * 50);
        assert!(store.is_well());
        accept(&*store, gift("after")).await;
        assert_eq!(listed(&*store, None).await, ["after"]);
    });
}

/// Writes rubbish over the middle of a database with gifts in it.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle / 2..middle + middle / 2].fill(0xa5);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_database_is_told_kept_and_put_aside_only_on_demand() {
    let bench = Sqlite::new();
    let (store, _, _fed) = bench.open();
    block_on(async {
        for id in 0..200 {
            accept(&*store, gift(&id.to_string())).await;
        }
    });
    drop(store);
    for harm in [damage as fn(&Path), |path| {
        std::fs::write(path, "not a database, not at all").unwrap();
    }] {
        harm(&bench.database());
        let broken = std::fs::read(bench.database()).unwrap();
        let refused = Opened::open(&bench.options()).err().expect("it is damaged");
        let said = refused.to_string();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{said}");
        assert!(
            said.contains("relay.sqlite") && said.contains("--start-clean"),
            "{said}"
        );
        assert_eq!(
            std::fs::read(bench.database()).unwrap(),
            broken,
            "left as it was"
        );
        let clean = SqliteOptions {
            start_clean: true,
            ..bench.options()
        };
        let opened = Opened::open(&clean).unwrap();
        let aside = opened.put_aside.clone().expect("it was put aside");
        assert_eq!(std::fs::read(&aside).unwrap(), broken);
        std::fs::remove_file(aside).unwrap();
        assert!(opened.kept.is_empty());
    }
    // A sound one stays, told to or not.
    let clean = SqliteOptions {
        start_clean: true,
        ..bench.options()
    };
    assert_eq!(Opened::open(&clean).unwrap().put_aside, None);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_gifts() {
    use std::os::unix::fs::PermissionsExt;

    let bench = Sqlite::new();
    let _open = bench.open();
    let folder = bench.database().parent().unwrap().to_owned();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().contains(".sqlite") {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
            seen += 1;
        }
    }
    assert!(seen >= 2, "the database and its log");
}

#[test]
fn a_database_of_the_future_is_not_touched() {
    let bench = Sqlite::new();
    drop(bench.open());
    let connection = rusqlite::Connection::open(bench.database()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = Opened::open(&bench.options()).err().unwrap();
    assert!(matches!(refused, StoreError::TooNew(_)), "{refused}");
}
