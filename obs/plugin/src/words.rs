//! The state of an engine, in words for the source's settings.

use hyperfocus_ring::{Connection, Instance, Life, RingError};

/// What is said below "Connection"; `trouble` is why none could be started.
pub(crate) fn connection(
    name: &str,
    found: &Result<Instance, RingError>,
    trouble: Option<&str>,
) -> String {
    let is_running = found.as_ref().is_ok_and(Instance::is_running);
    if let Some(trouble) = trouble.filter(|_| !is_running) {
        return format!(
            "Engine {name} does not run: {trouble}. What it said is in OBS's log \
             (Help > Log Files)."
        );
    }
    let instance = match found {
        Ok(instance) => instance,
        Err(RingError::NotFound { .. }) => {
            return format!(
                "No engine named {name} is running. It is started when this source goes on air, \
                 if that is switched on above."
            );
        }
        Err(error) => return format!("{error}."),
    };
    if let Life::Silent { for_ns } = instance.life {
        return format!(
            "Engine {name} has been silent for {}; nothing is shown until it is back.",
            age(for_ns)
        );
    }
    if instance.life != Life::Live {
        return format!("Engine {name} has ended.");
    }
    if let Some(pid) = instance.reader_pid.filter(|pid| *pid != std::process::id()) {
        return format!("Engine {name} is being shown by another program (pid {pid}).");
    }
    let backend = match instance.connection {
        Connection::Connecting => "it is connecting to its backend",
        Connection::Online => "online",
        Connection::Offline => "its backend cannot be reached; it keeps trying",
        Connection::Stopped => "it has left its backend for good; its log, or OBS's, says why",
        Connection::NotNeeded => "it plays a show of its own, without a backend",
        _ => "it has not said yet whether it is online",
    };
    let heard = instance
        .backend_age_ns
        .map(|ns| format!(", last heard of {} ago", age(ns)))
        .unwrap_or_default();
    let frame = match instance.frame_age_ns {
        None => "It has drawn nothing yet.".to_owned(),
        Some(_) if instance.is_empty => "Its stage is empty.".to_owned(),
        Some(ns) => format!("Its newest frame is {} old.", age(ns)),
    };
    format!(
        "Engine {name} ({}, {}x{}): {backend}{heard}. {frame}",
        instance.engine, instance.width, instance.height
    )
}

/// How a running engine is called in the list.
pub(crate) fn entry(instance: &Instance) -> String {
    format!("{} ({}x{})", instance.name, instance.width, instance.height)
}

fn age(ns: u64) -> String {
    match ns / 1_000_000 {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..120_000 => format!("{} s", ms / 1000),
        ms => format!("{} min", ms / 60_000),
    }
}
