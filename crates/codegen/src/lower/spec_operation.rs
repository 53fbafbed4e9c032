//! An operation of the description, as `openapiv3` reads it → [`SpecOperation`]: parameters, bodies,
//! scopes and `x-toolwright` keys, with every schema resolved.

use openapiv3::{
    APIKeyLocation, Encoding, Operation, Parameter, ParameterData, ParameterSchemaOrContent, PathStyle,
    QueryStyle as SpecStyle, ReferenceOr, RequestBody, Responses, SecurityRequirement, SecurityScheme, StatusCode,
};
use serde_json::Value;

use crate::lower::flatten::{flatten, type_of};
use crate::lower::inputs::takes_nothing;
use crate::lower::resolved::{ResolvedSchema, SchemaType, resolve};
use crate::lower::returns;
use crate::lower::target;
use crate::read::check::IGNORED_HEADERS;
use crate::read::document::{Document, OperationAt, explode};
use crate::read::keys::{self, OperationKeys};
use crate::read::located::Located;
use crate::read::paths::operation_pointer;
use crate::read::reference::escape;
use toolwright_model::{Location, QueryStyle, Returns};

/// One operation as the description has it.
#[derive(Debug)]
pub struct SpecOperation {
    /// The JSON pointer to it.
    pub pointer: String,
    pub id: String,
    /// In upper case.
    pub method: String,
    pub path: String,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub parameters: Vec<SpecParameter>,
    pub body: Option<SpecBody>,
    /// Whether success is a redirect: a 3xx is promised and no 2xx.
    pub redirects: bool,
    /// What success is answered with.
    pub returns: Returns,
    /// The scopes that a token needs: all of any one entry.
    pub scopes: Vec<Vec<String>>,
    /// The address below which it is sent, in place of the API's own.
    pub server: Option<String>,
    /// The security schemes that it needs: all of any one entry; `None` where the description says nothing.
    pub security: Option<Vec<Vec<String>>>,
    pub keys: OperationKeys,
    /// What none of its tools offers, by its own keys and by those of the whole description.
    pub left_out: Vec<LeftOut>,
}

/// A parameter or body property that no tool offers.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// As the overlay calls it.
    pub name: String,
    pub reason: String,
    /// The JSON pointer to the reason.
    pub pointer: String,
}

/// The reasons of a block of keys at `pointer`.
pub fn left_out(reasons: &[(String, String)], pointer: &str) -> Vec<LeftOut> {
    let one = |(name, reason): &(String, String)| LeftOut {
        name: name.clone(),
        reason: reason.clone(),
        pointer: format!("{pointer}/{}/{}", keys::LEFT_OUT, escape(name)),
    };
    reasons.iter().map(one).collect()
}

/// Reads what no operation of a description offers.
pub fn read_left_out_of_api(root: &Located<'_>) -> Vec<LeftOut> {
    let block = root.get(keys::EXTENSION);
    block.map(|block| left_out(&keys::read_api(&block), &block.pointer)).unwrap_or_default()
}

/// A parameter with its schema resolved.
#[derive(Debug)]
pub struct SpecParameter {
    pub name: String,
    pub location: Location,
    pub required: bool,
    pub description: Option<String>,
    pub example: Option<Value>,
    pub schema: ResolvedSchema,
    pub style: QueryStyle,
}

/// A request body: every content type on offer, schemas resolved.
#[derive(Debug)]
pub struct SpecBody {
    pub required: bool,
    pub description: Option<String>,
    /// In the description's order.
    pub content: Vec<SpecContent>,
}

/// One content type of a body.
#[derive(Debug)]
pub struct SpecContent {
    pub content_type: String,
    pub schema: ResolvedSchema,
    /// How lists and objects are written into a form, by property.
    pub styles: Vec<FieldStyle>,
}

/// How the lists and objects of a property are written into a form.
#[derive(Debug)]
pub struct FieldStyle {
    pub property: String,
    pub style: QueryStyle,
}

/// Reads every operation of a document; `root` is the same description, for the places of
/// `x-toolwright` keys.
/// `of_api`: what none of them offers.
pub fn read_operations(document: &Document, of_api: &[LeftOut], root: &Located<'_>) -> Vec<SpecOperation> {
    document.operations().filter_map(|at| read_operation(at, document, of_api, root)).collect()
}

fn read_operation(
    at: OperationAt<'_>,
    document: &Document,
    of_api: &[LeftOut],
    root: &Located<'_>,
) -> Option<SpecOperation> {
    let Operation { tags, summary, description, operation_id, responses, security, request_body, .. } = at.operation;
    let pointer = operation_pointer(at.path, at.method);
    let (server, needed) = (target::server(&at, document), target::security(&at, document));
    // The fixups give one to each operation.
    let id = operation_id.clone()?;
    let body = request_body.as_ref().and_then(|body| document.follow(body));
    let block = format!("{pointer}/{}", keys::EXTENSION);
    let keys = root.at_pointer(&block).map(|at| keys::read_operation(&at)).unwrap_or_default();
    Some(SpecOperation {
        id,
        method: at.method.to_uppercase(),
        path: at.path.to_owned(),
        summary: written(summary.as_ref()),
        description: written(description.as_ref()),
        tags: tags.clone(),
        parameters: read_parameters(at, document),
        // What can only be empty and may be left out is nothing.
        body: body.map(|body| read_body(body, document)).filter(|body| body.required || !is_always_empty(body)),
        redirects: promises(responses, 3) && !promises(responses, 2),
        returns: returns::read(responses, document),
        scopes: scopes(security.as_ref().or(document.api.security.as_ref()), document),
        server,
        security: needed,
        left_out: left_out(&keys.left_out, &block).into_iter().chain(of_api.iter().cloned()).collect(),
        keys,
        pointer,
    })
}

/// A text that waits to be written is empty: it counts as none.
fn written(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// Whether an operation answers with a status of the class, such as 2 for 2xx.
fn promises(responses: &Responses, class: u16) -> bool {
    responses.responses.keys().any(|status| status_class(status) == class)
}

/// The first digit of a status.
pub(super) fn status_class(status: &StatusCode) -> u16 {
    match status {
        StatusCode::Code(code) => code / 100,
        StatusCode::Range(class) => *class,
    }
}

/// The scopes of each way to authenticate by OAuth; none where one way needs none.
fn scopes(security: Option<&Vec<SecurityRequirement>>, document: &Document) -> Vec<Vec<String>> {
    let ways = security.into_iter().flatten().flatten().filter(|(scheme, _)| is_oauth(scheme, document));
    let ways: Vec<Vec<String>> = ways.map(|(_, scopes)| scopes.clone()).collect();
    if ways.iter().any(Vec::is_empty) { Vec::new() } else { ways }
}

fn is_oauth(scheme: &str, document: &Document) -> bool {
    let schemes = document.api.components.as_ref().map(|components| &components.security_schemes);
    match schemes.and_then(|schemes| document.follow(schemes.get(scheme)?)) {
        Some(SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIDConnect { .. }) => true,
        Some(SecurityScheme::APIKey { .. } | SecurityScheme::HTTP { .. }) | None => false,
    }
}

/// The operation's own parameters, then those of its path that it does not replace.
fn read_parameters(at: OperationAt<'_>, document: &Document) -> Vec<SpecParameter> {
    let mut parameters: Vec<SpecParameter> = Vec::new();
    for parameter in at.operation.parameters.iter().chain(&at.item.parameters) {
        if let Some(parameter) = read_parameter(parameter, document)
            && !parameters.iter().any(|p| p.name == parameter.name && p.location == parameter.location)
        {
            parameters.push(parameter);
        }
    }
    parameters
}

fn read_parameter(parameter: &ReferenceOr<Parameter>, document: &Document) -> Option<SpecParameter> {
    let (data, location, style) = match document.follow(parameter)? {
        Parameter::Query { parameter_data, style, allow_reserved: _, allow_empty_value: _ } => {
            (parameter_data, Location::Query, query_style(style, parameter_data.explode))
        }
        Parameter::Header { parameter_data, style: _ } if is_of_transport(parameter_data) => return None,
        Parameter::Header { parameter_data, style: openapiv3::HeaderStyle::Simple } => {
            (parameter_data, Location::Header, simple_style(parameter_data.explode))
        }
        Parameter::Path { parameter_data, style } => match style {
            // The check of the raw description refuses the other two.
            PathStyle::Simple | PathStyle::Matrix | PathStyle::Label => {
                (parameter_data, Location::Path, simple_style(parameter_data.explode))
            }
        },
        // The credentials bring it.
        Parameter::Cookie { parameter_data, style: _ } if is_credential(&parameter_data.name, document) => return None,
        Parameter::Cookie { parameter_data, style: openapiv3::CookieStyle::Form } => {
            (parameter_data, Location::Cookie, query_style(&SpecStyle::Form, parameter_data.explode))
        }
    };
    let ParameterData { name, description, required, format, example, .. } = data;
    let (schema, style) = match format {
        ParameterSchemaOrContent::Schema(schema) => (resolve(schema, document), style),
        ParameterSchemaOrContent::Content(content) => {
            let schema = content.values().next().and_then(|media| media.schema.as_ref());
            (schema.map(|schema| resolve(schema, document)).unwrap_or_default(), QueryStyle::Json)
        }
    };
    let is_list = || type_of(&flatten(&schema)) == Some(SchemaType::Array);
    let style = if style == QueryStyle::DeepObject && is_list() { QueryStyle::Brackets } else { style };
    Some(SpecParameter {
        name: name.clone(),
        location,
        required: *required,
        description: written(description.as_ref()),
        example: example.clone(),
        schema,
        style,
    })
}

/// Whether a cookie is that of a security scheme.
fn is_credential(cookie: &str, document: &Document) -> bool {
    let schemes = document.api.components.iter().flat_map(|components| components.security_schemes.values());
    schemes.filter_map(|scheme| document.follow(scheme)).any(|scheme| {
        matches!(scheme, SecurityScheme::APIKey { location: APIKeyLocation::Cookie, name, .. } if name == cookie)
    })
}

/// Headers that OpenAPI describes elsewhere, and those that the client itself writes: they say how a message travels.
fn is_of_transport(parameter: &ParameterData) -> bool {
    const WRITTEN_BY_CLIENT: [&str; 10] = [
        "accept-charset",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "te",
        "transfer-encoding",
        "user-agent",
    ];
    let name = parameter.name.to_lowercase();
    IGNORED_HEADERS.contains(&name.as_str()) || WRITTEN_BY_CLIENT.contains(&name.as_str())
}

/// How lists and objects are written into a query or a form.
fn query_style(style: &SpecStyle, explode: Option<bool>) -> QueryStyle {
    let explode = explode.unwrap_or(*style == SpecStyle::Form);
    match style {
        SpecStyle::DeepObject => QueryStyle::DeepObject,
        SpecStyle::SpaceDelimited if !explode => QueryStyle::Joined(' '),
        SpecStyle::PipeDelimited if !explode => QueryStyle::Joined('|'),
        SpecStyle::Form if !explode => QueryStyle::Joined(','),
        SpecStyle::Form | SpecStyle::SpaceDelimited | SpecStyle::PipeDelimited => QueryStyle::Repeated,
    }
}

/// Outside of a query a list is always joined; the client does so whatever this states.
fn simple_style(explode: Option<bool>) -> QueryStyle {
    if explode.unwrap_or(true) { QueryStyle::Repeated } else { QueryStyle::Joined(',') }
}

fn read_body(body: &RequestBody, document: &Document) -> SpecBody {
    let content = body.content.iter().map(|(content_type, media)| SpecContent {
        content_type: content_type.clone(),
        schema: media.schema.as_ref().map(|schema| resolve(schema, document)).unwrap_or_default(),
        styles: media
            .encoding
            .iter()
            .map(|(property, encoding)| FieldStyle { property: property.clone(), style: field_style(encoding) })
            .collect(),
    });
    SpecBody { required: body.required, description: written(body.description.as_ref()), content: content.collect() }
}

fn is_always_empty(body: &SpecBody) -> bool {
    !body.content.is_empty() && body.content.iter().all(|content| takes_nothing(&content.schema))
}

fn field_style(encoding: &Encoding) -> QueryStyle {
    if encoding.content_type.as_ref().is_some_and(|content_type| content_type.contains("json")) {
        return QueryStyle::Json;
    }
    query_style(encoding.style.as_ref().unwrap_or(&SpecStyle::Form), explode(encoding))
}
