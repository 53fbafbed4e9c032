//! Numbers, weights and words → bytes that are read where they lie: what is compiled in is neither copied nor decoded.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Bytes of a weight.
const WEIGHT: usize = 4;

/// Numbers, each in as few bytes as the largest of them needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbers<'a> {
    /// Bytes of a number.
    width: u8,
    #[serde(borrow)]
    bytes: Cow<'a, [u8]>,
}

impl FromIterator<u32> for Numbers<'static> {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let largest = numbers.iter().copied().max().unwrap_or_default();
        let width: u8 = (1..4).find(|width| largest >> (8 * width) == 0).unwrap_or(4);
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes().into_iter().take(usize::from(width)));
        Self { width, bytes: bytes.collect() }
    }
}

impl Numbers<'_> {
    fn width(&self) -> usize {
        usize::from(self.width).clamp(1, 4)
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / self.width()
    }

    pub(crate) fn get(&self, position: usize) -> Option<u32> {
        let width = self.width();
        self.bytes.get(position * width..(position + 1) * width).map(number)
    }

    /// The numbers at these positions; none where they are not all there.
    pub(crate) fn range(&self, range: Range<usize>) -> impl Iterator<Item = u32> {
        let width = self.width();
        let bytes = self.bytes.get(range.start * width..range.end * width).unwrap_or_default();
        bytes.chunks_exact(width).map(number)
    }

    /// The range that ends at the number at `position` and begins where the one before it ends.
    fn span(&self, position: usize) -> Range<usize> {
        let end = |position: usize| self.get(position).map_or(0, |end| end as usize);
        position.checked_sub(1).map_or(0, end)..end(position)
    }

    /// The position of a number in numbers that rise.
    pub(crate) fn find(&self, number: u32) -> Option<usize> {
        find(self.len(), |position| self.get(position).map(|found| found.cmp(&number)))
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The position at which `compare` finds what is looked for, among as many that rise.
pub(crate) fn find(length: usize, compare: impl Fn(usize) -> Option<std::cmp::Ordering>) -> Option<usize> {
    let mut range = 0..length;
    while !range.is_empty() {
        let middle = range.start + range.len() / 2;
        match compare(middle)? {
            std::cmp::Ordering::Less => range.start = middle + 1,
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Greater => range.end = middle,
        }
    }
    None
}

/// Weights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Weights<'a>(#[serde(borrow)] Cow<'a, [u8]>);

impl FromIterator<f32> for Weights<'static> {
    fn from_iter<I: IntoIterator<Item = f32>>(weights: I) -> Self {
        Self(weights.into_iter().flat_map(f32::to_le_bytes).collect())
    }
}

impl Weights<'_> {
    /// The weight at a position; 0 where there is none.
    pub(crate) fn get(&self, position: usize) -> f32 {
        self.range(position..position + 1).next().unwrap_or_default()
    }

    fn range(&self, range: Range<usize>) -> impl Iterator<Item = f32> {
        let bytes = self.0.get(range.start * WEIGHT..range.end * WEIGHT).unwrap_or_default();
        bytes.chunks_exact(WEIGHT).map(|bytes| f32::from_bits(number(bytes)))
    }
}

/// Lists of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lists<'a> {
    #[serde(borrow)]
    ends: Numbers<'a>,
    #[serde(borrow)]
    numbers: Numbers<'a>,
}

impl FromIterator<Vec<u32>> for Lists<'static> {
    fn from_iter<I: IntoIterator<Item = Vec<u32>>>(lists: I) -> Self {
        let lists: Vec<Vec<u32>> = lists.into_iter().collect();
        Self { ends: ends(lists.iter().map(Vec::len)), numbers: lists.into_iter().flatten().collect() }
    }
}

impl Lists<'_> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The list at a position; empty where there is none.
    pub(crate) fn get(&self, position: usize) -> impl Iterator<Item = u32> {
        self.numbers.range(self.ends.span(position))
    }
}

/// Where each of several ends, behind each other.
fn ends(lengths: impl Iterator<Item = usize>) -> Numbers<'static> {
    let ends = lengths.scan(0_usize, |end, length| {
        *end += length;
        Some(u32::try_from(*end).unwrap_or(u32::MAX))
    });
    ends.collect()
}

/// By term: the tools that have it, each with its weight there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Postings<'a> {
    #[serde(borrow)]
    tools: Lists<'a>,
    #[serde(borrow)]
    weights: Weights<'a>,
}

impl From<Vec<Vec<(u32, f32)>>> for Postings<'static> {
    fn from(terms: Vec<Vec<(u32, f32)>>) -> Self {
        let tools = terms.iter().map(|tools| tools.iter().map(|(tool, _)| *tool).collect());
        Self { tools: tools.collect(), weights: terms.iter().flatten().map(|(_, weight)| *weight).collect() }
    }
}

impl Postings<'_> {
    /// The tools that have a term.
    pub(crate) fn get(&self, term: usize) -> impl Iterator<Item = (u32, f32)> {
        let span = self.tools.ends.span(term);
        self.tools.numbers.range(span.clone()).zip(self.weights.range(span))
    }

    /// How many tools have a term.
    pub(crate) fn count(&self, term: usize) -> usize {
        self.tools.ends.span(term).len()
    }
}

/// Words in order of their bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Words<'a> {
    #[serde(borrow)]
    ends: Numbers<'a>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

impl Words<'static> {
    /// Keeps words that are in order.
    pub(crate) fn of(words: &[&str]) -> Self {
        Self { ends: ends(words.iter().map(|word| word.len())), text: Cow::Owned(words.concat()) }
    }
}

impl Words<'_> {
    fn get(&self, position: usize) -> Option<&str> {
        self.text.get(self.ends.span(position))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|position| self.get(position))
    }

    /// The position of a word.
    pub(crate) fn find(&self, word: &str) -> Option<usize> {
        find(self.ends.len(), |position| self.get(position).map(|found| found.cmp(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_bytes_that_the_largest_needs() {
        for (largest, width) in [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3), (1 << 24, 4), (u32::MAX, 4)] {
            let numbers: Numbers<'_> = [largest, 0, 7].into_iter().collect();
            assert_eq!((numbers.bytes.len(), numbers.len()), (3 * width, 3), "{largest}");
            assert_eq!(numbers.range(0..3).collect::<Vec<_>>(), [largest, 0, 7]);
            assert_eq!([numbers.get(0), numbers.get(2), numbers.get(3)], [Some(largest), Some(7), None]);
            assert_eq!(numbers.range(2..4).count(), 0, "what is not all there");
        }
    }

    #[test]
    fn what_rises_is_found() {
        let numbers: Numbers<'_> = [3, 300, 70_000].into_iter().collect();
        assert_eq!(
            [3, 300, 70_000, 4, 0, u32::MAX].map(|n| numbers.find(n)),
            [Some(0), Some(1), Some(2), None, None, None]
        );
        let words = Words::of(&["", "ab", "b", "ééé"]);
        assert_eq!(["", "ab", "ééé", "a", "z"].map(|word| words.find(word)), [Some(0), Some(1), Some(3), None, None]);
        assert_eq!(words.iter().collect::<Vec<_>>(), ["", "ab", "b", "ééé"]);
        assert_eq!(Words::default().find("a"), None);
    }

    #[test]
    fn lists_and_postings_are_what_they_were_made_of_also_as_bytes() {
        let postings = Postings::from(vec![vec![(1, 0.5), (300, -2.25)], Vec::new(), vec![(0, f32::MAX)]]);
        let bytes = postcard::to_allocvec(&postings).unwrap();
        let read: Postings<'_> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(read, postings);
        assert!(matches!(read.weights.0, Cow::Borrowed(_)), "it is read where it lies");
        assert_eq!(read.get(0).collect::<Vec<_>>(), [(1, 0.5), (300, -2.25)]);
        assert_eq!([read.count(0), read.count(1), read.count(2), read.count(9)], [2, 0, 1, 0]);
        assert_eq!(read.get(2).chain(read.get(1)).chain(read.get(9)).collect::<Vec<_>>(), [(0, f32::MAX)]);
        let lists: Lists<'_> = [vec![1, 2], Vec::new(), vec![3]].into_iter().collect();
        assert_eq!((0..4).map(|position| lists.get(position).sum()).collect::<Vec<u32>>(), [3, 0, 3, 0]);
    }
}
