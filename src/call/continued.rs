//! The arguments of a call → the same, checked; where a cursor is among them, together with those
//! of the call that it continues.

use serde_json::{Map, Value};

use super::Failure;
use super::arguments::ArgumentSchema;
use super::paging::cursor::Cursor;
use super::problem::{ArgumentProblem, ProblemKind};
use toolwright_model::{CURSOR, Tool};

/// Returns the call's arguments, checked, and the cursor that it has come with.
///
/// # Errors
/// They don't fit the input schema, or not the cursor.
pub(super) fn arguments(
    tool: &Tool,
    schema: &ArgumentSchema,
    mut given: Map<String, Value>,
) -> Result<(Option<Cursor>, Map<String, Value>), Failure> {
    let not_accepted =
        |problems: Vec<ArgumentProblem>| Failure::Arguments { text: schema.describe(&problems, &tool.name), problems };
    let wrong = |cursor: &str, expected: String| {
        let given: String = cursor.chars().take(40).collect();
        let problem = ArgumentProblem {
            kind: ProblemKind::Invalid,
            argument: CURSOR.to_owned(),
            given,
            expected,
            suggestion: None,
        };
        Failure::Arguments {
            text: format!(
                "the arguments of {} were not accepted; nothing was sent\n- `{CURSOR}`: {}",
                tool.name, problem.expected
            ),
            problems: vec![problem],
        }
    };
    let written = match given.get(CURSOR) {
        Some(Value::String(written)) if tool.is_own_argument(CURSOR) => written.clone(),
        _ => return Ok((None, schema.check(given).map_err(not_accepted)?)),
    };
    given.shift_remove(CURSOR);
    let cursor = Cursor::read(&written, &tool.name).map_err(|expected| wrong(&written, expected))?;
    let arguments = schema.check(cursor.with(given)).map_err(not_accepted)?;
    // Which fields are shown may change from page to page, but not within one answer.
    let free = |name: &str| cursor.kept.is_none() && tool.is_own_argument(name);
    cursor.check(&arguments, free).map_err(|expected| wrong(&written, expected))?;
    Ok((Some(cursor), arguments))
}
