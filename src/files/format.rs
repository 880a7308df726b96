//! The image formats that an icon may have.

use image::ImageFormat;

use crate::text_enum;

text_enum! {
    /// The format of an icon. SVG is not supported: it is a document that may contain scripts.
    pub enum Format {
        /// PNG.
        Png = "PNG",
        /// JPEG.
        Jpeg = "JPEG",
        /// WebP.
        Webp = "WEBP",
        /// GIF.
        Gif = "GIF",
    }
}

impl Format {
    /// Detects the format from the first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Returns the value of `Content-Type`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// Returns the name that an icon is served under.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Png => "icon.png",
            Self::Jpeg => "icon.jpg",
            Self::Webp => "icon.webp",
            Self::Gif => "icon.gif",
        }
    }

    /// Returns the decoders' name of the format.
    pub(super) const fn to_image(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Webp => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
        }
    }
}
