//! The text of a message that can't be read as JSON → who asks, as far as its beginning and end show it. Clients write
//! the id before or after the parameters, in which the fault is.

use serde_json::Value;

/// The longest member of a message that is looked at, in bytes: an id or the name of a member.
const LONGEST: usize = 300;

/// Reads a text piece by piece. It looks at the members of the message itself and at nothing within them.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// How many lists and objects are open.
    depth: usize,
    /// Whether the text is an object; `None` before its first character.
    is_object: Option<bool>,
    in_string: bool,
    is_escaped: bool,
    /// What was read of the current name or value.
    token: Vec<u8>,
    /// The name of the member whose value is being read.
    name: Option<Vec<u8>>,
    /// The id of the message, a text or a number.
    pub(super) id: Option<Value>,
    /// Whether it is an answer, which must not be answered.
    pub(super) answers: bool,
    /// How many values it has, about.
    pub(super) values: usize,
}

impl Scan {
    /// Reads a whole text.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut scan = Self::default();
        scan.feed(text);
        scan
    }

    /// Reads the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        for &byte in piece {
            if self.in_string {
                self.string(byte);
            } else {
                self.structure(byte);
            }
        }
    }

    fn string(&mut self, byte: u8) {
        self.keep(byte);
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }

    fn structure(&mut self, byte: u8) {
        if self.is_object.is_none() && !byte.is_ascii_whitespace() {
            self.is_object = Some(byte == b'{');
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.keep(byte);
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.values += 1;
            }
            b'}' | b']' => {
                self.end_member();
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 && self.name.is_none() => {
                let name = std::mem::take(&mut self.token);
                self.answers |= matches!(name.as_slice(), b"\"result\"" | b"\"error\"");
                self.name = Some(name);
            }
            b',' => {
                self.values += 1;
                self.end_member();
            }
            byte if !byte.is_ascii_whitespace() => self.keep(byte),
            _ => {}
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.token.len() < LONGEST {
            self.token.push(byte);
        }
    }

    fn end_member(&mut self) {
        if self.depth != 1 {
            return;
        }
        let value = std::mem::take(&mut self.token);
        let is_id = self.name.take().is_some_and(|name| name == b"\"id\"");
        if is_id && self.is_object == Some(true) && value.len() < LONGEST {
            let id = serde_json::from_slice(&value).ok();
            self.id = id.filter(|id: &Value| id.is_string() || id.is_number());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_id_is_found_before_and_after_the_fault() {
        for (text, id, answers) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}"#, json!(1), false),
            (r#"{"method":"ping","params":{"x":NaN, "id": 9},"jsonrpc":"2.0","id": "a" }"#, json!("a"), false),
            (r#"{"method":"ping","params":["\ud800","id",{"id":3}],"id":2}"#, json!(2), false),
            (r#"{"method":"a\"id\":5,","id":"q\"}","x":"#, json!("q\"}"), false),
            (r#"{"id":13,"meth"#, json!(13), false),
            (r#"{"id":1"#, Value::Null, false),
            (r#"{"id":{"id":4},"x":nan}"#, Value::Null, false),
            (r#"{"result":nan,"id":1}"#, json!(1), true),
            (r#"["id",{"id":1},"id":2]"#, Value::Null, false),
            ("no JSON, id: 5", Value::Null, false),
            ("]]}}\"id\":5}", Value::Null, false),
        ] {
            for size in [1, 3, 1_000] {
                let mut scan = Scan::default();
                text.as_bytes().chunks(size).for_each(|piece| scan.feed(piece));
                assert_eq!((scan.id.unwrap_or_default(), scan.answers), (id.clone(), answers), "{text}");
            }
        }
    }

    #[test]
    fn values_are_counted_outside_of_texts() {
        assert_eq!(Scan::of(br#"{"a":[1,2,3],"b":",,[["}"#).values, 5);
    }
}
