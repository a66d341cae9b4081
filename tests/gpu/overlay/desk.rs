//! What a desktop has on its session bus: a tray that icons register with, and
//! a place for notifications. Both on a bus of the tests' own.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use zbus::names::BusName;
use zbus::zvariant::{OwnedValue, Type, Value};
use zbus::{Connection, connection, fdo, interface};

use super::skip;
use crate::stage::{PATIENCE, now};
use crate::window::Running;

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const ITEM: (&str, &str) = ("/StatusNotifierItem", "org.kde.StatusNotifierItem");
const MENU: (&str, &str) = ("/MenuBar", "com.canonical.dbusmenu");

/// A session bus with nothing on it, and a thread for whoever is to be.
pub struct Bus {
    pub address: String,
    handle: Handle,
    _end: oneshot::Sender<()>,
    _thread: JoinHandle<()>,
    _daemon: Running,
    folder: TempDir,
}

impl Bus {
    /// `None`, said aloud, without the program dbus-daemon.
    pub fn start() -> Option<Self> {
        if Command::new("dbus-daemon")
            .arg("--version")
            .output()
            .is_err()
        {
            skip("dbus-daemon is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("bus");
        let address = format!("unix:path={}", socket.display());
        let config = folder.path().join("bus.conf");
        let lines = format!(
            "<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>"
        );
        fs::write(&config, lines).expect("a file");
        let daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut daemon = Running(daemon.expect("it is installed"));
        let deadline = now() + PATIENCE;
        while !socket.exists() {
            let ended = daemon.0.try_wait().expect("our own child");
            assert!(ended.is_none() && now() < deadline, "no bus: {ended:?}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            // The other end is dropped, not written to.
            let _ = runtime.block_on(ended);
        });
        Some(Self {
            address,
            handle,
            _end: end,
            _thread: thread,
            _daemon: daemon,
            folder,
        })
    }

    /// A folder that is this bus's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A tray comes, and with it notifications.
    pub fn open_desk(&self) -> Desk<'_> {
        let seen = Arc::<Mutex<Seen>>::default();
        let connection = self.wait(async {
            connection::Builder::address(&*self.address)?
                .serve_at("/StatusNotifierWatcher", Watcher(seen.clone()))?
                .serve_at(
                    "/org/freedesktop/Notifications",
                    Notifications(seen.clone()),
                )?
                .name(WATCHER)?
                .name(NOTIFICATIONS)?
                .build()
                .await
        });
        Desk {
            bus: self,
            connection,
            seen,
        }
    }

    fn wait<T>(&self, future: impl Future<Output = zbus::Result<T>>) -> T {
        let patiently = async { tokio::time::timeout(PATIENCE, future).await };
        let answer = self.handle.block_on(patiently);
        answer.expect("it answers").expect("without an error")
    }
}

/// What came to the desk.
#[derive(Default)]
struct Seen {
    /// Names of items on the bus, as they were registered.
    items: Vec<String>,
    /// What notifications said, and which each was to replace.
    notices: Vec<(String, u32)>,
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Watcher(Arc<Mutex<Seen>>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        lock(&self.0).items.push(service);
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

struct Notifications(Arc<Mutex<Seen>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into(), "body-markup".into()]
    }

    fn notify(
        &self,
        _name: String,
        replaces: u32,
        _icon: String,
        _title: String,
        text: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _time: i32,
    ) -> u32 {
        lock(&self.0).notices.push((text, replaces));
        17
    }
}

/// An entry of a menu, with those below it (com.canonical.dbusmenu).
#[derive(Debug, Clone, Serialize, Deserialize, Type, Value, OwnedValue)]
struct Layout {
    id: i32,
    properties: HashMap<String, OwnedValue>,
    below: Vec<OwnedValue>,
}

/// What an entry shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub label: String,
    /// `None` for one that has no mark.
    pub is_marked: Option<bool>,
    id: i32,
}

/// A desktop with a tray, until it is dropped.
pub struct Desk<'a> {
    bus: &'a Bus,
    connection: Connection,
    seen: Arc<Mutex<Seen>>,
}

impl Desk<'_> {
    /// The item that registered last.
    pub fn item(&self) -> Option<String> {
        lock(&self.seen).items.last().cloned()
    }

    pub fn notices(&self) -> Vec<(String, u32)> {
        lock(&self.seen).notices.clone()
    }

    /// Whether the item is still on the bus.
    pub fn has(&self, item: &str) -> bool {
        let name = BusName::try_from(item.to_owned()).expect("a name");
        self.bus.wait(async {
            let bus = fdo::DBusProxy::new(&self.connection).await?;
            Ok(bus.name_has_owner(name).await?)
        })
    }

    /// A property of the item.
    pub fn read<T>(&self, item: &str, property: &str) -> T
    where
        T: TryFrom<OwnedValue>,
        T::Error: std::fmt::Debug,
    {
        let value = self.bus.wait(async {
            let properties = fdo::PropertiesProxy::builder(&self.connection)
                .destination(item.to_owned())?
                .path(ITEM.0)?
                .build()
                .await?;
            let interface = ITEM.1.try_into()?;
            Ok(properties.get(interface, property).await?)
        });
        T::try_from(value).expect("the type that the specification gives it")
    }

    /// Every entry of the item's menu, from top to bottom, submenus opened.
    pub fn menu(&self, item: &str) -> Vec<Entry> {
        let nothing: &[&str] = &[];
        let layout: (u32, Layout) = self.call(item, "GetLayout", &(0, -1, nothing));
        let mut entries = Vec::new();
        gather(&layout.1, &mut entries);
        entries
    }

    pub fn entry(&self, item: &str, label: &str) -> Entry {
        let menu = self.menu(item);
        let found = menu.iter().find(|entry| entry.label == label);
        found
            .unwrap_or_else(|| panic!("no {label} in {menu:?}"))
            .clone()
    }

    pub fn is_marked(&self, item: &str, label: &str) -> bool {
        self.entry(item, label).is_marked == Some(true)
    }

    pub fn click(&self, item: &str, label: &str) {
        let entry = self.entry(item, label);
        let (): () = self.call(
            item,
            "Event",
            &(entry.id, "clicked", Value::from(0_u8), 0_u32),
        );
    }

    fn call<B, R>(&self, item: &str, method: &str, body: &B) -> R
    where
        B: Serialize + zbus::zvariant::DynamicType + Sync,
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
    {
        let (path, interface) = MENU;
        let call = self
            .connection
            .call_method(Some(item), path, Some(interface), method, body);
        let answer = self.bus.wait(call);
        answer.body().deserialize().expect("what dbusmenu answers")
    }

    /// Takes tray and notifications off the bus.
    pub fn leave(self) {
        self.bus.wait(self.connection.clone().close());
    }
}

fn gather(layout: &Layout, entries: &mut Vec<Entry>) {
    let text = |key: &str| {
        let value = layout.properties.get(key)?;
        value.downcast_ref::<String>().ok()
    };
    let state = layout.properties.get("toggle-state");
    if let Some(label) = text("label") {
        entries.push(Entry {
            label,
            is_marked: text("toggle-type")
                .map(|_| state.is_some_and(|state| state.downcast_ref::<i32>() == Ok(1))),
            id: layout.id,
        });
    }
    for below in &layout.below {
        let below = below.try_clone().expect("it holds no files");
        gather(&below.try_into().expect("an entry"), entries);
    }
}
