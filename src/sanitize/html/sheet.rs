//! The `<style>` elements of a document → the declarations that apply to an element, by selectors over it and those
//! around it.
//!
//! What a selector can't be decided by here (`:first-child`, `~`) counts as met: a rule that hides too much costs less
//! than one that hides nothing. What a person must do first (`:hover`) counts as not met.

use std::collections::HashMap;
use std::rc::Rc;

use cssparser::{
    AtRuleParser, CowRcStr, ParseError, Parser, ParserState, QualifiedRuleParser, StyleSheetParser, Token,
};

use super::media;
use super::style::{self, Declaration};

/// How many comparisons and values one document may cost.
const MOST_WORK: usize = 1_000_000;
/// How many parts a selector may have; rules with longer ones are left out.
const MOST_PARTS: usize = 64;
/// How many classes of an element are looked at.
const MOST_CLASSES: usize = 256;
/// How deep `@media` and the like may be nested.
const DEEPEST: usize = 8;

/// An element as selectors see it; all in lower case, as in mails without a document type.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    classes: Vec<String>,
    /// What a look at its attributes costs.
    weight: usize,
}

/// An element, those around it from the outside in, and the one before it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) element: &'a Facts,
    pub(super) around: &'a [Rc<Facts>],
    pub(super) before: Option<&'a Facts>,
}

/// The element before the one that a part of a selector is compared with.
#[derive(Clone, Copy)]
enum Before<'a> {
    Element(&'a Facts),
    Nothing,
    Unknown,
}

impl<'a> Before<'a> {
    fn of(place: Place<'a>) -> Self {
        place.before.map_or(Self::Nothing, Self::Element)
    }
}

/// The rules of a document, those that matter here.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: Vec<Rule>,
    by_key: HashMap<Key, Vec<usize>>,
    work: usize,
    /// Whether a rule was left out.
    left_out: bool,
}

/// How strong a declaration is among those of the same property: `!important` and the kinds of origin come first.
pub(super) type Strength = (u32, usize);

#[derive(Debug)]
struct Rule {
    selector: Selector,
    declarations: Rc<[Declaration]>,
    /// What its declarations cost where they apply.
    cost: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Id(String),
    Class(String),
    Name(String),
    Any,
}

/// Compounds from the right to the left, each with what joins it to the one on its right.
#[derive(Debug, Default)]
struct Selector {
    parts: Vec<(Joint, Compound)>,
    specificity: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Joint {
    #[default]
    Inside,
    Child,
    Next,
    /// Any earlier one: counts as met.
    Later,
}

/// The conditions on one element.
#[derive(Debug, Default)]
struct Compound {
    name: Option<String>,
    ids: Vec<String>,
    classes: Vec<String>,
    attributes: Vec<AttributeTest>,
    not: Vec<Compound>,
    any: Vec<Vec<Compound>>,
    never: bool,
    /// Whether a condition that can't be decided here counts as met.
    undecided: bool,
}

#[derive(Debug)]
struct AttributeTest {
    name: String,
    /// The operator's first character, `=` for equality.
    operator: char,
    value: Option<String>,
}

impl Facts {
    pub(super) fn new(name: &str, attributes: Vec<(String, String)>) -> Self {
        let class = attributes.iter().find(|(name, _)| name == "class").map_or("", |(_, value)| value);
        let classes = class.split_ascii_whitespace().take(MOST_CLASSES).map(str::to_owned).collect();
        let weight = attributes.iter().map(|(_, value)| 1 + value.len() / 64).sum::<usize>() + 1;
        Self { name: name.to_owned(), classes, attributes, weight }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Sheet {
    /// Adds the rules of a `<style>` element.
    pub(super) fn add(&mut self, css: &str, media: Option<&str>) {
        if media.is_some_and(|media| !media::applies(&mut Parser::new(media))) {
            return;
        }
        let mut input = Parser::new(css);
        self.rules(&mut input, DEEPEST);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the document cost so much that rules were left out.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left_out || self.work > MOST_WORK
    }

    fn rules(&mut self, input: &mut Parser<'_>, deeper: usize) {
        let mut reader = RuleReader { sheet: self, deeper };
        // What is no rule is skipped.
        StyleSheetParser::new(input, &mut reader).for_each(drop);
    }

    fn push(&mut self, selector: Selector, declarations: &Rc<[Declaration]>, cost: usize) {
        if selector.parts.len() > MOST_PARTS {
            self.left_out = true;
            return;
        }
        let Some((_, last)) = selector.parts.first().filter(|_| !declarations.is_empty()) else { return };
        let key = match (&last.ids[..], &last.classes[..], &last.name) {
            ([id, ..], _, _) => Key::Id(id.clone()),
            (_, [class, ..], _) => Key::Class(class.clone()),
            (_, _, Some(name)) => Key::Name(name.clone()),
            _ => Key::Any,
        };
        self.by_key.entry(key).or_default().push(self.rules.len());
        self.rules.push(Rule { selector, declarations: Rc::clone(declarations), cost });
    }

    /// Returns the declarations for an element, each with its strength.
    pub(super) fn declarations(&mut self, place: Place<'_>) -> Vec<(Strength, Rc<[Declaration]>)> {
        let element = place.element;
        let mut keys = vec![Key::Any, Key::Name(element.name.clone())];
        keys.extend(element.attribute("id").map(|id| Key::Id(id.to_owned())));
        keys.extend(element.classes.iter().map(|class| Key::Class(class.clone())));
        let mut found = Vec::new();
        for key in keys {
            for index in self.by_key.get(&key).into_iter().flatten() {
                if self.work > MOST_WORK {
                    return found;
                }
                let rule = &self.rules[*index];
                if rule.selector.fits(place, &mut self.work) {
                    self.work += rule.cost;
                    found.push(((rule.selector.specificity, *index), Rc::clone(&rule.declarations)));
                }
            }
        }
        found
    }
}

impl Selector {
    fn fits(&self, place: Place<'_>, work: &mut usize) -> bool {
        let Some(((_, last), rest)) = self.parts.split_first() else { return false };
        last.fits(place.element, work) && Self::rest(rest, self.joint(0), place.around, Before::of(place), work)
    }

    /// How the part at `index` is joined to the one on its left.
    fn joint(&self, index: usize) -> Joint {
        self.parts.get(index).map(|(joint, _)| *joint).unwrap_or_default()
    }

    fn rest(
        parts: &[(Joint, Compound)],
        joint: Joint,
        around: &[Rc<Facts>],
        before: Before<'_>,
        work: &mut usize,
    ) -> bool {
        let Some(((next, compound), rest)) = parts.split_first() else { return true };
        match joint {
            Joint::Later => Self::rest(rest, *next, around, Before::Unknown, work),
            Joint::Next => {
                let may_fit = match before {
                    Before::Element(before) => compound.fits(before, work),
                    Before::Nothing => false,
                    Before::Unknown => true,
                };
                may_fit && Self::rest(rest, *next, around, Before::Unknown, work)
            }
            Joint::Child => around.split_last().is_some_and(|(parent, around)| {
                compound.fits(parent, work) && Self::rest(rest, *next, around, Before::Unknown, work)
            }),
            // The nearest that fits: enough for all but selectors that mix joints.
            Joint::Inside => {
                let mut around = around;
                while let Some((parent, outer)) = around.split_last() {
                    if compound.fits(parent, work) && Self::rest(rest, *next, outer, Before::Unknown, work) {
                        return true;
                    }
                    if *work > MOST_WORK {
                        return false;
                    }
                    around = outer;
                }
                false
            }
        }
    }
}

impl Compound {
    fn fits(&self, element: &Facts, work: &mut usize) -> bool {
        *work += 1
            + self.classes.len() * (1 + element.classes.len())
            + (self.ids.len() + self.attributes.len()) * element.weight;
        !self.never
            && self.name.as_ref().is_none_or(|name| *name == element.name)
            && self.ids.iter().all(|id| element.attribute("id") == Some(id))
            && self.classes.iter().all(|class| element.classes.contains(class))
            && self.attributes.iter().all(|test| test.fits(element))
            && !self.not.iter().any(|not| not.fits(element, work))
            && self.any.iter().all(|any| any.iter().any(|one| one.fits(element, work)))
    }
}

impl AttributeTest {
    fn fits(&self, element: &Facts) -> bool {
        let Some(given) = element.attribute(&self.name) else { return false };
        let Some(value) = &self.value else { return true };
        match self.operator {
            '~' => given.split_ascii_whitespace().any(|word| word == value),
            '|' => given.strip_prefix(value.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
            '^' => !value.is_empty() && given.starts_with(value.as_str()),
            '$' => !value.is_empty() && given.ends_with(value.as_str()),
            '*' => !value.is_empty() && given.contains(value.as_str()),
            _ => given == value,
        }
    }
}

/// Reads the rules of a sheet, or of a block such as that of `@media`.
struct RuleReader<'s> {
    sheet: &'s mut Sheet,
    deeper: usize,
}

impl<'i> QualifiedRuleParser<'i> for RuleReader<'_> {
    type Prelude = Vec<Selector>;
    type QualifiedRule = ();
    type Error = ();

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Result<Vec<Selector>, ParseError<()>> {
        Ok(selectors(input))
    }

    fn parse_block(
        &mut self,
        selectors: Vec<Selector>,
        _: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<(), ParseError<()>> {
        let declarations: Rc<[Declaration]> = style::body(input).into();
        let cost = style::cost(&declarations);
        for selector in selectors {
            self.sheet.push(selector, &declarations, cost);
        }
        Ok(())
    }
}

impl<'i> AtRuleParser<'i> for RuleReader<'_> {
    /// Whether the rules inside apply.
    type Prelude = bool;
    type AtRule = ();
    type Error = ();

    fn parse_prelude(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>) -> Result<bool, ParseError<()>> {
        let applies = match name.to_ascii_lowercase().as_str() {
            "media" => media::applies(input),
            "supports" | "layer" | "scope" | "container" => true,
            _ => false,
        };
        while input.next().is_ok() {}
        Ok(applies)
    }

    fn rule_without_block(&mut self, _: bool, _: &ParserState) -> Result<(), ()> {
        Ok(())
    }

    fn parse_block(&mut self, applies: bool, _: &ParserState, input: &mut Parser<'i>) -> Result<(), ParseError<()>> {
        if let Some(deeper) = self.deeper.checked_sub(1).filter(|_| applies) {
            self.sheet.rules(input, deeper);
        }
        while input.next().is_ok() {}
        Ok(())
    }
}

/// Reads the selectors of a rule.
fn selectors(input: &mut Parser<'_>) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut reader = SelectorReader::default();
    while let Ok(token) = input.next_including_whitespace() {
        match token.clone() {
            Token::Comma => found.push(std::mem::take(&mut reader).finish()),
            token => reader.token(&token, input),
        }
    }
    found.push(reader.finish());
    found
}

/// Reads one selector.
#[derive(Default)]
struct SelectorReader {
    /// From the left to the right, each with what joins it to the one on its left.
    parts: Vec<(Joint, Compound)>,
    joint: Option<Joint>,
    specificity: u32,
}

impl SelectorReader {
    fn token(&mut self, token: &Token<'_>, input: &mut Parser<'_>) {
        match token {
            Token::WhiteSpace(_) => {
                self.joint.get_or_insert(Joint::Inside);
            }
            Token::Delim('>') => self.joint = Some(Joint::Child),
            Token::Delim('+') => self.joint = Some(Joint::Next),
            Token::Delim('~') => self.joint = Some(Joint::Later),
            Token::Delim('*') => {
                self.compound();
            }
            Token::Delim('.') => {
                if let Ok(class) = input.expect_ident() {
                    let class = class.to_ascii_lowercase();
                    self.compound().classes.push(class);
                    self.specificity = self.specificity.saturating_add(1_000);
                }
            }
            Token::Ident(name) => {
                self.compound().name = Some(name.to_ascii_lowercase());
                self.specificity = self.specificity.saturating_add(1);
            }
            Token::IDHash(id) | Token::Hash(id) => {
                self.compound().ids.push(id.to_ascii_lowercase());
                self.specificity = self.specificity.saturating_add(1_000_000);
            }
            Token::SquareBracketBlock => {
                let test = input.parse_nested_block(|input| attribute(input).map_err(ParseError::<()>::custom::<()>));
                match test {
                    Ok(test) => self.compound().attributes.push(test),
                    Err(_) => self.compound().never = true,
                }
                self.specificity = self.specificity.saturating_add(1_000);
            }
            Token::Colon => self.pseudo(input),
            _ => self.compound().never = true,
        }
    }

    /// Returns the compound that conditions are added to.
    fn compound(&mut self) -> &mut Compound {
        if self.parts.is_empty() || self.joint.is_some() {
            let joint = self.joint.take().unwrap_or_default();
            self.parts.push((joint, Compound::default()));
        }
        let last = self.parts.len() - 1;
        &mut self.parts[last].1
    }

    fn pseudo(&mut self, input: &mut Parser<'_>) {
        match input.next_including_whitespace().cloned() {
            Ok(Token::Ident(name)) => match name.to_ascii_lowercase().as_str() {
                "root" => self.compound().name = Some("html".to_owned()),
                "first-child" | "last-child" | "only-child" | "first-of-type" | "last-of-type" | "only-of-type"
                | "empty" | "link" | "any-link" | "enabled" | "read-only" | "defined" | "scope" => {
                    self.compound().undecided = true;
                }
                _ => self.compound().never = true,
            },
            Ok(Token::Function(name)) => {
                let name = name.to_ascii_lowercase();
                let inside = input.parse_nested_block(|input| Ok::<_, ParseError<()>>(selectors(input)));
                let is_not = name == "not";
                // What can't be decided counts as met; within `:not` that is to leave it out.
                let decided =
                    |selector: &Selector| !is_not || matches!(&selector.parts[..], [(_, part)] if !part.undecided);
                // Of a selector with joints only its last compound is looked at.
                let inside = inside.unwrap_or_default().into_iter().filter(decided);
                let inside: Vec<Compound> =
                    inside.filter_map(|selector| selector.parts.into_iter().next()).map(|(_, part)| part).collect();
                match name.as_str() {
                    "not" => self.compound().not.extend(inside),
                    "is" | "where" | "matches" | "any" | "-webkit-any" | "-moz-any" => self.compound().any.push(inside),
                    "nth-child" | "nth-last-child" | "nth-of-type" | "nth-last-of-type" | "has" | "lang" | "dir" => {
                        self.compound().undecided = true;
                    }
                    _ => self.compound().never = true,
                }
            }
            // The text of `::before` is none of the document's.
            _ => {
                let _ = input.next();
                self.compound().never = true;
            }
        }
    }

    fn finish(mut self) -> Selector {
        // To the right, each with what joins it to the left: the same joints, one part later.
        self.parts.reverse();
        Selector { parts: self.parts, specificity: self.specificity }
    }
}

fn attribute(input: &mut Parser<'_>) -> Result<AttributeTest, ()> {
    let name = input.expect_ident().map_err(drop)?.to_ascii_lowercase();
    let operator = match input.next().cloned() {
        Err(_) => return Ok(AttributeTest { name, operator: '=', value: None }),
        Ok(Token::Delim('=')) => '=',
        Ok(Token::IncludeMatch) => '~',
        Ok(Token::DashMatch) => '|',
        Ok(Token::PrefixMatch) => '^',
        Ok(Token::SuffixMatch) => '$',
        Ok(Token::SubstringMatch) => '*',
        Ok(_) => return Err(()),
    };
    let value = input.expect_ident_or_string().map_err(drop)?.to_ascii_lowercase();
    let _ = input.next();
    Ok(AttributeTest { name, operator, value: Some(value) })
}
