//! The requirements for an uploaded icon.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::end::end_of;
use super::format::Format;

/// The maximum size of an icon, in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The minimum and maximum width and height of an icon, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=2048;
/// How much memory a decoder may allocate, in bytes: about twice what the largest icon takes.
const MAX_DECODED: u64 = 64 * 1024 * 1024;

/// The properties of an image that may be an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// The format, detected from the content.
    pub format: Format,
    /// The width, in pixels.
    pub width: u32,
    /// The height, in pixels.
    pub height: u32,
}

/// Why a file cannot be an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The type is not one an icon may have, or not the declared one.
    Type(&'static str),
    /// The type is right, but the image is not one an icon may be.
    Content(&'static str),
}

/// The media types that say nothing about the content: those for any bytes, and those that clients such
/// as `curl --data-binary` send by default.
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

/// Checks whether a file can be an icon, by its content and `declared`, the media type that the sender
/// gave, if any. Takes as long as decoding the image, but decodes nothing larger than an icon may be.
///
/// # Errors
/// The reason why it cannot.
pub fn check(bytes: &[u8], declared: Option<&str>) -> Result<Image, Refusal> {
    const TYPE: Refusal = Refusal::Type("An icon must be a PNG, JPEG, WebP or GIF image.");
    let format = Format::of(bytes).ok_or(TYPE)?;
    if declared.is_some_and(|declared| !may_be(format, declared)) {
        let message = "The content does not match Content-Type.";
        return Err(Refusal::Type(message));
    }
    match end_of(format, bytes) {
        Some(end) if end == bytes.len() => {}
        Some(end) if end < bytes.len() => {
            return Err(Refusal::Content(
                "The file contains data after the end of the image.",
            ));
        }
        _ => return Err(NOT_WHOLE),
    }
    decode(format, bytes)
}

const NOT_WHOLE: Refusal = Refusal::Content("The image is corrupt or incomplete.");

fn decode(format: Format, bytes: &[u8]) -> Result<Image, Refusal> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.to_image());
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|_| NOT_WHOLE)?;
    let (width, height) = decoder.dimensions();
    if !SIDES.contains(&width) || !SIDES.contains(&height) {
        let message = "An icon must have 16 to 2,048 pixels a side.";
        return Err(Refusal::Content(message));
    }
    // Only the first frame of an animation is decoded.
    DynamicImage::from_decoder(decoder).map_err(|_| NOT_WHOLE)?;
    Ok(Image {
        format,
        width,
        height,
    })
}
