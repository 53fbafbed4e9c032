//! Colours as CSS writes them → whether a text in one of them can be seen on others.

use cssparser_color::{Color, hsl_to_rgb, hwb_to_rgb};

use super::style::Word;

/// Red, green, blue and opacity, from 0 to 1.
pub(super) type Rgba = [f32; 4];

/// The colour of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ink {
    Known(Rgba),
    /// Of a form that is not computed here.
    Unknown,
}

pub(super) const BLACK: Rgba = [0.0, 0.0, 0.0, 1.0];
pub(super) const WHITE: Rgba = [1.0, 1.0, 1.0, 1.0];
/// The colour of a link whose style names none.
pub(super) const LINK: Rgba = [0.0, 0.0, 0.93, 1.0];

/// The least contrast that can be seen, as WCAG computes it: 1 is none. Light grey on white has 1.3.
const LEAST_CONTRAST: f32 = 1.1;

/// Makes the word of a colour. Those in other spaces than RGB are not computed.
pub(super) fn word(colour: Color) -> Word {
    let given = |component: Option<f32>| component.filter(|component| component.is_finite()).unwrap_or_default();
    let of_hue =
        |hue: Option<f32>| Some((given(hue) / 360.0).rem_euclid(1.0)).filter(|hue| hue.is_finite()).unwrap_or_default();
    let rgba = |(red, green, blue), alpha: Option<f32>| Word::Colour(Ink::Known([red, green, blue, given(alpha)]));
    match colour {
        Color::CurrentColor => Word::CurrentColour,
        Color::Rgba(colour) => {
            let [red, green, blue] = [colour.red, colour.green, colour.blue].map(|part| f32::from(part) / 255.0);
            rgba((red, green, blue), Some(colour.alpha))
        }
        Color::Hsl(hsl) => {
            let (saturation, lightness) = (given(hsl.saturation), given(hsl.lightness));
            rgba(hsl_to_rgb(of_hue(hsl.hue), saturation.clamp(0.0, 1.0), lightness.clamp(0.0, 1.0)), hsl.alpha)
        }
        Color::Hwb(hwb) => {
            let (whiteness, blackness) = (given(hwb.whiteness), given(hwb.blackness));
            rgba(hwb_to_rgb(of_hue(hwb.hue), whiteness.clamp(0.0, 1.0), blackness.clamp(0.0, 1.0)), hwb.alpha)
        }
        Color::Lab(_) | Color::Lch(_) | Color::Oklab(_) | Color::Oklch(_) | Color::ColorFunction(_) => {
            Word::Colour(Ink::Unknown)
        }
    }
}

/// Returns what is seen of a colour that lies on another one.
pub(super) fn over(above: Rgba, below: Rgba) -> Rgba {
    let part = above[3].clamp(0.0, 1.0);
    let mixed = |at: usize| above[at] * part + below[at] * (1.0 - part);
    [mixed(0), mixed(1), mixed(2), 1.0]
}

/// Whether a text of this colour can be seen on a ground.
pub(super) fn is_seen(text: Rgba, ground: Rgba) -> bool {
    let (one, other) = (luminance(over(text, ground)), luminance(ground));
    (one.max(other) + 0.05) / (one.min(other) + 0.05) >= LEAST_CONTRAST
}

fn luminance(colour: Rgba) -> f32 {
    let linear = |part: f32| if part <= 0.04 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}
