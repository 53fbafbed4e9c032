//! A media type as servers and descriptions write it → what decides how a body is read. Lenient:
//! of `Application/JSON; charset=` nothing but the type itself matters.

/// Returns the type without its parameters, in lower case; empty where there is none.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns whether a body of this type is JSON.
pub fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// Returns whether a body of this type is an HTML page.
pub fn is_html(media_type: &str) -> bool {
    matches!(essence(media_type).as_str(), "text/html" | "application/xhtml+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        assert_eq!(essence(" Text/HTML ; charset=utf-8"), "text/html");
        assert_eq!(essence(""), "");
        for json in ["application/json", "Application/JSON; charset=", "application/vnd.acme+json;v=1", "text/json"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "application/jsonl", "text/plain; x=application/json"] {
            assert!(!is_json(other), "{other}");
        }
        assert!(is_html("text/html;charset=utf-8") && is_html("application/xhtml+xml") && !is_html("text/plain"));
    }
}
