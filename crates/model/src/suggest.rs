//! An unknown word → the known names that were probably meant ("did you mean").

/// Longer names are no slips, and comparing them costs their length squared.
const LONGEST: usize = 200;
/// More suggestions than this help no reader.
const MOST: usize = 3;
/// The fewest letters that count as a part of a name, where they are no whole word of it.
const SHORTEST_PART: usize = 3;

/// How a known name differs from the word; the smallest difference is the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// Case and separators: `TicketID` for `ticket_id`.
    Spelling,
    /// The order of its words: `tickets_list` for `list_tickets`.
    Order,
    /// So many letters are missing, too many, wrong or swapped.
    Letters(usize),
    /// One is the beginning or the end of the other, or an inflection of it: `id` for `ticketId`,
    /// `notify` for `notifies`.
    Part,
}

/// Returns the known names nearest to `word`, at most three in alphabetical order; none where
/// nothing is near.
///
/// One rule for tools, arguments, fields and keys, so that it doesn't depend on how long names
/// are or how they begin: letters are compared without case and separators, one wrong letter is
/// tolerated in three, and the leading words that both names share don't count. All that
/// `jitbit_list_users` and `jitbit_list_cats` have in common is where they belong.
/// Names of which `word` is only a part are returned if there are no more than three.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = Words::of(word);
    let mut nearest = Difference::Part;
    let mut near = Vec::new();
    for name in known {
        match word.difference(&Words::of(name)) {
            Some(difference) if difference < nearest => {
                nearest = difference;
                near = vec![name];
            }
            Some(difference) if difference == nearest => near.push(name),
            _ => {}
        }
    }
    near.sort_unstable();
    near.dedup();
    if nearest == Difference::Part && near.len() > MOST {
        near.clear();
    }
    near.truncate(MOST);
    near
}

/// Returns the one known name nearest to `word`, by the rule of [`suggest`]; none where several
/// are equally near.
pub fn suggest_one<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    match suggest(word, known).as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The words of a name in lower case, of any script: `ticket_id` and `ticketId` are `ticket`, `id`.
struct Words(Vec<String>);

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut after_lower = false;
        let name = if name.len() > LONGEST { "" } else { name };
        for c in name.chars() {
            if (!c.is_alphanumeric() || c.is_uppercase() && after_lower) && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            after_lower = c.is_lowercase() || c.is_numeric();
        }
        if !word.is_empty() {
            words.push(word);
        }
        Self(words)
    }

    fn difference(&self, other: &Self) -> Option<Difference> {
        if self.0.is_empty() || other.0.is_empty() {
            return None;
        }
        let (one, two) = (self.0.concat(), other.0.concat());
        if one == two {
            return Some(Difference::Spelling);
        }
        if self.sorted() == other.sorted() {
            return Some(Difference::Order);
        }
        let shared = self.0.iter().zip(&other.0).take_while(|(one, two)| one == two).count();
        let (one_rest, two_rest) = (self.0[shared..].concat(), other.0[shared..].concat());
        let tolerated = one_rest.chars().count().max(two_rest.chars().count()) / 3;
        let letters = strsim::damerau_levenshtein(&one_rest, &two_rest);
        if letters <= tolerated {
            return Some(Difference::Letters(letters));
        }
        let part = self.holds(other)
            || other.holds(self)
            || begins_or_ends(&one, &two)
            || begins_or_ends(&two, &one)
            || is_inflected(&one_rest, &two_rest)
            || is_inflected(&two_rest, &one_rest);
        part.then_some(Difference::Part)
    }

    fn holds(&self, part: &Self) -> bool {
        self.0.starts_with(&part.0) || self.0.ends_with(&part.0)
    }

    fn sorted(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        words.sort_unstable();
        words
    }
}

fn begins_or_ends(whole: &str, part: &str) -> bool {
    part.chars().count() >= SHORTEST_PART && (whole.starts_with(part) || whole.ends_with(part))
}

/// Whether `whole` begins with `part` but for its last letter.
fn is_inflected(whole: &str, part: &str) -> bool {
    let stem = part.char_indices().last().map_or("", |(last, _)| &part[..last]);
    stem.chars().count() > SHORTEST_PART && whole.starts_with(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: [&str; 6] = [
        "jitbit_get_ticket",
        "jitbit_list_assets",
        "jitbit_list_tickets",
        "jitbit_list_users",
        "jitbit_search_tickets",
        "jitbit_search_users",
    ];

    #[test]
    fn suggests_the_nearest_tool() {
        for (word, expected) in [
            ("jitbit_serch_tickets", &["jitbit_search_tickets"][..]),
            ("jitbit_search_ticket", &["jitbit_search_tickets"]),
            ("jitbit-list-users", &["jitbit_list_users"]),
            ("list_users_jitbit", &["jitbit_list_users"]),
            ("list_users", &["jitbit_list_users"]),
            ("jitbit_search", &["jitbit_search_tickets", "jitbit_search_users"]),
            // The words that all names begin with don't count.
            ("jitbit_list_cats", &[]),
            ("jitbit_list_groups", &[]),
            ("jitbit", &[]),
            ("printer", &[]),
            ("", &[]),
            ("_", &[]),
        ] {
            assert_eq!(suggest(word, TOOLS), expected, "{word}");
        }
    }

    #[test]
    fn suggests_an_argument_only_if_one_is_nearest() {
        let arguments = ["ticketId", "query", "status", "createdFrom", "fields", "日時"];
        for (word, expected) in [
            ("TicketID", Some("ticketId")),
            ("id", Some("ticketId")),
            ("ticket", Some("ticketId")),
            ("ticket_i", Some("ticketId")),
            ("qeury", Some("query")),
            ("from", Some("createdFrom")),
            ("日_時", Some("日時")),
            ("max", None),
        ] {
            assert_eq!(suggest_one(word, arguments), expected, "{word}");
        }
        assert_eq!(suggest_one("notify", ["notifies", "irreversible"]), Some("notifies"));
        assert_eq!(suggest_one("id", ["ticketId", "userId"]), None);
        assert_eq!(suggest("id", ["ticketId", "userId", "userId"]), ["ticketId", "userId"]);
    }

    #[test]
    fn very_long_words_are_not_compared() {
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(suggest_one(&long, [long.as_str()]), None);
    }
}
