//! One function for each boundary: an input as bytes → the checks of what came of it.

mod answer;
mod arguments;
mod cursor;
mod http;
mod jq;
mod specs;

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// The longest time that one input may take, with room for a busy machine: the usual is a thousandth of it.
const SLOWEST: Duration = Duration::from_secs(20);

/// A boundary whose inputs others choose.
pub(crate) struct Target {
    /// Its name, which is that of its folder in the corpus.
    pub(crate) name: &'static str,
    /// How many changed inputs a plain test tries: as many as take about a second.
    pub(crate) changes: usize,
    /// What means something to it.
    pub(crate) words: &'static [&'static str],
    check: fn(&[u8]),
}

impl Target {
    /// Checks what comes of an input.
    ///
    /// # Panics
    /// Something does not hold.
    pub(crate) fn run(&self, input: &[u8]) {
        let timed = || {
            let started = Instant::now();
            (self.check)(input);
            started.elapsed()
        };
        // The first of all inputs sets up what the others use, and a busy machine pauses.
        if timed() >= SLOWEST {
            let again = timed();
            assert!(again < SLOWEST, "one input took {again:?}");
        }
    }
}

/// All of them.
pub(crate) static TARGETS: [Target; 6] =
    [answer::TARGET, arguments::TARGET, cursor::TARGET, http::TARGET, jq::TARGET, specs::TARGET];

/// Runs a future on the runtime of this thread, on which all of a target happens.
fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    }
    RUNTIME.with(|runtime| {
        let new = || Builder::new_current_thread().enable_all().build().unwrap();
        runtime.get_or_init(new).block_on(future)
    })
}

/// Splits an input at the end of its first line.
fn first_line(input: &[u8]) -> (String, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (String::from_utf8_lossy(&input[..end]).trim().to_owned(), input.get(end + 1..).unwrap_or_default())
}

/// Returns one of `count` for a word, the same for the same word.
fn number_of(word: &str, count: usize) -> usize {
    word.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % count
}
