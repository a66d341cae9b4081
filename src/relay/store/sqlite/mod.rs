//! The store that needs no set-up: one SQLite file, one thread that writes it.
//!
//! Requests that are waiting go into one transaction (*group commit*), so that
//! the disk is asked once for many of them; nobody is made to wait for others
//! to come. SQLite writes ahead and syncs at every commit (`synchronous =
//! FULL`). Lists are read on connections of their own, beside the writer.

mod file;
mod read;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{Admission, Feed, Listed, Offer, Page, Store, StoreError, StreamId};
use crate::model::{GiftId, SessionConfig, WallTime};
use crate::relay::hub::Ended;

pub(in crate::relay) use file::{Opened, SqliteOptions};

use file::explain;
use writer::{Request, Writer};

/// Requests that may wait for the writer. Beyond: who asks waits.
const REQUESTS: usize = 1024;

impl Opened {
    /// Starts the writer.
    ///
    /// # Errors
    /// When a thread or its memory cannot be had.
    pub fn start(self, feed: Arc<dyn Feed>) -> Result<SqliteStore, StoreError> {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let is_well = Arc::new(AtomicBool::new(true));
        let path = self.path.clone();
        let mut writer = Writer::new(self, inbox, feed, is_well.clone())
            .map_err(|error| explain(&path, &error))?;
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(SqliteStore {
            requests: Some(requests),
            path,
            is_well,
            thread: Some(thread),
        })
    }
}

/// A running store. Dropping it finishes what was asked and closes the file.
pub(in crate::relay) struct SqliteStore {
    requests: Option<mpsc::Sender<Request>>,
    path: PathBuf,
    is_well: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.send(request(reply));
        async move {
            if !sent.await {
                return Err(StoreError::Closed);
            }
            answer.await.unwrap_or(Err(StoreError::Closed))
        }
        .boxed()
    }

    /// Reads on a connection of its own, beside the writer.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Path) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let path = self.path.clone();
        let reading = tokio::task::spawn_blocking(move || {
            read(&path).map_err(|error| explain(&path, &error))
        });
        async move {
            let read = reading.await;
            read.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
        }
        .boxed()
    }

    fn send(&self, request: Request) -> impl Future<Output = bool> + Send + 'static {
        let requests = self.requests.clone();
        async move {
            match requests {
                Some(requests) => requests.send(request).await.is_ok(),
                None => false,
            }
        }
    }
}

impl Store for SqliteStore {
    fn open(&self, stream: &StreamId) -> BoxFuture<'static, Result<(), StoreError>> {
        let stream = stream.clone();
        self.ask(|reply| Request::Open { stream, reply })
    }

    /// What nobody has open costs nothing.
    fn close(&self, _: &StreamId) {}

    fn accept(
        &self,
        stream: &StreamId,
        offers: Vec<Offer>,
        now: WallTime,
    ) -> BoxFuture<'static, Result<Vec<Admission>, StoreError>> {
        let stream = stream.clone();
        self.ask(|reply| Request::Accept {
            stream,
            offers,
            now,
            reply,
        })
    }

    fn end(&self, stream: &StreamId, ended: Vec<Ended>, now: WallTime) -> BoxFuture<'static, ()> {
        let stream = stream.clone();
        let sent = self.send(Request::End { stream, ended, now });
        // A store that is gone has said so; the gifts are sent again.
        async move {
            sent.await;
        }
        .boxed()
    }

    fn flush(&self) -> BoxFuture<'static, ()> {
        let flushed = self.ask(|reply| Request::Flush { reply });
        // Who could not be flushed has said so.
        flushed.map(drop).boxed()
    }

    fn keep_config(
        &self,
        stream: &StreamId,
        config: &SessionConfig,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (stream, config) = (stream.clone(), config.clone());
        self.ask(|reply| Request::Config {
            stream,
            config,
            reply,
        })
    }

    fn keep_status(
        &self,
        stream: &StreamId,
        status: &str,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (stream, status) = (stream.clone(), status.to_owned());
        self.ask(|reply| Request::Status {
            stream,
            status,
            reply,
        })
    }

    fn note_status(&self, stream: &StreamId, before: &str, status: &str) -> BoxFuture<'static, ()> {
        let noted = self.send(Request::NoteStatus {
            stream: stream.clone(),
            before: before.to_owned(),
            status: status.to_owned(),
        });
        // On a full disk it is as old as it was.
        noted.map(drop).boxed()
    }

    fn list(
        &self,
        stream: &StreamId,
        page: Page,
    ) -> BoxFuture<'static, Result<Vec<Listed>, StoreError>> {
        let stream = stream.clone();
        self.read(move |path| read::list(path, &stream, page))
    }

    fn find(
        &self,
        stream: &StreamId,
        gift: &GiftId,
    ) -> BoxFuture<'static, Result<Option<Listed>, StoreError>> {
        let (stream, gift) = (stream.clone(), gift.clone());
        self.read(move |path| read::find(path, &stream, &gift))
    }

    fn unsettled(&self) -> BoxFuture<'static, Option<u64>> {
        self.read(read::unsettled).map(Result::ok).boxed()
    }

    fn forget_before(&self, time: WallTime) -> BoxFuture<'static, Result<u64, StoreError>> {
        self.ask(|reply| Request::Forget {
            before: time,
            reply,
        })
    }

    fn is_well(&self) -> bool {
        self.is_well.load(Ordering::Relaxed)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}
