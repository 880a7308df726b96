//! What an uploaded file must be to become an icon.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::end::end_of;
use super::format::Format;

/// How many bytes an icon may have.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// How many pixels an icon may have a side.
const SIDES: std::ops::RangeInclusive<u32> = 16..=2048;
/// How much memory a decoder may ask for: what an image of the largest size takes, twice.
const MAX_DECODED: u64 = 64 * 1024 * 1024;

/// What is known of an image that may be an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its format, by its content.
    pub format: Format,
    /// Pixels a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

/// Why a file cannot be an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is of no type that an icon may have, or of another one than was declared.
    Type(&'static str),
    /// It is of such a type, and no image that may be an icon.
    Content(&'static str),
}

/// The media types that say nothing of what a file is: that it is bytes, and what clients send unless they are
/// told otherwise, such as `curl --data-binary`.
const ANYTHING: [&str; 4] = [
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-www-form-urlencoded",
    "",
];

/// Whether a file of that format may be sent as the media type, which may have parameters.
fn may_be(format: Format, media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is = |expected: &str| essence.eq_ignore_ascii_case(expected);
    is(format.media_type()) || ANYTHING.into_iter().any(is)
}

/// Looks whether a file can be an icon: by its content, whatever it is called. `declared` is the media
/// type that its sender said it has, if they said. Takes as long as decoding the image does, and nothing
/// larger than an icon may be is decoded.
///
/// # Errors
/// Why it cannot.
pub fn check(bytes: &[u8], declared: Option<&str>) -> Result<Image, Refusal> {
    const TYPE: Refusal = Refusal::Type("An icon is a PNG, JPEG, WebP or GIF image.");
    let format = Format::of(bytes).ok_or(TYPE)?;
    if declared.is_some_and(|declared| !may_be(format, declared)) {
        let message = "The content is of another type than Content-Type says.";
        return Err(Refusal::Type(message));
    }
    match end_of(format, bytes) {
        Some(end) if end == bytes.len() => {}
        Some(end) if end < bytes.len() => {
            return Err(Refusal::Content("Something follows the image."));
        }
        _ => return Err(NOT_WHOLE),
    }
    decode(format, bytes)
}

const NOT_WHOLE: Refusal = Refusal::Content("The image is broken, or not whole.");

fn decode(format: Format, bytes: &[u8]) -> Result<Image, Refusal> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.to_image());
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|_| NOT_WHOLE)?;
    let (width, height) = decoder.dimensions();
    if !SIDES.contains(&width) || !SIDES.contains(&height) {
        let message = "An icon has 16 to 2,048 pixels a side.";
        return Err(Refusal::Content(message));
    }
    // Of an animation, that is the first picture.
    DynamicImage::from_decoder(decoder).map_err(|_| NOT_WHOLE)?;
    Ok(Image {
        format,
        width,
        height,
    })
}
