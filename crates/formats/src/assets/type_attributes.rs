//! An object type → its attributes by name, which are looked up and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use toolwright_model::{Place, suggest};

use crate::error::{FormatError, listed, short};
use crate::{FormatContext, LookupError};

/// How long a list of attributes is used.
const MAX_AGE: Duration = Duration::from_mins(10);
/// More attributes than a type has.
const MAX_ATTRIBUTES: usize = 2_000;
/// The most names that a refusal lists.
const MAX_LISTED: usize = 30;

/// The kinds of attributes that this crate has to know, by the vendor's number.
const REFERENCE: u64 = 1;
const USER: u64 = 2;

/// An attribute of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeAttribute {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: AttributeKind,
    /// Whether a value can be given to it; `Key` and `Created` have theirs from the vendor.
    pub(crate) editable: bool,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttributeKind {
    Reference,
    User,
    Other,
}

impl TypeAttribute {
    fn read(entry: &Value) -> Option<Self> {
        let kind = match entry["type"].as_u64() {
            Some(REFERENCE) => AttributeKind::Reference,
            Some(USER) => AttributeKind::User,
            _ => AttributeKind::Other,
        };
        // Only what the vendor denies is denied.
        let editable = entry["editable"] != json!(false);
        Some(Self { id: id_of(&entry["id"])?, name: entry["name"].as_str()?.to_owned(), kind, editable })
    }
}

/// An id as text; the vendor writes some as numbers.
pub(crate) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// The attributes of one object type.
#[derive(Debug, Clone)]
pub(crate) struct TypeAttributes(Arc<Vec<TypeAttribute>>);

impl TypeAttributes {
    /// Looks the attributes of the type with this id up by `operation`.
    ///
    /// # Errors
    /// The lookup fails, or is none of a list.
    pub(crate) async fn look_up(
        operation: &str,
        type_id: &str,
        context: &FormatContext<'_>,
    ) -> Result<Self, LookupError> {
        let key = format!("{operation} {type_id}");
        if let Some(cached) = context.cache.get(&key, context.now, MAX_AGE) {
            return Ok(Self(cached));
        }
        let answer = context.lookup.ask(operation, vec![(Place::Path("id".to_owned()), json!(type_id))]).await?;
        let Value::Array(entries) = &answer else {
            return Err(LookupError::Failed("the answer is no list of attributes".to_owned()));
        };
        let attributes: Vec<TypeAttribute> =
            entries.iter().take(MAX_ATTRIBUTES).filter_map(TypeAttribute::read).collect();
        let attributes = Arc::new(attributes);
        context.cache.insert(&key, context.now, &attributes);
        Ok(Self(attributes))
    }

    /// Returns the attribute that a name or id means.
    ///
    /// # Errors
    /// No attribute has the name, or several have it.
    pub(crate) fn find(&self, wanted: &str) -> Result<&TypeAttribute, FormatError> {
        let by_id = self.0.iter().find(|attribute| attribute.id == wanted);
        let same = |name: &str| name.trim().to_lowercase() == wanted.trim().to_lowercase();
        let exact: Vec<&TypeAttribute> = self.0.iter().filter(|attribute| attribute.name == wanted).collect();
        let named = if exact.is_empty() { self.0.iter().filter(|a| same(&a.name)).collect() } else { exact };
        match (named.as_slice(), by_id) {
            ([attribute], _) => Ok(attribute),
            ([], Some(attribute)) => Ok(attribute),
            ([], None) => Err(self.unknown(wanted)),
            (several, _) => {
                let ids = listed(several.iter().map(|attribute| attribute.id.as_str()));
                let expected = format!("one attribute; several have this name, so give an id: {ids}");
                Err(FormatError::new(expected, short(wanted)))
            }
        }
    }

    /// Returns whether an attribute, or several, have this name or id.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        let wanted = wanted.trim();
        self.0
            .iter()
            .any(|attribute| attribute.id == wanted || attribute.name.trim().to_lowercase() == wanted.to_lowercase())
    }

    /// The error that no attribute has this name; it lists similar ones, else the first of all.
    pub(crate) fn unknown(&self, wanted: &str) -> FormatError {
        let names = || self.0.iter().map(|attribute| attribute.name.as_str());
        let near = suggest(wanted, names());
        let mut shown: Vec<&str> = if near.is_empty() { names().collect() } else { near.clone() };
        let more = shown.len().saturating_sub(MAX_LISTED);
        shown.truncate(MAX_LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let such = if near.is_empty() { "one of" } else { "such as" };
        let expected = format!("an attribute of this object type, {such} {}{more}", listed(shown));
        let suggestion = near.first().map(|name| (*name).to_owned());
        FormatError { suggestion, ..FormatError::new(expected, short(wanted)) }
    }
}
