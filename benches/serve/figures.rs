//! Samples → medians, figures → a line with the bound beside it.

use std::time::Duration;

/// The middle sample.
pub(crate) fn median(samples: &mut [Duration]) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

/// Prints a figure beside its upper bound; returns whether it holds.
pub(crate) fn verdict(what: &str, figure: f64, most: f64, unit: &str) -> bool {
    let holds = figure <= most;
    println!("{what}: {figure:.3}{unit} (bound {most}{unit}: {})", if holds { "holds" } else { "MISSED" });
    holds
}

/// Prints a figure beside its lower bound; returns whether it holds.
pub(crate) fn verdict_at_least(what: &str, figure: f64, least: f64, unit: &str) -> bool {
    let holds = figure >= least;
    println!("{what}: {figure:.0}{unit} (bound {least}{unit}: {})", if holds { "holds" } else { "MISSED" });
    holds
}
