//! A record that is too large → the same record with its long texts and lists cut short, and
//! what was cut out, in pieces that each fit into an answer.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How much of a text and of a list is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub characters: usize,
    pub items: usize,
}

/// From what is cut least to what is cut most.
pub(super) const SHORTER: [Bounds; 5] = [
    Bounds { characters: 8_000, items: 1_000 },
    Bounds { characters: 2_000, items: 200 },
    Bounds { characters: 500, items: 50 },
    Bounds { characters: 200, items: 20 },
    Bounds { characters: 80, items: 5 },
];
/// The longest piece of a text, in characters.
const PIECE: usize = 4_000;
/// How much of a list's item is left where the item is a piece.
const OF_PIECE: Bounds = Bounds { characters: PIECE, items: 50 };

/// Cuts texts and lists short; returns what was cut out, each with the place where it belongs.
pub(super) fn cut(mut record: Value, bounds: Bounds) -> (Value, Vec<Value>) {
    let mut pieces = Vec::new();
    shorten(&mut record, "", bounds, &mut pieces);
    (record, pieces)
}

fn shorten(value: &mut Value, at: &str, bounds: Bounds, pieces: &mut Vec<Value>) {
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
    fn what_was_cut_out_is_told_by_its_place() {
        let bounds = Bounds { characters: 3, items: 1 };
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
    fn long_texts_come_in_several_pieces() {
        let text: String = (0..10_000).map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap())).collect();
        let (short, pieces) = cut(json!([text]), Bounds { characters: 100, items: 5 });
        let mut whole: String = short[0].as_str().unwrap().chars().take(100).collect();
        for piece in &pieces {
            assert_eq!(piece["from"], json!(whole.len()));
            whole.push_str(piece["text"].as_str().unwrap());
        }
        assert_eq!((whole, pieces.len()), (text, 3));
    }
}
