//! A value that no one type takes → words for what it can be, since clients take no alternatives:
//! `A text, or an object with "name" (text, required) and "size" (whole number).`

use serde_json::Value;
use toolwright_model::truncate;

use crate::lower::flatten::{flatten, type_of};
use crate::lower::portable::{demanded, writable};
use crate::lower::resolved::{ResolvedSchema, SchemaType};

/// The longest of these texts, in characters: a schema is read with every call.
const LONGEST: usize = 400;

/// How many levels of objects and lists are described.
const DEEPEST: usize = 3;

/// More properties and values than this are not listed.
const MOST_LISTED: usize = 12;

/// Returns what a flat schema without a type takes, as a sentence.
pub(super) fn shape_words(flat: &ResolvedSchema) -> String {
    let words = if flat.any_of.len() > 1 {
        alternatives(&flat.any_of, DEEPEST)
    } else if flat.values.is_empty() {
        return "Any JSON value.".to_owned();
    } else {
        one_of(&flat.values)
    };
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    let sentence = format!("{first}{}.", letters.as_str());
    truncate(&sentence, LONGEST).into_owned()
}

fn alternatives(all: &[ResolvedSchema], deepest: usize) -> String {
    let mut words: Vec<String> = Vec::new();
    for one in all {
        let one = shape(one, deepest);
        if !words.contains(&one) {
            words.push(one);
        }
    }
    words.join(", or ")
}

fn shape(schema: &ResolvedSchema, deepest: usize) -> String {
    let flat = flatten(schema);
    if !flat.values.is_empty() {
        return one_of(&flat.values);
    }
    match type_of(&flat) {
        Some(SchemaType::Integer) => "whole number".to_owned(),
        Some(SchemaType::Number) => "number".to_owned(),
        Some(SchemaType::Boolean) => "true or false".to_owned(),
        Some(SchemaType::String) => flat.format.as_ref().map_or("text".to_owned(), |format| format!("text ({format})")),
        Some(SchemaType::Null) => "null".to_owned(),
        Some(SchemaType::Array) => match &flat.items {
            Some(items) if deepest > 0 => format!("list of: {}", shape(items, deepest - 1)),
            _ => "list".to_owned(),
        },
        Some(SchemaType::Object) if deepest > 0 => object(&flat, deepest - 1),
        Some(SchemaType::Object) => "object".to_owned(),
        None if flat.any_of.len() > 1 && deepest > 0 => alternatives(&flat.any_of, deepest - 1),
        None => "any JSON value".to_owned(),
    }
}

fn object(flat: &ResolvedSchema, deepest: usize) -> String {
    let properties = writable(flat);
    if properties.is_empty() {
        return "object".to_owned();
    }
    let demanded = demanded(flat);
    let mut listed: Vec<String> = properties
        .iter()
        .take(MOST_LISTED)
        .map(|(name, schema)| {
            let required = if demanded.contains(name) { ", required" } else { "" };
            format!("\"{name}\" ({}{required})", shape(schema, deepest))
        })
        .collect();
    if properties.len() > MOST_LISTED {
        listed.push("more".to_owned());
    }
    format!("object with {}", listed.join(", "))
}

fn one_of(values: &[Value]) -> String {
    let mut listed: Vec<String> =
        values.iter().filter(|value| !value.is_null()).take(MOST_LISTED).map(Value::to_string).collect();
    if values.len() > MOST_LISTED {
        listed.push("others".to_owned());
    }
    listed.join(" or ")
}
