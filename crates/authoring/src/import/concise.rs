//! The records of an answer → the fields that tell one from another: what `concise` keeps of them.

use super::answers::{Answer, Property, is_list};
use toolwright_model::snake_case;

/// Records of fewer fields are short already.
const FEWEST_FIELDS: usize = 11;
/// A list of more fields would not be concise.
const MOST_KEPT: usize = 12;
/// With fewer fields records can't be told apart.
const FEWEST_KEPT: usize = 2;

/// What is kept, in the order in which it is written. A name matches as a whole, in any spelling.
const KEPT: [&str; 7] = [
    "id uuid guid key identifier number ref slug",
    "name title subject display_name displayname full_name fullname label username user_name login summary first_name \
     firstname last_name lastname hostname",
    "email mail primary_email email_address",
    "status state enabled disabled active is_active severity priority urgency",
    "type kind category role",
    "created_at created created_on created_date date_created creation_date updated_at updated modified last_updated \
     modified_at updated_on last_modified due_date due_at start_date end_date starts_at ends_at expires_at last_login",
    "html_url web_url url link",
];

/// Returns the fields that are kept; empty where there is nothing to leave out or to tell records by. `named` are the
/// words of the tool's own description, which promises the fields that it names.
pub(super) fn of(answer: &Answer<'_>, noun: &str, named: &[String]) -> Vec<String> {
    // In a record, a field beside the list would be looked for there.
    let beside: Vec<&str> = match &answer.rows {
        Some(rows) if !rows.pointer.is_empty() => answer.beside().iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    };
    // A list that is deeper than the top is not looked into by the paths of `concise`.
    if answer.rows.as_ref().is_some_and(|rows| rows.pointer.matches('/').count() > 1) {
        return Vec::new();
    }
    let fields = answer.fields();
    if fields.len() < FEWEST_FIELDS {
        return Vec::new();
    }
    let usable: Vec<&Property<'_>> =
        fields.iter().filter(|(name, _)| !beside.contains(name) && !name.contains('.') && is_plain(name)).collect();
    let mut kept: Vec<String> = Vec::new();
    for (rank, words) in KEPT.iter().enumerate() {
        for (name, schema) in &usable {
            let normal = snake_case(name);
            let own = normal.strip_prefix(noun).map(|rest| rest.trim_start_matches('_')).filter(|_| !noun.is_empty());
            let is_kept = super::words::is_in(words, &normal)
                || rank < 2 && own.is_some_and(|own| super::words::is_in(words, own));
            let is_short = !is_list(schema) && schema.get("properties").is_none() && schema.get("allOf").is_none();
            if is_kept && is_short && kept.len() < MOST_KEPT && !kept.iter().any(|known| known == name) {
                kept.push((*name).to_owned());
            }
        }
    }
    if kept.len() < FEWEST_KEPT || kept.len() + FEWEST_KEPT > fields.len() {
        return Vec::new();
    }
    let promised = usable.iter().filter(|(name, _)| named.iter().any(|word| word.eq_ignore_ascii_case(name)));
    for (name, _) in promised {
        if !kept.iter().any(|known| known == name) {
            kept.push((*name).to_owned());
        }
    }
    kept
}

/// Whether the name can be written into a path.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') && !name.is_empty()
}
