//! A media query → whether it holds on a person's screen: a window of about 1000 × 800 pixels, light colours, a mouse.

use cssparser::{ParseError, Parser, Token};

const WIDTH: f32 = 1_000.0;
const HEIGHT: f32 = 800.0;

/// Reads a list of queries; returns whether one of them holds. An empty list holds.
pub(super) fn applies(input: &mut Parser<'_>) -> bool {
    let mut any = false;
    let mut some = false;
    let mut query = Query::default();
    while let Ok(token) = input.next().cloned() {
        some = true;
        match token {
            Token::Comma => any |= std::mem::take(&mut query).holds(),
            Token::Ident(name) => query.word(&name),
            Token::ParenthesisBlock => {
                let feature = input.parse_nested_block(|input| Ok::<_, ParseError<()>>(feature(input)));
                query.add(feature.unwrap_or_default());
            }
            _ => {}
        }
    }
    any | query.holds() || !some
}

/// The conditions of one query.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a query is a sum of such")]
struct Query {
    fails: bool,
    not: bool,
    or: bool,
    holds: bool,
}

impl Query {
    fn word(&mut self, word: &str) {
        match word.to_ascii_lowercase().as_str() {
            "not" => self.not = true,
            "or" => self.or = true,
            "only" | "and" => {}
            "all" | "screen" => self.add(true),
            _ => self.add(false),
        }
    }

    fn add(&mut self, holds: bool) {
        self.holds |= holds;
        self.fails |= !holds;
    }

    fn holds(self) -> bool {
        let holds = if self.or { self.holds } else { !self.fails };
        holds != self.not
    }
}

/// Reads what is in brackets: `max-width: 600px`, `width >= 600px`, or queries of their own.
fn feature(input: &mut Parser<'_>) -> bool {
    let mut names = Vec::new();
    let mut numbers = Vec::new();
    let mut signs = String::new();
    // `1px <= width` in place of `width >= 1px`.
    let mut value_first = false;
    while let Ok(token) = input.next().cloned() {
        match token {
            Token::Ident(name) => names.push(name.to_ascii_lowercase()),
            Token::Number { value, .. } => {
                value_first |= names.is_empty();
                numbers.push(value);
            }
            Token::Dimension { value, unit, .. } => {
                value_first |= names.is_empty();
                numbers.push(if unit.eq_ignore_ascii_case("px") { value } else { value * 16.0 });
            }
            Token::Delim(sign) => signs.push(sign),
            Token::ParenthesisBlock => {
                let inner = input.parse_nested_block(|input| Ok::<_, ParseError<()>>(feature(input)));
                return inner.unwrap_or_default();
            }
            _ => {}
        }
    }
    let number = numbers.first().copied().unwrap_or_default();
    let name = names.first().map(String::as_str).unwrap_or_default();
    let wanted = names.get(1).map(String::as_str);
    let here = if name.contains("height") { HEIGHT } else { WIDTH };
    match name {
        "width" | "height" | "device-width" | "device-height" if signs.starts_with(['<', '>']) => {
            let rises = signs.starts_with('<') == value_first;
            let reaches = |number: f32, rises: bool| if rises { here >= number } else { here <= number };
            // `400px <= width <= 700px` has a second one, on the other side.
            reaches(number, rises) && numbers.get(1).is_none_or(|second| !value_first || reaches(*second, !rises))
        }
        "prefers-reduced-motion" | "prefers-reduced-transparency" | "prefers-reduced-data" | "prefers-contrast" => {
            wanted == Some("no-preference")
        }
        // Scripts of a mail don't run.
        "forced-colors" | "inverted-colors" | "scripting" => wanted == Some("none"),
        "update" => wanted == Some("fast"),
        "color-gamut" => wanted == Some("srgb"),
        "min-width" | "min-height" | "min-device-width" | "min-device-height" => here >= number,
        "max-width" | "max-height" | "max-device-width" | "max-device-height" => here <= number,
        "prefers-color-scheme" => wanted == Some("light"),
        "orientation" => wanted == Some("landscape"),
        "hover" | "any-hover" => wanted == Some("hover") || wanted.is_none(),
        "pointer" | "any-pointer" => wanted == Some("fine") || wanted.is_none(),
        "color" | "-webkit-min-device-pixel-ratio" | "min-device-pixel-ratio" | "min-resolution" | "min-color" => {
            number <= 1.0
        }
        "-webkit-max-device-pixel-ratio" | "max-device-pixel-ratio" | "max-resolution" => number >= 1.0,
        _ => false,
    }
}
