//! What a video is encoded as: the words that the encoder understands.

use std::ffi::OsString;
use std::path::Path;

/// How a video keeps what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// VP9 with alpha in WebM, for a show that happens now.
    LiveVp9,
    /// VP9 with alpha in WebM.
    Vp9,
    /// ProRes 4444 in QuickTime, with 16 bits of alpha.
    ProRes4444,
    /// QuickTime Animation: every pixel as it is.
    QuickTimeRle,
    /// VP9 in WebM without alpha, over a background.
    OpaqueVp9,
    /// H.264 in MP4 without alpha, over a background.
    H264,
}

impl Codec {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LiveVp9 | Self::Vp9 => "VP9 with alpha",
            Self::ProRes4444 => "ProRes 4444",
            Self::QuickTimeRle => "QuickTime Animation",
            Self::OpaqueVp9 => "VP9",
            Self::H264 => "H.264",
        }
    }

    /// The container, as the encoder calls it.
    pub(super) fn container(self) -> &'static str {
        match self {
            Self::LiveVp9 | Self::Vp9 | Self::OpaqueVp9 => "webm",
            Self::ProRes4444 | Self::QuickTimeRle => "mov",
            Self::H264 => "mp4",
        }
    }

    /// How sound goes into the container. PCM is sample for sample what was
    /// mixed.
    pub(super) fn sound(self) -> &'static str {
        match self {
            Self::LiveVp9 | Self::Vp9 | Self::OpaqueVp9 => {
                "-c:a libopus -b:a 160k -avoid_negative_ts disabled"
            }
            Self::ProRes4444 | Self::QuickTimeRle => "-c:a pcm_s16le",
            Self::H264 => "-c:a aac -b:a 192k -movflags +faststart",
        }
    }

    /// BT.709 is said and meant: players guess it for what says nothing, while
    /// the conversion would default to BT.601.
    fn video(self) -> &'static str {
        match self {
            Self::LiveVp9 => {
                "-c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0 -deadline realtime -cpu-used 8 \
                 -row-mt 1 -b:v 0 -crf 30"
            }
            // Alpha cannot wait for a frame that is never shown.
            Self::Vp9 => {
                "-c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0 -deadline good -cpu-used 5 \
                 -b:v 0 -crf 20"
            }
            Self::OpaqueVp9 => {
                "-c:v libvpx-vp9 -pix_fmt yuv420p -deadline good -cpu-used 5 -b:v 0 -crf 20"
            }
            Self::ProRes4444 => {
                "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le -alpha_bits 16 -vendor apl0"
            }
            Self::QuickTimeRle => "-c:v qtrle -pix_fmt argb",
            Self::H264 => {
                "-c:v libx264 -pix_fmt yuv420p -preset medium -crf 16 -movflags +faststart"
            }
        }
    }

    /// An Opus stream begins with 6.5 ms that nobody hears. They lie before the
    /// first frame, which keeps its time.
    fn lead_in(self) -> &'static str {
        match self.container() {
            "webm" => "-itsoffset 0.0065",
            _ => "",
        }
    }

    fn is_rgb(self) -> bool {
        self == Self::QuickTimeRle
    }
}

/// What is encoded, and over what.
pub(super) struct Picture<'a> {
    pub codec: Codec,
    pub size: (u32, u32),
    /// Frames a second.
    pub rate: f64,
    /// A video that lies beneath, from its beginning and again as often as it
    /// takes; only for a codec without alpha.
    pub background: Option<&'a Path>,
}

/// Said of each frame as well: some encoders listen to nothing else.
const TO_BT709: &str = "scale=out_color_matrix=bt709:out_range=tv:flags=bilinear+accurate_rnd+full_chroma_int,\
     setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv";
const BT709: &str = "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv";

/// The encoder's arguments: raw straight RGBA on its standard input, a video
/// without sound into `target`.
pub(super) fn arguments(picture: &Picture, target: &Path) -> Vec<OsString> {
    let (width, height) = picture.size;
    let rate = picture.rate;
    let mut arguments = words("-hide_banner -loglevel error -y");
    arguments.extend(words(&format!(
        "-f rawvideo -pixel_format rgba -video_size {width}x{height} -framerate {rate} -i pipe:0"
    )));
    if let Some(background) = picture.background {
        arguments.extend(words("-stream_loop -1 -i"));
        arguments.push(file(background));
        // Laid over each other in RGB, where neighbours share no colour.
        arguments.extend(words(&format!(
            "-filter_complex \
             [1:v:0]fps={rate}:start_time=0,scale={width}:{height}:force_original_aspect_ratio=increase:\
             flags=bicubic+accurate_rnd+full_chroma_int,crop={width}:{height},setsar=1,\
             format=gbrp[under];\
             [0:v:0]format=gbrap[over];\
             [under][over]overlay=format=gbrp:alpha=straight:shortest=1,{TO_BT709}[out] \
             -map [out]"
        )));
    } else if !picture.codec.is_rgb() {
        arguments.extend(words(&format!("-vf {TO_BT709}")));
    }
    arguments.extend(words("-an"));
    arguments.extend(words(picture.codec.video()));
    if !picture.codec.is_rgb() {
        arguments.extend(words(BT709));
    }
    // Nothing of the moment or the machine in it: the same frames, the same file.
    arguments.extend(words(
        "-fflags +bitexact -flags:v +bitexact -map_metadata -1 -f",
    ));
    arguments.push(picture.codec.container().into());
    arguments.push(file(target));
    arguments
}

/// The arguments that put a video and raw sound together into `target`.
pub(super) fn joining(codec: Codec, video: &Path, sound: &Path, target: &Path) -> Vec<OsString> {
    let mut arguments = words("-hide_banner -loglevel error -y -nostdin -i");
    arguments.push(file(video));
    arguments.extend(words(codec.lead_in()));
    arguments.extend(words("-f s16le -ar 48000 -ac 2 -i"));
    arguments.push(file(sound));
    arguments.extend(words("-map 0:v:0 -map 1:a:0 -c:v copy"));
    arguments.extend(words(codec.sound()));
    arguments.extend(words(
        "-fflags +bitexact -flags:a +bitexact -map_metadata -1 -f",
    ));
    arguments.push(codec.container().into());
    arguments.push(file(target));
    arguments
}

fn words(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

/// A file by its name, whatever protocol that looks like.
fn file(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push(path);
    name
}
