//! Finding where an image ends.
//!
//! Decoders stop at the end of the image and ignore what follows, so that a file can be an image and,
//! read by something else, a page or an archive. To detect that, this walks the structure of the four
//! formats without decoding anything.

use super::format::Format;

/// Returns how many bytes the image has according to its structure, which may be more than there are.
/// `None` if the structure is broken or does not come to an end.
pub(super) fn end_of(format: Format, bytes: &[u8]) -> Option<usize> {
    match format {
        Format::Png => png(bytes),
        Format::Jpeg => jpeg(bytes),
        Format::Webp => webp(bytes),
        Format::Gif => gif(bytes),
    }
}

/// PNG: chunks of a length, a type, that many bytes and a checksum, until `IEND`.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at: usize = 8;
    loop {
        let length = u32::from_be_bytes(array(bytes, at)?);
        let kind: [u8; 4] = array(bytes, at + 4)?;
        at = at
            .checked_add(12)?
            .checked_add(usize::try_from(length).ok()?)?;
        if at > bytes.len() {
            return None;
        }
        if &kind == b"IEND" {
            return Some(at);
        }
    }
}

/// JPEG: segments of a marker and usually a length, some followed by coded data, until `EOI`.
fn jpeg(bytes: &[u8]) -> Option<usize> {
    let mut at: usize = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        // A marker may be preceded by any number of fill bytes.
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = *bytes.get(at)?;
        at += 1;
        match marker {
            0xd9 => return Some(at),
            // Markers without a length. A second image cannot begin inside the first.
            0x01 | 0xd0..=0xd7 => continue,
            0x00 | 0xd8 => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(array(bytes, at)?));
        at += length.max(2);
        if marker == 0xda {
            at = behind_coded_data(bytes, at)?;
        }
    }
}

/// Returns the position of the next marker that is not part of the coded data.
fn behind_coded_data(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match *bytes.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// WebP: one RIFF chunk, which contains its length.
fn webp(bytes: &[u8]) -> Option<usize> {
    let length = usize::try_from(u32::from_le_bytes(array(bytes, 4)?)).ok()?;
    length.checked_add(length % 2)?.checked_add(8)
}

/// GIF: a screen, then images and extensions, both in sub-blocks, until the trailer.
fn gif(bytes: &[u8]) -> Option<usize> {
    let mut at = 13 + color_table(*bytes.get(10)?);
    loop {
        let block = *bytes.get(at)?;
        at += 1;
        match block {
            0x3b => return Some(at),
            0x21 => at += 1,
            // Four numbers of two bytes precede the flags, and one byte with the code size follows the
            // color table.
            0x2c => at += 9 + color_table(*bytes.get(at + 8)?) + 1,
            _ => return None,
        }
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
}

/// Returns how many bytes the color table takes that these flags announce.
fn color_table(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 0x07) + 1)
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
