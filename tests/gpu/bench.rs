//! The benchmarks' table: its ids never change, and its form is what programs
//! read. Only the figures that are had at once are measured here, and no bar is
//! judged: a busy machine must not fail a test.

use std::collections::BTreeSet;

use hyperfocus::bench::{areas, run};
use hyperfocus::cli::BenchPlan;

#[test]
fn every_figure_keeps_its_id() {
    let ids: Vec<_> = areas()
        .into_iter()
        .flat_map(|area| area.rows)
        .map(|row| row.id)
        .collect();
    assert_eq!(
        ids,
        [
            "protocol.decode",
            "net.socket_to_ecs",
            "net.socket_to_ecs.bulk",
            "show.offer",
            "show.poll",
            "tune.hour",
            "relay.fan_out",
            "relay.fan_out.apart",
            "relay.fan_out.node",
            "relay.fan_out.node.apart",
            "relay.fan_out.node.bursts",
            "relay.fan_out.nats",
            "relay.accepted",
            "relay.accepted.in_arrays",
            "relay.gift_to_host",
            "relay.memory",
            "relay.held",
            "relay.kills.lost",
            "relay.kills.twice",
            "relay.build",
            "video.decode",
            "launch.first_gift.empty_cache",
            "launch.first_gift.full_cache",
            "pipelines.after_warmup",
            "stage.idle.cpu",
            "stage.idle.frames",
            "stage.idle.obs",
            "stage.gift_to_frame",
            "stage.idle.wake",
            "stage.flood.pong",
            "stage.flood.frame_p95",
            "stage.flood.acks",
            "stage.flood.memory",
            "particles.1000",
            "gifts.cost",
            "gifts.rate",
            "gifts.pipelines",
            "gifts.assets",
            "obs.added_cpu",
            "obs.added_cpu.with_copy",
            "obs.added_cpu.in_all",
            "obs.frame_time",
            "obs.frame_time.in_all",
            "obs.torn",
            "obs.source_cpu",
            "obs.age",
            "record.difference",
            "record.difference.one_thread",
        ]
    );
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
}

#[test]
fn figures_have_the_form_that_programs_read() {
    let plan = BenchPlan {
        only: vec!["protocol".to_owned(), "show".to_owned()],
    };
    let figures = run(&plan).expect("these need nothing but time");
    let json = serde_json::to_value(&figures).expect("figures have a JSON form");
    let rows = json.as_array().expect("a list");
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str()).collect();
    assert_eq!(
        ids,
        ["protocol.decode", "show.offer", "show.poll"].map(Some)
    );
    for row in rows {
        for text in ["area", "name", "unit", "bar"] {
            assert!(row[text].as_str().is_some_and(|text| !text.is_empty()));
        }
        assert!(row["value"].as_f64().is_some_and(|value| value > 0.0));
        assert!(row["holds"].is_boolean());
        let runs = row["runs"].as_array().expect("raw figures");
        assert!(runs.len() >= 5 && runs.iter().all(|run| run.as_f64() > Some(0.0)));
    }
    let baseline = rows[0]["baseline_runs"].as_array().expect("a list");
    assert_eq!(baseline.len(), 5, "as many as there are runs");
}

#[test]
fn a_figure_that_nobody_knows_is_not_measured() {
    let plan = BenchPlan {
        only: vec!["weather".to_owned()],
    };
    assert!(run(&plan).expect("nothing to do").is_empty());
}
