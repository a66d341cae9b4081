//! `hyperfocus bench`: the table of figures and bars.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::args::BenchArgs;
use super::plan::make_room_for;
use super::stdout::print;

/// What is to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchPlan {
    /// Only figures whose id or area begins with one of these; all if empty.
    pub only: Vec<String>,
}

impl BenchPlan {
    pub fn includes(&self, id: &str, area: &str) -> bool {
        let named = |name: &String| id.starts_with(name) || area.starts_with(name);
        self.only.is_empty() || self.only.iter().any(named)
    }
}

/// One row of the table; the shape of `out/bench.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Stays the same from version to version.
    pub id: String,
    pub area: String,
    pub name: String,
    /// The median of `runs`, or its ratio to that of `baseline_runs`.
    pub value: f64,
    pub unit: String,
    /// What it must measure up to, in words.
    pub bar: String,
    pub holds: bool,
    /// Raw figures of each run, at least five; one of what cannot vary.
    pub runs: Vec<f64>,
    /// Those of the baseline, interleaved with the runs; empty without one.
    pub baseline_runs: Vec<f64>,
}

pub(super) fn run(args: &BenchArgs) -> Result<ExitCode> {
    let plan = BenchPlan {
        only: args.only.clone(),
    };
    make_room_for(&args.out)?;
    let figures = crate::bench::run(&plan)?;
    ensure!(
        !figures.is_empty(),
        "no figure is named {}",
        args.only.join(" or ")
    );
    let json = serde_json::to_string_pretty(&figures)?;
    write(&args.out, &json)?;
    let text = match args.json {
        true => format!("{json}\n"),
        false => table(&figures),
    };
    print(text.as_bytes())
}

fn write(path: &PathBuf, json: &str) -> Result<()> {
    std::fs::write(path, format!("{json}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A Markdown table, as the README shows it.
fn table(figures: &[Figure]) -> String {
    let mut text = String::from("| area | what | figure | bar | holds |\n|---|---|---|---|---|\n");
    for figure in figures {
        let Figure {
            area,
            name,
            value,
            unit,
            bar,
            ..
        } = figure;
        let holds = if figure.holds { "yes" } else { "NO" };
        text += &format!("| {area} | {name} | {value:.3} {unit} | {bar} | {holds} |\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_does_not_hold_stands_out() {
        let figure = Figure {
            id: "decode".into(),
            area: "protocol".into(),
            name: "decode a gift".into(),
            value: 2.5,
            unit: "x".into(),
            bar: "at most 2x".into(),
            holds: false,
            runs: vec![2.5; 5],
            baseline_runs: vec![1.0; 5],
        };
        assert!(
            table(&[figure])
                .ends_with("| protocol | decode a gift | 2.500 x | at most 2x | NO |\n")
        );
    }

    #[test]
    fn only_takes_ids_and_areas() {
        let plan = BenchPlan {
            only: vec!["proto".into(), "flood".into()],
        };
        assert!(plan.includes("decode", "protocol"));
        assert!(plan.includes("flood-p95", "stage"));
        assert!(!plan.includes("video", "render"));
        assert!(BenchPlan { only: vec![] }.includes("any", "thing"));
    }
}
