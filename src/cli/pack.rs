//! `hyperfocus pack`: a gift's video from frames with alpha.

use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Shutdown;
use super::args::PackArgs;
use super::record::is_same;
use super::stdout::print_line;
use crate::draft::Draft;
use crate::pack::{Encoder, Encoding, Layout, Packer, Sequence, mp4};

pub(super) fn run(args: &PackArgs) -> Result<ExitCode> {
    ensure!(
        args.out
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("mp4")),
        "--out: {} would hold MP4: name it .mp4",
        args.out.display()
    );
    let sequence = Sequence::find(&args.frames)?;
    for warning in &sequence.warnings {
        warn(warning);
    }
    if let Some(audio) = &args.audio
        && !audio.is_file()
    {
        bail!("--audio: there is no file {}", audio.display());
    }
    let mut read = sequence.frames.iter().chain(&args.audio);
    ensure!(
        !read.any(|path| is_same(path, &args.out)),
        "--out: {} is read from; name another file",
        args.out.display()
    );
    let size = sequence.size()?;
    let layout = Layout::plan(size.0, size.1, args.scale_alpha)?;
    let name = args.out.display();
    let draft =
        |stage| Draft::of(&args.out, stage).with_context(|| format!("--out: cannot write {name}"));
    let (video, packed) = (draft("video")?, draft("part")?);
    let shutdown = Shutdown::default();
    shutdown.listen_to_signals()?;
    let encoder = Encoder::start(&Encoding {
        layout: &layout,
        fps: args.fps,
        frames: sequence.frames.len(),
        quality: args.quality,
        audio: args.audio.as_deref(),
        target: video.temporary(),
    })?;
    encode(&sequence, size, &layout, encoder, &shutdown)?;
    let description = layout.describe(sequence.frames.len(), args.fps);
    describe(video.temporary(), packed.temporary(), &description)
        .with_context(|| format!("cannot write {name}"))?;
    let bytes = packed.temporary().metadata().map_or(0, |data| data.len());
    packed
        .publish()
        .with_context(|| format!("cannot write {name}"))?;
    print_line(format_args!(
        "{name}: {} frames, {:.1} s, {}x{} in a video of {}x{}, {:.2} MB",
        sequence.frames.len(),
        sequence.frames.len() as f64 / f64::from(args.fps),
        size.0,
        size.1,
        layout.width,
        layout.height,
        bytes as f64 / 1e6
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows all frames to the encoder, one at a time.
#[expect(
    clippy::disallowed_methods,
    reason = "a person waits: the clock is theirs"
)]
fn encode(
    sequence: &Sequence,
    size: (u32, u32),
    layout: &Layout,
    mut encoder: Encoder,
    shutdown: &Shutdown,
) -> Result<()> {
    let started = Instant::now();
    let mut progress = Progress::new(sequence.frames.len());
    let mut packer = Packer::new(*layout);
    let mut transparent = false;
    for (index, path) in sequence.frames.iter().enumerate() {
        if shutdown.is_requested() {
            bail!("ended before all frames were packed; nothing was written");
        }
        let picture = sequence.read(path, size)?;
        transparent |= picture.has_alpha;
        encoder.frame(packer.pack(&picture.rgba))?;
        progress.tell(index + 1, started.elapsed());
    }
    encoder.finish()?;
    if !transparent {
        warn("none of the frames has transparency: the gift will cover what lies under it");
    }
    Ok(())
}

/// Copies the video with its description put in.
fn describe(video: &Path, packed: &Path, description: &str) -> Result<()> {
    let mut video = BufReader::new(File::open(video)?);
    let mut out = BufWriter::new(File::create(packed)?);
    mp4::insert_after_ftyp(&mut video, &mut out, *b"vapc", description.as_bytes())
        .context("the encoder's file cannot be used")?;
    out.into_inner()?.sync_all()?;
    Ok(())
}

fn warn(text: &str) {
    eprintln!("hyperfocus: warning: {text}");
}

/// How far it is, on standard error: one line that is written over where a
/// terminal shows it, a line now and then where it is kept.
struct Progress {
    total: usize,
    terminal: bool,
    /// When it was told last.
    told: Duration,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self {
            total,
            terminal: std::io::stderr().is_terminal(),
            told: Duration::ZERO,
        }
    }

    fn tell(&mut self, done: usize, elapsed: Duration) {
        let pause = if self.terminal { 250 } else { 5_000 };
        let last = done == self.total;
        if !last && elapsed < self.told + Duration::from_millis(pause) {
            return;
        }
        self.told = elapsed;
        let line = line(done, self.total, elapsed);
        let end = if self.terminal && !last { "" } else { "\n" };
        let begin = if self.terminal { "\r\x1b[K" } else { "" };
        // A reader that has left misses nothing that matters.
        let _ = write!(std::io::stderr(), "{begin}{line}{end}");
    }
}

fn line(done: usize, total: usize, elapsed: Duration) -> String {
    let share = done as f64 / total as f64;
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = (total - done) as f64 / rate.max(1e-9);
    let left = match left {
        left if left < 90.0 => format!("{left:.0} s"),
        left => format!("{:.0} min", left / 60.0),
    };
    format!(
        "packing {done} of {total} frames, {:.0} %, {rate:.1} a second, {left} left",
        share * 100.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_from_the_time_that_was_taken() {
        let seconds = Duration::from_secs;
        assert_eq!(
            line(30, 120, seconds(10)),
            "packing 30 of 120 frames, 25 %, 3.0 a second, 30 s left"
        );
        assert!(line(1, 1000, seconds(1)).ends_with("17 min left"));
        assert!(line(5, 5, Duration::ZERO).ends_with(", 0 s left"));
    }
}
