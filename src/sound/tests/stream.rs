use std::time::Duration;

use super::measure::*;
use crate::sound::{
    AudioChunk, AudioFeed, CHUNKS_WAITING, LATENCY, PushError, RATE, VoiceKey, audio_stream, mixer,
};

const VIDEO: VoiceKey = VoiceKey(3);

/// Frames of one AAC packet.
const PACKET: usize = 1_024;

/// Pushes `count` packets of a tone that goes on from packet to packet.
fn push_tone(feed: &AudioFeed, packets: std::ops::Range<usize>) {
    let tone = sine(440.0, 0.5, packets.end * PACKET);
    for packet in packets {
        let samples = tone[packet * PACKET * 2..][..PACKET * 2].to_vec();
        feed.push(AudioChunk { samples }).expect("there is room");
    }
}

#[test]
fn chunks_play_seamlessly_in_order() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, FEATURE);
    push_tone(&feed, 0..20);
    let out = pull_frames(&mut mix, LATENCY + 20 * PACKET);
    let expected: Vec<f32> = sine(440.0, 0.5, 20 * PACKET)
        .chunks(2)
        .map(|f| f[0])
        .collect();
    // The first 2 ms fade in.
    assert_eq!(&out[LATENCY + 96..], &expected[96..]);
}

#[test]
fn a_decoder_that_falls_behind_is_silence_and_never_a_wait() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, FEATURE);
    mixer.play(VoiceKey(9), tone(2_000.0, 0.01, 2.0), AMBIENT);
    push_tone(&feed, 0..5);
    let mut out = pull(&mut mix, 0.5);
    assert!(amplitude_at(&out[12_000..], 440.0) < 1e-4, "a gap");
    assert!(
        amplitude_at(&out[12_000..], 2_000.0) > 0.009,
        "the others go on"
    );
    assert_eq!(mixer.stats().underruns, 1);
    push_tone(&feed, 5..15);
    out.extend(pull(&mut mix, 0.1));
    assert!(amplitude_at(&out[24_480..], 440.0) > 0.45, "it comes back");
    let smooth = 2.0 * bend_of_sine(440.0, 0.5) + bend_of_sine(2_000.0, 0.01) + 0.02;
    assert!(sharpest_bend(&out) < smooth, "{}", sharpest_bend(&out));
}

#[test]
fn a_stream_ends_when_its_feed_has_gone_and_all_has_played() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    let clock = feed.clock();
    mixer.play_stream(VIDEO, stream, FEATURE);
    push_tone(&feed, 0..10);
    drop(feed);
    let out = pull(&mut mix, 0.4);
    assert!(peak(&out[4_000..9_000]) > 0.49);
    assert_eq!(mixer.stats().held, 0);
    assert_eq!(mixer.stats().underruns, 0, "an end is no underrun");
    assert!(sharpest_bend(&out) < 0.03, "{}", sharpest_bend(&out));
    mixer.collect();
    assert!(clock.has_ended());
}

#[test]
fn the_clock_follows_what_was_mixed() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    let clock = feed.clock();
    mixer.play_stream(VIDEO, stream, FEATURE);
    pull(&mut mix, 0.1);
    assert_eq!(clock.position(), Duration::ZERO, "nothing has come yet");
    push_tone(&feed, 0..20);
    pull_frames(&mut mix, RATE as usize / 10);
    assert_eq!(clock.position(), Duration::from_millis(100));
    mixer.set_paused(true);
    pull(&mut mix, 0.1);
    let paused = clock.position();
    pull(&mut mix, 1.0);
    assert_eq!(clock.position(), paused, "a pause holds it");
}

#[test]
fn a_full_stream_gives_the_chunk_back() {
    let (_mixer, _mix) = mixer();
    let (feed, stream) = audio_stream();
    push_tone(&feed, 0..CHUNKS_WAITING);
    let chunk = AudioChunk {
        samples: vec![0.25; 8],
    };
    match feed.push(chunk.clone()) {
        Err(PushError::Full(back)) => assert_eq!(back, chunk),
        other => panic!("{other:?}"),
    }
    drop(stream);
    assert!(matches!(feed.push(chunk), Err(PushError::Ended)));
    assert!(feed.clock().has_ended());
}

#[test]
fn a_stopped_stream_tells_its_feed() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, FEATURE);
    push_tone(&feed, 0..20);
    pull(&mut mix, 0.1);
    mixer.stop(VIDEO, Duration::from_millis(50));
    let out = pull(&mut mix, 0.1);
    assert!(sharpest_bend(&out) < 2.0 * bend_of_sine(440.0, 0.5));
    mixer.collect();
    assert!(matches!(
        feed.push(AudioChunk::default()),
        Err(PushError::Ended)
    ));
}

#[test]
fn played_buffers_come_back_to_be_freed_however_long_it_plays() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, FEATURE);
    for _ in 0..3 * CHUNKS_WAITING {
        push_tone(&feed, 0..1);
        pull_frames(&mut mix, PACKET);
        // One that finds no room is freed by the mix.
        assert!(feed.emptied.len() <= 2, "{}", feed.emptied.len());
    }
    push_tone(&feed, 0..CHUNKS_WAITING);
    pull(&mut mix, 1.0);
    assert!(feed.emptied.len() >= CHUNKS_WAITING);
    assert!(!feed.emptied.is_full(), "there was room for the last");
}

#[test]
fn a_stream_has_nothing_to_strike() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, FEATURE);
    push_tone(&feed, 0..10);
    pull(&mut mix, 0.05);
    mixer.step(VIDEO, 50);
    mixer.climax(VIDEO, 1.0);
    assert!((pitch(&pull(&mut mix, 0.1)) - 440.0).abs() < 1.0);
}

#[test]
fn a_video_without_sound_ducks_nobody() {
    let (mixer, mut mix) = mixer();
    let (_feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, HEADLINE);
    mixer.play(VoiceKey(9), tone(440.0, 0.2, 2.0), AMBIENT);
    pull(&mut mix, 0.5);
    assert!((amplitude_at(&pull(&mut mix, 0.5), 440.0) - 0.2).abs() < 0.002);
}

#[test]
fn odd_and_empty_chunks_do_no_harm() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(VIDEO, stream, FEATURE);
    for samples in [vec![], vec![0.5], vec![0.5; 3], vec![]] {
        feed.push(AudioChunk { samples }).expect("there is room");
    }
    pull(&mut mix, 0.1);
    assert_eq!(
        feed.clock().position(),
        Duration::from_nanos(1_000_000_000 / 48_000)
    );
}
