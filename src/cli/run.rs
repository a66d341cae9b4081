//! `hyperfocus run`: the real thing.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use super::args::RunArgs;
use super::plan::{configure, make_room_for};
use super::stdout::print_line;
use super::{Engine, OutputPlan, RunPlan, Start};
use crate::config::Config;

pub(super) fn run(args: &RunArgs) -> Result<ExitCode> {
    let config = configure(args.file.path(), &args.given())?;
    let plan = plan(args, &config)?;
    play(Engine::of_this_build()?, plan, args.json)
}

/// What `config` says, and what is only ever said on the command line.
pub(super) fn plan(args: &RunArgs, config: &Config) -> Result<RunPlan> {
    let mut plan = RunPlan::from_config(config, args.seconds.map(Duration::from_secs_f64))?;
    if args.measure_quality {
        plan.stage.quality.start = Start::MeasuredAnew;
    }
    if let Some(path) = &args.keep_show {
        make_room_for(path)?;
        plan.outputs.push(OutputPlan::Show(path.clone()));
    }
    if args.stage.end_with_stdin {
        plan.shutdown.listen_to_stdin()?;
    }
    Ok(plan)
}

/// Plays the plan until it ends, and prints its account.
pub(super) fn play(engine: Engine, plan: RunPlan, as_json: bool) -> Result<ExitCode> {
    plan.shutdown
        .listen_to_signals()
        .context("cannot listen to signals")?;
    let raw = plan.outputs.contains(&OutputPlan::Raw);
    let summary = (engine.run)(plan)?;
    match (as_json, raw) {
        (true, false) => print_line(summary.to_json())?,
        (true, true) => eprintln!("{}", summary.to_json()),
        (false, _) => eprint!("{summary}"),
    }
    Ok(match summary.failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
