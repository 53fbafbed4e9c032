//! A `Content-Disposition` header (RFC 6266) → the file name in it. Lenient where servers are:
//! quoted names with bare backslashes, quoted `filename*`, bytes beyond ASCII.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Returns the name of the file, without folders and control characters; none where the header
/// has no usable name. `filename*` (RFC 8187) takes precedence over `filename`.
pub(crate) fn filename_of(header: &str) -> Option<String> {
    let parameters = parameters(header);
    let named = |wanted: &str| parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let extended = named("filename*").and_then(|(_, value)| extended_value(value)).and_then(|name| base_name(&name));
    extended.or_else(|| base_name(&named("filename")?.1))
}

/// A header's value as text: UTF-8, or ISO-8859-1, of which every byte is a character.
pub(crate) fn header_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(latin_1(bytes)),
    }
}

/// The `name=value` pairs between semicolons, quotes and escapes taken off the values. A part
/// without `=`, such as the disposition type, is left out.
fn parameters(header: &str) -> Vec<(&str, String)> {
    let mut parameters = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let end = rest.find([';', '=']).unwrap_or(rest.len());
        let name = rest[..end].trim();
        if !rest[end..].starts_with('=') {
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        let value = rest[end + 1..].trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted),
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value[..end].trim().to_owned(), &value[end..])
            }
        };
        parameters.push((name, value));
        // What follows a quoted string belongs to no parameter.
        rest = after.split_once(';').map_or("", |(_, rest)| rest);
    }
    parameters
}

/// Reads a quoted string after its opening quote; returns it and the rest. A backslash escapes only a
/// quote or a backslash: some servers write Windows paths as they are.
fn quoted_string(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(characters.next_if(|(_, c)| matches!(c, '"' | '\\')).map_or('\\', |(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// `UTF-8'en'%e2%82%ac%20rates` (RFC 8187); none in another charset or with bytes that are not of it.
fn extended_value(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let bytes = percent_decode_str(encoded);
    if charset.eq_ignore_ascii_case("utf-8") {
        bytes.decode_utf8().ok().map(Cow::into_owned)
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        Some(latin_1(&Cow::from(bytes)))
    } else {
        None
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The last part of a path, as no folder of the server's means anything here.
fn base_name(name: &str) -> Option<String> {
    let last: String = name.rsplit(['/', '\\']).next()?.chars().filter(|c| !c.is_control()).collect();
    let last = last.trim();
    (!matches!(last, "" | "." | "..")).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_in_every_spelling() {
        for (header, expected) in [
            ("attachment; filename=\"jam.png\"", Some("jam.png")),
            ("attachment; filename=jam.png", Some("jam.png")),
            ("ATTACHMENT;FileName = jam.png ; size=7", Some("jam.png")),
            ("filename=jam.png", Some("jam.png")),
            ("attachment; filename=\"a; b=\\\"c\\\".txt\"; size=7", Some("a; b=\"c\".txt")),
            ("attachment; x=\"filename=no\"; filename=yes", Some("yes")),
            ("attachment; filename=\"never closed", Some("never closed")),
            ("inline", None),
            ("attachment; filename", None),
            ("attachment; filename=\"\"", None),
            ("", None),
            (";;=;", None),
        ] {
            assert_eq!(filename_of(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn the_extended_name_takes_precedence_where_it_can_be_read() {
        for (header, expected) in [
            ("attachment; filename=\"EURO.txt\"; filename*=utf-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
            ("attachment; filename*=UTF-8'de'Bericht.html", "Bericht.html"),
            ("attachment; FILENAME*=iso-8859-1'en'%A3%20rates", "£ rates"),
            ("attachment; filename*=\"UTF-8''quoted.txt\"; filename=plain.txt", "quoted.txt"),
            ("attachment; filename*=UTF-8''%ff%fe; filename=plain.txt", "plain.txt"),
            ("attachment; filename*=UTF-16''x; filename=plain.txt", "plain.txt"),
            ("attachment; filename*=plain; filename=plain.txt", "plain.txt"),
            ("attachment; filename*=UTF-8''..%2f..; filename=plain.txt", "plain.txt"),
        ] {
            assert_eq!(filename_of(header).as_deref(), Some(expected), "{header}");
        }
    }

    #[test]
    fn folders_and_control_characters_are_dropped() {
        for (header, expected) in [
            ("attachment; filename=../../etc/passwd", Some("passwd")),
            ("attachment; filename=\"C:\\temp\\a.txt\"", Some("a.txt")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename*=UTF-8''..%2f%2e%2e%5ca%0d%0ab.txt", Some("ab.txt")),
        ] {
            assert_eq!(filename_of(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn bytes_beyond_ascii_are_text() {
        assert_eq!(header_text("filename=é".as_bytes()), "filename=é");
        assert_eq!(header_text(b"filename=\xe9"), "filename=é");
    }
}
