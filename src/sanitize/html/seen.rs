//! The declarations of an element and what is seen around it → what a person sees of its text.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::colour::{self, BLACK, Ink, LINK, Rgba, WHITE};
use super::style::{Declaration, Scale, Word, named_size};

/// Fonts below this size can't be read, in pixels.
const SMALLEST_FONT: f32 = 4.0;
/// The size of a font that no style names.
const FONT: f32 = 16.0;
/// Less opacity is none.
const LEAST_OPACITY: f32 = 0.05;
/// What is moved further, to the left or right, is off the page.
const ON_PAGE: std::ops::RangeInclusive<f32> = -499.0..=1_499.0;
/// The width that percentages relate to.
const PAGE: f32 = 1_000.0;
/// The width of the element itself, where percentages relate to that: half of it does not lead off the page, all does.
const BOX: f32 = 990.0;
/// How many colours of a gradient are looked at.
const MOST_GROUNDS: usize = 16;
/// A box of this size shows nothing of what it cuts off.
const POINT: f32 = 1.0;

/// The declarations of an element that apply, by property.
pub(super) type Applied = BTreeMap<&'static str, Rc<[Word]>>;

/// What a person sees of the text in an element.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is lost or kept in an element inside by a rule of its own")]
pub(super) struct Seen {
    /// Nothing inside is displayed, whatever its style.
    pub(super) gone: bool,
    /// Hidden, unless an element inside is made visible again.
    invisible: bool,
    /// Begins off the page.
    indented: bool,
    /// Letters upon letters.
    crowded: bool,
    font: f32,
    opacity: f32,
    ink: Ink,
    /// The colour of the letters, where it is another.
    fill: Option<Ink>,
    /// The colours behind the text, of which it lies on any; `None`: not known here.
    ground: Option<Rc<[Rgba]>>,
    /// Whether the box itself is a point.
    is_point: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            gone: false,
            invisible: false,
            indented: false,
            crowded: false,
            font: FONT,
            opacity: 1.0,
            ink: Ink::Known(BLACK),
            fill: None,
            ground: Some([WHITE].into()),
            is_point: false,
        }
    }
}

impl Seen {
    /// Returns what is seen of an element inside of this one that nothing of is displayed.
    pub(super) fn without(&self) -> Self {
        Self { gone: true, ..self.clone() }
    }

    /// Returns what is seen of an element inside of this one.
    pub(super) fn inside(&self, name: &str, applied: &Applied) -> Self {
        if applied.is_empty() && name != "a" && name != "mark" {
            return Self { is_point: false, ..self.clone() };
        }
        let value = Values { applied, font: self.font };
        let font = value.font(self.font);
        let value = Values { applied, font };
        let opacity = self.opacity * value.part("opacity").unwrap_or(1.0) * value.opacity_by_filter();
        let mut inside = Self {
            gone: self.gone || opacity < LEAST_OPACITY || value.is_gone(),
            invisible: value.invisible().unwrap_or(self.invisible),
            indented: value.indented().unwrap_or(self.indented),
            crowded: value.crowded().unwrap_or(self.crowded),
            font,
            opacity,
            ink: match name {
                "a" => Ink::Known(LINK),
                "mark" => Ink::Known(BLACK),
                _ => self.ink,
            },
            fill: self.fill,
            ground: if name == "mark" { None } else { self.ground.clone() },
            is_point: value.is_point(),
        };
        if let Some(ink) = value.colour("color", self.ink, self.ink) {
            inside.ink = ink;
        }
        if let Some(fill) = value.colour("text-fill-color", inside.ink, self.fill.unwrap_or(inside.ink)) {
            inside.fill = Some(fill);
        }
        inside.ground = value.ground(inside.ground, inside.ink);
        inside
    }

    /// Whether a text is seen.
    pub(super) fn shows_text(&self) -> bool {
        !self.gone && self.is_on_page() && self.font >= SMALLEST_FONT && self.contrasts()
    }

    /// Whether an image is seen.
    pub(super) fn shows_image(&self) -> bool {
        !self.gone && self.is_on_page() && !self.is_point
    }

    fn is_on_page(&self) -> bool {
        !self.invisible && !self.indented && !self.crowded
    }

    fn contrasts(&self) -> bool {
        let (Ink::Known(ink), Some(ground)) = (self.fill.unwrap_or(self.ink), &self.ground) else { return true };
        let ink = [ink[0], ink[1], ink[2], ink[3] * self.opacity.clamp(0.0, 1.0)];
        ground.iter().any(|ground| colour::is_seen(ink, *ground))
    }
}

/// Chooses of declarations the strongest for each property.
pub(super) fn cascade<S: Copy + Ord>(declared: &[(S, Rc<[Declaration]>)]) -> Applied {
    let mut strongest: BTreeMap<&'static str, ((bool, S, usize), &Declaration)> = BTreeMap::new();
    for (strength, declarations) in declared {
        for (index, declaration) in declarations.iter().enumerate() {
            let strength = (declaration.important, *strength, index);
            let kept = strongest.entry(declaration.property).or_insert((strength, declaration));
            if kept.0 <= strength {
                *kept = (strength, declaration);
            }
        }
    }
    strongest.into_iter().map(|(property, (_, declaration))| (property, Rc::clone(&declaration.value))).collect()
}

/// The values that apply to an element.
struct Values<'a> {
    applied: &'a Applied,
    /// The size of its font.
    font: f32,
}

impl Values<'_> {
    fn words(&self, property: &str) -> &[Word] {
        self.applied.get(property).map(|words| &**words).unwrap_or_default()
    }

    fn first(&self, property: &str) -> Option<&Word> {
        self.words(property).first()
    }

    fn is(&self, property: &str, values: &[&str]) -> bool {
        self.words(property).iter().any(|word| matches!(word, Word::Ident(name) if values.contains(&name.as_str())))
    }

    fn px(&self, property: &str) -> Option<f32> {
        self.first(property)?.px(self.scale(PAGE))
    }

    fn part(&self, property: &str) -> Option<f32> {
        self.first(property)?.part()
    }

    fn scale(&self, whole: f32) -> Scale {
        Scale { em: self.font, whole }
    }

    /// The functions of a value such as `scale(0) rotate(1deg)`.
    fn functions(&self, property: &str) -> impl Iterator<Item = (&str, Vec<&Word>)> {
        self.words(property).iter().filter_map(|word| match word {
            Word::Function(name, words) => {
                Some((name.as_str(), words.iter().filter(|word| **word != Word::Comma).collect()))
            }
            _ => None,
        })
    }

    fn font(&self, around: f32) -> f32 {
        match self.first("font-size") {
            Some(Word::Ident(name)) if name == "smaller" => around / 1.2,
            Some(Word::Ident(name)) if name == "larger" => around * 1.2,
            Some(Word::Ident(name)) => named_size(name).unwrap_or(around),
            Some(word) => word.px(Scale { em: around, whole: around }).filter(|size| *size >= 0.0).unwrap_or(around),
            None => around,
        }
    }

    fn invisible(&self) -> Option<bool> {
        match self.first("visibility") {
            Some(Word::Ident(name)) => match name.as_str() {
                "hidden" | "collapse" => Some(true),
                "visible" | "initial" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_gone(&self) -> bool {
        self.is("display", &["none"])
            || self.is("content-visibility", &["hidden"])
            || self.is("mso-hide", &["all"])
            // 0 means nothing.
            || self.part("zoom").is_some_and(|zoom| zoom > 0.0 && zoom < 0.1)
            || self.is_cut_to_nothing()
            || self.is_off()
            || self.is_clipped()
            || self.is_transformed_away()
    }

    fn is_cut_to_nothing(&self) -> bool {
        let cuts = self.is("overflow", &["hidden", "clip", "scroll", "auto"]);
        let size = |property: &str| self.px(property).filter(|size| *size >= 0.0);
        let most = ["max-width", "max-height"].into_iter().filter_map(size);
        let sizes = ["width", "height", "line-height", "max-width", "max-height"].into_iter().filter_map(size);
        cuts && sizes.into_iter().any(|size| size <= POINT) || most.into_iter().any(|size| size == 0.0)
    }

    fn is_point(&self) -> bool {
        ["width", "height"].into_iter().filter_map(|property| self.px(property)).any(|size| size <= POINT)
    }

    fn is_off(&self) -> bool {
        let positioned = self.is("position", &["absolute", "fixed", "relative", "sticky"]);
        let sides: &[&str] = if positioned { &["left", "right", "top", "bottom"] } else { &[] };
        let margins = ["margin-left", "margin-right", "margin-top"];
        let away = |property: &&str| self.px(property).is_some_and(|px| !ON_PAGE.contains(&px));
        sides.iter().any(away) || margins.iter().any(away)
    }

    fn is_clipped(&self) -> bool {
        let positioned = self.is("position", &["absolute", "fixed"]);
        let px = |word: &Word| word.px(self.scale(PAGE));
        let clip = self.functions("clip").any(|(name, words)| {
            let sides: Vec<Option<f32>> = words.iter().map(|word| px(word)).collect();
            let [top, right, bottom, left] = sides[..] else { return false };
            let narrow = |from: Option<f32>, to: Option<f32>| to.is_some_and(|to| to - from.unwrap_or(0.0) <= POINT);
            positioned && name == "rect" && (narrow(top, bottom) || narrow(left, right))
        });
        let path = self.functions("clip-path").any(|(name, words)| match name {
            "inset" => {
                let sides: Vec<f32> = words.iter().map_while(|word| px(word)).collect();
                let side = |index: usize| match (sides.len(), index) {
                    (0, _) => 0.0,
                    (1, _) => sides[0],
                    (2, index) => sides[index % 2],
                    (3, 3) => sides[1],
                    (_, index) => sides[index],
                };
                side(0) + side(2) >= PAGE || side(1) + side(3) >= PAGE
            }
            "circle" | "ellipse" => words.first().and_then(|word| px(word)).is_some_and(|radius| radius <= POINT),
            "polygon" => area(&words.iter().filter_map(|word| px(word)).collect::<Vec<_>>()) < POINT,
            _ => false,
        });
        clip || path
    }

    fn is_transformed_away(&self) -> bool {
        let none = |word: &&&Word| word.part().is_some_and(|part| part.abs() < 0.02);
        let away = |word: &&Word| word.px(self.scale(BOX)).is_some_and(|px| !ON_PAGE.contains(&px));
        let on_edge = |word: &&Word| matches!(word, Word::Angle(angle) if ((angle.abs() % 180.0) - 90.0).abs() < 1.0);
        let transformed = self.functions("transform").any(|(name, words)| match name {
            "scale" | "scalex" | "scaley" | "scale3d" => words.iter().take(2).any(|word| none(&word)),
            "translate" | "translatex" | "translatey" | "translate3d" => words.iter().any(away),
            "rotatex" | "rotatey" => words.iter().any(on_edge),
            "matrix" => {
                let numbers: Vec<f32> = words.iter().filter_map(|word| word.part()).collect();
                let [across, down] = [0, 1].map(|at| numbers.get(at + 4).copied().unwrap_or_default());
                area_of_unit(&numbers) < 0.000_4 || !ON_PAGE.contains(&across) || !ON_PAGE.contains(&down)
            }
            _ => false,
        });
        let turned = self.is("rotate", &["x", "y"]) && self.words("rotate").iter().any(|word| on_edge(&word));
        transformed
            || turned
            || self.words("scale").iter().take(2).any(|word| none(&&word))
            || self.words("translate").iter().any(|word| away(&word))
    }

    fn opacity_by_filter(&self) -> f32 {
        let parts = self.functions("filter").map(|(name, words)| {
            let part = words.first().and_then(|word| word.part());
            match (name, part) {
                ("opacity", Some(part)) => part,
                ("alpha" | "contrast", Some(0.0)) => 0.0,
                ("blur", Some(radius)) if radius >= self.font => 0.0,
                _ => 1.0,
            }
        });
        parts.product()
    }

    fn indented(&self) -> Option<bool> {
        self.px("text-indent").map(|px| !ON_PAGE.contains(&px))
    }

    fn crowded(&self) -> Option<bool> {
        self.px("letter-spacing").map(|px| self.font > 0.0 && px <= self.font / -2.0)
    }

    /// Returns the colour that is set, if one is.
    fn colour(&self, property: &str, current: Ink, around: Ink) -> Option<Ink> {
        Some(match self.first(property)? {
            Word::Colour(colour) => *colour,
            Word::CurrentColour => current,
            Word::Ident(name) => match name.as_str() {
                "inherit" | "unset" => around,
                "initial" | "canvastext" | "windowtext" => Ink::Known(BLACK),
                "canvas" | "window" => Ink::Known(WHITE),
                _ => return None,
            },
            _ => Ink::Unknown,
        })
    }

    /// Returns the colours behind the text: of this element, or where it has none those around it.
    fn ground(&self, around: Option<Rc<[Rgba]>>, ink: Ink) -> Option<Rc<[Rgba]>> {
        let mut ground = around;
        for word in self.words("background-color") {
            let colour = match word {
                Word::Colour(colour) => *colour,
                Word::CurrentColour => ink,
                Word::Ident(name) if name == "canvas" || name == "window" => Ink::Known(WHITE),
                Word::Function(name, _) if !name.contains("gradient") => Ink::Unknown,
                _ => continue,
            };
            ground = match (colour, ground) {
                (Ink::Known(above), _) if above[3] >= 1.0 => Some([above].into()),
                (Ink::Known(above), Some(below)) => {
                    Some(below.iter().map(|below| colour::over(above, *below)).collect())
                }
                _ => None,
            };
        }
        for word in self.words("background-image") {
            match word {
                Word::Function(name, words) if name.contains("gradient") => {
                    let stops = words.iter().filter_map(|word| match word {
                        Word::Colour(Ink::Known(stop)) => Some(Some(*stop)),
                        Word::Colour(Ink::Unknown) => Some(None),
                        _ => None,
                    });
                    let stops = stops.take(MOST_GROUNDS);
                    let below = ground.as_ref().and_then(|ground| ground.first().copied()).unwrap_or(WHITE);
                    // A colour that can't be computed makes the whole unknown.
                    let stops: Option<Vec<Rgba>> = stops.map(|stop| Some(colour::over(stop?, below))).collect();
                    ground = stops.filter(|stops| !stops.is_empty()).map(Into::into);
                }
                Word::Url | Word::Function(..) => return None,
                _ => {}
            }
        }
        ground
    }
}

/// The area that a matrix makes of an area of 1.
fn area_of_unit(matrix: &[f32]) -> f32 {
    match matrix {
        [a, b, c, d, ..] => (a * d - b * c).abs(),
        _ => 1.0,
    }
}

/// The area of a polygon whose corners are given as pairs.
fn area(points: &[f32]) -> f32 {
    let corners: Vec<(f32, f32)> = points.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let next = corners.iter().cycle().skip(1);
    let twice: f32 = corners.iter().zip(next).map(|(one, other)| one.0 * other.1 - other.0 * one.1).sum();
    twice.abs() / 2.0
}
