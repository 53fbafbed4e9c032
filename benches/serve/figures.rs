//! Samples → medians; figures → lines with their bounds.

use std::time::Duration;

/// The middle sample.
pub(crate) fn median(samples: &mut [Duration]) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

/// Prints a figure and its upper bound; returns whether the figure is within it.
pub(crate) fn verdict(what: &str, figure: f64, most: f64, unit: &str) -> bool {
    let holds = figure <= most;
    println!("{what}: {figure:.3}{unit} (bound {most}{unit}: {})", if holds { "holds" } else { "MISSED" });
    holds
}

/// Prints a figure and its lower bound; returns whether the figure is within it.
pub(crate) fn verdict_at_least(what: &str, figure: f64, least: f64, unit: &str) -> bool {
    let holds = figure >= least;
    println!("{what}: {figure:.0}{unit} (bound {least}{unit}: {})", if holds { "holds" } else { "MISSED" });
    holds
}
