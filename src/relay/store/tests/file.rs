//! What only the store in a file does.

use super::*;

#[test]
fn two_relays_cannot_share_a_folder() {
    let bench = Sqlite::new();
    let _first = Opened::open(&bench.options()).unwrap();
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
    let opened = Opened::open(&bounded).unwrap();
    let store = opened.start(Arc::new(Heard::default())).unwrap();
    block_on(async {
        let mut accepted = Vec::new();
        // As often as it is filled, and not to a page less.
        for cycle in 0..5 {
            let mut batches = 0;
            let refused = loop {
                let offers = (0..50).map(|n| {
                    let gift = Gift {
                        sender: Sender::named("u", "n".repeat(60)),
                        ..gift(&format!("{cycle}-{batches}-{n}"))
                    };
                    Offer::new(gift, now())
                });
                match store.accept(&stream(), offers.collect(), now()).await {
                    Ok(_) => batches += 1,
                    Err(error) => break error,
                }
            };
            assert!(matches!(refused, StoreError::Full), "{refused}");
            assert!(!store.is_well());
            assert!(batches > 0, "some had room");
            store.flush().await;
            assert!(!store.is_well(), "what needs no room is no sign of any");
            // Endings change what is there and need little room; gone, they make it.
            let ids = (0..batches).flat_map(|at| (0..50).map(move |n| format!("{cycle}-{at}-{n}")));
            let ended = ids.map(|id| Ended {
                gift: id.as_str().into(),
                ending: Ending::Rendered,
            });
            store.end(&stream(), ended.collect(), now()).await;
            store.flush().await;
            let later = WallTime::from_second(1_900_000_000).unwrap();
            let mut forgotten = 0;
            for _ in 0..20 {
                forgotten += store.forget_before(later).await.unwrap_or(0);
            }
            assert_eq!(forgotten, batches * 50);
            assert!(store.is_well());
            accepted.push(batches);
        }
        let (least, most) = (accepted.iter().min(), accepted.iter().max());
        assert!(most.unwrap() - least.unwrap() <= 2, "{accepted:?}");
        accept(&store, gift("after")).await;
        assert_eq!(listed(&store, None).await, ["after"]);
    });
}

#[test]
fn the_log_is_written_into_the_database_before_it_is_long() {
    const LOG: &str = "relay.sqlite-wal";
    const MIB: u64 = 1024 * 1024;
    let bench = Sqlite::new();
    let log = bench.database().with_file_name(LOG);
    block_on(async {
        let (store, _, _) = open(&bench).await;
        let mut longest = 0;
        for batch in 0..150 {
            let gifts = (0..100).map(|id| gift(&format!("{batch}-{id}")));
            let offers = gifts.map(|gift| Offer::new(gift, now())).collect();
            store.accept(&stream(), offers, now()).await.unwrap();
            // By then what followed the answer is done.
            store.flush().await;
            longest = fs::metadata(&log).unwrap().len().max(longest);
        }
        assert!((4 * MIB..6 * MIB).contains(&longest), "{longest} bytes");
        let everything = bench.database().metadata().unwrap().len();
        assert!(everything > longest, "{everything} bytes");
    });
}

/// Writes rubbish over the middle of a database with gifts in it.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle / 2..middle + middle / 2].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_database_is_told_kept_and_put_aside_only_on_demand() {
    let bench = Sqlite::new();
    block_on(async {
        let (store, _, _) = open(&bench).await;
        for id in 0..200 {
            accept(&*store, gift(&id.to_string())).await;
        }
    });
    for harm in [damage as fn(&Path), |path| {
        fs::write(path, "not a database, not at all").unwrap();
    }] {
        harm(&bench.database());
        let broken = fs::read(bench.database()).unwrap();
        let refused = Opened::open(&bench.options()).err().expect("it is damaged");
        let said = refused.to_string();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{said}");
        assert!(
            said.contains("relay.sqlite") && said.contains("--start-clean"),
            "{said}"
        );
        assert_eq!(
            fs::read(bench.database()).unwrap(),
            broken,
            "left as it was"
        );
        let clean = SqliteOptions {
            start_clean: true,
            ..bench.options()
        };
        let opened = Opened::open(&clean).unwrap();
        let aside = opened.put_aside.clone().expect("it was put aside");
        assert_eq!(fs::read(&aside).unwrap(), broken);
        fs::remove_file(aside).unwrap();
    }
    // A sound one stays, told to or not.
    let clean = SqliteOptions {
        start_clean: true,
        ..bench.options()
    };
    assert_eq!(Opened::open(&clean).unwrap().put_aside, None);
}

/// The log that SQLite has beside a database.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// A database, which is open, and its log, as a relay that is killed leaves them.
fn killed(bench: &Sqlite) -> Sqlite {
    let left = Sqlite::new();
    fs::copy(bench.database(), left.database()).unwrap();
    fs::copy(log_of(&bench.database()), log_of(&left.database())).unwrap();
    left
}

/// The database and its log, byte by byte.
fn contents(database: &Path) -> [Vec<u8>; 2] {
    [database.to_owned(), log_of(database)].map(|path| fs::read(path).unwrap())
}

#[test]
fn the_log_of_a_damaged_database_stays_and_is_put_aside_with_it() {
    let bench = Sqlite::new();
    let left = block_on(async {
        let (store, _, _) = open(&bench).await;
        for id in 0..200 {
            accept(&*store, gift(&id.to_string())).await;
        }
        drop(store);
        let (store, _, _) = open(&bench).await;
        accept(&*store, gift("the last")).await;
        killed(&bench)
    });
    damage(&left.database());
    let broken = contents(&left.database());
    let refused = Opened::open(&left.options())
        .err()
        .expect("it is damaged")
        .to_string();
    assert!(refused.contains("relay.sqlite-wal"), "{refused}");
    assert_eq!(contents(&left.database()), broken, "left as they were");
    let clean = SqliteOptions {
        start_clean: true,
        ..left.options()
    };
    let aside = Opened::open(&clean).unwrap().put_aside;
    assert_eq!(contents(&aside.expect("it was put aside")), broken);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_gifts() {
    use std::os::unix::fs::PermissionsExt;

    let bench = Sqlite::new();
    let _open = Opened::open(&bench.options()).unwrap();
    let folder = bench.database().parent().unwrap().to_owned();
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().contains(".sqlite") {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
            seen += 1;
        }
    }
    assert!(seen >= 2, "the database and its log");
}

/// A database as the first version made it.
const FIRST_LAYOUT: &str = "
    CREATE TABLE streams (
        id TEXT PRIMARY KEY,
        rate REAL,
        ping_ms INTEGER,
        features TEXT,
        status TEXT
    ) STRICT;
    CREATE TABLE gifts (
        serial INTEGER PRIMARY KEY AUTOINCREMENT,
        stream TEXT NOT NULL,
        gift TEXT NOT NULL,
        accepted_at INTEGER NOT NULL,
        state INTEGER NOT NULL DEFAULT 0,
        reason TEXT,
        ended_at INTEGER,
        message TEXT NOT NULL,
        UNIQUE (stream, gift)
    ) STRICT;
    CREATE INDEX unfinished ON gifts (stream, state, serial) WHERE state IN (0, 3);
    CREATE INDEX finished ON gifts (ended_at) WHERE state IN (1, 2);
    PRAGMA user_version = 1;
";

#[test]
fn a_database_of_the_first_layout_is_brought_up_to_this_one_with_all_that_is_in_it() {
    let bench = Sqlite::new();
    let connection = rusqlite::Connection::open(bench.database()).unwrap();
    connection.execute_batch(FIRST_LAYOUT).unwrap();
    for (id, state) in [("a", 0), ("b", 1), ("c", 2), ("d", 3)] {
        let message = Offer::new(gift(id), now()).message;
        let insert = "INSERT INTO gifts (stream, gift, accepted_at, state, message)
             VALUES ('main', ?1, 0, ?2, ?3)";
        connection
            .execute(insert, rusqlite::params![id, state, message])
            .unwrap();
    }
    let status = "INSERT INTO streams (id, status) VALUES ('main', '{}')";
    connection.execute(status, []).unwrap();
    drop(connection);
    block_on(async {
        for _ in 0..2 {
            let (store, kept, _) = open(&bench).await;
            let left: Vec<&str> = kept.unsettled.iter().map(|it| &*it.gift).collect();
            assert_eq!((left, kept.parked), (vec!["a"], 1));
            assert_eq!(kept.status.as_deref(), Some("{}"));
            for (state, id) in [
                (State::Unacked, "a"),
                (State::Rendered, "b"),
                (State::Failed, "c"),
                (State::Parked, "d"),
            ] {
                assert_eq!(listed(&*store, Some(state)).await, [id]);
            }
            let again = accept(&*store, gift("b")).await;
            assert_eq!(again, Admission::Repeated("b".into()));
        }
    });
    let connection = rusqlite::Connection::open(bench.database()).unwrap();
    let layout = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    assert_eq!(layout.unwrap(), 4);
}

/// What the second and the third layout had in place of today's one index.
const FORMER_INDEXES: &str = "
    DROP INDEX by_state;
    CREATE INDEX by_stream ON gifts (stream, serial);
    CREATE INDEX not_rendered ON gifts (stream, state, serial)
        WHERE state = 0 OR state = 2 OR state = 3;
";
const FORMER_COUNT: &str = "CREATE INDEX unsettled ON gifts (state) WHERE state = 0;";

#[test]
fn a_database_of_a_former_layout_gets_the_indexes_of_this_one_and_no_others() {
    let bench = Sqlite::new();
    drop(Opened::open(&bench.options()).unwrap());
    let connection = rusqlite::Connection::open(bench.database()).unwrap();
    let indexes = || -> Vec<String> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name";
        let mut names = connection.prepare(names).unwrap();
        let names = names.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    let todays = indexes();
    for (layout, count) in [(2, ""), (3, FORMER_COUNT)] {
        let back = format!("{FORMER_INDEXES} {count} PRAGMA user_version = {layout};");
        connection.execute_batch(&back).unwrap();
        assert_ne!(indexes(), todays);
        drop(Opened::open(&bench.options()).unwrap());
        assert_eq!(indexes(), todays, "of layout {layout}");
    }
}

#[test]
fn a_database_of_the_future_is_not_touched_nor_is_its_log() {
    let bench = Sqlite::new();
    drop(Opened::open(&bench.options()).unwrap());
    let connection = rusqlite::Connection::open(bench.database()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let left = killed(&bench);
    let written = contents(&left.database());
    let refused = Opened::open(&left.options()).err().unwrap();
    assert!(matches!(refused, StoreError::TooNew(_)), "{refused}");
    assert_eq!(contents(&left.database()), written);
}
