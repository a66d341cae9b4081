//! Processes that serve a crowd, what they have taken of the machine, and the
//! relay's HTTP from outside.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::super::process;
use crate::cli::TemporaryFolder;

/// Longest that any single step takes, however busy the machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A process that is ended with its owner.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
    /// The first line it printed, if it says anything.
    pub said: String,
}

impl Served {
    /// Starts `command` and takes its address from the first line it prints,
    /// where it stands between `before` and a comma or the line's end.
    ///
    /// # Errors
    /// When it cannot start or prints something else.
    pub fn start(command: &mut Command, before: &str) -> Result<Self> {
        let program = command.get_program().to_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("it was piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .split_once(before)
            .and_then(|(_, rest)| rest.trim().split(',').next()?.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("{} said {line:?}", program.display());
        };
        Ok(Self {
            child,
            address,
            said: line,
        })
    }

    /// One that says nothing, when it is known where it listens.
    pub fn silent(command: &mut Command, address: SocketAddr) -> Result<Self> {
        let program = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            child,
            address,
            said: String::new(),
        })
    }

    /// CPU seconds that it has used, in the kernel too.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()))
            .context("this system does not tell what a process has used")?;
        let mut nanos = 0.0;
        for task in tasks {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let own: f64 = text.split(' ').next().context("empty")?.parse()?;
            nanos += own;
        }
        Ok(nanos / 1e9)
    }

    /// Resident bytes.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn resident_bytes(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .context("this system does not tell what a process holds")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
        Ok(kilobytes.parse::<f64>()? * 1024.0)
    }

    /// `kill -9`
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `hyperfocus serve` on a folder of its own.
pub struct RelayProcess {
    pub served: Served,
    folder: TemporaryFolder,
}

impl RelayProcess {
    pub fn start() -> Result<Self> {
        let folder = TemporaryFolder::new("bench-relay")?;
        let served = serve(folder.path(), 0)?;
        Ok(Self { served, folder })
    }

    /// Kills it and starts it again, on the same files and the same port.
    pub fn restart(&mut self) -> Result<()> {
        self.served.kill()?;
        self.served = serve(self.folder.path(), self.served.address.port())?;
        Ok(())
    }

    pub fn address(&self) -> SocketAddr {
        self.served.address
    }

    /// What stands in a role's file.
    pub fn token(&self, role: &str) -> Result<String> {
        let file = self.folder.path().join(format!("{role}.token"));
        Ok(std::fs::read_to_string(file)?.trim().to_owned())
    }
}

fn serve(folder: &Path, port: u16) -> Result<Served> {
    let mut command = Command::new(process::this_program()?);
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .arg("--data-dir")
        .arg(folder)
        .env("HYPERFOCUS_LOG", "error");
    Served::start(&mut command, "http://")
}

/// A relay closes connections that ask nothing for ten seconds.
const FRESH: Duration = Duration::from_secs(5);

/// One connection to a relay that stays open while it is used.
pub struct Http {
    stream: TcpStream,
    used: Instant,
    address: SocketAddr,
    token: String,
    answer: Vec<u8>,
}

impl Http {
    pub fn connect(address: SocketAddr, token: &str) -> Result<Self> {
        Ok(Self {
            stream: open(address)?,
            used: Instant::now(),
            address,
            token: token.to_owned(),
            answer: Vec::new(),
        })
    }

    /// A request as bytes.
    pub fn request(
        address: SocketAddr,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> Vec<u8> {
        format!(
            "{method} /v1/streams/main/{path} HTTP/1.1\r\nHost: {address}\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// Sends a request; returns status and body.
    ///
    /// # Errors
    /// When the connection ends before the answer has.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, String)> {
        self.write(method, path, body)?;
        self.answer()
    }

    fn write(&mut self, method: &str, path: &str, body: &str) -> Result<()> {
        if self.used.elapsed() > FRESH {
            self.stream = open(self.address)?;
        }
        self.used = Instant::now();
        let request = Self::request(self.address, &self.token, method, path, body);
        Ok(self.stream.write_all(&request)?)
    }

    fn answer(&mut self) -> Result<(u16, String)> {
        self.answer.clear();
        loop {
            let mut part = [0; 16 * 1024];
            let read = self.stream.read(&mut part)?;
            ensure!(read > 0, "the relay closed");
            self.answer.extend_from_slice(&part[..read]);
            if let Some((status, length)) = complete(&self.answer)? {
                let body = &self.answer[self.answer.len() - length..];
                return Ok((status, String::from_utf8_lossy(body).into_owned()));
            }
        }
    }

    /// Gives a gift, which must be accepted.
    ///
    /// # Errors
    /// When it is not.
    pub fn give(&mut self, gift: &str) -> Result<()> {
        self.send(gift)?;
        self.accepted()
    }

    /// Sends a gift and does not wait for the [answer](Self::accepted).
    pub fn send(&mut self, gift: &str) -> Result<()> {
        self.write("POST", "gifts", gift)
    }

    /// Waits until the gift that was sent is accepted.
    ///
    /// # Errors
    /// When it is not.
    pub fn accepted(&mut self) -> Result<()> {
        match self.answer()? {
            (201, _) => Ok(()),
            (status, body) => bail!("a gift was answered with {status}: {body}"),
        }
    }
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Status and length of the body, once all of an answer is there.
pub fn complete(answer: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    let status = head.get(9..12).context("no status")?.parse()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(Ok(0), str::parse)?;
    Ok((answer.len() >= end + 4 + length).then_some((status, length)))
}
