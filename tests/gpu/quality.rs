//! The governor in the real program: a stage that is far too large for the
//! machine, and what becomes of its gifts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hyperfocus::catalog::Catalog;
use hyperfocus::config::Size;
use hyperfocus::engine::Rehearsal;
use hyperfocus::model::{Gift, Sender};
use hyperfocus::render::Quality;
use hyperfocus::render::present::Frame;

use crate::offscreen::alone;
use crate::program::{Program, folder, summary};
use crate::server::Server;

/// A thread for each core that does nothing but keep it busy.
struct Burners {
    is_over: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Burners {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let burn = || {
            let is_over = is_over.clone();
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        Self {
            threads: (0..cores).map(|_| burn()).collect(),
            is_over,
        }
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn start(home: &Path, more: &[&str]) -> Program {
    let always = [
        "demo",
        "--headless",
        "--seconds",
        "120",
        "--no-sheet",
        "--json",
        "--mute",
        "--fps",
        "240",
    ];
    let arguments: Vec<&str> = always.iter().chain(more).copied().collect();
    Program::start(&arguments, home, &[])
}

fn end(program: Program) -> serde_json::Value {
    let ran = program.end_by("TERM");
    ran.ended_with(0);
    summary(&String::from_utf8(ran.out).expect("text"))
}

#[test]
fn an_overload_sheds_and_loses_no_gift() {
    let home = folder();
    // No machine draws 240 of these a second with its cores busy. They are kept so
    // only once the program has its turn: other tests draw before it.
    let program = start(home.path(), &["--size", "1280x720"]);
    let _burners = Burners::start();
    program.says("there is more to draw than time for it");
    let account = end(program);
    let number = |path: &str| account.pointer(path).and_then(serde_json::Value::as_u64);
    assert!(number("/quality/shed") > Some(0), "{account}");
    assert_ne!(account["quality"]["level"], "ultra", "{account}");
    // What has not been decided when the time is up is sent again.
    let (acked, waiting) = (number("/backend/acked"), number("/gifts/waiting"));
    let known = acked.zip(waiting).map(|(acked, waiting)| acked + waiting);
    assert_eq!(known, number("/gifts/received"), "{account}");
    assert_eq!(number("/backend/acked_twice"), Some(0), "{account}");
    assert_eq!(number("/gifts/failed"), Some(0), "{account}");
    assert!(number("/gifts/played") > Some(0), "{account}");
    // Going down makes nothing that was not there.
    assert_eq!(number("/pipelines_after_warmup"), Some(0), "{account}");
}

#[test]
fn a_fixed_quality_stays() {
    let home = folder();
    let program = start(home.path(), &["--size", "320x180", "--quality", "low"]);
    program.says("the stage is warm");
    thread::sleep(std::time::Duration::from_secs(6));
    let account = end(program);
    assert_eq!(account["quality"]["level"], "low", "{account}");
    assert_eq!(account["quality"]["is_auto"], false, "{account}");
    assert_eq!(account["quality"]["shed"], 0, "{account}");
    assert_eq!(account["pipelines_after_warmup"], 0, "{account}");
}

/// Runs until the stage is warm; what the log says by then.
fn warm(home: &Path, more: &[&str]) -> String {
    let server = Server::new();
    let url = server.url();
    let always = [
        "run",
        "--headless",
        "--size",
        "192x108",
        "--stream",
        "s",
        "--url",
        &url,
    ];
    let arguments: Vec<&str> = always.iter().chain(more).copied().collect();
    let program = Program::start(&arguments, home, &[]);
    let _peer = server.accept_session();
    program.says("the stage is warm");
    let ran = program.end_by("TERM");
    ran.ended_with(0);
    ran.err
}

#[test]
fn a_machine_is_measured_at_its_first_run_and_remembered() {
    const MEASURED: &str = "measured: a busy frame takes";
    let home = folder();
    let kept = home.path().join(".local/state/hyperfocus/quality.txt");
    let first = warm(home.path(), &[]);
    assert!(first.contains(MEASURED), "{first}");
    let line = std::fs::read_to_string(&kept).expect("it is kept");
    assert!(line.contains(" 192x108 "), "{line}");

    let second = warm(home.path(), &[]);
    assert!(!second.contains(MEASURED), "{second}");
    let anew = warm(home.path(), &["--measure-quality"]);
    assert!(anew.contains(MEASURED), "{anew}");
    // Nobody asks what it could do.
    let fixed = warm(home.path(), &["--quality", "high", "--measure-quality"]);
    assert!(!fixed.contains(MEASURED), "{fixed}");

    std::fs::write(&kept, "very fast\n").expect("a file");
    let corrupt = warm(home.path(), &[]);
    assert!(corrupt.contains("measured anew"), "{corrupt}");
    assert!(corrupt.contains(MEASURED), "{corrupt}");
    let line = std::fs::read_to_string(&kept).expect("it is kept");
    assert!(line.contains(" 192x108 "), "{line}");
}

/// A lion with its caption, drawn at a share of its size.
fn lion(scale: f32) -> Frame {
    let _alone = alone();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
    let catalog = Arc::new(Catalog::load(&path).expect("a catalogue"));
    let size = Size {
        width: 480,
        height: 270,
    };
    let quality = Quality {
        scale,
        ..Quality::FRUGAL
    };
    let mut rehearsal = Rehearsal::open_on(catalog, size, |app| {
        app.insert_resource(quality);
    })
    .expect("a stage");
    let gift = Gift::one("golden", "lion", Sender::named("viewer", "Viewer"));
    let frame = rehearsal.still(gift, 2.0).expect("a frame");
    assert_eq!(rehearsal.pipelines_since_warm(), 0);
    frame
}

#[test]
fn a_smaller_picture_is_the_same_one_a_little_softer() {
    let (whole, smaller) = (lion(1.0), lion(0.75));
    assert_eq!(
        (whole.width, whole.height),
        (smaller.width, smaller.height),
        "outputs keep their size"
    );
    // Sparks are fewer pixels wide than a block; the lion is not.
    let blocks = |frame: &Frame| -> Vec<f64> {
        let (columns, side) = (frame.width as usize / 10, 10);
        let rows = frame.height as usize / side;
        let mut sums = vec![0.0; columns * rows];
        for (index, pixel) in frame.pixels.chunks_exact(4).enumerate() {
            let (x, y) = (index % frame.width as usize, index / frame.width as usize);
            let light: f64 = pixel[..3].iter().map(|&c| f64::from(c)).sum();
            sums[y / side * columns + x / side] += light / 3.0 * f64::from(pixel[3]) / 255.0;
        }
        sums.iter().map(|sum| sum / (side * side) as f64).collect()
    };
    let (whole, smaller) = (blocks(&whole), blocks(&smaller));
    let light = whole.iter().sum::<f64>();
    let apart: f64 = whole.iter().zip(&smaller).map(|(a, b)| (a - b).abs()).sum();
    assert!(light / whole.len() as f64 > 10.0, "there is a lion");
    assert!(apart > 0.0, "it is another picture");
    assert!(apart / light < 0.08, "{}", apart / light);
}
