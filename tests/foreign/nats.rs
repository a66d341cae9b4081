//! A nats-server for a test, on a free loopback port, with a store of its own.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

include!("skip.rs");

/// A running nats-server; ended with the test, however that ends.
pub struct Nats {
    child: Child,
    port: u16,
    more: String,
    folder: TempDir,
}

impl Nats {
    /// Starts one; `None`, said aloud, where the program is absent.
    pub fn start() -> Option<Self> {
        Self::with("")
    }

    /// With more lines of configuration.
    pub fn with(more: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let child = match launch(&folder, 0, more) {
            Ok(child) => child,
            Err(error) => {
                skip(&format!(
                    "no nats-server that runs ({error}); scripts/setup.sh installs it"
                ));
                return None;
            }
        };
        let mut nats = Self {
            child,
            port: 0,
            more: more.to_owned(),
            folder,
        };
        nats.port = nats.listens();
        Some(nats)
    }

    /// Three that keep everything three times.
    pub fn three() -> Option<[Self; 3]> {
        // Free just now, and nobody else's in all likelihood when they are needed;
        // held until all are known, so that none is there twice.
        let held = [(); 3].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.map(|it| it.local_addr().unwrap().port());
        let routes = ports.map(|port| format!("\"nats://127.0.0.1:{port}\""));
        let servers = ports.map(|port| {
            Self::with(&format!(
                "server_name: \"s{port}\"\n\
                 cluster {{ name: \"three\", listen: \"127.0.0.1:{port}\", \
                 routes: [{}], no_advertise: true }}",
                routes.join(", ")
            ))
        });
        let [Some(first), Some(second), Some(third)] = servers else {
            return None;
        };
        Some([first, second, third])
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let _ = fs::remove_file(self.ports());
    }

    /// On the same port, with what was kept.
    pub fn start_again(&mut self) {
        self.child = launch(&self.folder, self.port, &self.more).unwrap();
        assert_eq!(self.listens(), self.port);
    }

    fn ports(&self) -> std::path::PathBuf {
        let name = format!("nats-server_{}.ports", self.child.id());
        self.folder.path().join(name)
    }

    /// The port, once it is written down, which is when it is open.
    fn listens(&mut self) -> u16 {
        for _ in 0..3_000 {
            let ports = fs::read_to_string(self.ports()).unwrap_or_default();
            let ports: serde_json::Value = serde_json::from_str(&ports).unwrap_or_default();
            if let Some(address) = ports["nats"][0].as_str() {
                let port = address.rsplit(':').next().unwrap();
                return port.parse().unwrap();
            }
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "nats-server ended"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nats-server does not listen");
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(folder: &TempDir, port: u16, more: &str) -> std::io::Result<Child> {
    let path = folder.path().display();
    // -1 is any free one.
    let port = match port {
        0 => "-1".to_owned(),
        port => port.to_string(),
    };
    let config = format!(
        "listen: \"127.0.0.1:{port}\"\n\
         ports_file_dir: \"{path}\"\n\
         jetstream {{ store_dir: \"{path}/store\" }}\n\
         {more}\n"
    );
    let file = folder.path().join("nats.conf");
    fs::write(&file, config)?;
    let program = std::env::var_os("HYPERFOCUS_TEST_NATS").unwrap_or_else(|| "nats-server".into());
    Command::new(program)
        .arg("-c")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
