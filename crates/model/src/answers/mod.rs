//! What a description says of the vendor's answers, and what answers show that it does not say. The build writes the
//! first to `generated/<api>/answers.json`, a server that learns writes the second, and `cargo spec learn` compares both.
//!
//! Of answers only names, types and statuses are kept, never a value.

mod check;
mod described;
mod form;
mod learned;
mod misfit;
mod names;
mod reach;

#[cfg(test)]
mod tests;

pub use check::{MOST_MISFITS, check, is_described};
pub use described::{AnswerSchema, DescribedAnswer, DescribedAnswers, DescribedOperation, Further};
pub use learned::{Learned, LearnedMisfit, LearnedOperation};
pub use misfit::{Misfit, MisfitKind, shown_path};
pub use names::{FREE_NAMES, recordable};
pub use reach::{DescribedValue, Reached};
