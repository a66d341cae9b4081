//! Against the library that our clients use, and byte by byte.

use std::future::poll_fn;

use futures_util::{SinkExt as _, StreamExt as _};
use proptest::prelude::*;
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as TheirFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes as TheirBytes, Message};

use super::*;
use crate::protocol::limits::{MAX_MESSAGE_BYTES, MAX_TRANSPORT_BYTES};

/// A frame as a client sends it.
fn masked(first: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    frame
}

fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first, [0x12, 0x34, 0x56, 0x78], payload)
}

/// Everything that is in `bytes`, which come in pieces of `piece` bytes.
fn read(bytes: &[u8], piece: usize) -> Result<Vec<Inbound>, Violation> {
    let mut decoder = Decoder::default();
    let mut all = Vec::new();
    for mut part in bytes.chunks(piece) {
        while let Some(inbound) = decoder.next(&mut part)? {
            all.push(inbound);
        }
        assert!(part.is_empty(), "it takes all");
    }
    Ok(all)
}

fn text_of(text: &str) -> Inbound {
    Inbound::Text(text.to_owned())
}

proptest! {
    #[test]
    fn a_message_is_itself_however_it_is_masked_cut_and_delivered(
        text in "\\PC{0,300}",
        cuts in prop::collection::vec(0_usize..300, 0..6),
        mask: [u8; 4],
        piece in 1_usize..700,
        ping in prop::collection::vec(any::<u8>(), 0..=125),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        let mut bytes = Vec::new();
        let mut from = 0;
        for (index, to) in cuts.iter().copied().chain([text.len()]).enumerate() {
            let opcode = if index == 0 { 1 } else { 0 };
            let fin = if index == cuts.len() { 0x80 } else { 0 };
            bytes.extend(masked(fin | opcode, mask, &text.as_bytes()[from..to]));
            // Control frames may stand between a message's.
            if fin == 0 {
                bytes.extend(masked(0x89, mask, &ping));
            }
            from = to;
        }
        let got = read(&bytes, piece).unwrap();
        let (last, pings) = got.split_last().unwrap();
        prop_assert_eq!(last, &Inbound::Text(text));
        prop_assert_eq!(pings.len(), cuts.len());
        prop_assert!(pings.iter().all(|it| *it == Inbound::Ping(ping.clone())));
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes: Vec<u8>, piece in 1_usize..64) {
        let _ = read(&bytes, piece);
    }
}

#[test]
fn what_breaks_the_rules_is_told_apart() {
    let unmasked = vec![0x81, 1, b'a'];
    let cases: Vec<(Vec<u8>, Violation)> = vec![
        (unmasked, Violation::Protocol),
        // Reserved bits and opcodes: no extension was agreed upon.
        (client(0x81 | 0x40, b"a"), Violation::Protocol),
        (client(0x83, b"a"), Violation::Protocol),
        (client(0x8b, b""), Violation::Protocol),
        (client(0x82, b"a"), Violation::Binary),
        // A continuation of nothing, and a message within a message.
        (client(0x80, b"a"), Violation::Protocol),
        (
            [client(0x01, b"a"), client(0x81, b"b")].concat(),
            Violation::Protocol,
        ),
        // Control frames are short and whole.
        (client(0x09, b""), Violation::Protocol),
        (client(0x89, &[0; 126]), Violation::Protocol),
        (client(0x81, b"\xff"), Violation::NotUtf8),
        (client(0x88, b"\x03"), Violation::Protocol),
        (client(0x88, &1005_u16.to_be_bytes()), Violation::Protocol),
        (client(0x88, b"\x03\xe8\xff"), Violation::NotUtf8),
    ];
    for (bytes, expected) in cases {
        assert_eq!(read(&bytes, 3), Err(expected), "{bytes:02x?}");
    }
    let goodbye = [&1000_u16.to_be_bytes()[..], b"bye"].concat();
    assert_eq!(read(&client(0x88, &goodbye), 1), Ok(vec![Inbound::Close]));
    assert_eq!(read(&client(0x88, b""), 1), Ok(vec![Inbound::Close]));
}

#[test]
fn of_a_large_message_only_the_beginning_is_kept_and_it_ends_nothing() {
    let part = vec![b'x'; 50_000];
    let bytes = [
        client(0x01, &part),
        client(0x80, &part),
        client(0x81, b"after"),
    ]
    .concat();
    let start = vec![b'x'; MAX_MESSAGE_BYTES + 1];
    let large = Inbound::TooLarge {
        start,
        length: 100_000,
    };
    assert_eq!(read(&bytes, 4096).unwrap(), [large, text_of("after")]);
}

#[test]
fn a_message_that_the_transport_does_not_take_is_refused_by_its_head() {
    let mut decoder = Decoder::default();
    let mut whole: &[u8] = &[0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0x30, 0, 0, 1, 2, 3, 4];
    assert_eq!(decoder.next(&mut whole), Err(Violation::TooLarge));
    let mut decoder = Decoder::default();
    let mut absurd: &[u8] = &[
        0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4,
    ];
    assert_eq!(decoder.next(&mut absurd), Err(Violation::TooLarge));
    let mut decoder = Decoder::default();
    let part = client(0x01, &vec![b'x'; 60_000]);
    let more = client(0x00, &vec![b'x'; 60_000]);
    let refused = std::iter::once(part)
        .chain(std::iter::repeat_n(more, MAX_TRANSPORT_BYTES / 60_000))
        .find_map(|frame| decoder.next(&mut &frame[..]).err());
    assert_eq!(refused, Some(Violation::TooLarge));
}

#[test]
fn frames_without_end_and_without_content_count_as_messages() {
    let mut socket = Socket::new(duplex(1).0, Bytes::new());
    let begun = client(0x01, b"");
    assert_eq!(socket.decode(&begun), Ok(1));
    let empty = client(0x00, b"").repeat(500);
    assert_eq!(socket.decode(&empty), Ok(500));
    // One large frame counts for its bytes.
    let rest = client(0x80, &[b'x'; 16_000]);
    assert_eq!(socket.decode(&rest), Ok(62));
    assert!(socket.take().is_some());
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// A socket of ours, and the library's client at its other end.
async fn pair(room: usize) -> (Socket<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = duplex(room);
    let theirs = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    (Socket::new(ours, Bytes::new()), theirs)
}

async fn next(socket: &mut Socket<DuplexStream>) -> Inbound {
    loop {
        if let Some(inbound) = socket.take() {
            return inbound;
        }
        poll_fn(|cx| socket.poll_read(cx)).await.unwrap();
    }
}

#[test]
fn frames_of_every_length_reach_a_foreign_client_through_a_narrow_pipe() {
    block_on(async {
        let (mut ours, mut theirs) = pair(37).await;
        let texts: Vec<String> = [0, 1, 125, 126, 127, 700, 65_535, 65_536, 70_000]
            .map(|length| "é".repeat(length / 2) + &"x".repeat(length % 2))
            .into();
        // More than one call takes.
        let texts = vec![texts; 5].concat();
        for message in &texts {
            ours.push(Frame::text(message));
        }
        ours.answer(b"earlier");
        ours.answer(b"later");
        let written = async {
            poll_fn(|cx| ours.poll_flush(cx)).await.unwrap();
            assert!(ours.is_flushed());
        };
        let read = async {
            for message in &texts {
                let got = theirs.next().await.unwrap().unwrap();
                assert_eq!(got, Message::text(message.as_str()));
            }
            let pong = theirs.next().await.unwrap().unwrap();
            assert_eq!(pong, Message::Pong(TheirBytes::from_static(b"later")));
        };
        tokio::join!(written, read);
    });
}

#[test]
fn what_a_foreign_client_says_is_heard() {
    block_on(async {
        let (mut ours, mut theirs) = pair(100_000).await;
        for length in [0, 1, 125, 126, 65_535] {
            let said = "x".repeat(length);
            theirs.send(Message::text(said.clone())).await.unwrap();
            assert_eq!(next(&mut ours).await, Inbound::Text(said));
        }
        let first = TheirFrame::message("ab", OpCode::Data(Data::Text), false);
        let last = TheirFrame::message("cd", OpCode::Data(Data::Continue), true);
        for frame in [first, TheirFrame::ping("p"), last] {
            theirs.send(Message::Frame(frame)).await.unwrap();
        }
        assert_eq!(next(&mut ours).await, Inbound::Ping(b"p".to_vec()));
        assert_eq!(next(&mut ours).await, text_of("abcd"));
        let pong = TheirFrame::from_payload(
            tokio_tungstenite::tungstenite::protocol::frame::FrameHeader {
                is_final: true,
                opcode: OpCode::Control(Control::Pong),
                ..Default::default()
            },
            TheirBytes::new(),
        );
        theirs.send(Message::Frame(pong)).await.unwrap();
        assert_eq!(next(&mut ours).await, Inbound::Pong);
    });
}

#[test]
fn both_sides_can_close_and_what_came_with_the_upgrade_is_heard() {
    block_on(async {
        let (ours, theirs) = duplex(1000);
        let early = client(0x81, b"early");
        let mut ours = Socket::new(ours, early.into());
        assert_eq!(next(&mut ours).await, text_of("early"));
        let mut theirs = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let answered = async {
            let got = theirs.next().await.unwrap().unwrap();
            assert!(matches!(got, Message::Close(Some(it)) if u16::from(it.code) == 1008));
            // Sends the answer.
            assert!(theirs.next().await.is_none_or(|it| it.is_err()));
        };
        let closing = async move { ours.close(close::POLICY, "enough").await };
        tokio::join!(closing, answered);

        let (mut ours, mut theirs) = pair(1000).await;
        theirs.close(None).await.unwrap();
        assert_eq!(next(&mut ours).await, Inbound::Close);
        ours.agree().await;
        let agreed = theirs.next().await.unwrap().unwrap();
        assert!(matches!(agreed, Message::Close(Some(_))));
    });
}

#[test]
fn who_breaks_the_rules_and_goes_on_talking_is_read_to_the_end() {
    block_on(async {
        let (ours, mut theirs) = duplex(1000);
        let mut ours = Socket::new(ours, Bytes::new());
        theirs.write_all(&client(0x82, b"binary")).await.unwrap();
        assert_eq!(
            poll_fn(|cx| ours.poll_read(cx)).await,
            Err(Violation::Binary)
        );
        let talks = async {
            for _ in 0..100 {
                theirs.write_all(&[0xff; 1000]).await.unwrap();
            }
            theirs.shutdown().await.unwrap();
        };
        tokio::join!(ours.close(close::UNSUPPORTED, "text only"), talks);
        assert!(ours.take().is_none());
    });
}

#[test]
fn what_a_frame_says_is_found_behind_a_head_of_any_length() {
    for length in [0, 125, 126, 65_535, 65_536] {
        let message = "m".repeat(length);
        assert_eq!(Frame::text(&message).payload(), message.as_bytes());
    }
}
