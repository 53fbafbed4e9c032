//! A media type as servers and descriptions write it → what decides how a body is read. Lenient:
//! of `Application/JSON; charset=` nothing but the type itself matters.

use std::borrow::Cow;

/// Returns the type without its parameters, in lower case; empty where there is none.
pub fn essence(media_type: &str) -> Cow<'_, str> {
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    if bare.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(bare.to_ascii_lowercase())
    } else {
        Cow::Borrowed(bare)
    }
}

/// Returns whether a body of this type is JSON.
pub fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// Returns whether a body of this type is an HTML page.
pub fn is_html(media_type: &str) -> bool {
    matches!(&*essence(media_type), "text/html" | "application/xhtml+xml")
}

/// Returns whether a type says no more than that there are bytes.
pub fn is_unspecific(essence: &str) -> bool {
    const BYTES: [&str; 6] = [
        "",
        "application/octet-stream",
        "application/octetstream",
        "application/x-download",
        "application/force-download",
        "binary/octet-stream",
    ];
    BYTES.contains(&essence)
}

/// Returns the type of an image, by its first bytes: of those that clients show.
pub fn of_image(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_first_bytes() {
        for (bytes, expected) in [
            (b"\x89PNG\r\n\x1a\n\0\0".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0\0", Some("image/jpeg")),
            (b"GIF89a\x01", Some("image/gif")),
            (b"GIF87a", Some("image/gif")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"\x89PNG", None),
            (b"%PDF-1.7", None),
            (b"<svg/>", None),
            (b"", None),
        ] {
            assert_eq!(of_image(bytes), expected, "{bytes:?}");
        }
        assert!(is_unspecific("") && is_unspecific("application/octet-stream") && !is_unspecific("application/pdf"));
    }

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
