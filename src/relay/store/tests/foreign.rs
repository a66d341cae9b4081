//! A stream on NATS that somebody changed.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::{self, DiscardPolicy};

use super::*;

/// What makes it another than the relay's, one after the other.
const CHANGES: [(&str, fn(&mut stream::Config)); 4] = [
    ("two for a subject", |it| it.max_messages_per_subject = 2),
    ("discards old ones", |it| it.discard = DiscardPolicy::Old),
    ("of a day's age", |it| it.max_age = Duration::from_hours(24)),
    // The last: NATS does not take it back.
    ("keeps all for ever", |it| it.deny_delete = true),
];

#[test]
fn a_stream_that_loses_gifts_or_never_forgets_is_refused() {
    let Some(server) = nats_server::Nats::start() else {
        return;
    };
    block_on(async {
        let bench = Nats(server);
        let (store, ..) = open(&bench).await;
        drop(store);
        let client = async_nats::connect(bench.0.url()).await.unwrap();
        let context = jetstream::new(client);
        let made = context.get_stream("HYPERFOCUS").await.unwrap();
        let made = made.cached_info().config.clone();
        for (what, change) in CHANGES {
            let mut changed = made.clone();
            change(&mut changed);
            context.update_stream(changed).await.unwrap();
            let opened = NatsStore::connect(&bench.options(), Arc::new(Heard::default())).await;
            let refusal = opened.err().expect(what).to_string();
            assert!(
                refusal.contains("HYPERFOCUS is not as the relay makes it"),
                "{refusal}"
            );
        }
    });
}
