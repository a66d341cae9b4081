//! How many gifts a second come from a loopback socket to the stage's channel,
//! against a bare tokio-tungstenite loop that reads the same bytes and throws
//! them away.
//!
//! Each run is a process of its own on one core, which server, network thread
//! and stage share; a second is one of that core's, whoever else uses it. The
//! gifts come in two ways: each with a write of its own, as backends send them,
//! and all in one stream of bytes, where the bare loop has nothing left to do
//! but to find the frames.

use std::hint::black_box;
use std::io::Write;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use cpu_time::ProcessTime;
use futures_util::StreamExt as _;
use tokio_tungstenite::connect_async_with_config;

use super::backend::{Backend, frame};
use super::measure::{Limit, Row, take_turns};
use super::{Area, child, protocol};
use crate::cli::Figure;
use crate::net::{NetConfig, Waker, spawn};
use crate::protocol::ClientType;
use crate::session::{SessionSettings, ToStage};

pub const AREA: Area = Area {
    rows: &[SOCKET_TO_ECS, BULK],
    measure,
};

const SOCKET_TO_ECS: Row = Row {
    id: "net.socket_to_ecs",
    area: "net",
    name: "gifts a second from socket to ECS, sent one by one, on one core, against a bare read loop",
    unit: "x",
    limit: Limit::AtLeast(0.5),
};

const BULK: Row = Row {
    id: "net.socket_to_ecs.bulk",
    area: "net",
    name: "the same with the gifts as one stream of bytes",
    unit: "x",
    limit: Limit::AtLeast(0.5),
};

/// Gifts of one run.
const GIFTS: usize = 60_000;

/// What a child measures: who reads, and how it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    bare: bool,
    bulk: bool,
}

impl FromStr for Way {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (bare, bulk) = match text {
            "bare" => (true, false),
            "link" => (false, false),
            "bare-bulk" => (true, true),
            "link-bulk" => (false, true),
            _ => bail!("{text:?} is no way to read"),
        };
        Ok(Self { bare, bulk })
    }
}

fn measure() -> Result<Vec<Figure>> {
    let rate = |way| move || child::ask_on_one_core::<f64>(&["socket", way]);
    let each = take_turns(rate("link"), rate("bare"))?;
    let bulk = take_turns(rate("link-bulk"), rate("bare-bulk"))?;
    Ok(vec![SOCKET_TO_ECS.ratio(each), BULK.ratio(bulk)])
}

/// Gifts a second, in this process.
///
/// # Errors
/// When the connection fails.
pub fn one_run(way: Way) -> Result<f64> {
    let gifts: Vec<_> = (0..GIFTS)
        .map(|number| frame(&protocol::message(number)))
        .collect();
    let backend = Backend::start(move |socket| {
        if way.bulk {
            socket.write_all(&gifts.concat())
        } else {
            gifts.iter().try_for_each(|gift| socket.write_all(gift))
        }
    })?;
    if way.bare {
        read_bare(backend.url())
    } else {
        read_through_link(backend.url())
    }
}

fn rate(since: ProcessTime) -> f64 {
    (GIFTS - 1) as f64 / since.elapsed().as_secs_f64()
}

fn read_bare(url: &str) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (mut socket, _) = connect_async_with_config(url, None, true).await?;
        let mut next = async || {
            let message = socket.next().await.context("the server left")??;
            black_box(message.to_text()?);
            anyhow::Ok(())
        };
        // The ack, and the first gift, with which the clock starts.
        next().await?;
        next().await?;
        let start = ProcessTime::now();
        for _ in 1..GIFTS {
            next().await?;
        }
        Ok(rate(start))
    })
}

fn read_through_link(url: &str) -> Result<f64> {
    let waker = Waker::default();
    let (wake, woken) = std::sync::mpsc::sync_channel(1);
    waker.set(move || {
        let _ = wake.try_send(());
    });
    let link = spawn(NetConfig {
        url: url.to_owned(),
        token: None,
        ca_file: None,
        session: SessionSettings::new("bench", "bench", ClientType::Host),
        waker,
        keep: None,
    })?;
    let mut start = None;
    let mut received = 0;
    while received < GIFTS {
        woken.recv().context("the network thread ended")?;
        for message in link.drain() {
            if let ToStage::Gift(gift) = message {
                start.get_or_insert_with(ProcessTime::now);
                black_box(gift);
                received += 1;
            }
        }
    }
    let rate = rate(start.context("no gift came")?);
    link.shutdown();
    Ok(rate)
}
