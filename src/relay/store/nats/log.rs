//! The one JetStream stream that relays share, and what is done with it.
//!
//! Every subject of it holds one message, its latest. A subject that is written
//! at most once is created: JetStream takes a message that expects the subject
//! to be empty only if it is, whoever else writes at the same time.
//!
//! Reading goes to the stream's leader (never `allow_direct`), so that what was
//! acknowledged is seen.

use std::future::IntoFuture as _;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State as Connection;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{
    Config, DeleteMessageErrorKind, DiscardPolicy, LastRawMessageError, LastRawMessageErrorKind,
    StorageType, Stream,
};
use async_nats::jetstream::{self, Context, ErrorCode};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::names::{ALL, LOG};
use crate::relay::hub::Serial;
use crate::relay::store::StoreError;

/// How long NATS may take for an answer. Beyond: it is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Messages that wait for their acknowledgement, some 4 MB of them. Beyond:
/// who publishes waits.
const MAX_IN_FLIGHT: usize = 4_096;

/// Messages on their way to a reader that has not taken them.
const BATCH: usize = 512;

/// A quiet consumer shows life this often; twice without, and it is made anew.
/// It lives on one server, which may go while others stay.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// NATS forgets a consumer that nobody reads after this time.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// The oldest server that creates consumers as we ask for them.
const OLDEST_SERVER: (i64, i64, i64) = (2, 9, 0);

/// A message of the log.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub serial: Serial,
    pub subject: String,
    pub payload: bytes::Bytes,
    /// When NATS took it; milliseconds since the Unix epoch.
    pub taken_at: i64,
}

impl Entry {
    /// Not text only if somebody else wrote it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    fn of_message(message: &jetstream::Message) -> Result<(Self, Order), StoreError> {
        let info = message.info().map_err(|error| away(&*error))?;
        let entry = Self {
            serial: info.stream_sequence,
            subject: message.subject.to_string(),
            payload: message.payload.clone(),
            taken_at: millis(info.published),
        };
        let order = Order {
            place: info.consumer_sequence,
            left: info.pending,
        };
        Ok((entry, order))
    }
}

impl From<StreamMessage> for Entry {
    fn from(message: StreamMessage) -> Self {
        Self {
            serial: message.sequence,
            subject: message.subject.to_string(),
            payload: message.payload,
            taken_at: millis(message.time),
        }
    }
}

fn millis(time: async_nats::datetime::DateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

/// A message's place among those of its consumer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    /// 1 for the first.
    pub place: u64,
    /// Messages that come after it.
    pub left: u64,
}

/// Why a message was not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The subject holds another message than was expected.
    Taken,
    Store(StoreError),
}

/// A message that was sent and is not acknowledged yet.
pub(super) struct Sent(jetstream::context::PublishAckFuture);

impl Sent {
    /// The message's serial, once it is kept.
    pub async fn kept(self) -> Result<Serial, Refusal> {
        match self.0.into_future().await {
            Ok(ack) => Ok(ack.sequence),
            Err(error) => Err(refusal(&error)),
        }
    }
}

fn refusal(error: &PublishError) -> Refusal {
    use std::error::Error as _;
    if error.kind() == PublishErrorKind::WrongLastSequence {
        return Refusal::Taken;
    }
    let said = error
        .source()
        .and_then(<dyn std::error::Error>::downcast_ref);
    let code = said.map(jetstream::Error::error_code);
    let is_full = matches!(
        code,
        Some(
            ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
                | ErrorCode::INSUFFICIENT_RESOURCES
                | ErrorCode::STORAGE_RESOURCES_EXCEEDED
                | ErrorCode::STREAM_STORE_FAILED
        )
    );
    Refusal::Store(match is_full {
        true => StoreError::Full,
        false => away(error),
    })
}

fn away(error: &dyn std::error::Error) -> StoreError {
    StoreError::Away(error.to_string())
}

/// The log, through one connection.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub client: Client,
    context: Context,
    stream: Stream,
}

impl Log {
    /// Makes the stream where there is none. `server` is how messages call it.
    ///
    /// # Errors
    /// When the server cannot do what is needed, or the stream is not as we
    /// make it.
    pub async fn open(client: Client, server: &str, replicas: usize) -> Result<Self, StoreError> {
        let foreign = |reason: String| StoreError::Foreign {
            server: server.to_owned(),
            reason,
        };
        let (major, minor, patch) = OLDEST_SERVER;
        if !client.is_server_compatible(major, minor, patch) {
            let version = client.server_info().version;
            return Err(foreign(format!("nats-server {version} is older than 2.9")));
        }
        let context = ContextBuilder::new()
            .timeout(PATIENCE)
            .ack_timeout(PATIENCE)
            .max_ack_inflight(MAX_IN_FLIGHT)
            .build(client.clone());
        let wanted = Config {
            name: LOG.into(),
            description: Some("gifts and settings of hyperfocus relays".into()),
            subjects: vec![ALL.into()],
            max_messages_per_subject: 1,
            // Full: refuse the new, and lose nothing that was accepted.
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: replicas,
            ..Config::default()
        };
        let made = context.get_or_create_stream(wanted).await;
        let stream = made.map_err(|error| {
            foreign(format!(
                "{error}; JetStream must be on, and have {replicas} servers for \
                 --store-replicas {replicas}"
            ))
        })?;
        let found = &stream.cached_info().config;
        let is_other = found.max_messages_per_subject != 1
            || found.discard != DiscardPolicy::New
            || !found.max_age.is_zero()
            || found.storage != StorageType::File
            || found.deny_delete
            || found.subjects != [ALL];
        if is_other {
            return Err(foreign(format!(
                "the stream {LOG} is not as the relay makes it and could lose gifts or keep them \
                 for ever; it must keep {ALL} in files, one message for each subject, of any age, \
                 discard new ones, and let messages be deleted"
            )));
        }
        if found.num_replicas != replicas {
            tracing::warn!(
                found = found.num_replicas,
                wanted = replicas,
                "the stream has another number of replicas; change it with `nats stream edit {LOG}`"
            );
        }
        Ok(Self {
            client,
            context,
            stream,
        })
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == Connection::Connected
    }

    /// What is sent while NATS is away would wait in a buffer; it is refused.
    fn check(&self) -> Result<(), StoreError> {
        match self.is_connected() {
            true => Ok(()),
            false => Err(StoreError::Away("not connected".into())),
        }
    }

    /// Whether the stream answers, and its last serial.
    pub async fn last_serial(&self) -> Result<Serial, StoreError> {
        self.check()?;
        let info = self.stream.get_info().await;
        let info = info.map_err(|error| away(&error))?;
        Ok(info.state.last_sequence)
    }

    /// Sends a message to a subject whose latest one is `expected`: none for 0.
    /// Whatever it is, when absent. Messages are kept in the order in which they
    /// were sent.
    pub async fn send(
        &self,
        subject: String,
        payload: impl Into<bytes::Bytes>,
        expected: Option<Serial>,
    ) -> Result<Sent, StoreError> {
        self.check()?;
        let mut message = PublishMessage::build().payload(payload.into());
        if let Some(expected) = expected {
            message = message.expected_last_subject_sequence(expected);
        }
        let sent = self.context.send_publish(subject, message).await;
        sent.map(Sent).map_err(|error| away(&error))
    }

    /// The latest message of a subject.
    pub async fn last(&self, subject: &str) -> Result<Option<Entry>, StoreError> {
        self.check()?;
        found(self.stream.get_last_raw_message_by_subject(subject).await)
    }

    pub async fn at(&self, serial: Serial) -> Result<Option<Entry>, StoreError> {
        self.check()?;
        found(self.stream.get_raw_message(serial).await)
    }

    /// Deletes a message; it is well if there is none.
    pub async fn delete(&self, serial: Serial) -> Result<(), StoreError> {
        self.check()?;
        match self.stream.delete_message(serial).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                DeleteMessageErrorKind::JetStream(_) => Ok(()),
                _ => Err(away(&error)),
            },
        }
    }

    async fn consumer(
        &self,
        filter: String,
        from: Serial,
    ) -> Result<Consumer<pull::Config>, StoreError> {
        self.check()?;
        let config = pull::Config {
            filter_subject: filter,
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: from.max(1),
            },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        };
        let consumer = self.stream.create_consumer(config).await;
        consumer.map_err(|error| away(&error))
    }

    /// Messages from a serial on, for as long as they come.
    pub async fn follow(&self, filter: String, from: Serial) -> Result<Tail, StoreError> {
        let consumer = self.consumer(filter, from).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| away(&error))?;
        let left = consumer.cached_info().num_pending;
        Ok(Tail {
            consumer,
            messages,
            place: 0,
            left,
        })
    }

    /// At most `limit` messages from a serial on.
    pub async fn page(
        &self,
        filter: String,
        from: Serial,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let consumer = self.consumer(filter, from).await?;
        let batch = consumer.fetch().max_messages(limit).messages().await;
        let batch = batch.map_err(|error| away(&error))?;
        let entries = batch
            .map_err(|error| away(&*error))
            .and_then(|message| async move { Ok(Entry::of_message(&message)?.0) })
            .try_collect()
            .await;
        // It would be forgotten anyway.
        let _ = self
            .stream
            .delete_consumer(&consumer.cached_info().name)
            .await;
        entries
    }
}

fn found<E: Into<Entry>>(
    answer: Result<E, LastRawMessageError>,
) -> Result<Option<Entry>, StoreError> {
    match answer {
        Ok(entry) => Ok(Some(entry.into())),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(away(&error)),
    }
}

/// A consumer that is read to the log's end and on. What it yields has no gap:
/// where something is missing it fails, and another is made.
pub(super) struct Tail {
    consumer: Consumer<pull::Config>,
    messages: pull::Stream,
    place: u64,
    /// Messages that were there and are yet to come.
    left: u64,
}

impl Tail {
    pub fn is_at_the_end(&self) -> bool {
        self.left == 0
    }

    pub async fn next(&mut self) -> Result<Entry, StoreError> {
        let next = self.messages.next().await;
        self.take(next)
    }

    /// The next one if it is here already.
    pub fn next_here(&mut self) -> Option<Result<Entry, StoreError>> {
        use futures_util::FutureExt as _;
        let next = self.messages.next().now_or_never()?;
        Some(self.take(next))
    }

    fn take(
        &mut self,
        next: Option<Result<jetstream::Message, pull::MessagesError>>,
    ) -> Result<Entry, StoreError> {
        let message = match next {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(away(&error)),
            None => return Err(StoreError::Away("the consumer ended".into())),
        };
        let (entry, order) = Entry::of_message(&message)?;
        self.place += 1;
        if order.place != self.place {
            return Err(StoreError::Away("the consumer left something out".into()));
        }
        self.left = order.left.min(self.left.saturating_sub(1));
        Ok(entry)
    }

    /// Asks NATS whether anything is yet to come: what was to come may have been
    /// replaced or deleted.
    pub async fn look_for_the_end(&mut self) -> Result<(), StoreError> {
        let info = self.consumer.get_info().await;
        let info = info.map_err(|error| away(&error))?;
        if info.num_pending == 0 && info.delivered.consumer_sequence == self.place {
            self.left = 0;
        }
        Ok(())
    }
}
