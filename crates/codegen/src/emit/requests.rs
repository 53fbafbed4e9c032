//! Operations → `requests.json`: what the program sends for each of them.
//!
//! One operation a line, in the order of their ids: the program finds an operation by halving the text and parses its line
//! alone (`client_runtime::requests`), and a reviewer sees one line change for one operation.

use toolwright_model::Operation;

/// Emits the requests of an API.
pub(super) fn emit(operations: &[Operation]) -> String {
    let mut lines: Vec<(String, String)> = operations.iter().map(entry).collect();
    lines.sort();
    let lines: Vec<String> = lines.into_iter().map(|(id, request)| format!("{id}: {request}")).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// The id and the request, both as JSON.
fn entry(operation: &Operation) -> (String, String) {
    let json = "plain data with text keys is JSON";
    (serde_json::to_string(&operation.id).expect(json), serde_json::to_string(operation).expect(json))
}
