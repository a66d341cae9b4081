//! A player and its clock.

use super::*;

const PATH: &str = "card.mp4";

fn opened(source: impl VideoSource + 'static) -> Opened {
    let layout = Arc::new(Layout::halves(Halves::AlphaLeft, source.info()));
    Opened {
        source: Box::new(source),
        layout,
    }
}

fn play(source: impl VideoSource + 'static, looping: bool) -> Player {
    let slot = PlayerSlots::default().take().unwrap();
    Player::spawn(Path::new(PATH), looping, slot, move || Ok(opened(source))).unwrap()
}

/// Asks until `done` says so; for what another thread is about to do.
fn until<T>(mut done: impl FnMut() -> Option<T>) -> T {
    for _ in 0..10_000 {
        if let Some(value) = done() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it did not happen within ten seconds");
}

fn frame_at(player: &mut Player, now: f64) -> VideoFrame {
    until(|| player.frame_for(now))
}

/// Counts what has been decoded of it.
struct Counted(NullSource, Arc<AtomicU64>);

impl VideoSource for Counted {
    fn info(&self) -> &VideoInfo {
        self.0.info()
    }
    fn next_frame(&mut self) -> Result<Option<VideoFrame>, VideoError> {
        let frame = self.0.next_frame();
        self.1.fetch_add(1, Ordering::SeqCst);
        frame
    }
    fn rewind(&mut self) -> Result<(), VideoError> {
        self.0.rewind()
    }
}

#[test]
fn frames_come_when_they_are_due_and_not_before() {
    let mut player = play(NullSource::new(4, 2, 10.0, 5), false);
    assert_eq!(frame_at(&mut player, 0.0).index, 0);
    assert_eq!(*player.state(), PlayerState::Playing);
    assert!(player.frame_for(0.05).is_none(), "the next is early");
    assert!(player.frame_for(0.099).is_none());
    assert_eq!(frame_at(&mut player, 0.1).index, 1);
    assert_eq!(frame_at(&mut player, 0.2).index, 2);
    assert_eq!(player.stats().skipped, 0);
    assert_eq!(player.stats().shown, 3);
}

#[test]
fn late_frames_are_skipped_for_the_newest_that_is_due() {
    let mut player = play(NullSource::new(4, 2, 10.0, 100), false);
    frame_at(&mut player, 0.0);
    // Five seconds pass without a question: the clock is at frame 50.
    let last = until(|| {
        let frame = player.frame_for(5.0)?;
        (frame.index == 50).then_some(frame)
    });
    assert_eq!(last.pts, 5.0);
    assert!(player.frame_for(5.05).is_none());
    let stats = player.stats();
    assert_eq!(stats.shown + stats.skipped, 51);
    assert!(stats.skipped >= 40, "{stats:?}");
}

#[test]
fn the_decoder_waits_when_the_queue_is_full() {
    let decoded = Arc::new(AtomicU64::new(0));
    let source = Counted(NullSource::new(4, 2, 10.0, 1000), Arc::clone(&decoded));
    let mut player = play(source, false);
    frame_at(&mut player, 0.0);
    // Shown, held, queued, and one in the decoder's hands.
    let most = FRAME_QUEUE as u64 + 3;
    until(|| (decoded.load(Ordering::SeqCst) > FRAME_QUEUE as u64).then_some(()));
    for _ in 0..50 {
        assert!(player.frame_for(0.01).is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(decoded.load(Ordering::SeqCst) <= most);
}

#[test]
fn it_has_ended_once_the_last_frame_had_its_time() {
    let mut player = play(NullSource::new(4, 2, 10.0, 3), false);
    for (index, now) in [(0, 0.0), (1, 0.1), (2, 0.2)] {
        assert_eq!(frame_at(&mut player, now).index, index);
    }
    for _ in 0..20 {
        assert!(player.frame_for(0.29).is_none());
        assert_eq!(*player.state(), PlayerState::Playing);
        std::thread::sleep(Duration::from_millis(1));
    }
    until(|| {
        assert!(player.frame_for(0.3001).is_none());
        (*player.state() == PlayerState::Ended).then_some(())
    });
}

#[test]
fn a_loop_goes_on_with_rising_times_and_starting_indices() {
    let mut player = play(NullSource::new(4, 2, 10.0, 2), true);
    let mut seen = Vec::new();
    for step in 0..5 {
        let frame = frame_at(&mut player, f64::from(step) * 0.1 + 1e-6);
        seen.push((frame.index, (frame.pts * 10.0).round()));
    }
    assert_eq!(seen, [(0, 0.0), (1, 1.0), (0, 2.0), (1, 3.0), (0, 4.0)]);
}

#[test]
fn an_empty_video_does_not_loop_for_ever() {
    let mut player = play(NullSource::new(4, 2, 10.0, 0), true);
    until(|| {
        player.frame_for(0.0);
        (*player.state() == PlayerState::Ended).then_some(())
    });
}

#[test]
fn what_cannot_be_opened_has_failed() {
    let slot = PlayerSlots::default().take().unwrap();
    let missing = VideoError::Missing(PATH.into());
    let told = missing.clone();
    let mut player = Player::spawn(Path::new(PATH), false, slot, move || Err(told)).unwrap();
    until(|| {
        player.frame_for(0.0);
        (*player.state() == PlayerState::Failed(missing.clone())).then_some(())
    });
}

#[test]
fn a_decoder_that_panics_has_failed_and_frees_its_slot() {
    struct Bomb(VideoInfo);
    impl VideoSource for Bomb {
        fn info(&self) -> &VideoInfo {
            &self.0
        }
        fn next_frame(&mut self) -> Result<Option<VideoFrame>, VideoError> {
            panic!("on purpose, in a test")
        }
        fn rewind(&mut self) -> Result<(), VideoError> {
            Ok(())
        }
    }
    let slots = PlayerSlots::default();
    let slot = slots.take().unwrap();
    let bomb = Bomb(info(4, 2));
    let mut player = Player::spawn(Path::new(PATH), false, slot, move || Ok(opened(bomb))).unwrap();
    until(|| {
        player.frame_for(0.0);
        (*player.state() == PlayerState::Failed(VideoError::Stopped(PathBuf::from(PATH))))
            .then_some(())
    });
    until(|| (slots.taken() == 0).then_some(()));
}

#[test]
fn dropping_it_while_it_decodes_ends_its_thread() {
    let slots = PlayerSlots::default();
    let decoded = Arc::new(AtomicU64::new(0));
    let players: Vec<_> = (0..MAX_PLAYERS)
        .map(|_| {
            let source = Counted(NullSource::new(4, 2, 10.0, 1 << 40), Arc::clone(&decoded));
            let slot = slots.take().expect("one of the four");
            Player::spawn(Path::new(PATH), true, slot, move || Ok(opened(source))).unwrap()
        })
        .collect();
    assert!(slots.take().is_none(), "a fifth has to wait");
    until(|| (decoded.load(Ordering::SeqCst) > 4).then_some(()));
    drop(players);
    until(|| (slots.taken() == 0).then_some(()));
    let after = decoded.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(
        decoded.load(Ordering::SeqCst),
        after,
        "nobody decodes any more"
    );
    assert!(slots.take().is_some());
}

#[test]
fn sound_is_pulled_without_waiting_and_ends_once() {
    struct Beeps(u32);
    impl AudioSource for Beeps {
        fn next_chunk(&mut self) -> Result<Option<AudioChunk>, VideoError> {
            self.0 += 1;
            Ok((self.0 <= 3 * CHUNK_QUEUE as u32).then(|| AudioChunk {
                pts: f64::from(self.0),
                samples: vec![0.5; 4],
            }))
        }
    }
    let mut stream = AudioStream::spawn(Path::new(PATH), || Ok(Some(Box::new(Beeps(0))))).unwrap();
    let mut chunks = 0;
    until(|| match stream.pull() {
        Pull::Chunk(chunk) => {
            chunks += 1;
            assert_eq!(chunk.pts, f64::from(chunks));
            None
        }
        Pull::NotYet => None,
        Pull::Ended => Some(()),
        Pull::Failed(error) => panic!("{error}"),
    });
    assert_eq!(chunks, 3 * CHUNK_QUEUE as u32);
    assert_eq!(stream.pull(), Pull::Ended);

    let mut silent = AudioStream::spawn(Path::new(PATH), || Ok(None)).unwrap();
    until(|| (silent.pull() == Pull::Ended).then_some(()));
    let missing = VideoError::Missing(PATH.into());
    let told = missing.clone();
    let mut failing = AudioStream::spawn(Path::new(PATH), || Err(told)).unwrap();
    until(|| (failing.pull() == Pull::Failed(missing.clone())).then_some(()));
    assert_eq!(failing.pull(), Pull::Ended);
}
