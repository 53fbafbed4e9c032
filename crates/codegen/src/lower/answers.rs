//! The responses of one OpenAPI document, as the vendor describes them → what answers are compared with while a server
//! learns. Like the sandbox table it is made before the overlay.

use std::collections::BTreeMap;

use openapiv3::{
    AdditionalProperties, AnySchema, ArrayType, ObjectType, ReferenceOr, Response, Responses, Schema, SchemaKind,
    StatusCode, Type,
};
use serde_json::Value;
use toolwright_model::answers::{AnswerSchema, DescribedAnswer, DescribedAnswers, DescribedOperation, Further};
use toolwright_model::media_type::{essence, is_json};

use crate::lower::resolved::SchemaType;
use crate::read::document::{Document, SchemaNode};

/// Returns what the API `api` answers, by the description in `file`.
pub fn describe(api: &str, file: &str, document: &Document) -> DescribedAnswers {
    let mut emitter = Emitter { document, schemas: BTreeMap::new(), waiting: Vec::new() };
    let operations = document.operations().map(|at| {
        let method = at.method.to_ascii_uppercase();
        let named = at.operation.operation_id.clone();
        DescribedOperation {
            operation: named.unwrap_or_else(|| format!("{method} {}", at.path)),
            path: at.path.to_owned(),
            answers: emitter.answers(&at.operation.responses),
            method,
        }
    });
    let operations = operations.collect();
    emitter.follow();
    DescribedAnswers { api: api.to_owned(), description: file.to_owned(), operations, schemas: emitter.schemas }
}

struct Emitter<'d> {
    document: &'d Document,
    /// What references lead to, by the reference.
    schemas: BTreeMap<String, AnswerSchema>,
    /// The references that were met and not followed yet.
    waiting: Vec<&'d str>,
}

impl<'d> Emitter<'d> {
    fn answers(&mut self, responses: &'d Responses) -> Vec<DescribedAnswer> {
        let Responses { default, responses, extensions: _ } = responses;
        let by_status = responses.iter().map(|(status, response)| match status {
            StatusCode::Code(code) => (code.to_string(), response),
            StatusCode::Range(hundreds) => (format!("{hundreds}XX"), response),
        });
        let all = by_status.chain(default.iter().map(|response| ("default".to_owned(), response)));
        all.map(|(status, response)| self.answer(status, response)).collect()
    }

    fn answer(&mut self, status: String, response: &'d ReferenceOr<Response>) -> DescribedAnswer {
        let mut answer = DescribedAnswer { status, ..DescribedAnswer::default() };
        let is_success = !answer.status.starts_with(['4', '5']);
        let Some(response) = self.document.follow(response).filter(|_| is_success) else { return answer };
        for (name, media) in &response.content {
            answer.media.push(essence(name).into_owned());
            if answer.schema.is_none() && is_json(name) {
                answer.schema = media.schema.as_ref().map(|schema| self.node(schema));
            }
        }
        answer
    }

    /// Emits what references lead to, and what those refer to.
    fn follow(&mut self) {
        while let Some(reference) = self.waiting.pop() {
            if self.schemas.contains_key(reference) {
                continue;
            }
            self.schemas.insert(reference.to_owned(), AnswerSchema::default());
            if let Some(target) = self.document.target::<Schema>(reference) {
                let schema = self.node(target);
                self.schemas.insert(reference.to_owned(), schema);
            }
        }
    }

    fn node(&mut self, node: impl Into<SchemaNode<'d>>) -> AnswerSchema {
        match node.into() {
            SchemaNode::Schema(schema) => self.schema(schema),
            SchemaNode::Reference(reference) => {
                self.waiting.push(reference);
                AnswerSchema { reference: Some(reference.to_owned()), ..AnswerSchema::default() }
            }
        }
    }

    fn schema(&mut self, schema: &'d Schema) -> AnswerSchema {
        let Schema { schema_data: data, schema_kind } = schema;
        let mut out = AnswerSchema { nullable: data.nullable, ..AnswerSchema::default() };
        match schema_kind {
            SchemaKind::Type(Type::Object(ObjectType { properties, required, additional_properties, .. })) => {
                out.kind = Some(SchemaType::Object.as_str().to_owned());
                self.members(properties, required, additional_properties.as_ref(), &mut out);
            }
            SchemaKind::Type(Type::Array(ArrayType { items, .. })) => {
                out.kind = Some(SchemaType::Array.as_str().to_owned());
                out.items = items.as_ref().map(|items| Box::new(self.node(items)));
            }
            SchemaKind::Type(scalar) => (out.kind, out.values) = scalar_of(scalar),
            SchemaKind::AllOf { all_of } => out.all_of = self.all(all_of),
            SchemaKind::OneOf { one_of: any_of } | SchemaKind::AnyOf { any_of } => out.any_of = self.all(any_of),
            // What a value is not says too little of what it is.
            SchemaKind::Not { .. } => {}
            SchemaKind::Any(any) => self.any(any, &mut out),
        }
        out
    }

    /// A mixture of keywords that fits no single type.
    fn any(&mut self, any: &'d AnySchema, out: &mut AnswerSchema) {
        out.kind = any.typ.as_deref().and_then(SchemaType::parse).map(|kind| kind.as_str().to_owned());
        out.values.clone_from(&any.enumeration);
        self.members(&any.properties, &any.required, any.additional_properties.as_ref(), out);
        out.items = any.items.as_ref().map(|items| Box::new(self.node(items)));
        out.all_of = self.all(&any.all_of);
        out.any_of = self.all(&any.one_of);
        if out.any_of.is_empty() {
            out.any_of = self.all(&any.any_of);
        }
    }

    fn all(&mut self, parts: &'d [ReferenceOr<Schema>]) -> Vec<AnswerSchema> {
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn members(
        &mut self,
        properties: impl IntoIterator<Item = (&'d String, &'d ReferenceOr<Box<Schema>>)>,
        required: &[String],
        further: Option<&'d AdditionalProperties>,
        out: &mut AnswerSchema,
    ) {
        out.required = required.to_vec();
        for (name, property) in properties {
            // What is only sent is in no answer, whatever else is said of it.
            if self.document.schema(property).is_some_and(|schema| schema.schema_data.write_only) {
                out.required.retain(|required| required != name);
            }
            let schema = self.node(property);
            out.properties.insert(name.clone(), schema);
        }
        out.further = further.map(|further| match further {
            AdditionalProperties::Any(allowed) => Further::Any(*allowed),
            AdditionalProperties::Schema(schema) => match self.node(&**schema) {
                nothing if nothing == AnswerSchema::default() => Further::Any(true),
                schema => Further::Of(Box::new(schema)),
            },
        });
    }
}

/// Type and listed values of a scalar.
fn scalar_of(scalar: &Type) -> (Option<String>, Vec<Value>) {
    let listed = |values: Vec<Option<Value>>| values.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
    let (kind, values) = match scalar {
        Type::String(text) => {
            (SchemaType::String, listed(text.enumeration.iter().map(|it| it.clone().map(Value::from)).collect()))
        }
        Type::Integer(integer) => {
            (SchemaType::Integer, listed(integer.enumeration.iter().map(|it| it.map(Value::from)).collect()))
        }
        Type::Number(number) => {
            (SchemaType::Number, listed(number.enumeration.iter().map(|it| it.map(Value::from)).collect()))
        }
        Type::Boolean(boolean) => {
            (SchemaType::Boolean, listed(boolean.enumeration.iter().map(|it| it.map(Value::from)).collect()))
        }
        Type::Object(_) => (SchemaType::Object, Vec::new()),
        Type::Array(_) => (SchemaType::Array, Vec::new()),
    };
    (Some(kind.as_str().to_owned()), values)
}
