//! The heart in virtual time, over a real ring in a folder of the test's own; this
//! test sits where the source in OBS sits.

use std::fs;

use hyperfocus_ring::{Instance, Life, Newest, Reader, Report};
use tempfile::TempDir;

use super::*;

const SECOND_NS: u64 = 1_000_000_000;
/// Any time, far from what the machine's clock says.
const BEGIN_NS: u64 = 1_000_000 * SECOND_NS;
const NAME: &str = "main";
const ON_AIR: Report = Report {
    fps: (30, 1),
    showing: Showing::OnAir,
    sources: 1,
    shown: 0,
};

struct Ringed {
    folder: Folder,
    heart: Heart,
    state: Arc<State>,
    _temporary: TempDir,
}

impl Ringed {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::at(temporary.path().join("rings")).unwrap();
        let settings = Settings {
            name: NAME,
            engine: "test",
            width: 4,
            height: 2,
        };
        let writer = Writer::create(&folder, &settings).unwrap();
        let state = Arc::new(State::new(writer, false, BEGIN_NS));
        state.pulse.wakes(BEGIN_NS, true);
        Self {
            folder,
            heart: Heart::of(state.clone()),
            state,
            _temporary: temporary,
        }
    }

    fn publish(&self) {
        let mut ring = self.state.ring();
        let mut slot = ring.writer.frame();
        slot.as_mut_slice().fill(9);
        slot.publish(&FrameStamp::default());
    }

    fn life(&self, now_ns: u64) -> Life {
        Instance::find(&self.folder, NAME, now_ns).unwrap().life
    }

    fn reader(&self, now_ns: u64) -> Reader {
        let mut reader = Reader::open(&self.folder, NAME, now_ns).unwrap();
        assert!(reader.beat(now_ns, &ON_AIR));
        reader
    }
}

fn has_picture(reader: &mut Reader) -> bool {
    matches!(reader.newest(None), Newest::Frame(_))
}

#[test]
fn a_stage_that_stands_still_is_not_live_until_it_goes_on() {
    let mut ringed = Ringed::new();
    ringed.state.pulse.rests(BEGIN_NS, Duration::from_secs(60));
    for seconds in [0, 30, 60, 64] {
        let now = BEGIN_NS + seconds * SECOND_NS;
        ringed.heart.beat(now);
        assert_eq!(ringed.life(now), Life::Live, "it may sleep: {seconds} s");
    }
    let now = BEGIN_NS + 66 * SECOND_NS;
    ringed.heart.beat(now);
    assert!(matches!(ringed.life(now), Life::Silent { .. }));
    ringed.state.pulse.wakes(now, true);
    ringed.heart.beat(now);
    assert_eq!(ringed.life(now), Life::Live);
}

#[test]
fn a_gift_stays_through_a_pause_of_obs_and_not_after_its_end() {
    let mut ringed = Ringed::new();
    let mut reader = ringed.reader(BEGIN_NS);
    assert!(ringed.heart.beat(BEGIN_NS), "OBS has come");
    ringed.publish();

    let paused = BEGIN_NS + SECOND_NS;
    assert!(ringed.heart.beat(paused), "gifts wait");
    assert!(!ringed.state.is_seen.load(Ordering::Relaxed));
    assert!(reader.beat(paused, &ON_AIR));
    assert!(ringed.heart.beat(paused), "gifts play");
    assert!(has_picture(&mut reader), "it went on all the time");

    let gone = paused + 2 * SECOND_NS;
    ringed.heart.beat(gone);
    assert!(matches!(reader.newest(None), Newest::Empty { .. }));

    // One that leaves in order is not waited for.
    assert!(reader.beat(gone, &ON_AIR));
    assert!(ringed.heart.beat(gone), "it is back");
    ringed.publish();
    drop(reader);
    ringed.heart.beat(gone);
    let left = Instance::find(&ringed.folder, NAME, gone).unwrap();
    assert!(left.is_empty);
}

#[test]
fn a_ring_that_was_removed_is_there_again_and_obs_gets_the_stage_anew() {
    let mut ringed = Ringed::new();
    let reader = ringed.reader(BEGIN_NS);
    ringed.heart.beat(BEGIN_NS);
    ringed.state.is_owed.store(false, Ordering::Relaxed);
    fs::remove_dir_all(ringed.folder.path()).unwrap();

    let now = BEGIN_NS + LOOK_NS;
    ringed.heart.beat(now);
    assert_eq!(reader.life(now), Life::Retired, "OBS is led to the new one");
    assert_eq!(ringed.life(now), Life::Live);
    drop(reader);
    let _reader = ringed.reader(now);
    assert!(ringed.heart.beat(now), "OBS has come");
    assert!(ringed.state.is_owed.load(Ordering::Relaxed));
}

#[test]
fn an_end_is_told_at_once_whoever_still_asks_for_the_pace() {
    let ringed = Ringed::new();
    let reader = ringed.reader(BEGIN_NS);
    let feed = ObsFeed {
        state: ringed.state.clone(),
        heart: None,
    };
    let pace = feed.pace();
    feed.close();
    assert_eq!(reader.life(BEGIN_NS), Life::Ended);
    let found = Instance::find(&ringed.folder, NAME, BEGIN_NS);
    assert!(
        matches!(found, Err(RingError::NotFound { .. })),
        "{found:?}"
    );
    drop(pace);
}

#[test]
fn each_frame_of_the_stage_is_a_sign_of_life() {
    let ringed = Ringed::new();
    let mut app = App::new();
    app.init_resource::<Warmup>()
        .insert_resource(Feed(ringed.state.clone()))
        .add_systems(First, awake);
    let later = now_ns() + 20 * SECOND_NS;
    ringed.state.pulse.wakes(0, true);
    assert!(ringed.state.pulse.stopped_ns(later).is_some());
    app.update();
    let stopped = ringed.state.pulse.stopped_ns(later);
    assert_eq!(stopped, None, "it is not warm, and may take its time");
}
