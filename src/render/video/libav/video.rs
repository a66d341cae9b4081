//! Pictures.

use std::path::{Path, PathBuf};

use ff::codec::{Id, threading};
use ff::media::Type;
use ff::{color, format::Pixel, frame, util::chroma};
use ffmpeg_next as ff;

use super::super::source::{
    ChromaSiting, MAX_CODED_SIDE, MAX_FRAME_RATE, Matrix, Planes, Range, VideoColour, VideoError,
    VideoFrame, VideoInfo, VideoSource,
};
use super::{not_a_video, number, open_input, start_seconds};

/// Threads that decode one video: two frames at a time is what a two-core
/// machine has, and more would only hold more frames.
const THREADS: usize = 2;

/// What a container's count of frames and its duration may be off, as a share of
/// them. Ending earlier than both say is damage; an edit list leaves frames out,
/// which only the duration knows of.
const MISSING_SHARE: f64 = 0.1;

/// Packets in a row that the decoder may take without giving a picture or an
/// error, before we call the file damaged: far more than any reordering needs.
const MAX_FRUITLESS_PACKETS: u32 = 512;

pub struct Decoder {
    path: PathBuf,
    input: ff::format::context::Input,
    decoder: ff::decoder::Video,
    stream: usize,
    /// Seconds per tick of the stream's clock.
    tick: f64,
    /// Seconds on the stream's clock at which the file begins.
    start: f64,
    info: VideoInfo,
    next_index: u64,
    /// Seconds that the container says there are to be seen.
    duration: Option<f64>,
    /// Seconds at which the frames so far have had their time.
    seen_until: f64,
    /// Everything was fed; the decoder is giving out what it held back.
    draining: bool,
}

impl Decoder {
    pub fn open(path: &Path) -> Result<Self, VideoError> {
        let input = open_input(path)?;
        let stream = input
            .streams()
            .best(Type::Video)
            .ok_or_else(|| not_a_video(path, "there is no video stream in it"))?;
        // libav's own decoders leave the alpha of a WebM out.
        if stream.metadata().get("alpha_mode") == Some("1") {
            return Err(VideoError::OwnAlpha(path.to_path_buf()));
        }
        let parameters = stream.parameters();
        let id = parameters.id();
        if !matches!(id, Id::H264 | Id::HEVC | Id::VP8 | Id::VP9 | Id::AV1) {
            return Err(VideoError::Codec {
                path: path.to_path_buf(),
                codec: id.name().to_owned(),
            });
        }
        let mut context = ff::codec::Context::from_parameters(parameters)
            .map_err(|error| not_a_video(path, &error.to_string()))?;
        context.set_threading(threading::Config {
            kind: threading::Type::Frame,
            count: THREADS,
            ..Default::default()
        });
        let decoder = context
            .decoder()
            .video()
            .map_err(|error| not_a_video(path, &format!("{}: {error}", id.name())))?;
        check_pixels(path, decoder.format())?;
        let info = VideoInfo {
            width: decoder.width(),
            height: decoder.height(),
            frame_rate: number(stream.avg_frame_rate())
                .or_else(|| number(stream.rate()))
                .unwrap_or(0.0),
            frames: u64::try_from(stream.frames())
                .ok()
                .filter(|&count| count > 0),
            colour: colour_of(&decoder),
            has_audio: input.streams().best(Type::Audio).is_some(),
        };
        check_info(path, &info)?;
        let (index, tick) = (stream.index(), number(stream.time_base()).unwrap_or(0.0));
        let start = start_seconds(&input);
        let duration = Some(stream.duration() as f64 * tick).filter(|&seconds| seconds > 0.0);
        Ok(Self {
            path: path.to_path_buf(),
            stream: index,
            tick,
            start,
            input,
            decoder,
            info,
            next_index: 0,
            duration,
            seen_until: 0.0,
            draining: false,
        })
    }

    /// Hands the decoder the next packet, or the news that there is none.
    fn feed(&mut self) -> Result<(), VideoError> {
        while let Some((stream, packet)) = self.input.packets().next() {
            if stream.index() == self.stream {
                return self
                    .decoder
                    .send_packet(&packet)
                    .map_err(|error| self.damaged(&error.to_string()));
            }
        }
        self.draining = true;
        self.decoder
            .send_eof()
            .map_err(|error| self.damaged(&error.to_string()))
    }

    fn damaged(&self, reason: &str) -> VideoError {
        VideoError::Damaged {
            path: self.path.clone(),
            frame: self.next_index,
            reason: reason.to_owned(),
        }
    }

    /// A picture that the decoder had to guess parts of is worse than none:
    /// green blocks on a stream.
    fn accept(&mut self, frame: frame::Video) -> Result<VideoFrame, VideoError> {
        if frame.is_corrupt() || frame.has_decode_errors() {
            return Err(self.damaged("parts of the picture are missing"));
        }
        check_pixels(&self.path, frame.format())?;
        let (width, height) = (frame.width(), frame.height());
        if (width, height) != (self.info.width, self.info.height) {
            return Err(self.damaged(&format!("its size changes to {width}x{height}")));
        }
        let whole = (0..3).all(|plane| {
            let stride = frame.stride(plane);
            stride >= self.info.plane_size(plane).0 as usize
                && stride <= 2 * MAX_CODED_SIDE as usize
        });
        if !whole {
            return Err(self.damaged("its planes have impossible strides"));
        }
        let index = self.next_index;
        self.next_index += 1;
        let pts = match frame.timestamp() {
            Some(ticks) if self.tick > 0.0 => ticks as f64 * self.tick - self.start,
            _ => index as f64 * self.info.frame_seconds(),
        };
        // A last picture may stand for long where the rate is not constant.
        let own = frame.packet().duration as f64 * self.tick;
        let seconds = own.max(self.info.frame_seconds());
        self.seen_until = self.seen_until.max(pts + seconds);
        Ok(VideoFrame::new(Box::new(DecodedPlanes(frame)), index, pts))
    }

    /// Whether the end came when the container said it would.
    fn check_end(&self) -> Result<(), VideoError> {
        if self.next_index == 0 {
            return Err(self.damaged("there is not a single picture in it"));
        }
        let falls_short = |seen: f64, said: f64| seen < said * (1.0 - MISSING_SHARE);
        let lacks_time = |seconds| falls_short(self.seen_until, seconds);
        match self.info.frames {
            Some(frames)
                if falls_short(self.next_index as f64, frames as f64)
                    && self.duration.is_none_or(lacks_time) =>
            {
                Err(self.damaged(&format!("it ends there instead of after {frames} frames")))
            }
            _ => Ok(()),
        }
    }
}

impl VideoSource for Decoder {
    fn info(&self) -> &VideoInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<VideoFrame>, VideoError> {
        let mut frame = frame::Video::empty();
        for _ in 0..MAX_FRUITLESS_PACKETS {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => return self.accept(frame).map(Some),
                Err(ff::Error::Eof) => return self.check_end().map(|()| None),
                Err(ff::Error::Other { errno }) if errno == ff::error::EAGAIN && !self.draining => {
                    self.feed()?;
                }
                Err(error) => return Err(self.damaged(&error.to_string())),
            }
        }
        Err(self.damaged("no picture comes out of it any more"))
    }

    fn rewind(&mut self) -> Result<(), VideoError> {
        self.input
            .seek(0, ..)
            .map_err(|error| self.damaged(&format!("cannot start over: {error}")))?;
        self.decoder.flush();
        self.next_index = 0;
        self.seen_until = 0.0;
        self.draining = false;
        Ok(())
    }
}

/// The decoder's own buffers; they go back to its pool with the frame.
struct DecodedPlanes(frame::Video);

impl Planes for DecodedPlanes {
    fn bytes(&self, plane: usize) -> &[u8] {
        self.0.data(plane)
    }

    fn stride(&self, plane: usize) -> usize {
        self.0.stride(plane)
    }
}

fn check_pixels(path: &Path, format: Pixel) -> Result<(), VideoError> {
    if matches!(format, Pixel::YUV420P | Pixel::YUVJ420P) {
        return Ok(());
    }
    Err(VideoError::PixelFormat {
        path: path.to_path_buf(),
        format: format
            .descriptor()
            .map_or_else(|| format!("{format:?}"), |known| known.name().to_owned()),
    })
}

fn check_info(path: &Path, info: &VideoInfo) -> Result<(), VideoError> {
    let path = path.to_path_buf();
    let (width, height) = (info.width, info.height);
    let sides = 2..=MAX_CODED_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(VideoError::Size {
            path,
            width,
            height,
        });
    }
    let rate = info.frame_rate;
    if !(rate > 0.0 && rate <= MAX_FRAME_RATE) {
        return Err(VideoError::FrameRate { path, rate });
    }
    Ok(())
}

/// What the tags say; absent ones mean BT.601 limited.
fn colour_of(decoder: &ff::decoder::Video) -> VideoColour {
    let full = decoder.format() == Pixel::YUVJ420P || decoder.color_range() == color::Range::JPEG;
    VideoColour {
        matrix: match decoder.color_space() {
            color::Space::BT709 => Matrix::Bt709,
            color::Space::BT2020NCL | color::Space::BT2020CL => Matrix::Bt2020,
            _ => Matrix::Bt601,
        },
        range: if full { Range::Full } else { Range::Limited },
        siting: match decoder.chroma_location() {
            chroma::Location::Center | chroma::Location::Top | chroma::Location::Bottom => {
                ChromaSiting::Centre
            }
            _ => ChromaSiting::Left,
        },
    }
}
