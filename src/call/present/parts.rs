//! An answer of several parts (`multipart/mixed` and the like) → its parts.

use std::convert::Infallible;

use futures_util::{FutureExt as _, stream};

use crate::upstream::{Answer, filename_of, header_text};
use toolwright_model::answer_limits::PARTS;

/// The parts of an answer.
pub(super) struct Parts {
    /// The first of them, at most [`PARTS`].
    pub(super) parts: Vec<Answer>,
    /// Whether these are all.
    pub(super) all: bool,
}

/// Returns the parts of an answer of several parts; `None` if it is none, or is malformed.
pub(super) fn split(answer: &Answer) -> Option<Parts> {
    let boundary = boundary(answer.content_type.as_deref()?)?;
    // The body is in memory, so that reading it never has to wait.
    let parts = read(answer, boundary).now_or_never()?.ok()?;
    (!parts.parts.is_empty()).then_some(parts)
}

fn boundary(content_type: &str) -> Option<&str> {
    let main_type = content_type.trim_start().get(.."multipart/".len())?;
    if !main_type.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })
}

async fn read(answer: &Answer, boundary: &str) -> Result<Parts, multer::Error> {
    let body = stream::iter([Ok::<_, Infallible>(answer.body.clone())]);
    let mut multipart = multer::Multipart::new(body, boundary);
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        if parts.len() == PARTS {
            return Ok(Parts { parts, all: false });
        }
        let header = |name: &str| Some(header_text(field.headers().get(name)?.as_bytes()).into_owned());
        let content_type = header("content-type");
        let filename = header("content-disposition").and_then(|value| filename_of(&value));
        let body = field.bytes().await?;
        let request_id = answer.request_id.clone();
        parts.push(Answer { status: answer.status, content_type, filename, request_id, body, ..Answer::default() });
    }
    Ok(Parts { parts, all: true })
}
