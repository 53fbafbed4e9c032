//! The targets as a library of their own, for the programs that cargo-fuzz builds of `entries/`.

#![allow(dead_code, reason = "what only the plain tests need is here too")]

// Those modules of the tests that the targets need: others need more packages.
#[path = "../common"]
pub(crate) mod common {
    pub(crate) mod draw;
    pub(crate) mod inert;
    pub(crate) mod toolboxes;

    pub(crate) use toolboxes::{everything, sandbox, toolbox};
}
#[path = "mod.rs"]
pub(crate) mod fuzz;

use fastrand::Rng;
use fuzz::mutation::mutate;
use fuzz::targets::{TARGETS, Target};

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("an entry is named as its target")
}

/// Checks an input of the target with this name.
pub fn run(name: &str, input: &[u8]) {
    target(name).run(input);
}

/// Changes an input in place and returns its new length: half of the time as libFuzzer does, which learns from the code that
/// is reached, else as the plain tests do, which keep JSON whole.
pub fn change(name: &str, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut random = Rng::with_seed(seed.into());
    if random.bool() {
        return libfuzzer_sys::fuzzer_mutate(data, size, most);
    }
    let changed = mutate(&data[..size], &[], target(name).words, &mut random);
    let size = changed.len().min(most);
    data[..size].copy_from_slice(&changed[..size]);
    size
}

/// The program of the target with this name.
#[macro_export]
macro_rules! entry {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| toolwright_fuzz::run($name, input));
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            toolwright_fuzz::change($name, data, size, most, seed)
        });
    };
}
