//! A record that is too large → the record with long texts and lists cut short, and the pieces that
//! were cut out, each small enough for an answer.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How much of each text and list is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutBounds {
    pub(super) characters: usize,
    pub(super) items: usize,
}

/// The bounds to try, the most generous first.
pub(super) const STEPS: [CutBounds; 5] = [
    CutBounds { characters: 8_000, items: 1_000 },
    CutBounds { characters: 2_000, items: 200 },
    CutBounds { characters: 500, items: 50 },
    CutBounds { characters: 200, items: 20 },
    CutBounds { characters: 80, items: 5 },
];
/// The longest piece of a text, in characters.
const PIECE: usize = 4_000;
/// The bounds within a list's item that is a piece of its own.
const OF_PIECE: CutBounds = CutBounds { characters: PIECE, items: 50 };

/// Cuts texts and lists short; returns the pieces with the JSON pointers where they belong.
pub(super) fn cut(mut record: Value, bounds: CutBounds) -> (Value, Vec<Value>) {
    let mut pieces = Vec::new();
    shorten(&mut record, "", bounds, &mut pieces);
    (record, pieces)
}

fn shorten(value: &mut Value, at: &str, bounds: CutBounds, pieces: &mut Vec<Value>) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(bounds.characters) {
                let characters: Vec<char> = text[end..].chars().collect();
                for (number, piece) in characters.chunks(PIECE).enumerate() {
                    let from = bounds.characters + number * PIECE;
                    pieces.push(json!({"at": at, "from": from, "text": piece.iter().collect::<String>()}));
                }
                text.truncate(end);
                let _ = write!(text, "… (cut, {} characters)", bounds.characters + characters.len());
            }
        }
        Value::Array(items) => {
            let all = items.len();
            let beyond = if all > bounds.items { items.split_off(bounds.items) } else { Vec::new() };
            for (index, item) in items.iter_mut().enumerate() {
                shorten(item, &format!("{at}/{index}"), bounds, pieces);
            }
            for (index, mut item) in beyond.into_iter().enumerate() {
                let at = format!("{at}/{}", bounds.items + index);
                let mut inner = Vec::new();
                shorten(&mut item, &at, OF_PIECE, &mut inner);
                pieces.push(json!({"at": at, "value": item}));
                pieces.append(&mut inner);
            }
            if all > bounds.items {
                items.push(json!(format!("… (cut, {all} items)")));
            }
        }
        Value::Object(entries) => {
            for (name, entry) in entries {
                let name = name.replace('~', "~0").replace('/', "~1");
                shorten(entry, &format!("{at}/{name}"), bounds, pieces);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_name_their_place() {
        let bounds = CutBounds { characters: 3, items: 1 };
        let record = json!({"a/b": "abcdef", "list": ["x", {"long": "y"}, 7], "short": "abc"});
        let (short, pieces) = cut(record, bounds);
        assert_eq!(
            short,
            json!({"a/b": "abc… (cut, 6 characters)", "list": ["x", "… (cut, 3 items)"], "short": "abc"})
        );
        assert_eq!(
            pieces,
            [
                json!({"at": "/a~1b", "from": 3, "text": "def"}),
                json!({"at": "/list/1", "value": {"long": "y"}}),
                json!({"at": "/list/2", "value": 7}),
            ]
        );
    }

    #[test]
    fn a_long_text_becomes_several_pieces() {
        let text: String = (0..10_000).map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap())).collect();
        let (short, pieces) = cut(json!([text]), CutBounds { characters: 100, items: 5 });
        let mut whole: String = short[0].as_str().unwrap().chars().take(100).collect();
        for piece in &pieces {
            assert_eq!(piece["from"], json!(whole.len()));
            whole.push_str(piece["text"].as_str().unwrap());
        }
        assert_eq!((whole, pieces.len()), (text, 3));
    }
}
