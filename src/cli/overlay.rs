//! `hyperfocus overlay`: the stage over the desktop, for one who watches.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::args::OverlayArgs;
use super::plan::configure;
use super::{Engine, OutputPlan, RunPlan, run};
use crate::config::Role;

pub(super) fn run(args: &OverlayArgs) -> Result<ExitCode> {
    let engine = Engine::of_this_build()?;
    let config = configure(args.run.file.path(), &args.given())?;
    if let Some(word) = &args.send {
        print!("{}", (engine.tell_overlay)(&config.output.name, word)?);
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        config.role == Role::Viewer,
        "an overlay joins as a viewer; to be the stream's host with one, use `hyperfocus run \
         --output overlay`"
    );
    let mut plan = RunPlan::from_config(&config, args.run.seconds.map(Duration::from_secs_f64))?;
    for output in &mut plan.outputs {
        if let OutputPlan::Overlay { sets_size, .. } = output {
            *sets_size = args.follows_monitor();
        }
    }
    if args.run.stage.end_with_stdin {
        plan.shutdown.listen_to_stdin()?;
    }
    run::play(engine, plan, args.run.json)
}
