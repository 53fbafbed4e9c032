//! A description that `openapiv3` refuses → the innermost parts that it refuses, each with a reason:
//! its own error names no place.

use openapiv3::{Components, Info, Operation, Parameter, ReferenceOr, RequestBody, Response, Responses, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::read::located::Located;
use crate::read::paths::METHODS;
use crate::read::typed;

/// Reports what is wrong with a description that can't be read; `reason` is the error of the whole.
pub(super) fn report(root: &Located<'_>, reason: &serde_json::Error) {
    let mut finder = Finder { found: false };
    if let Some(info) = root.get("info") {
        finder.part::<Info>(&info, |_, _| {});
    }
    for (_, item) in root.get("paths").iter().flat_map(Located::entries).filter(|(_, item)| item.value.is_object()) {
        for parameter in list(&item, "parameters") {
            finder.part::<ReferenceOr<Parameter>>(&parameter, Finder::schemas);
        }
        for operation in METHODS.iter().filter_map(|method| item.get(method)) {
            finder.part::<Operation>(&operation, Finder::operation);
        }
    }
    for (section, entries) in root.get("components").iter().flat_map(Located::entries) {
        for (_, entry) in if entries.value.is_object() { entries.entries() } else { Vec::new() } {
            // A section is one map of its kind: each entry is tried as a map of one.
            finder.part_of(&entry, |value| parse::<Components>(&json!({(section): {"it": value}})), Finder::schemas);
        }
    }
    if !finder.found {
        refuse(root, &reason.to_string());
    }
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    typed::from_value::<T>(value.clone()).map(|_| ()).map_err(|error| error.to_string())
}

fn refuse(at: &Located<'_>, reason: &str) {
    at.report("what OpenAPI 3.0 allows here", format!("a fault: {reason}"), None);
}

fn list<'s>(at: &Located<'s>, key: &str) -> Vec<Located<'s>> {
    at.get(key).filter(|list| list.value.is_array()).map(|list| list.items()).unwrap_or_default()
}

/// The entries of the object `key`.
fn members<'s>(at: &Located<'s>, key: &str) -> Vec<Located<'s>> {
    let object = at.get(key).filter(|object| object.value.is_object());
    object.map(|object| object.entries().into_iter().map(|(_, entry)| entry).collect()).unwrap_or_default()
}

struct Finder {
    found: bool,
}

impl Finder {
    fn part<T: DeserializeOwned>(&mut self, at: &Located<'_>, inside: fn(&mut Self, &Located<'_>)) {
        self.part_of(at, parse::<T>, inside);
    }

    /// Reports a part that can't be read, unless a part inside of it can't be read either.
    fn part_of(
        &mut self,
        at: &Located<'_>,
        parse: impl Fn(&Value) -> Result<(), String>,
        inside: fn(&mut Self, &Located<'_>),
    ) {
        let Err(reason) = parse(at.value) else { return };
        self.found = false;
        inside(self, at);
        if !self.found {
            refuse(at, &reason);
        }
        self.found = true;
    }

    fn operation(&mut self, at: &Located<'_>) {
        for parameter in list(at, "parameters") {
            self.part::<ReferenceOr<Parameter>>(&parameter, Self::schemas);
        }
        if let Some(body) = at.get("requestBody") {
            self.part::<ReferenceOr<RequestBody>>(&body, Self::schemas);
        }
        if let Some(responses) = at.get("responses") {
            self.part::<Responses>(&responses, |finder, responses| {
                for (_, response) in responses.entries() {
                    finder.part::<ReferenceOr<Response>>(&response, Self::schemas);
                }
            });
        }
    }

    /// Tries the schemas of a part, wherever they are in it.
    fn schemas(&mut self, at: &Located<'_>) {
        if let Some(schema) = at.get("schema") {
            self.part::<ReferenceOr<Schema>>(&schema, Self::schemas);
        }
        for media in members(at, "content").into_iter().chain(members(at, "headers")) {
            self.schemas(&media);
        }
        for property in members(at, "properties") {
            self.part::<ReferenceOr<Schema>>(&property, Self::schemas);
        }
        for key in ["items", "additionalProperties", "not"] {
            if let Some(schema) = at.get(key).filter(|schema| schema.value.is_object()) {
                self.part::<ReferenceOr<Schema>>(&schema, Self::schemas);
            }
        }
        for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|key| list(at, key)) {
            self.part::<ReferenceOr<Schema>>(&part, Self::schemas);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read::document::Document;
    use crate::read::finding::{Errors, Findings};
    use crate::read::source::SourceFile;
    use crate::read::source_map::SourceMap;

    use super::*;

    #[test]
    fn the_innermost_refused_parts_are_reported() {
        let schema =
            |property: Value| json!({"type": "object", "properties": {"a": {"type": "string"}, "b": property}});
        let document = json!({
            "openapi": "3.0.3",
            "info": {"title": "T", "version": "1"},
            "paths": {"/a": {"get": {
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "integer", "minLength": "2"}}],
                "responses": {"200": {"content": {"text/json": {"schema": schema(json!({"enum": "x"}))}}}},
            }}},
            "components": {"schemas": {"S": schema(json!({"type": ["string", "null"]}))}, "headers": {"H": 1}},
        });
        let findings = Findings::default();
        let source = SourceMap::new(&SourceFile::without_text("d.yaml"), &findings);
        assert!(Document::read(&Located::root(&source, &document)).is_none());
        let places: Vec<String> = Errors::from(findings).iter().map(|finding| finding.path.clone()).collect();
        assert_eq!(
            places,
            [
                "paths/~1a/get/parameters/0/schema",
                "paths/~1a/get/responses/200/content/text~1json/schema/properties/b",
                "components/schemas/S/properties/b",
                "components/headers/H",
            ]
        );
    }
}
