//! The text of a CSS declaration → its property and value, of those properties that decide whether a person sees a text.
//! The grammar is `cssparser`'s: escapes, comments and the errors of others are read as browsers read them.

use std::rc::Rc;

use cssparser::{
    AtRuleParser, CowRcStr, DeclarationParser, ParseError, Parser, ParserState, QualifiedRuleParser,
    RuleBodyItemParser, RuleBodyParser, Token,
};

use super::colour::{self, Ink};

/// The properties that are read, without a maker's prefix. Shorthands are split into these.
const PROPERTIES: [&str; 35] = [
    "background-color",
    "background-image",
    "bottom",
    "clip",
    "clip-path",
    "color",
    "content-visibility",
    "display",
    "filter",
    "font-size",
    "height",
    "left",
    "letter-spacing",
    "line-height",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "mso-hide",
    "opacity",
    "overflow",
    "position",
    "right",
    "rotate",
    "scale",
    "text-fill-color",
    "text-indent",
    "top",
    "transform",
    "translate",
    "visibility",
    "width",
    "zoom",
];
/// Properties that stand for several.
const SHORTHANDS: [(&str, &[&str]); 6] = [
    ("background", &["background-color", "background-image"]),
    ("font", &["font-size"]),
    ("inset", &["top", "right", "bottom", "left"]),
    ("margin", &["margin-top", "margin-right", "margin-bottom", "margin-left"]),
    ("overflow-x", &["overflow"]),
    ("overflow-y", &["overflow"]),
];

/// A property with its value.
#[derive(Debug, Clone)]
pub(super) struct Declaration {
    pub(super) property: &'static str,
    pub(super) value: Rc<[Word]>,
    pub(super) important: bool,
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// In lower case.
    Ident(String),
    Number(f32),
    Percent(f32),
    Length(f32, Unit),
    /// In degrees.
    Angle(f32),
    Colour(Ink),
    CurrentColour,
    /// The name in lower case, empty for brackets alone.
    Function(String, Vec<Word>),
    Url,
    Comma,
    /// An operator, or the slash between values.
    Sign(char),
    Other,
}

/// What a length is measured in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    Px,
    Em,
}

/// What a length relates to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The size of the font.
    pub(super) em: f32,
    /// What 100 % are.
    pub(super) whole: f32,
}

/// How many values these declarations have, those inside of functions too.
pub(super) fn cost(declarations: &[Declaration]) -> usize {
    fn of_words(words: &[Word]) -> usize {
        let inside = |word: &Word| if let Word::Function(_, inside) = word { of_words(inside) } else { 0 };
        words.len() + words.iter().map(inside).sum::<usize>()
    }
    declarations.iter().map(|declaration| 1 + of_words(&declaration.value)).sum()
}

/// Reads the text of a `style` attribute.
pub(super) fn declarations(style: &str) -> Vec<Declaration> {
    body(&mut Parser::new(style))
}

/// Reads declarations up to the end of the block.
pub(super) fn body(input: &mut Parser<'_>) -> Vec<Declaration> {
    let mut found = Declarations(Vec::new());
    // What is no declaration is skipped.
    RuleBodyParser::new(input, &mut found).for_each(drop);
    found.0
}

/// Makes the declaration of an attribute such as `bgcolor`, which takes `ffffff` too.
pub(super) fn colour_attribute(property: &'static str, value: &str) -> Declaration {
    let value = value.trim();
    let read = |text: &str| match words(&mut Parser::new(text)).0.as_slice() {
        [Word::Colour(colour)] => Some(*colour),
        _ => None,
    };
    let colour = read(value).or_else(|| read(&format!("#{value}"))).unwrap_or(Ink::Unknown);
    Declaration { property, value: [Word::Colour(colour)].into(), important: false }
}

/// Makes the declaration of the attribute `background`.
pub(super) fn image_attribute() -> Declaration {
    Declaration { property: "background-image", value: [Word::Url].into(), important: false }
}

struct Declarations(Vec<Declaration>);

impl<'i> DeclarationParser<'i> for Declarations {
    type Declaration = ();
    type Error = ();

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        _: &ParserState,
    ) -> Result<(), ParseError<()>> {
        let name = name.to_ascii_lowercase();
        let makers = ["-webkit-", "-moz-", "-ms-", "-o-"];
        let name = makers.iter().find_map(|maker| name.strip_prefix(maker)).unwrap_or(&name);
        let whole = SHORTHANDS.iter().find(|(whole, _)| *whole == name).map(|(_, parts)| *parts);
        let own = PROPERTIES.iter().find(|known| **known == name).map(std::slice::from_ref);
        let Some(properties) = whole.or(own) else { return Ok(()) };
        let (words, important) = words(input);
        if words.is_empty() {
            return Ok(());
        }
        for (index, property) in properties.iter().enumerate() {
            let value = match name {
                "font" => font_size(&words),
                "margin" | "inset" => side(&words, index),
                _ => words.clone(),
            };
            if !value.is_empty() {
                self.0.push(Declaration { property, value: value.into(), important });
            }
        }
        Ok(())
    }
}

impl AtRuleParser<'_> for Declarations {
    type Prelude = ();
    type AtRule = ();
    type Error = ();
}

impl QualifiedRuleParser<'_> for Declarations {
    type Prelude = ();
    type QualifiedRule = ();
    type Error = ();
}

impl RuleBodyItemParser<'_, (), ()> for Declarations {
    fn parse_declarations(&self) -> bool {
        true
    }

    fn parse_qualified(&self) -> bool {
        false
    }
}

/// Reads a value, and whether it is `!important`.
pub(super) fn words(input: &mut Parser<'_>) -> (Vec<Word>, bool) {
    let mut words = Vec::new();
    let mut important = false;
    loop {
        if let Ok(colour) = input.try_parse(cssparser_color::Color::parse) {
            words.push(colour::word(colour));
            continue;
        }
        let Ok(token) = input.next() else { break };
        let word = match token {
            Token::Ident(name) => Word::Ident(name.to_ascii_lowercase()),
            Token::Number { value, .. } => Word::Number(*value),
            Token::Percentage { unit_value, .. } => Word::Percent(*unit_value),
            Token::Dimension { value, unit, .. } => dimension(*value, unit),
            Token::UnquotedUrl(_) => Word::Url,
            Token::Comma => Word::Comma,
            Token::Delim('!') => {
                important |= input.try_parse(|input| input.expect_ident_matching("important")).is_ok();
                continue;
            }
            Token::Delim(sign) => Word::Sign(*sign),
            Token::Function(name) => {
                let name = name.to_ascii_lowercase();
                match inside(input) {
                    _ if name == "url" => Word::Url,
                    inside => Word::Function(name, inside),
                }
            }
            Token::ParenthesisBlock => Word::Function(String::new(), inside(input)),
            _ => Word::Other,
        };
        words.push(word);
    }
    (words, important)
}

/// Reads what is in brackets; nothing where they are nested too deeply.
fn inside(input: &mut Parser<'_>) -> Vec<Word> {
    let read = input.parse_nested_block(|input| Ok::<_, ParseError<()>>(words(input).0));
    read.unwrap_or_default()
}

fn dimension(value: f32, unit: &str) -> Word {
    let px = |one: f32| Word::Length(value * one, Unit::Px);
    match unit.to_ascii_lowercase().as_str() {
        "px" => px(1.0),
        "pt" => px(4.0 / 3.0),
        "pc" | "rem" => px(16.0),
        "in" => px(96.0),
        "cm" => px(37.8),
        "mm" => px(3.78),
        "q" => px(0.945),
        // Of a window of about 1000 × 800.
        "vw" | "vmax" | "vi" | "svw" | "lvw" | "dvw" => px(10.0),
        "vh" | "vmin" | "vb" | "svh" | "lvh" | "dvh" => px(8.0),
        "em" => Word::Length(value, Unit::Em),
        "ex" | "ch" => Word::Length(value / 2.0, Unit::Em),
        "deg" => Word::Angle(value),
        "rad" => Word::Angle(value.to_degrees()),
        "grad" => Word::Angle(value * 0.9),
        "turn" => Word::Angle(value * 360.0),
        _ => Word::Other,
    }
}

/// Returns the size among the words of `font`.
fn font_size(words: &[Word]) -> Vec<Word> {
    let before = words.iter().position(|word| *word == Word::Sign('/'));
    // A number alone is the weight, unless it stands before the slash or is 0.
    let size = words.iter().enumerate().find(|(index, word)| match word {
        Word::Number(number) => *number == 0.0 || before == Some(index + 1),
        Word::Length(..) | Word::Percent(_) => true,
        Word::Function(name, _) => matches!(name.as_str(), "calc" | "min" | "max" | "clamp"),
        Word::Ident(name) => named_size(name).is_some(),
        _ => false,
    });
    size.map(|(_, word)| word.clone()).into_iter().collect()
}

/// Returns the word for one side: top, right, bottom or left.
fn side(words: &[Word], index: usize) -> Vec<Word> {
    let at = match (words.len(), index) {
        (1, _) => 0,
        (2, index) => index % 2,
        (3, 3) => 1,
        (_, index) => index,
    };
    words.get(at).cloned().into_iter().collect()
}

/// Returns the size that a word such as `small` means.
pub(super) fn named_size(name: &str) -> Option<f32> {
    Some(match name {
        "xx-small" => 9.0,
        "x-small" => 10.0,
        "small" => 13.0,
        "medium" | "initial" => 16.0,
        "large" => 18.0,
        "x-large" => 24.0,
        "xx-large" | "xxx-large" => 32.0,
        _ => return None,
    })
}

impl Word {
    /// Returns a length in pixels; a bare number counts as one, as in mails without a document type.
    pub(super) fn px(&self, scale: Scale) -> Option<f32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Percent(part) => Some(part * scale.whole),
            Self::Length(value, Unit::Px) => Some(*value),
            Self::Length(value, Unit::Em) => Some(value * scale.em),
            Self::Function(name, words) => match name.as_str() {
                "" | "calc" => sum(words, scale),
                "min" => listed(words, scale).reduce(f32::min),
                "max" => listed(words, scale).reduce(f32::max),
                "clamp" => {
                    let bounds: Vec<f32> = listed(words, scale).collect();
                    let [least, value, most] = bounds[..] else { return None };
                    Some(value.min(most).max(least))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns a part of 1.
    pub(super) fn part(&self) -> Option<f32> {
        self.px(Scale { em: 16.0, whole: 1.0 })
    }
}

fn listed(words: &[Word], scale: Scale) -> impl Iterator<Item = f32> {
    words.split(|word| *word == Word::Comma).filter_map(move |words| sum(words, scale))
}

/// Computes `a + b * c`.
fn sum(words: &[Word], scale: Scale) -> Option<f32> {
    let mut total = 0.0;
    let mut product: Option<f32> = None;
    let mut sign = '+';
    for word in words {
        match word {
            Word::Sign(next @ ('+' | '-')) => {
                total += product.take()?;
                sign = *next;
            }
            Word::Sign(next @ ('*' | '/')) => sign = *next,
            word => {
                let value = word.px(scale)?;
                product = Some(match (product, sign) {
                    (Some(before), '*') => before * value,
                    (Some(before), '/') => before / value,
                    (None, '-') => -value,
                    (None, _) => value,
                    (Some(_), _) => return None,
                });
            }
        }
    }
    Some(total + product?)
}
