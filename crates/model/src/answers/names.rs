//! The name of a field → the name as it may be written down. Vendors use data as names, too: ids, mail addresses,
//! tokens. What does not look like a name that a developer chose is not written.

/// The longest name that is written, in characters.
const LONGEST: usize = 64;
/// So many digits in a row are an id, as in `customfield_10042`.
const DIGITS_OF_AN_ID: usize = 3;
/// The most changes between letters and digits; random texts have more.
const MOST_CHANGES: usize = 4;
/// Stands for digits that are not written, and for names that are not.
const HIDDEN: &str = "#";

/// The name under which all fields are written whose names are not.
pub const FREE_NAMES: &str = "*";

/// Returns a name as it may be written: without the digits of an id; `None` where it looks like data.
pub fn recordable(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '@');
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '@'));
    // `@` begins names of some vendors and is in the middle of mail addresses.
    let is_address = name.chars().skip(1).any(|c| c == '@');
    if !begins || is_address || name.chars().count() > LONGEST || !name.chars().all(is_plain) {
        return None;
    }
    let kinds: Vec<bool> = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.is_ascii_digit()).collect();
    if kinds.windows(2).filter(|pair| pair[0] != pair[1]).count() > MOST_CHANGES {
        return None;
    }
    let mut written = String::with_capacity(name.len());
    let mut digits = String::new();
    for c in name.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_digit() => digits.push(c),
            c => {
                written.push_str(if digits.len() >= DIGITS_OF_AN_ID { HIDDEN } else { &digits });
                digits.clear();
                written.extend(c);
            }
        }
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::recordable;

    #[test]
    fn names_that_look_like_data_are_not_written() {
        for (name, expected) in [
            ("slaDue", Some("slaDue")),
            ("_links", Some("_links")),
            ("@odata", Some("@odata")),
            ("x-trace-id", Some("x-trace-id")),
            ("ipv4Address", Some("ipv4Address")),
            ("customfield_10042", Some("customfield_#")),
            ("line2", Some("line2")),
            ("10042", None),
            ("alice@example.com", None),
            ("alice smith", None),
            ("a.b", None),
            ("müller", None),
            ("5f3a9c", None),
            ("a8Kx92QpL0zT4b", None),
            ("e4f1a7b3c9d2", None),
            ("", None),
        ] {
            assert_eq!(recordable(name).as_deref(), expected, "{name}");
        }
        assert_eq!(recordable(&"a".repeat(65)), None);
    }
}
