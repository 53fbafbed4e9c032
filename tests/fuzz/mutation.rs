//! An input → another one that differs from it at a few places: as bytes, and where a part of it is JSON, also as JSON,
//! so that most of what comes out still is. The same draws give the same input.

use std::ops::Range;

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The longest input, in bytes.
pub(crate) const LONGEST: usize = 64 * 1024;
/// How deep a value may come to be nested in one change.
const DEEPEST: usize = 300;

/// What means something in many places, beside the words of a target.
const WORDS: [&str; 44] = [
    "https://evil.example/?d=1",
    "![x](https://evil.example/p.png)",
    "[a](//evil.example)",
    "<img src=x>",
    "<a href='https://evil.example'>",
    "</a>",
    "<table><tr><td>",
    "<!--",
    "-->",
    "&#58;",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "\u{1b}[31m",
    "\\u202e",
    "\\ud800",
    "\0",
    "\r\n",
    "\n",
    "..",
    "..;",
    ".%2e",
    "%2F",
    "/",
    "\\",
    ";",
    "?",
    "#",
    "@",
    "⟦",
    "⟧",
    "⟦:⟧",
    "hxxps",
    "null",
    "NaN",
    "1e400",
    "123456789012345678901234567890",
    "-1",
    ",",
    "{",
    "}",
    "[",
    "]",
];

/// Returns a changed input of at most [`LONGEST`] bytes. `other` is a further input, parts of which may be taken over;
/// `words` are what means something to the target.
pub(crate) fn mutate(input: &[u8], other: &[u8], words: &[&str], random: &mut Rng) -> Vec<u8> {
    let mut changed = input.to_vec();
    for _ in 0..random.usize(1..=4) {
        let json = json_part(&changed).filter(|_| random.u8(..) < 160);
        match json {
            Some((range, mut value)) => {
                mutate_json(&mut value, words, random);
                changed.splice(range, value.to_string().into_bytes());
            }
            None => mutate_bytes(&mut changed, other, words, random),
        }
    }
    changed.truncate(LONGEST);
    changed
}

/// The part of an input that is JSON: its last paragraph, all after its first line, its first line after a word, or
/// the whole.
fn json_part(input: &[u8]) -> Option<(Range<usize>, Value)> {
    let text = std::str::from_utf8(input).ok()?;
    let first_line = text.find('\n').unwrap_or(text.len());
    let starts = [text.find("\n\n").map(|at| at + 2), Some(first_line + 1), Some(0)];
    let to_end = starts.into_iter().flatten().map(|start| start..text.len());
    let in_first_line = text[..first_line].find(' ').map(|at| at + 1..first_line);
    to_end.chain(in_first_line).find_map(|range| {
        let value: Value = serde_json::from_str(text.get(range.clone())?).ok()?;
        (value.is_object() || value.is_array()).then_some((range, value))
    })
}

fn word<'w>(words: &[&'w str], random: &mut Rng) -> &'w str {
    let at = random.usize(..words.len() + WORDS.len());
    words.get(at).copied().unwrap_or_else(|| WORDS[at - words.len()])
}

fn mutate_bytes(bytes: &mut Vec<u8>, other: &[u8], words: &[&str], random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    let end = (at + random.usize(..=16)).min(bytes.len());
    match random.u8(..7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
        1 if at < bytes.len() => bytes[at] = random.u8(..),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let times = if random.u8(..) < 10 { 2_000 } else { random.usize(1..8) };
            let part = bytes[at..end].repeat(times);
            bytes.splice(at..at, part);
        }
        4 if !other.is_empty() => {
            let from = random.usize(..other.len());
            let to = (from + random.usize(..64)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        5 => bytes.truncate(at),
        _ => drop(bytes.splice(at..at, word(words, random).bytes())),
    }
}

/// Changes one value within another.
fn mutate_json(value: &mut Value, words: &[&str], random: &mut Rng) {
    let mut count = 0;
    visit(value, &mut |_| count += 1);
    let chosen = random.usize(..count);
    let mut number = 0;
    visit(value, &mut |one| {
        if number == chosen {
            change(one, words, random);
        }
        number += 1;
    });
}

fn visit(value: &mut Value, each: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, each)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| visit(entry, each)),
        _ => {}
    }
    each(value);
}

fn change(value: &mut Value, words: &[&str], random: &mut Rng) {
    match (&mut *value, random.u8(..10)) {
        (Value::String(text), 0..=6) => change_text(text, words, random),
        (Value::Array(items), 0..=4) if !items.is_empty() => {
            let one = items[random.usize(..items.len())].clone();
            match random.u8(..4) {
                0 => drop(items.swap_remove(random.usize(..items.len()))),
                1 => items.extend(std::iter::repeat_n(one, random.usize(1..200))),
                2 => random.shuffle(items),
                _ => items.push(one),
            }
        }
        (Value::Object(entries), 0..=4) if !entries.is_empty() => change_entries(entries, words, random),
        (_, 7) => wrap(value, random),
        _ => *value = any_value(words, random),
    }
}

fn change_text(text: &mut String, words: &[&str], random: &mut Rng) {
    let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let places: Vec<usize> = places.collect();
    let at = places[random.usize(..places.len())];
    match random.u8(..5) {
        0 => text.truncate(at),
        1 => word(words, random).clone_into(text),
        2 => text.push_str(&text.repeat(random.usize(1..49))),
        _ => text.insert_str(at, word(words, random)),
    }
}

fn change_entries(entries: &mut Map<String, Value>, words: &[&str], random: &mut Rng) {
    let names: Vec<String> = entries.keys().cloned().collect();
    let name = &names[random.usize(..names.len())];
    let new = word(words, random);
    match random.u8(..5) {
        0 => drop(entries.shift_remove(name)),
        1 => {
            if let Some(entry) = entries.shift_remove(name) {
                entries.insert(new.to_owned(), entry);
            }
        }
        2 => {
            let entry = entries[name].clone();
            for number in 0..random.usize(1..100) {
                entries.insert(format!("{name}{number}"), entry.clone());
            }
        }
        _ => drop(entries.insert(new.to_owned(), any_value(words, random))),
    }
}

fn wrap(value: &mut Value, random: &mut Rng) {
    let depth = if random.u8(..) < 20 { random.usize(..DEEPEST) } else { 1 };
    for _ in 0..depth {
        let inner = value.take();
        *value = if random.bool() { json!([inner]) } else { json!({"content": inner}) };
    }
}

fn any_value(words: &[&str], random: &mut Rng) -> Value {
    match random.u8(..12) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(-2..200)),
        3 => json!(i64::MIN),
        4 => json!(u64::MAX),
        5 => json!(0.5),
        6 => json!([]),
        7 => json!({}),
        8 => json!(""),
        _ => json!(word(words, random)),
    }
}
