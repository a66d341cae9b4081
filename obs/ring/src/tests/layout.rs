//! `LAYOUT.md` says what the structs say.

use std::collections::BTreeMap;
use std::mem::offset_of;

use crate::layout::{Header, MAGIC, Mark, SlotRecord};

const DOCUMENT: &str = include_str!("../../LAYOUT.md");

/// Rows of the form `| 256 | u32 | state | ...` below the heading `section`.
fn documented(section: &str) -> BTreeMap<String, (usize, String)> {
    DOCUMENT
        .lines()
        .skip_while(|line| !line.starts_with('#') || !line.contains(section))
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let offset = cells.get(1)?.parse().ok()?;
            let name = cells.get(3)?.trim_matches('`').to_owned();
            Some((name, (offset, (*cells.get(2)?).to_owned())))
        })
        .collect()
}

/// Field, offset and size.
macro_rules! fields {
    ($of:ty: $($field:ident),* $(,)?) => {{
        fn size<T, F>(_: fn(&T) -> &F) -> usize {
            size_of::<F>()
        }
        [$((
            stringify!($field),
            offset_of!($of, $field),
            size::<$of, _>(|it| &it.$field),
        )),*]
    }};
}

fn compare<const N: usize>(section: &str, fields: [(&str, usize, usize); N]) {
    let documented = documented(section);
    assert_eq!(documented.len(), N, "{section}: {documented:?}");
    for (name, offset, size) in fields {
        let (at, kind) = documented
            .get(name)
            .unwrap_or_else(|| panic!("{section}: {name} is not in the document"));
        assert_eq!(*at, offset, "{section}: {name}");
        let bytes = match kind.as_str() {
            "u32" => 4,
            "u64" | "f64" => 8,
            "u64 x 3" => 24,
            "64 bytes" => 64,
            "4 records" => 4 * size_of::<SlotRecord>(),
            other => panic!("{section}: {name} is {other}"),
        };
        assert_eq!(bytes, size, "{section}: {name}");
    }
}

#[test]
fn every_field_is_where_the_document_says() {
    compare(
        "Maker's block",
        fields!(Header:
            magic, version, header_size, total_size, width, height, stride, form,
            slot_count, writer_pid, ring_id, slot_offsets, marks_offset, mark_count,
            channels, samples_offset, sample_capacity, sample_rate, name, engine,
        ),
    );
    compare(
        "Writer's block",
        fields!(Header:
            state, connection, writer_heartbeat_ns, backend_event_ns, published,
            records, chunks_begun, sound_reach, chunks_done,
        ),
    );
    compare(
        "Reader's block",
        fields!(Header:
            reading, showing, seat, reader_heartbeat_ns, fps_numerator,
            fps_denominator, sources, shown,
        ),
    );
    compare(
        "Slot record",
        fields!(SlotRecord: stamp, number, stage_seconds, drawn_ns),
    );
    compare("Sound mark", fields!(Mark: start, at_ns, frames));
}

#[test]
fn the_file_begins_with_its_magic_number() {
    assert_eq!(&MAGIC.to_ne_bytes(), b"hyprring");
    assert!(DOCUMENT.contains("hyprring"));
}
