//! An answer → what kind of content its headers announce.

use crate::upstream::Answer;

/// Returns the content type in lower case, without parameters; empty if there is none.
pub(super) fn essence(answer: &Answer) -> String {
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) fn is_html(essence: &str) -> bool {
    matches!(essence, "text/html" | "application/xhtml+xml")
}

pub(super) fn is_text(essence: &str) -> bool {
    essence.is_empty()
        || essence.starts_with("text/")
        || essence == "application/json"
        || essence == "application/xml"
        || essence.ends_with("+json")
        || essence.ends_with("+xml") && !essence.starts_with("image/")
}

/// Returns whether an answer is a web page and not a file: a login page, passed on as an answer,
/// would hide that nothing was done.
pub(super) fn is_web_page(answer: &Answer) -> bool {
    is_html(&essence(answer)) && answer.filename.is_none() && !answer.body.is_empty()
}
