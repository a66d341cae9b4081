//! TLS from PEM files, which are read again when they change: a certificate is
//! renewed while the show goes on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ring::digest::{Context, SHA256};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use super::limits::{MAX_HEAD, MAX_PEM, PATIENCE};
use super::lock::lock;
use super::transport::Stream;

/// The first byte of every TLS connection: a record that holds a handshake.
const HANDSHAKE: u8 = 22;

/// Where the relay's certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the relay's own certificate, then those between it and an authority
    /// that others trust.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("cannot read {}: {error}", .path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{} is larger than {} KiB, and no certificate", .0.display(), MAX_PEM / 1024)]
    TooLarge(PathBuf),
    #[error(
        "there is no certificate in {}; give a PEM file that holds the server's own and then \
         those of its authority", .0.display()
    )]
    NoCertificate(PathBuf),
    #[error("there is no private key in {}; give a PEM file that holds one", .0.display())]
    NoKey(PathBuf),
    #[error("{} cannot be understood: {reason}", .path.display())]
    Broken { path: PathBuf, reason: String },
    #[error(
        "the key in {} does not fit the certificate in {}: {reason}",
        .files.key.display(), .files.certificate.display()
    )]
    Mismatch { files: TlsFiles, reason: String },
}

/// What [`Tls::renew`] came to.
#[derive(Debug)]
pub enum Renewal {
    /// The files are what they were when they were looked at last.
    Unchanged,
    /// Whoever connects from now on gets the new certificate.
    Renewed,
    /// The new pair cannot be used; the old one stays.
    Refused(TlsError),
}

/// The relay's side of TLS.
#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    config: Arc<ServerConfig>,
    current: Arc<Current>,
    /// Of the files that were tried last, good or bad.
    tried: Mutex<Digest>,
}

type Digest = [u8; 32];

/// The certificate of now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(current.clone())
    }
}

impl Tls {
    /// # Errors
    /// When the files hold no certificate and key that fit.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let pair = Pair::read(&files)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = pair.certified(&files, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default TLS versions")
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        // A browser that is offered nothing may speak HTTP/2.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tried: Mutex::new(pair.digest()),
            config: Arc::new(config),
            current,
            files,
        })
    }

    /// Looks whether the files have changed, and if so tries them. Reads files.
    pub fn renew(&self) -> Renewal {
        let pair = match Pair::read(&self.files) {
            Ok(pair) => pair,
            Err(error) => return self.refuse(Digest::default(), error),
        };
        let digest = pair.digest();
        if *self.tried() == digest {
            return Renewal::Unchanged;
        }
        let provider = self.config.crypto_provider();
        match pair.certified(&self.files, provider) {
            Ok(key) => {
                *self.tried() = digest;
                let mut current = self.current.0.write();
                **current.as_mut().unwrap_or_else(|held| held.get_mut()) = Arc::new(key);
                info!(certificate = %self.files.certificate.display(), "the certificate is new");
                Renewal::Renewed
            }
            Err(error) => self.refuse(digest, error),
        }
    }

    /// Says once what is wrong.
    fn refuse(&self, digest: Digest, error: TlsError) -> Renewal {
        if std::mem::replace(&mut *self.tried(), digest) == digest {
            return Renewal::Unchanged;
        }
        warn!(%error, "the new certificate cannot be used; the old one stays");
        Renewal::Refused(error)
    }

    fn tried(&self) -> std::sync::MutexGuard<'_, Digest> {
        lock(&self.tried)
    }

    /// Shakes hands. Nothing when the other side cannot, or takes too long;
    /// one that speaks plain HTTP is told.
    pub async fn accept(&self, mut stream: TcpStream) -> Option<Stream> {
        let shaken = timeout(PATIENCE, async {
            let mut first = [0];
            if stream.peek(&mut first).await.ok()? == 0 {
                return None;
            }
            if first[0] != HANDSHAKE {
                refuse_plain(&mut stream).await;
                return None;
            }
            let acceptor = TlsAcceptor::from(self.config.clone());
            let secure = acceptor.accept(stream).await.ok()?;
            Some(Stream::Secure(Box::new(secure)))
        });
        shaken.await.ok().flatten()
    }
}

/// Answers a request that came without TLS, and reads what is left of it: a
/// connection that is closed over unread bytes takes the answer with it.
async fn refuse_plain(stream: &mut TcpStream) {
    const BODY: &str = r#"{"type":"urn:hyperfocus:problem:plain-http","title":"TLS only","status":400,"detail":"this port speaks TLS; use https:// and wss://"}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    if stream.write_all(answer.as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = stream.take(MAX_HEAD as u64);
    // Until they have closed, or the handshake's patience is over.
    let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
}

/// What the two files hold.
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Pair {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
        })
    }

    /// Tells one pair from another without keeping the key.
    fn digest(&self) -> Digest {
        let mut context = Context::new(&SHA256);
        context.update(&self.certificate.len().to_be_bytes());
        context.update(&self.certificate);
        context.update(&self.key);
        let mut digest = Digest::default();
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    fn certified(
        &self,
        files: &TlsFiles,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, TlsError> {
        let broken = |path: &Path, error: &pem::Error| TlsError::Broken {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| broken(&files.certificate, &error))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(files.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey(files.key.clone()),
            error => broken(&files.key, &error),
        })?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| TlsError::Mismatch {
            files: files.clone(),
            reason: error.to_string(),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |error| TlsError::Read {
        path: path.to_owned(),
        error,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, MAX_PEM + 1), &mut bytes).map_err(failed)?;
    match bytes.len() as u64 > MAX_PEM {
        true => Err(TlsError::TooLarge(path.to_owned())),
        false => Ok(bytes),
    }
}
