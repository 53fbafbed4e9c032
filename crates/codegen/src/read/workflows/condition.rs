//! The text of a simple criterion, such as `$statusCode == 200 && $response.body#/count > 0` → [`Condition`].

use serde_json::Value;

use super::expression::{ExpressionFault, read_expression};
use toolwright_model::workflow::{Comparison, Condition, Template};

/// How deep parentheses and `!` may be nested.
const DEEPEST: usize = 16;

/// The operators that compare, longer ones first.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// Reads a condition.
///
/// # Errors
/// It can't be read.
pub fn read_condition(text: &str) -> Result<Condition, ExpressionFault> {
    let mut reader = Reader { text, rest: text };
    let condition = reader.any(0)?;
    reader.skip_blanks();
    if reader.rest.is_empty() { Ok(condition) } else { Err(reader.fault("the end, or one of `&&`, `||`", None)) }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn any(&mut self, depth: usize) -> Result<Condition, ExpressionFault> {
        let mut parts = vec![self.all(depth)?];
        while self.take("||") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, ExpressionFault> {
        let mut parts = vec![self.one(depth)?];
        while self.take("&&") {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, ExpressionFault> {
        if depth > DEEPEST {
            return Err(self.fault(&format!("at most {DEEPEST} parentheses and `!` within each other"), None));
        }
        if self.take("!") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take("(") {
            let inside = self.any(depth + 1)?;
            return if self.take(")") { Ok(inside) } else { Err(self.fault("`)`", None)) };
        }
        let left = self.operand()?;
        let Some((_, operator)) = COMPARISONS.iter().find(|(sign, _)| self.take(sign)) else {
            return match left {
                Template::Value(_) => Err(self.fault("a comparison: a constant alone is no condition", None)),
                left => Ok(Condition::True(left)),
            };
        };
        Ok(Condition::Compare { left, operator: *operator, right: self.operand()? })
    }

    fn operand(&mut self) -> Result<Template, ExpressionFault> {
        self.skip_blanks();
        if self.rest.starts_with('$') {
            return self.expression();
        }
        if self.rest.starts_with('\'') {
            return self.quoted();
        }
        if self.rest.starts_with('"') {
            return Err(self.fault("a text in single quotes", Some("Arazzo writes texts as `'open'`")));
        }
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => match serde_json::from_str(word) {
                Ok(number @ Value::Number(_)) => number,
                _ => {
                    return Err(
                        self.fault("an expression, a number, a text in single quotes, `true`, `false` or `null`", None)
                    );
                }
            },
        };
        self.rest = rest;
        Ok(Template::Value(value))
    }

    /// An expression, with `[0]` and `.name` behind it for a part.
    fn expression(&mut self) -> Result<Template, ExpressionFault> {
        let ends = |c: char| c.is_whitespace() || "()[]=!<>&|',".contains(c);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        // `$response.body.count`: a part of the answer; only `#/…` is known elsewhere.
        let body =
            text.strip_prefix("$response.body.").map(|path| format!("$response.body#/{}", path.replace('.', "/")));
        let mut expression = read_expression(body.as_deref().unwrap_or(text))?;
        self.rest = rest;
        while let Some(inside) = self.rest.strip_prefix('[') {
            let Some((index, rest)) = inside.split_once(']').filter(|(index, _)| is_index(index)) else {
                return Err(self.fault("the number of an item in brackets", None));
            };
            expression.pointer.push('/');
            expression.pointer.push_str(index);
            self.rest = rest;
            while let Some(path) = self.rest.strip_prefix('.') {
                let end = path.find(|c: char| ends(c) || c == '.').unwrap_or(path.len());
                let (name, rest) = path.split_at(end);
                if name.is_empty() {
                    return Err(self.fault("the name of a field after `.`", None));
                }
                expression.pointer.push('/');
                expression.pointer.push_str(name);
                self.rest = rest;
            }
        }
        Ok(Template::Read(expression))
    }

    fn quoted(&mut self) -> Result<Template, ExpressionFault> {
        let mut text = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some((part, after)) = rest.split_once('\'') else {
                return Err(self.fault("a `'` that ends the text", None));
            };
            text.push_str(part);
            // Two of them are one in the text.
            match after.strip_prefix('\'') {
                Some(more) => {
                    text.push('\'');
                    rest = more;
                }
                None => {
                    self.rest = after;
                    return Ok(Template::Value(Value::from(text)));
                }
            }
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        // `!` is not the beginning of `!=`.
        let Some(rest) = self.rest.strip_prefix(sign).filter(|rest| sign != "!" || !rest.starts_with('=')) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn fault(&self, expected: &str, hint: Option<&str>) -> ExpressionFault {
        let found =
            if self.rest.is_empty() { format!("the end of `{}`", self.text) } else { format!("`{}`", self.rest) };
        ExpressionFault { expected: expected.to_owned(), found, hint: hint.map(str::to_owned) }
    }
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn one_or(mut parts: Vec<Condition>, several: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    if parts.len() == 1 { parts.remove(0) } else { several(parts) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_read() {
        let status = json!({"read": {"from": "status"}});
        let body = |pointer: &str| json!({"read": {"from": "body", "pointer": pointer}});
        let compare = |left: &Value, operator: &str, right: Value| json!({"compare": {"left": left, "operator": operator, "right": right}});
        for (text, expected) in [
            ("$statusCode == 200", compare(&status, "==", json!({"value": 200}))),
            ("$statusCode==200", compare(&status, "==", json!({"value": 200}))),
            ("$response.body#/a/0 != 'it''s'", compare(&body("/a/0"), "!=", json!({"value": "it's"}))),
            ("$response.body#/a[2].b.c >= -1.5", compare(&body("/a/2/b/c"), ">=", json!({"value": -1.5}))),
            ("$response.body.open", json!({"true": body("/open")})),
            ("!$response.body#/x", json!({"not": {"true": body("/x")}})),
            (
                "($statusCode < 300 || $statusCode > 400) && !($response.body#/x == null)",
                json!({"all": [
                    {"any": [compare(&status, "<", json!({"value": 300})), compare(&status, ">", json!({"value": 400}))]},
                    {"not": compare(&body("/x"), "==", json!({"value": null}))},
                ]}),
            ),
        ] {
            let found = read_condition(text).map(|condition| json!(condition));
            assert_eq!(found, Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [
            "",
            "200",
            "$statusCode ==",
            "$statusCode = 200",
            "$statusCode == \"200\"",
            "$statusCode == 'x",
            "($statusCode == 200",
            "$statusCode == 200 and true",
            "$response.body#/a[x] == 1",
            "$response.body#/a[0]. == 1",
            "$request.body#/a == 1",
            "$statusCode == 200 &&",
        ] {
            assert!(read_condition(text).is_err(), "{text}");
        }
        let deep = format!("{}$statusCode", "!".repeat(1_000));
        assert!(read_condition(&deep).is_err());
    }
}
