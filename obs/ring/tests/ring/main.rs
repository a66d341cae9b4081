//! The ring between threads and between processes, over real shared memory in
//! a folder of the test's own.

mod child;
mod folder;
#[cfg(unix)]
mod hostile;
mod killed;
mod sound;
mod tearing;
mod turns;

use hyperfocus_ring::{Folder, FrameStamp, Newest, Reader, Settings, Vitals, Writer, now_ns};
use tempfile::TempDir;

/// A folder that is removed with its rings.
struct Private {
    folder: Folder,
    _temporary: TempDir,
}

impl Private {
    fn new() -> Self {
        // In memory where there is such a place, as the user's own would be.
        let temporary = tempfile::Builder::new()
            .prefix("hyperfocus-test-")
            .tempdir_in(if cfg!(target_os = "linux") {
                "/dev/shm".into()
            } else {
                std::env::temp_dir()
            })
            .unwrap();
        Self {
            folder: Folder::at(temporary.path().join("rings")).unwrap(),
            _temporary: temporary,
        }
    }

    fn writer(&self, name: &str, width: u32, height: u32) -> Writer {
        let mut writer = Writer::create(&self.folder, &settings(name, width, height)).unwrap();
        writer.beat(now_ns(), &Vitals::default());
        writer
    }

    fn reader(&self, name: &str) -> Reader {
        Reader::open(&self.folder, name, now_ns()).unwrap()
    }
}

fn settings(name: &str, width: u32, height: u32) -> Settings<'_> {
    Settings {
        name,
        engine: "test",
        width,
        height,
    }
}

fn stamp(number: u64) -> FrameStamp {
    FrameStamp {
        number,
        stage_seconds: number as f64,
        drawn_ns: now_ns(),
    }
}

/// Publishes a frame whose every eight bytes are its number.
fn publish(writer: &mut Writer, number: u64) {
    let mut slot = writer.frame();
    for chunk in slot.as_mut_slice().chunks_exact_mut(8) {
        chunk.copy_from_slice(&number.to_ne_bytes());
    }
    slot.publish(&stamp(number));
}

/// The number that every eight bytes are; `None` when they are of two frames.
fn number_in(pixels: &[u8]) -> Option<u64> {
    let mut numbers = pixels
        .chunks_exact(8)
        .map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap()));
    let first = numbers.next()?;
    numbers.all(|number| number == first).then_some(first)
}

/// The number of the newest frame, which must be whole.
fn newest_number(reader: &mut Reader) -> Option<u64> {
    match reader.newest(None) {
        Newest::Frame(frame) => {
            let number = number_in(frame.pixels()).expect("a torn frame");
            assert_eq!(number, frame.stamp().number);
            assert!(frame.is_intact());
            Some(number)
        }
        _ => None,
    }
}
