//! What handing over a frame costs, against one `memcpy` of it: both in one
//! run, in turns, so that whatever else the machine does weighs on both.
//!
//! `cargo run --release -p hyperfocus-ring --example ring_cost [WIDTH HEIGHT]`

use std::error::Error;

use hyperfocus_ring::{
    Folder, FrameStamp, Newest, Reader, Report, Settings, Vitals, Writer, now_ns,
};

const ROUNDS: usize = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<u32> = std::env::args()
        .skip(1)
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let (width, height) = match sizes[..] {
        [width, height] => (width, height),
        _ => (1920, 1080),
    };
    let folder = Folder::of_user()?;
    let mut writer = Writer::create(
        &folder,
        &Settings {
            name: &format!("cost-{}", std::process::id()),
            engine: "ring_cost",
            width,
            height,
        },
    )?;
    let mut reader = Reader::open(&folder, writer.name(), now_ns())?;
    let frame = vec![0x5a_u8; writer.stride() * height as usize];
    // As many places to copy to as the ring has, so that caches help neither.
    let mut places = vec![vec![0_u8; frame.len()]; 3];
    let (mut plain, mut handed, mut claimed) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = None;
    for round in 0..ROUNDS {
        let start = now_ns();
        places[round % 3].copy_from_slice(&frame);
        std::hint::black_box(&mut places);
        plain.push(now_ns() - start);

        let start = now_ns();
        let mut slot = writer.frame();
        slot.as_mut_slice().copy_from_slice(&frame);
        slot.publish(&FrameStamp {
            number: round as u64,
            stage_seconds: 0.0,
            drawn_ns: start,
        });
        writer.beat(start, &Vitals::default());
        std::hint::black_box(writer.wish(start));
        handed.push(now_ns() - start);

        // What the other side pays beside its upload.
        let start = now_ns();
        if let Newest::Frame(frame) = reader.newest(seen) {
            seen = Some(frame.sequence());
            std::hint::black_box(frame.is_intact());
        }
        reader.beat(start, &Report::default());
        claimed.push(now_ns() - start);
    }
    let (plain, handed, claimed) = (median(plain), median(handed), median(claimed));
    println!("{width}x{height}, median of {ROUNDS}:");
    println!("  one memcpy          {:8.1} us", plain as f64 / 1e3);
    println!(
        "  into the ring       {:8.1} us   {:.2} memcpy",
        handed as f64 / 1e3,
        handed as f64 / plain as f64
    );
    println!("  claim and release   {:8.1} us", claimed as f64 / 1e3);
    Ok(())
}

fn median(mut nanoseconds: Vec<u64>) -> u64 {
    nanoseconds.sort_unstable();
    nanoseconds[nanoseconds.len() / 2]
}
