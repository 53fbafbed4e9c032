//! A text → one segment of a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What of a path argument is written otherwise: everything but the unreserved characters of RFC 3986. Among the others
/// are such that a path may hold but that mean something to some servers: `;` begins parameters of a segment, `,`
/// separates the values of a list.
const ENCODED_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes a path argument as one segment of the path. Typed clients call it in place of progenitor's function, which
/// leaves characters in that a path may not hold.
pub fn encode_path(argument: &str) -> String {
    utf8_percent_encode(argument, ENCODED_IN_PATHS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay_as_they_are_in_a_path() {
        let kept = "AZaz09-._~";
        assert_eq!(encode_path(kept), kept);
        let reserved = ":/?#[]@!$&'()*+,;=";
        for other in reserved.chars().chain("|{}^`\\\"<>% \u{7f}".chars()) {
            assert_eq!(encode_path(&other.to_string()), format!("%{:02X}", u32::from(other)), "{other:?}");
        }
        assert_eq!(encode_path("ü日"), "%C3%BC%E6%97%A5");
    }
}
