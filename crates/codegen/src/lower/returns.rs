//! The responses of an operation → what it answers with where it succeeds.

use openapiv3::{MediaType, ReferenceOr, Response, Responses, SchemaKind, StringFormat, Type, VariantOrUnknownOrEmpty};
use toolwright_model::{Returns, media_type};

use crate::lower::spec_operation::status_class;
use crate::read::document::Document;

/// Returns what is stated for any 2xx, or else for every status: JSON where one of them has it.
pub(super) fn read(responses: &Responses, document: &Document) -> Returns {
    let success = responses.responses.iter().filter(|(status, _)| status_class(status) == 2);
    let success: Vec<&ReferenceOr<Response>> = success.map(|(_, response)| response).collect();
    let stated = if success.is_empty() { responses.default.iter().collect() } else { success };
    let content = stated.into_iter().filter_map(|response| document.follow(response)).flat_map(|it| &it.content);
    let kinds: Vec<Returns> = content.map(|(name, media)| kind(name, media, document)).collect();
    let found = [Returns::Json, Returns::File].into_iter().find(|kind| kinds.contains(kind));
    found.unwrap_or(Returns::Unstated)
}

fn kind(name: &str, media: &MediaType, document: &Document) -> Returns {
    let described = media_type::is_json(name) || name.contains('*') && media.schema.is_some();
    if described && !is_binary(media, document) { Returns::Json } else { Returns::File }
}

/// Whether the schema is that of bytes.
fn is_binary(media: &MediaType, document: &Document) -> bool {
    let schema = media.schema.as_ref().and_then(|schema| document.schema(schema));
    let Some(SchemaKind::Type(Type::String(text))) = schema.map(|schema| &schema.schema_kind) else { return false };
    text.format == VariantOrUnknownOrEmpty::Item(StringFormat::Binary)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn returns(responses: &Value) -> Returns {
        let operation = json!({"operationId": "a", "responses": responses});
        let raw = json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}},
            "components": {"responses": {"Found": {"description": "", "content": {"text/plain": {}}}}},
        });
        let document = Document::parse(raw).unwrap();
        let operation = document.operation("/a", "get").unwrap().operation;
        read(&operation.responses, &document)
    }

    #[test]
    fn json_is_expected_wherever_it_is_stated() {
        let media = |name: &str, schema: Value| json!({"description": "", "content": {name: {"schema": schema}}});
        let bytes = json!({"type": "string", "format": "binary"});
        for (responses, expected) in [
            (json!({"200": media("application/json", json!({}))}), Returns::Json),
            (json!({"200": media("application/vnd.acme+json; v=1", json!({}))}), Returns::Json),
            (json!({"204": {"description": ""}, "201": media("*/*", json!({}))}), Returns::Json),
            (json!({"2XX": media("text/csv", json!({"type": "string"}))}), Returns::File),
            (json!({"200": {"$ref": "#/components/responses/Found"}}), Returns::File),
            (json!({"200": media("application/octet-stream", json!({}))}), Returns::File),
            (json!({"200": media("*/*", bytes)}), Returns::File),
            (json!({"200": {"description": "", "content": {"*/*": {}}}}), Returns::File),
            (json!({"default": media("application/json", json!({}))}), Returns::Json),
            (json!({"200": {"description": ""}, "default": media("application/json", json!({}))}), Returns::Unstated),
            (json!({"204": {"description": ""}, "400": media("application/json", json!({}))}), Returns::Unstated),
        ] {
            assert_eq!(returns(&responses), expected, "{responses}");
        }
    }
}
