//! The targets as tests: every input of the corpus, then changed ones.
//!
//! How many is fixed, so that each run is the same and short. `TOOLWRIGHT_FUZZ_TIMES` is how often as many are tried,
//! `TOOLWRIGHT_FUZZ_SECONDS` the time that each target runs instead; `TOOLWRIGHT_FUZZ_SEED` chooses other changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::mutation::mutate;
use super::targets::{TARGETS, Target};

/// One changed input of so many becomes the beginning of further ones.
const KEPT: u8 = 8;
/// How many such beginnings there are beside the corpus.
const MOST_KEPT: usize = 200;

/// Panics of the product: those of its tasks fail no call.
static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn answers() {
    run("answer");
}

#[test]
fn arguments() {
    run("arguments");
}

#[test]
fn cursors() {
    run("cursor");
}

#[test]
fn filters() {
    run("jq");
}

#[test]
fn requests() {
    run("http");
}

#[test]
fn specs() {
    run("specs");
}

#[test]
fn every_folder_of_the_corpus_is_of_a_target() {
    let mut folders: Vec<String> =
        folder("").read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    assert_eq!(folders, TARGETS.each_ref().map(|target| target.name));
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

fn run(name: &str) {
    count_panics();
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let mut paths: Vec<PathBuf> = folder(name).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let inputs: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!inputs.is_empty(), "no corpus");
    let faults = paths.iter().zip(&inputs).filter_map(|(path, input)| {
        let fault = fault(target, input)?;
        Some(format!("{}: {fault}", path.display()))
    });
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    change(target, inputs);
}

/// Checks changed inputs, for as long as the environment states.
fn change(target: &Target, mut inputs: Vec<Vec<u8>>) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let corpus = inputs.len();
    let started = Instant::now();
    let until = number("TOOLWRIGHT_FUZZ_SECONDS").map(|seconds| started + Duration::from_secs(seconds));
    let mut random = Rng::with_seed(number("TOOLWRIGHT_FUZZ_SEED").unwrap_or(13));
    let times = number("TOOLWRIGHT_FUZZ_TIMES").map_or(1, |times| usize::try_from(times).unwrap());
    let most = target.changes * times;
    let mut changes = 0;
    while until.map_or(changes < most, |until| Instant::now() < until) {
        let (one, other) = (random.usize(..inputs.len()), random.usize(..inputs.len()));
        let input = mutate(&inputs[one], &inputs[other], target.words, &mut random);
        if let Some(fault) = fault(target, &input) {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}.input", target.name));
            std::fs::write(&path, &input).unwrap();
            panic!("{}: {fault}\nhint: copy the input to tests/fuzz/corpus/{}", path.display(), target.name);
        }
        changes += 1;
        if random.u8(..KEPT) == 0 {
            if inputs.len() < corpus + MOST_KEPT {
                inputs.push(input);
            } else {
                inputs[corpus + random.usize(..MOST_KEPT)] = input;
            }
        }
    }
    println!("{}: {corpus} inputs of the corpus, {changes} changed ones in {:?}", target.name, started.elapsed());
}

/// What does not hold for an input.
fn fault(target: &Target, input: &[u8]) -> Option<String> {
    let before = PANICS.load(Ordering::Relaxed);
    match catch_unwind(AssertUnwindSafe(|| target.run(input))) {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
        }
        Ok(()) => (PANICS.load(Ordering::Relaxed) != before).then(|| "a task panicked".to_owned()),
    }
}

/// Counts panics in the product's code, on whatever thread.
fn count_panics() {
    static COUNTS: Once = Once::new();
    COUNTS.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|place| !place.file().starts_with("tests/")) {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            report(panic);
        }));
    });
}
