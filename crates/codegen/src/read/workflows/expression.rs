//! A text of an Arazzo file → the runtime expressions in it. Only what they are written like is checked here; whether
//! they lead anywhere, where they are compiled.

use toolwright_model::workflow::{Expression, Source, Template};

/// Why a text is no expression that is run: what was expected, what there is, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    pub expected: String,
    pub found: String,
    pub hint: Option<String>,
}

/// The beginnings of expressions of Arazzo that are not run, with the reason.
const REFUSED: [(&str, &str); 9] = [
    ("$url", "where a request goes is the connection's, not the file's"),
    ("$method", "it is a constant: the operation states it"),
    ("$request.", "what is sent is what the step's parameters state: use their expressions"),
    ("$response.query.", "an answer has no query"),
    ("$response.path.", "an answer has no path"),
    ("$outputs.", "a workflow's outputs are made when its steps have ended: use `$steps.<step>.outputs.<name>`"),
    ("$workflows.", "a workflow calls tools and no other workflow: state the steps here"),
    ("$components.", "state it where it is used"),
    ("$message.", "messages are of AsyncAPI, and only OpenAPI descriptions are compiled"),
];

/// What an expression may be.
const EXPECTED: &str = "`$inputs.<name>`, `$steps.<step>.outputs.<name>`, `$statusCode`, `$response.body`, \
                        `$response.header.<name>`, `$item` or `$index`, with `#/<pointer>` where a part is meant";

/// Returns whether a text is meant as one expression.
pub fn is_expression(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('$') && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
}

/// Reads a text that is one expression.
///
/// # Errors
/// It is none, or one that is not run.
pub fn read_expression(text: &str) -> Result<Expression, ExpressionFault> {
    let (path, pointer) = match text.split_once('#') {
        Some((path, pointer)) => (path, pointer),
        None => (text, ""),
    };
    let fault =
        |hint: Option<String>| ExpressionFault { expected: EXPECTED.to_owned(), found: format!("`{text}`"), hint };
    if let Some((_, reason)) =
        REFUSED.iter().find(|(start, _)| path == start.trim_end_matches('.') || path.starts_with(start))
    {
        return Err(fault(Some((*reason).to_owned())));
    }
    let source = source(path).ok_or_else(|| fault(None))?;
    check_pointer(pointer).map_err(|reason| fault(Some(reason)))?;
    if !pointer.is_empty() && matches!(source, Source::Status | Source::Header { .. } | Source::Index) {
        return Err(fault(Some(format!("`{path}` has no parts"))));
    }
    Ok(Expression { source, pointer: pointer.to_owned() })
}

fn source(path: &str) -> Option<Source> {
    let name = |name: &str| is_name(name).then(|| name.to_owned());
    match path {
        "$statusCode" => return Some(Source::Status),
        "$response.body" => return Some(Source::Body),
        "$item" => return Some(Source::Item),
        "$index" => return Some(Source::Index),
        _ => {}
    }
    if let Some(input) = path.strip_prefix("$inputs.") {
        return Some(Source::Input { name: name(input)? });
    }
    if let Some(header) = path.strip_prefix("$response.header.") {
        return Some(Source::Header { name: name(header)? });
    }
    let (step, output) = path.strip_prefix("$steps.")?.split_once(".outputs.")?;
    Some(Source::Step { step: name(step)?, output: name(output)? })
}

/// Whether a text can be the name of an input, a step, an output or a header.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Checks a JSON pointer.
///
/// # Errors
/// What is wrong with it.
pub fn check_pointer(pointer: &str) -> Result<(), String> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err("a JSON pointer begins with `/`".to_owned());
    }
    let wrong = pointer.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']));
    if wrong { Err("in a JSON pointer `~` is written `~0`, and `/` in a name `~1`".to_owned()) } else { Ok(()) }
}

/// Returns the steps of a JSON pointer, as names.
pub fn pointer_steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// Reads a text with expressions in braces: `ticket {$inputs.id}`. A text without is a constant.
///
/// # Errors
/// What is in the braces is no expression, or is not closed.
pub fn read_text(text: &str) -> Result<Template, ExpressionFault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{$") {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find('}') else {
            let found = format!("`{from}`");
            return Err(ExpressionFault { expected: "a `}` that ends the expression".to_owned(), found, hint: None });
        };
        if !before.is_empty() {
            parts.push(Template::Value(before.into()));
        }
        parts.push(Template::Read(read_expression(&from[1..end])?));
        rest = &from[end + 1..];
    }
    if parts.is_empty() {
        return Ok(Template::Value(text.into()));
    }
    if !rest.is_empty() {
        parts.push(Template::Value(rest.into()));
    }
    Ok(Template::Text(parts))
}

/// Returns the ids of steps that a text reads, as far as it is written like an expression.
pub fn steps_read(text: &str) -> impl Iterator<Item = &str> {
    text.split("$steps.").skip(1).filter_map(|rest| rest.split_once(".outputs.").map(|(step, _)| step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_and_shown_alike() {
        for text in [
            "$inputs.ticketId",
            "$inputs.who#/address/0/mail",
            "$steps.find-user.outputs.id",
            "$steps.a.outputs.b.c#/x~1y",
            "$statusCode",
            "$response.body",
            "$response.body#/values/0/id",
            "$response.header.Location",
            "$item",
            "$item#/id",
            "$index",
        ] {
            assert_eq!(read_expression(text).map(|expression| expression.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_not_run_is_refused_with_the_reason() {
        for text in ["$url", "$method", "$request.body#/a", "$outputs.x", "$workflows.a.outputs.b", "$message.payload"]
        {
            assert!(read_expression(text).is_err_and(|fault| fault.hint.is_some()), "{text}");
        }
        for text in [
            "$resposne.body#/id",
            "$response.body#id",
            "$response.body#/a~2",
            "$steps.a.b",
            "$steps..outputs.b",
            "$inputs.",
            "$inputs.a b",
            "$statusCode#/x",
            "$item.id",
        ] {
            assert!(read_expression(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_hold_expressions_in_braces() {
        assert_eq!(read_text("a {b} $c"), Ok(Template::Value("a {b} $c".into())));
        let Ok(Template::Text(parts)) = read_text("({$inputs.jql}) AND {$item#/x}!") else { panic!("a text") };
        assert_eq!(parts.len(), 5);
        assert!(read_text("{$inputs.a").is_err());
        assert!(read_text("{$nothing}").is_err());
        assert!(!is_expression("$100") && is_expression("$foo"));
    }

    #[test]
    fn the_steps_that_a_text_reads_are_found() {
        let found: Vec<&str> = steps_read("{$steps.a.outputs.x} and {$steps.b-1.outputs.y#/z} $steps.c").collect();
        assert_eq!(found, ["a", "b-1"]);
    }
}
