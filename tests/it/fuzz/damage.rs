//! Damaging documents on their way to the server.

use fastrand::Rng;

/// Changes a document in a few places. The result may still be valid.
pub fn damage(text: &str, rng: &mut Rng) -> String {
    let mut text = text.to_owned();
    for _ in 0..rng.usize(1..4) {
        text = once(text, rng);
    }
    text
}

fn once(text: String, rng: &mut Rng) -> String {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "!",
        "$",
        ":",
        "@",
        "...",
        "\"",
        "\"\"\"",
        "\\",
        "#",
        "\0",
        "é",
        "🦀",
        "\u{feff}",
        "\u{202e}",
        " on ",
        " fragment ",
        " query ",
        "null",
        "true",
        "-",
        "1e999",
        "99999999999999999999",
        "0x1",
        "@skip(if: $x)",
        "@include",
        "__typename ",
        "$v1",
        "...F1",
        "a: a ",
        "{a}",
        "\r",
        "\u{2028}",
        "id ",
        "@oneOf ",
    ];
    let tokens: Vec<&str> = split(&text);
    if tokens.is_empty() {
        return text;
    }
    let at = rng.usize(..tokens.len());
    let to = (at + rng.usize(..6)).min(tokens.len());
    let piece = rng.choice(PIECES).copied().unwrap_or_default();
    let deepest = if rng.u8(..30) == 0 { 3_000 } else { 80 };
    let deep = rng.usize(1..deepest);
    match rng.u8(..16) {
        0 => [&tokens[..at], &tokens[to..]].concat().concat(),
        1 => [&tokens[..to], &tokens[at..]].concat().concat(),
        // Replaces a word by another one, which leaves the syntax intact.
        2..5 => {
            let mut tokens = tokens;
            let is_word = |token: &str| token.starts_with(|c: char| c.is_ascii_alphanumeric());
            let words: Vec<_> = (0..tokens.len())
                .filter(|at| is_word(tokens[*at]))
                .collect();
            if let (Some(one), Some(other)) = (rng.choice(&words), rng.choice(&words)) {
                tokens.swap(*one, *other);
            }
            tokens.concat()
        }
        5..8 => [&tokens[..at], &[piece], &tokens[at..]].concat().concat(),
        8 => [&tokens[..at], &[piece], &tokens[at + 1..]]
            .concat()
            .concat(),
        9 => tokens[..at].concat(),
        10 => {
            let (open, close) = rng
                .choice([
                    ("[", "]"),
                    ("{a", "}"),
                    ("{a:", "}"),
                    ("(", ")"),
                    ("...{", "}"),
                ])
                .unwrap_or_default();
            let deeper = format!("{}1{}", open.repeat(deep), close.repeat(deep));
            [&tokens[..at], &[deeper.as_str()], &tokens[at..]]
                .concat()
                .concat()
        }
        11 => {
            let long = format!(
                "\"{}\"",
                piece.replace(['"', '\\', '\r', '\0'], "x").repeat(deep)
            );
            [&tokens[..at], &[long.as_str()], &tokens[at + 1..]]
                .concat()
                .concat()
        }
        12 => format!("{text} {text}"),
        13 => format!("{text} query Other {{ __typename }}"),
        14 => format!("{text} {}", bomb(rng)),
        _ => {
            let again = tokens[at..to].concat().repeat(deep);
            [&tokens[..at], &[again.as_str()], &tokens[to..]]
                .concat()
                .concat()
        }
    }
}

/// Fragments that are spread more often than can be executed, or in a ring.
fn bomb(rng: &mut Rng) -> String {
    let levels = rng.usize(2..30);
    let width = rng.usize(1..4);
    let ring = rng.bool();
    let fragments = (1..=levels).map(|level| {
        let next = if level < levels || ring {
            level % levels + 1
        } else {
            0
        };
        let inside = match next {
            0 => "__typename ".to_owned(),
            next => format!("...F{next} ").repeat(width),
        };
        format!("fragment F{level} on Query {{ {inside}}} ")
    });
    fragments.collect()
}

/// Splits a text into words and single other characters.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if first.is_ascii_alphanumeric() {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        } else {
            Some(first.len_utf8())
        };
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push(part);
        rest = behind;
    }
    parts
}
