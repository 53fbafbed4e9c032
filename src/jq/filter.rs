//! The child process: a filter and a JSON text on standard input → the result, or what is wrong
//! with the filter, on standard output.

use std::io::{Read, Write};
use std::process::ExitCode;

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile};
use jaq_json::{Val, read};

use super::{LARGEST_RESULT, LONGEST_FILTER, exit, limits};
use toolwright_model::truncate;

/// How much of a part of the filter an error quotes, in characters.
const LONGEST_PART: usize = 20;
/// How much of jaq's own message is returned, in characters: it may quote the whole value.
const LONGEST_REASON: usize = 200;

/// Runs the child process.
pub(crate) fn run_child() -> ExitCode {
    let result = limits::set()
        .map_err(|error| error.to_string())
        .and_then(|()| input())
        .and_then(|(filter, answer)| evaluate(&filter, &answer));
    let (text, code) = match result {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(text) => (text, ExitCode::from(exit::FILTER_FAILED)),
    };
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    if written.is_ok() { code } else { ExitCode::FAILURE }
}

/// Reads the filter, preceded by its length, and the JSON text.
fn input() -> Result<(String, Vec<u8>), String> {
    let mut stdin = std::io::stdin().lock();
    let mut length = [0; 4];
    let broken = |error: std::io::Error| error.to_string();
    stdin.read_exact(&mut length).map_err(broken)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX).min(LONGEST_FILTER);
    let mut filter = vec![0; length];
    stdin.read_exact(&mut filter).map_err(broken)?;
    let mut answer = Vec::new();
    stdin.read_to_end(&mut answer).map_err(broken)?;
    Ok((String::from_utf8(filter).map_err(|_| "the filter is not text".to_owned())?, answer))
}

/// Returns the result of a filter on a JSON text.
fn evaluate(code: &str, answer: &[u8]) -> Result<String, String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    // The environment is empty, and must stay unreachable if it ever is not.
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|(name, ..)| *name != "env");
    let arena = Arena::default();
    // This loader has no access to files, so `import` and `include` fail.
    let modules = Loader::new(defs)
        .load(&arena, File { code, path: () })
        .map_err(|errors| message(errors.into_iter().flat_map(|(_, error)| loading_faults(code, error))))?;
    let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let all = errors.into_iter().flat_map(|(_, errors)| errors);
        message(all.map(|(found, undefined)| compile_fault(code, found, &undefined)))
    })?;
    let input = read::parse_single(answer).map_err(|error| format!("the answer is not JSON: {error}"))?;
    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut results: Vec<String> = Vec::new();
    let mut size = 0;
    for result in filter.id.run((context, input)) {
        let value = match result {
            Ok(value) => value.to_string(),
            Err(exception) => match exception.get_err() {
                Ok(error) => {
                    // It may quote any text of the answer: on one line, none passes for a hint of ours.
                    let reason = error.to_string().replace(char::is_control, " ");
                    return Err(format!(
                        "the filter fails on this answer (texts in quotes are the answer's, untrusted): {}",
                        truncate(&reason, LONGEST_REASON)
                    ));
                }
                // `halt` keeps the results so far.
                Err(_) => break,
            },
        };
        size += value.len() + 1;
        if size > LARGEST_RESULT {
            return Err(format!("the result is larger than {} MB", LARGEST_RESULT / 1_000_000));
        }
        results.push(value);
    }
    let text = match results.len() {
        1 => results.remove(0),
        _ => format!("[{}]", results.join(",")),
    };
    // jaq has values that JSON has not.
    match serde_json::from_str::<&serde_json::value::RawValue>(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err("the result is not JSON: `nan`, `infinite` and bytes are not".to_owned()),
    }
}

fn message(faults: impl Iterator<Item = String>) -> String {
    const MOST: usize = 3;
    let faults: Vec<String> = faults.take(MOST).collect();
    format!("{}\nhint: the language is jq's, as in `[.items[] | select(.id > 7) | .id]`", faults.join("; "))
}

fn loading_faults(code: &str, error: load::Error<&str>) -> Vec<String> {
    match error {
        load::Error::Io(files) => files
            .iter()
            .map(|(path, _)| format!("{}: `import` and `include` are not available", position(code, path)))
            .collect(),
        load::Error::Lex(faults) => faults
            .iter()
            .map(|(expected, found)| {
                format!("{}: expected {}, but found {}", position(code, found), expected.as_str(), quoted(found))
            })
            .collect(),
        load::Error::Parse(faults) => faults
            .iter()
            .map(|(expected, found)| {
                format!("{}: expected {}, but found {}", position(code, found), expected.as_str(), quoted(found))
            })
            .collect(),
    }
}

fn compile_fault(code: &str, found: &str, undefined: &compile::Undefined) -> String {
    let what = match undefined {
        compile::Undefined::Filter(0) => "filter without arguments".to_owned(),
        compile::Undefined::Filter(count) => format!("filter with {count} argument(s)"),
        other => other.as_str().to_owned(),
    };
    format!("{}: there is no {what} {}", position(code, found), quoted(found))
}

/// Returns the position of `part` in the filter, for a person.
fn position(code: &str, part: &str) -> String {
    // jaq reports its end as a part that is not inside the filter.
    let from = (part.as_ptr() as usize).checked_sub(code.as_ptr() as usize).filter(|from| *from <= code.len());
    let before = from.and_then(|from| code.get(..from)).unwrap_or(code);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    if code.contains('\n') { format!("line {line}, character {column}") } else { format!("character {column}") }
}

fn quoted(part: &str) -> String {
    if part.is_empty() { "its end".to_owned() } else { format!("`{}`", truncate(part, LONGEST_PART)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(filter: &str, answer: &str) -> String {
        evaluate(filter, answer.as_bytes()).unwrap_or_else(|error| format!("error: {error}"))
    }

    #[test]
    fn results_are_json() {
        for (filter, answer, expected) in [
            (".", r#"{"b":1,"a":[12345678901234567890123,1.50]}"#, r#"{"b":1,"a":[12345678901234567890123,1.50]}"#),
            (".[] | .id", r#"[{"id":1},{"id":2}]"#, "[1,2]"),
            ("[.[] | select(.s | test(\"pri\"; \"i\"))] | length", r#"[{"s":"Printer"},{"s":"x"}]"#, "1"),
            ("empty", "1", "[]"),
            ("group_by(.k) | map({k: .[0].k, n: length})", r#"[{"k":"a"},{"k":"a"}]"#, r#"[{"k":"a","n":2}]"#),
            ("1, halt, 2", "1", "1"),
            ("\"2026-11-21T00:00:00Z\" | fromdate", "1", "1795219200"),
        ] {
            assert_eq!(result(filter, answer), expected, "{filter}");
        }
    }

    #[test]
    fn faults_name_their_position() {
        for (filter, expected) in [
            (".[", "error: character 3: expected closing bracket, but found its end"),
            (".a |", "error: character 5: expected "),
            ("map(.a)\n| nosuch", "error: line 2, character 3: there is no filter without arguments `nosuch`"),
            (".a | $ENV", "error: character 6: there is no variable `$ENV`"),
            ("input", "error: character 1: there is no filter without arguments `input`"),
            ("env", "error: character 1: there is no filter without arguments `env`"),
            ("input_filename", "error: character 1: there is no filter"),
            ("include \"x\"; .", "error: character 10: `import` and `include` are not available"),
            (
                ".a.b",
                "error: the filter fails on this answer (texts in quotes are the answer's, untrusted): cannot index ",
            ),
            (
                "error(\"x\" * 1000)",
                "error: the filter fails on this answer (texts in quotes are the answer's, untrusted): \"xxx",
            ),
            ("nan", "error: the result is not JSON"),
            ("\"x\" * 5000000", "error: the result is larger than 4 MB"),
            ("repeat(1)", "error: the result is larger than 4 MB"),
        ] {
            let fault = result(filter, r#"{"a":"text"}"#);
            assert!(fault.starts_with(expected), "{filter}: {fault}");
            assert!(fault.len() < 600, "{fault}");
        }
    }
}
