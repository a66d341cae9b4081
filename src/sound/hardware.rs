//! The machine's own outputs: what there is, and which one plays.

use rodio::cpal::traits::{DeviceTrait, HostTrait};
use rodio::cpal::{Device, StreamError, default_host};
use rodio::{DeviceSinkBuilder, DeviceSinkError, MixerDeviceSink};

use super::device::{Lent, LostReport, Opened, Output};
use super::mix::{CHANNELS, SAMPLE_RATE};
use crate::config::{SoundDevice, unknown_device};

/// The outputs of this machine, in the system's order. None is opened for
/// this, so some may be busy or unplugged.
///
/// # Errors
/// When the system does not tell.
pub fn output_devices() -> Result<Vec<SoundDevice>, String> {
    let _chatter = AlsaChatter::catch();
    Ok(outputs()?.into_iter().map(|(known, _)| known).collect())
}

/// Every output with its handle; those without a name are left out.
fn outputs() -> Result<Vec<(SoundDevice, Device)>, String> {
    let host = default_host();
    let default = host
        .default_output_device()
        .and_then(|device| device.id().ok());
    let devices = host.output_devices().map_err(|error| error.to_string())?;
    let known = devices.filter_map(|device| {
        let id = device.id().ok()?;
        let known = SoundDevice {
            is_default: Some(&id) == default.as_ref(),
            name: device.description().ok()?.name().to_owned(),
            id: id.1,
        };
        Some((known, device))
    });
    Ok(known.collect())
}

/// The output that was chosen, or the system's default.
pub(super) struct ChosenDevice {
    wanted: Option<String>,
    /// That the default plays in its place has been said.
    said: bool,
    /// Whether it was there when it was looked for last, though it may not have been
    /// to be had.
    was_there: bool,
}

/// An output that plays.
pub(super) struct Playing {
    sink: MixerDeviceSink,
    name: String,
}

impl ChosenDevice {
    pub(super) fn new(wanted: Option<String>) -> Self {
        Self {
            wanted,
            said: false,
            was_there: false,
        }
    }

    /// The wanted device, opened; otherwise why not.
    fn open_wanted(wanted: &str, lost: &LostReport) -> Result<Playing, String> {
        let devices = outputs()?;
        let mut error = None;
        for (known, device) in &devices {
            if known.is(wanted) {
                match open(Some(device), lost) {
                    Ok(sink) => {
                        let name = known.name.clone();
                        return Ok(Playing { sink, name });
                    }
                    Err(why) => error = Some(why),
                }
            }
        }
        Err(match error {
            Some(why) => format!("the sound device {wanted:?} cannot be opened ({why})"),
            None => {
                let known: Vec<_> = devices.into_iter().map(|(known, _)| known).collect();
                unknown_device(wanted, &known).expect("no device is called so")
            }
        })
    }
}

impl Output for ChosenDevice {
    type Opened = Playing;
    type Error = DeviceSinkError;

    /// The wanted device is looked for at every opening: it may have come
    /// back.
    fn open(&mut self, lost: LostReport) -> Result<Playing, DeviceSinkError> {
        let _chatter = AlsaChatter::catch();
        if let Some(wanted) = &self.wanted {
            match Self::open_wanted(wanted, &lost) {
                Ok(playing) => {
                    self.said = false;
                    return Ok(playing);
                }
                Err(why) if !self.said => {
                    self.was_there = is_there(wanted);
                    tracing::error!(
                        "the default sound device plays instead of the chosen one: {why}"
                    );
                    self.said = true;
                }
                Err(_) => {}
            }
        }
        Ok(Playing {
            sink: open(None, &lost)?,
            name: "the default device".to_owned(),
        })
    }

    fn has_come(&mut self) -> bool {
        let Some(wanted) = self.wanted.as_deref().filter(|_| self.said) else {
            return false;
        };
        let _chatter = AlsaChatter::catch();
        let was_there = std::mem::replace(&mut self.was_there, is_there(wanted));
        self.was_there && !was_there
    }
}

fn is_there(wanted: &str) -> bool {
    outputs().is_ok_and(|all| all.iter().any(|(known, _)| known.is(wanted)))
}

/// Opens `device`, or the default one.
fn open(device: Option<&Device>, lost: &LostReport) -> Result<MixerDeviceSink, DeviceSinkError> {
    let on_error = {
        let lost = lost.clone();
        move |error: StreamError| lost.report(&error)
    };
    let builder = || {
        match device {
            Some(device) => DeviceSinkBuilder::from_device(device.clone()),
            None => DeviceSinkBuilder::from_default_device(),
        }
        .map(|builder| builder.with_error_callback(on_error.clone()))
    };
    // The mix's own format needs no conversion; nearly every device has it.
    let mut sink = builder()?
        .with_channels(CHANNELS)
        .with_sample_rate(SAMPLE_RATE)
        .open_stream()
        .or_else(|_| builder()?.open_sink_or_fallback())?;
    sink.log_on_drop(false);
    Ok(sink)
}

impl Opened for Playing {
    fn play(&self, mix: Lent) {
        self.sink.mixer().add(mix);
    }

    fn describe(&self) -> String {
        let config = self.sink.config();
        format!(
            "{}, {} Hz, {} channels",
            self.name,
            config.sample_rate(),
            config.channel_count()
        )
    }
}

/// What ALSA would print on stderr while a device is opened, eight lines for
/// a missing one at every try. It goes to the debug log instead.
struct AlsaChatter(
    #[cfg(target_os = "linux")] Option<std::rc::Rc<std::cell::RefCell<alsa::Output>>>,
);

impl AlsaChatter {
    /// Catches this thread's messages from now on; they are logged on drop.
    fn catch() -> Self {
        Self(
            #[cfg(target_os = "linux")]
            alsa::Output::local_error_handler().ok(),
        )
    }
}

#[cfg(target_os = "linux")]
impl Drop for AlsaChatter {
    fn drop(&mut self) {
        if let Some(text) = &self.0 {
            text.borrow().buffer_string(|text| {
                if !text.is_empty() {
                    tracing::debug!("ALSA: {}", String::from_utf8_lossy(text).trim_end());
                }
            });
        }
    }
}
