//! Property tests of all accepted values.

mod codes;
mod domains;
mod emails;
mod folding;
mod json;
mod mentions;
mod slugs;
mod texts;

use proptest::prelude::*;

/// Any text: visible characters, any characters at all, or some that have caused trouble before.
fn text() -> impl Strategy<Value = String> {
    const TROUBLE: [&str; 40] = [
        " ",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\u{1b}",
        "\u{85}",
        "\u{202e}",
        "\u{2066}",
        "\u{ad}",
        "\u{fe0f}",
        "ı",
        "İ",
        "ß",
        "ẞ",
        "Σ",
        "ς",
        "\u{301}",
        "\u{307}",
        "\u{345}",
        "ﬁ",
        "①",
        "Ａ",
        "．",
        "。",
        "字",
        "ก",
        "한",
        "👩",
        "🦀",
        "\u{10ffff}",
        "\u{e000}",
        "-",
        "_",
        ".",
    ];
    let pieces = prop_oneof![
        3 => prop::sample::select(&TROUBLE[..]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9]{1,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        "\\PC{0,60}",
        any::<String>(),
        prop::collection::vec(pieces, 0..16).prop_map(|pieces| pieces.concat()),
    ]
}

/// Raises the letters of a text whose bit in `raised` is set to upper case.
fn with_case(text: &str, raised: u64) -> String {
    let raise = |(at, c): (usize, char)| {
        if raised >> (at % 64) & 1 == 1 {
            c.to_ascii_uppercase()
        } else {
            c
        }
    };
    text.chars().enumerate().map(raise).collect()
}
