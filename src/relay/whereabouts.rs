//! Where a running relay can be reached, for the other programs of its user.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::secret;

/// Why nobody knows where the relay is.
#[derive(Debug, Error)]
pub enum NotFound {
    #[error(
        "no relay runs with the data folder {}; start one with `hyperfocus serve`, or name its \
         folder with --data-dir", .0.display()
    )]
    NotRunning(PathBuf),
    #[error("cannot read {}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{} holds no address; see that its disk has room, and start the relay anew", .0.display()
    )]
    NoAddress(PathBuf),
}

/// A file that tells the address while the relay runs.
#[derive(Debug)]
pub(super) struct Notice(PathBuf);

impl Notice {
    /// # Errors
    /// When the file cannot be written.
    pub fn post(folder: &Path, at: &Whereabouts) -> io::Result<Self> {
        let path = path(folder);
        let mut file = secret::for_its_owner()
            .create(true)
            .truncate(true)
            .open(&path)?;
        writeln!(file, "{}\n{}", at.url, at.address)?;
        Ok(Self(path))
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        // One that stays is seen to be old by the lock that is free.
        let _ = fs::remove_file(&self.0);
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("relay.address")
}

/// Where a relay is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// As others call it: `http://127.0.0.1:7788` or `https://relay.example:7788`.
    pub url: String,
    /// For programs on its own machine, on which that name may be unknown.
    pub address: SocketAddr,
}

impl Whereabouts {
    /// Of a relay that listens at an address, or at all there are.
    pub fn new(url: String, listens: SocketAddr) -> Self {
        let ip = match listens.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let address = SocketAddr::new(ip, listens.port());
        Self { url, address }
    }

    fn read(text: &str) -> Option<Self> {
        let (url, address) = text.trim().split_once('\n')?;
        Some(Self {
            url: url.to_owned(),
            address: address.parse().ok()?,
        })
    }
}

/// Where the relay is that runs with this data folder. A relay that was
/// killed leaves its address behind, and whatever listens there by now must not
/// be sent a token: one counts as running only while it holds its lock.
///
/// # Errors
/// When none runs.
pub fn whereabouts_of(folder: &Path) -> Result<Whereabouts, NotFound> {
    let not_running = || NotFound::NotRunning(folder.to_owned());
    let lock = File::open(super::store::lock_path(folder)).map_err(|_| not_running())?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) | Err(TryLockError::Error(_)) => return Err(not_running()),
    }
    let path = path(folder);
    match fs::read_to_string(&path) {
        Ok(text) => Whereabouts::read(&text).ok_or(NotFound::NoAddress(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(not_running()),
        Err(error) => Err(NotFound::Io { path, error }),
    }
}
