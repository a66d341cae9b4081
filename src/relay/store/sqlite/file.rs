//! The database's file: how it is laid out, opened, bounded and put aside.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use tracing::warn;

use crate::model::WallTime;
use crate::relay::store::{StoreError, lock};

/// The layout below; a file with a greater number is not touched, and one with a
/// smaller is brought up to it.
const LAYOUT: i64 = 4;

const TABLES: &str = "
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
    CREATE INDEX finished ON gifts (ended_at) WHERE state IN (1, 2);
";

/// By what lists are read, streams when they are opened, and gifts counted. Each index
/// is one more thing to write for every gift, so that this is the only one beside those
/// of the table's own.
const INDEX: &str = "CREATE INDEX by_state ON gifts (stream, state, serial);";

/// What earlier layouts had for that.
const FORMER_INDEXES: &str = "
    DROP INDEX IF EXISTS unfinished;
    DROP INDEX IF EXISTS by_stream;
    DROP INDEX IF EXISTS not_rendered;
    DROP INDEX IF EXISTS unsettled;
";

const MIB: u64 = 1024 * 1024;

/// As one part in so many of the pages that gifts may take, those come on top in which it
/// is noted what became of them: a gift takes a little more room once it has ended.
const ENDINGS_SHARE: u64 = 8;

/// Where the database lies and how large it may grow.
#[derive(Debug, Clone)]
pub(in crate::relay) struct SqliteOptions {
    /// The folder; made when it is not there.
    pub folder: PathBuf,
    /// At this size gifts are refused until there is room; only the disk's
    /// when absent. What became of gifts may take an eighth more: without that
    /// nothing would become history, and no room ever be made.
    pub max_mib: Option<u64>,
    /// Put a damaged database aside and begin with an empty one.
    pub start_clean: bool,
}

/// A database that was found well.
pub(in crate::relay) struct Opened {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) lock: File,
    /// How many pages it may have before gifts are refused; the disk's room when absent.
    pub(super) max_pages: Option<u64>,
    /// Where a damaged one was put.
    pub put_aside: Option<PathBuf>,
}

impl Opened {
    /// # Errors
    /// When the folder cannot be used, another relay uses it, or the database
    /// is damaged and `start_clean` does not say what to do.
    pub fn open(options: &SqliteOptions) -> Result<Self, StoreError> {
        let unusable = |reason: String| StoreError::Unusable {
            path: options.folder.clone(),
            reason,
        };
        let lock = lock(&options.folder)?;
        let path = options.folder.join("relay.sqlite");
        let (connection, put_aside) = match open(&path) {
            Err(StoreError::Damaged { reason, .. }) if options.start_clean => {
                let aside = put_aside(&path).map_err(|error| unusable(error.to_string()))?;
                warn!(database = %path.display(), aside = %aside.display(), reason,
                    "the database was damaged and was put aside");
                (open(&path)?, Some(aside))
            }
            opened => (opened?, None),
        };
        let bounded = options.max_mib.map(|mib| bound(&connection, mib));
        let max_pages = bounded
            .transpose()
            .map_err(|error| explain(&path, &error))?;
        Ok(Self {
            connection,
            max_pages,
            path,
            lock,
            put_aside,
        })
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    keep_to_its_owner(path);
    let explained = |error| explain(path, &error);
    let (connection, layout) = connect(path).map_err(explained)?;
    if layout > LAYOUT {
        return Err(StoreError::TooNew(path.to_owned()));
    }
    // Before anything is changed: a damaged one is left as it is.
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(explained)?;
    if verdict != "ok" {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: verdict.replace('\n', " "),
        });
    }
    prepare(&connection, layout).map_err(explained)?;
    Ok(connection)
}

/// Opens a database to look at it, and says what layout it has. Whoever then leaves it
/// has changed nothing: the last connection that is closed would otherwise write the
/// log into the database and delete it.
fn connect(path: &Path) -> rusqlite::Result<(Connection, i64)> {
    let connection = Connection::open(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let layout = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((connection, layout))
}

/// Has a database that was found well written as we want it.
fn prepare(connection: &Connection, layout: i64) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    match lay_out(connection, layout) {
        // Then lists are slower, and it is tried again at the next start.
        Err(error) if layout > 0 && error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            warn!("the disk is too full to bring the database up to this version's indexes");
        }
        laid_out => laid_out?,
    }
    // What a statement may have to take back would otherwise go into a file of its own,
    // in a folder that may be full or not ours.
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// Brings a database up to the layout, whole or not at all; an empty one has 0.
fn lay_out(connection: &Connection, layout: i64) -> rusqlite::Result<()> {
    let lacks: &[&str] = match layout {
        0 => &[TABLES, INDEX],
        LAYOUT => return Ok(()),
        _ => &[FORMER_INDEXES, INDEX],
    };
    let lacks = lacks.concat();
    connection.execute_batch(&format!(
        "BEGIN; {lacks} PRAGMA user_version = {LAYOUT}; COMMIT;"
    ))
}

/// Renames the database and what lies beside it, so that nothing is lost.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let stamp = WallTime::now().as_second();
    let renamed = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = renamed(&format!(".damaged-{stamp}"));
    fs::rename(path, &aside)?;
    for part in ["-wal", "-shm"] {
        match fs::rename(renamed(part), renamed(&format!(".damaged-{stamp}{part}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

/// Has the database grow to so many MiB, and by what endings take on top. How many pages
/// gifts may have of it.
fn bound(connection: &Connection, mib: u64) -> rusqlite::Result<u64> {
    let pages = (mib * MIB / number(connection, "page_size")?).max(1);
    // One that is larger already still needs room for endings, or stays so.
    let most = pages.max(number(connection, "page_count")?) + pages / ENDINGS_SHARE;
    number(connection, &format!("max_page_count = {most}"))?;
    Ok(pages)
}

/// How many pages hold something.
pub(super) fn used_pages(connection: &Connection) -> rusqlite::Result<u64> {
    let free = number(connection, "freelist_count")?;
    Ok(number(connection, "page_count")?.saturating_sub(free))
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
}

/// Makes the file before SQLite would, which lets everybody read it. What SQLite
/// puts beside it has the same mode.
fn keep_to_its_owner(path: &Path) {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Where this fails SQLite says why.
    let _ = options.open(path);
}

/// What SQLite's complaint means to us.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        },
        _ => StoreError::Failed(error.to_string()),
    }
}
