//! `hyperfocus overlay`: the stage over the desktop, for one who watches.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use super::args::OverlayArgs;
use super::plan::configure;
use super::stdout::print;
use super::{Engine, OutputPlan, RunPlan, run};
use crate::config::{Config, Role};

pub(super) fn run(args: &OverlayArgs) -> Result<ExitCode> {
    let engine = Engine::of_this_build()?;
    let config = configure(args.run.file.path(), &args.given())?;
    if let Some(word) = &args.send {
        let answer = (engine.tell_overlay)(&config.output.name, word)?;
        return print(answer.as_bytes());
    }
    ensure!(
        config.role == Role::Viewer,
        "an overlay joins as a viewer; to be the stream's host with one, use `hyperfocus run \
         --output overlay`"
    );
    run::play(engine, plan(args, &config)?, args.run.json)
}

/// As for `hyperfocus run`, with a stage that is made for its place on the desktop
/// where no size was asked for.
fn plan(args: &OverlayArgs, config: &Config) -> Result<RunPlan> {
    let mut plan = run::plan(&args.run, config)?;
    for output in &mut plan.outputs {
        if let OutputPlan::Overlay { sets_size, .. } = output {
            *sets_size = args.follows_monitor();
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::super::Start;
    use super::super::args::{Arguments, Command};
    use super::*;
    use crate::config::{Folders, LiveOutput};

    #[test]
    fn an_overlay_measures_and_keeps_the_show_as_a_run_does() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept/show.jsonl");
        let line = [
            "hyperfocus",
            "overlay",
            "--measure-quality",
            "--keep-show",
            kept.to_str().unwrap(),
        ];
        let Command::Overlay(args) = Arguments::parse_from(line).command else {
            panic!("not an overlay");
        };
        let mut config = Config {
            url: Some("ws://localhost/ws".to_owned()),
            stream: Some("s".to_owned()),
            headless: true,
            catalog: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")),
            ..Config::with_defaults(&Folders::of_this_machine())
        };
        config.output.to = vec![LiveOutput::Overlay];
        let plan = plan(&args, &config).unwrap();
        assert_eq!(plan.stage.quality.start, Start::MeasuredAnew);
        assert!(plan.outputs.contains(&OutputPlan::Show(kept)));
        assert!(folder.path().join("kept").is_dir());
        assert!(matches!(
            plan.outputs[0],
            OutputPlan::Overlay {
                sets_size: true,
                ..
            }
        ));
    }
}
