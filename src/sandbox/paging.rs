//! A described answer and the position that a request states → that page of its records, with what the vendor's paging
//! styles state of a page. The records of the described answer are all that there are, so every listing has an end.

use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::answer::SandboxReply;
use super::problem::RequestValues;
use super::table::{ParameterIn, TableOperation};
use toolwright_model::{PagingKind, PagingStyle};

/// Returns the page of a reply that a request asks for; the reply itself where its operation does not page.
pub(super) fn page(
    styles: &[PagingStyle],
    operation: &TableOperation,
    values: &RequestValues,
    mut reply: SandboxReply,
) -> SandboxReply {
    let fitting: Vec<&PagingStyle> = styles.iter().filter(|style| fits(style, operation)).collect();
    // An operation may page in two ways; the request shows in which.
    let stated = fitting.iter().find(|style| given(values, &style.position).is_some());
    let Some(style) = stated.or(fitting.first()) else { return reply };
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    let Some(pointer) = list_pointer(&body, style) else { return reply };
    let Some(Value::Array(records)) = body.pointer_mut(&pointer) else { return reply };
    let total = records.len();
    let size = style.size.as_deref().and_then(|name| number(given(values, name)?)).unwrap_or(total).max(1);
    let from = first_record(style, given(values, &style.position), size, total);
    *records = std::mem::take(records).into_iter().skip(from).take(size).collect();
    let range = PageRange { end: from.saturating_add(size).min(total), count: records.len(), size, total };
    for style in &fitting {
        state(style, &range, &fitting, &mut body);
        add_headers(style, &range, &mut reply);
    }
    reply.body = body.to_string().into();
    reply
}

/// Which of all records a page holds.
struct PageRange {
    /// How many records come before its end.
    end: usize,
    count: usize,
    size: usize,
    total: usize,
}

impl PageRange {
    fn is_last(&self) -> bool {
        self.end >= self.total
    }
}

/// Whether an operation takes the position and the size of a style.
fn fits(style: &PagingStyle, operation: &TableOperation) -> bool {
    let takes = |name: &str| {
        let parameter = operation
            .parameters
            .iter()
            .any(|parameter| parameter.place == ParameterIn::Query && parameter.name == name);
        let media = operation.body.iter().flat_map(|body| body.content.values());
        parameter || media.into_iter().any(|media| media.schema.shape().property_names().any(|known| known == name))
    };
    takes(&style.position) && style.size.as_deref().is_none_or(takes)
}

fn given<'a>(values: &'a RequestValues, name: &str) -> Option<&'a Value> {
    values.query.get(name).or_else(|| values.body.get(name))
}

/// Reads a number, a text of digits, or the number that a list begins with.
fn number(value: &Value) -> Option<usize> {
    let value = value.as_array().map_or(value, |items| items.first().unwrap_or(&Value::Null));
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    usize::try_from(number).ok()
}

/// Returns how many records come before a position; a token that is not ours is after the last one.
fn first_record(style: &PagingStyle, position: Option<&Value>, size: usize, total: usize) -> usize {
    let Some(position) = position else { return 0 };
    match (style.kind, number(position)) {
        (_, None) => total,
        (PagingKind::Page, Some(page)) => {
            let first = usize::try_from(style.signs.first).unwrap_or(usize::MAX);
            page.saturating_sub(first).saturating_mul(size)
        }
        (PagingKind::Offset | PagingKind::Token, Some(records)) => records,
    }
}

/// Returns where the list of records is: as the style states, the answer itself, or its only list.
fn list_pointer(body: &Value, style: &PagingStyle) -> Option<String> {
    if let Some(pointer) = &style.signs.records {
        return body.pointer(pointer).filter(|list| list.is_array()).map(|_| pointer.clone());
    }
    if body.is_array() {
        return Some(String::new());
    }
    let mut lists = body.as_object()?.iter().filter(|(_, value)| value.is_array());
    let (name, _) = lists.next().filter(|_| lists.next().is_none())?;
    Some(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}

/// Corrects what the described answer states of its page.
fn state(style: &PagingStyle, range: &PageRange, fitting: &[&PagingStyle], body: &mut Value) {
    let signs = &style.signs;
    for (pointer, value) in [(&signs.last, json!(range.is_last())), (&signs.total, json!(range.total))] {
        if let Some(stated) = pointer.as_deref().and_then(|pointer| body.pointer_mut(pointer)) {
            *stated = value;
        }
    }
    let Some((parent, name)) = signs.next.as_deref().and_then(|pointer| pointer.rsplit_once('/')) else { return };
    let Some(Value::Object(parent)) = body.pointer_mut(parent) else { return };
    if range.is_last() {
        parent.shift_remove(name);
    } else if parent.contains_key(name) || style.kind == PagingKind::Token {
        let is_address = parent.get(name).and_then(Value::as_str).is_some_and(|text| text.contains("://"));
        let pairs: Vec<String> = fitting.iter().map(|style| format!("{}={}", style.position, range.end)).collect();
        let token = if is_address { format!("/?{}", pairs.join("&")) } else { range.end.to_string() };
        parent.insert(name.to_owned(), json!(token));
    }
}

fn add_headers(style: &PagingStyle, range: &PageRange, reply: &mut SandboxReply) {
    let signs = &style.signs;
    for (name, value) in [
        (&signs.total_header, range.total.to_string()),
        (&signs.count_header, range.count.to_string()),
        (&signs.limit_header, range.size.to_string()),
        (&signs.next_header, json!([range.end, "sandbox"]).to_string()),
    ] {
        let name = name.as_deref().and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            reply.headers.insert(name, value);
        }
    }
}
