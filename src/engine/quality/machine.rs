//! What a busy frame takes, by adapter and size, kept from run to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy::log::warn;

use crate::config::Size;
use crate::draft::Draft;

/// Adapters and sizes that are remembered; the one kept longest ago makes room.
const MAX_KNOWN: usize = 16;
/// A longer file is none of ours and is not read.
const FILE_LIMIT: u64 = 16 * 1024;

/// What a measure holds for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Machine {
    /// Its name and its driver.
    pub(super) adapter: String,
    pub(super) size: Size,
}

/// A file with a line for each: milliseconds, size, adapter.
#[derive(Debug)]
pub(super) struct Machines {
    path: PathBuf,
    known: Vec<(Machine, Duration)>,
}

impl Machines {
    /// Reads what is known. A file that cannot be meant is said once, and
    /// replaced with the next measure.
    pub(super) fn read(state: &Path) -> Self {
        let path = state.join("quality.txt");
        let known = match fs::metadata(&path) {
            Err(_) => Vec::new(),
            Ok(metadata) => {
                let is_ours = metadata.is_file() && metadata.len() <= FILE_LIMIT;
                let text = is_ours.then(|| fs::read_to_string(&path).ok()).flatten();
                let known = text.and_then(|text| text.lines().map(parse).collect());
                known.unwrap_or_else(|| {
                    warn!(
                        "{} cannot be read; the machine is measured anew",
                        path.display()
                    );
                    Vec::new()
                })
            }
        };
        Self { path, known }
    }

    pub(super) fn cost(&self, machine: &Machine) -> Option<Duration> {
        let found = self.known.iter().find(|(known, _)| known == machine);
        found.map(|&(_, cost)| cost)
    }

    /// Remembers what was measured. A folder that cannot be written costs no
    /// more than another measure.
    pub(super) fn keep(&mut self, machine: Machine, cost: Duration) {
        self.known.retain(|(known, _)| *known != machine);
        let surplus = (self.known.len() + 1).saturating_sub(MAX_KNOWN);
        self.known.drain(..surplus);
        self.known.push((machine, cost));
        if let Err(error) = self.write() {
            warn!("{} cannot be kept: {error}", self.path.display());
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        let line = |(machine, cost): &(Machine, Duration)| {
            let Size { width, height } = machine.size;
            let ms = cost.as_secs_f64() * 1e3;
            // A driver's words stay on their line.
            let adapter = machine.adapter.replace(['\n', '\r'], " ");
            format!("{ms:.3} {width}x{height} {adapter}\n")
        };
        let text: String = self.known.iter().map(line).collect();
        let draft = Draft::of(&self.path, "part")?;
        fs::write(draft.temporary(), text)?;
        draft.publish()?;
        Ok(())
    }
}

fn parse(line: &str) -> Option<(Machine, Duration)> {
    let mut words = line.splitn(3, ' ');
    let ms: f64 = words.next()?.parse().ok()?;
    let size = Size::parse(words.next()?)?;
    let adapter = words.next()?.to_owned();
    let cost = Duration::try_from_secs_f64(ms / 1e3).ok()?;
    Some((Machine { adapter, size }, cost))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(adapter: &str, width: u32) -> Machine {
        Machine {
            adapter: adapter.to_owned(),
            size: Size {
                width,
                height: 1_080,
            },
        }
    }

    const COST: Duration = Duration::from_micros(12_345);

    #[test]
    fn a_machine_is_known_again_by_adapter_driver_and_size() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("new");
        let card = machine("Card 9 (Vulkan), driver 1.2", 1_920);
        Machines::read(&folder).keep(card.clone(), COST);
        let again = Machines::read(&folder);
        assert_eq!(again.cost(&card), Some(COST));
        assert_eq!(
            again.cost(&machine("Card 9 (Vulkan), driver 1.3", 1_920)),
            None
        );
        assert_eq!(
            again.cost(&machine("Card 9 (Vulkan), driver 1.2", 1_280)),
            None
        );
    }

    #[test]
    fn a_corrupt_file_is_replaced() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("quality.txt");
        let card = machine("Card", 1_920);
        for corrupt in [
            &b"\xff\xfe"[..],
            b"soon 1x1 Card",
            b"nan 1920x1080 Card\n",
            b"-3 1920x1080 C",
        ] {
            fs::write(&path, corrupt).unwrap();
            let mut machines = Machines::read(state.path());
            assert_eq!(machines.cost(&card), None);
            machines.keep(card.clone(), COST);
            assert_eq!(Machines::read(state.path()).cost(&card), Some(COST));
        }
    }

    #[test]
    fn the_oldest_makes_room() {
        let state = tempfile::tempdir().unwrap();
        let mut machines = Machines::read(state.path());
        for width in 0..40 {
            machines.keep(machine("Card", 100 + width), COST);
        }
        let again = Machines::read(state.path());
        assert_eq!(again.known.len(), MAX_KNOWN);
        assert!(again.cost(&machine("Card", 139)).is_some());
        assert!(again.cost(&machine("Card", 100)).is_none());
    }
}
