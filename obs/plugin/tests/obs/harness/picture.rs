//! Screenshots, as raw RGBA.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a render target held: RGBA, 8 bits each.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    pub(super) fn from_data_url(url: &str) -> Result<Self, String> {
        let encoded = url.split_once(',').ok_or("no data URL")?.1;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|error| error.to_string())?;
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::ALPHA);
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let mut pixels = vec![0; reader.output_buffer_size().ok_or("too large")?];
        let info = reader
            .next_frame(&mut pixels)
            .map_err(|error| error.to_string())?;
        if info.color_type != png::ColorType::Rgba || info.bit_depth != png::BitDepth::Eight {
            return Err(format!("{:?} {:?}", info.color_type, info.bit_depth));
        }
        Ok(Self {
            width: info.width,
            height: info.height,
            pixels,
        })
    }

    pub(crate) fn at(&self, x: u32, y: u32) -> [u8; 4] {
        let index = (y * self.width + x) as usize * 4;
        self.pixels[index..index + 4].try_into().unwrap()
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The one colour of all pixels, if they have one.
    pub(crate) fn only_colour(&self) -> Option<[u8; 4]> {
        let first = self.at(0, 0);
        self.pixels
            .chunks_exact(4)
            .all(|pixel| pixel == first)
            .then_some(first)
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The middle row, in sixteen places.
        let row: Vec<[u8; 4]> = (0..16)
            .map(|place| self.at((2 * place + 1) * self.width / 32, self.height / 2))
            .collect();
        write!(f, "{}x{} {row:?}", self.width, self.height)
    }
}
