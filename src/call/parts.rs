//! An answer of several parts (`multipart/mixed` and the like) → its parts.

use bytes::Bytes;

use crate::upstream::{Answer, filename_of};

/// Takes an answer of several parts apart; `None` where its body is not what its type promises.
pub(super) fn split(answer: &Answer) -> Option<Vec<Answer>> {
    let content_type = answer.content_type.as_deref()?;
    let kind = content_type.trim_start().get(.."multipart/".len())?;
    if !kind.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    let boundary = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may open the body, without a line before it.
    let whole = [b"\r\n", answer.body.as_ref()].concat();
    let mut parts = Vec::new();
    let mut from = find(&whole, delimiter.as_bytes())? + delimiter.len();
    while !whole[from..].starts_with(b"--") {
        let to = from + find(&whole[from..], delimiter.as_bytes())?;
        parts.push(part(answer, &whole[from..to])?);
        from = to + delimiter.len();
    }
    (!parts.is_empty()).then_some(parts)
}

/// One part: headers, an empty line, the body. It begins with the end of the delimiter's line.
fn part(answer: &Answer, bytes: &[u8]) -> Option<Answer> {
    let head = find(bytes, b"\r\n\r\n")?;
    let headers = std::str::from_utf8(&bytes[..head]).ok()?;
    let header = |wanted: &str| {
        headers
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(name, value)| name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned()))
    };
    Some(Answer {
        status: answer.status,
        content_type: header("content-type"),
        filename: header("content-disposition").and_then(|value| filename_of(&value)),
        request_id: answer.request_id.clone(),
        body: Bytes::copy_from_slice(&bytes[head + 4..]),
        ..Answer::default()
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
