//! Markdown or plain text → the text with inert links and images, except for known hosts: no
//! renderer follows or loads them, and a reader still sees the target.
//!
//! Displaying an answer must not notify an outsider, and an outsider's text must not become a
//! button. A link is what any common renderer makes one: Markdown's links, images, definitions and
//! `<…>`, bare addresses, HTML. What is replaced has a mark ([`marks`]), so that it can be put back.

use std::borrow::Cow;

use super::hosts::Hosts;
use super::marks::{self, Originals, written};

/// How much of an inert link's path is shown, in characters.
const LONGEST_PATH: usize = 80;
/// The longest scheme such as `https`, in bytes.
const LONGEST_SCHEME: usize = 32;
/// The longest address of a link, in bytes.
const LONGEST_TARGET: usize = 500;

/// Elements that load something, are links or change how the rest is parsed.
const ACTIVE: [&str; 34] = [
    "a", "area", "audio", "base", "body", "button", "embed", "form", "frame", "frameset", "iframe", "image", "img",
    "input", "link", "math", "meta", "noscript", "object", "picture", "script", "source", "style", "svg", "table",
    "td", "template", "textarea", "th", "title", "track", "use", "video", "xmp",
];

/// The mark of a colon.
const COLON: &str = "⟦:⟧";
/// The scheme that a browser assumes for `www.`.
const SCHEME: &str = "https://";

/// What to make inert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inert {
    /// Links and images.
    Links,
    /// Only images: they load without a click.
    Images,
}

/// Makes links and images to other than `known` hosts inert; what is not shown in full goes to
/// `originals`.
pub(super) fn make_inert<'t>(text: &'t str, known: &Hosts, inert: Inert, originals: &mut Originals) -> Cow<'t, str> {
    let last_target = text.rfind(['(', '[', ':']).filter(|_| text.contains("!["));
    let mut scan =
        LinkScan { text, known, originals, out: String::new(), done: 0, last_target, image: false, stop: (1, 0) };
    let mut at = 0;
    while let Some(step) =
        text.as_bytes()[at..].iter().position(|b| matches!(b, b'!' | b'<' | b']' | b':' | b'w' | b'W'))
    {
        at += step;
        at = match (text.as_bytes()[at], inert) {
            (b'!', _) => scan.image(at),
            (b'<', _) => scan.angle(at, inert),
            (b']', _) => scan.bracket(at, inert),
            (b':', Inert::Links) => scan.scheme(at),
            (b'w' | b'W', Inert::Links) => scan.www(at),
            _ => at + 1,
        };
    }
    if scan.done == 0 {
        return Cow::Borrowed(text);
    }
    scan.out.push_str(&text[scan.done..]);
    Cow::Owned(scan.out)
}

/// One pass over a text.
struct LinkScan<'t, 'h> {
    text: &'t str,
    known: &'h Hosts,
    originals: &'h mut Originals,
    out: String,
    /// How much of the text was copied to `out`, in bytes.
    done: usize,
    /// Where the last target of an image may begin.
    last_target: Option<usize>,
    /// Whether the next `](` belongs to an image.
    image: bool,
    /// The last search for the end of an address: from where, and the end. Saves searching a long
    /// text once per bracket.
    stop: (usize, usize),
}

impl LinkScan<'_, '_> {
    /// Replaces `from..to` with `instead`; returns where to continue.
    fn replace(&mut self, from: usize, to: usize, instead: &str) -> usize {
        self.out.push_str(&self.text[self.done..from]);
        self.out.push_str(instead);
        self.done = to;
        to
    }

    /// Replaces `from..to` with what shows an address: `exact` if that can be put back by itself,
    /// else `short`, with a mark of its own.
    fn show(&mut self, from: usize, to: usize, exact: Option<String>, short: impl FnOnce(&str) -> String) -> usize {
        let instead = self.originals.shown(&self.text[from..to], exact, short);
        self.replace(from, to, &instead)
    }

    /// Returns the end of a bare address whose host ends at `host`.
    fn end_of_address(&self, host: usize) -> usize {
        if self.text[host..].starts_with(['/', '?', '#']) { end_of_bare(self.text, host) } else { host }
    }

    /// Returns where a link's address that begins at `from` ends at the latest.
    fn stop(&mut self, from: usize) -> usize {
        let (seen, stop) = self.stop;
        if !(seen..=stop).contains(&from) {
            let rest = &self.text[from..];
            self.stop = (from, from + rest.find([' ', '\n', ')', '>']).unwrap_or(rest.len()));
        }
        self.stop.1
    }

    /// `![…](…`: the image becomes a link.
    fn image(&mut self, at: usize) -> usize {
        // Without a target after it, it is not an image: `array![0]`.
        if !self.text[at..].starts_with("![") || self.last_target.is_none_or(|last| last < at + 2) {
            return at + 1;
        }
        self.image = true;
        self.replace(at, at + 2, &marks::image())
    }

    /// `](…)` or `]: …`
    fn bracket(&mut self, at: usize, inert: Inert) -> usize {
        let rest = &self.text[at + 1..];
        match rest.bytes().next() {
            Some(b'(') => {}
            Some(b':') if inert == Inert::Links && !is_own(rest[1..].trim_start()) => {
                return self.replace(at + 1, at + 2, &written(":"));
            }
            _ => return at + 1,
        }
        let image = std::mem::take(&mut self.image);
        let target = rest[1..].trim_start();
        if inert == Inert::Images && !image {
            return at + 2;
        }
        let from = self.text.len() - target.len();
        if self.stop(from) - from > LONGEST_TARGET {
            return self.replace(at + 1, at + 2, &written("("));
        }
        if is_own(target) {
            return at + 2;
        }
        let bare = target.trim_start_matches('<');
        if self.known.leads_to(bare).is_some_and(|end| ends_target(&bare[end..], bare.len() < target.len())) {
            // Continue after the address, which `scheme` would find again.
            return end_of_bare(self.text, self.text.len() - bare.len());
        }
        let (address, length) = target_of(target);
        let Some(length) = length else { return self.replace(at + 1, at + 2, &written("(")) };
        let to = from + length;
        if image {
            let host = host_of(address).map(|host| format!(": {host}")).unwrap_or_default();
            return self.show(at, to, None, |mark| format!("] (removed{mark}{host})"));
        }
        let exact = format!("]{}{})", written("("), shown(address, COLON));
        self.show(at, to, Some(exact), |mark| format!("] ({})", shown(address, mark)))
    }

    /// `<https://…>`, `<img …`
    fn angle(&mut self, at: usize, inert: Inert) -> usize {
        let rest = prefix(&self.text[at + 1..], LONGEST_TARGET);
        let inside =
            rest.find(['>', '<', ' ', '\n']).filter(|end| rest[*end..].starts_with('>')).map(|end| &rest[..end]);
        let scheme = rest.find(|c: char| !is_scheme_character(c)).unwrap_or(rest.len());
        let link = (2..=LONGEST_SCHEME).contains(&scheme) && rest[scheme..].starts_with(':');
        match inside {
            _ if inert == Inert::Images && !is_element(rest, &["img", "image"]) => at + 1,
            Some(_) if link && self.known.leads_to(rest).is_some_and(|end| ends_target(&rest[end..], true)) => {
                end_of_bare(self.text, at + 1)
            }
            Some(address) if link && !address[..scheme].eq_ignore_ascii_case("mailto") => {
                let exact = format!("{}{}>", written("<"), shown(address, COLON));
                self.show(at, at + 2 + address.len(), Some(exact), |mark| shown(address, mark))
            }
            Some(inside) if link || is_harmless(inside) => at + 1,
            // An element or comment, or what may become one when text after it is replaced.
            _ if rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) => {
                self.replace(at, at + 1, &written("<"))
            }
            _ => at + 1,
        }
    }

    /// `…://…`
    fn scheme(&mut self, at: usize) -> usize {
        if !self.text[at..].starts_with("://") {
            return at + 1;
        }
        let before = &self.text[self.done..at];
        let length =
            before.bytes().rev().take(LONGEST_SCHEME).take_while(|b| is_scheme_character(char::from(*b))).count();
        let scheme = before[before.len() - length..].trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        // `hxxps` is inert already.
        if scheme.is_empty() || scheme.eq_ignore_ascii_case("hxxp") || scheme.eq_ignore_ascii_case("hxxps") {
            return at + 3;
        }
        let from = at - scheme.len();
        if let Some(host) = self.known.leads_to(&self.text[from..]) {
            return self.end_of_address(from + host);
        }
        let end = end_of_bare(self.text, at + 3);
        let address = &self.text[from..end];
        self.show(from, end, Some(shown(address, COLON)), |mark| shown(address, mark))
    }

    /// `www.…`
    fn www(&mut self, at: usize) -> usize {
        let here = &self.text[at..];
        let begins = here.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("www."))
            && here[4..].starts_with(|c: char| c.is_alphanumeric())
            && !self.text[..at].ends_with(|c: char| c.is_alphanumeric());
        // `scheme` handles `…://www.`.
        if !begins || self.text[self.done..at].ends_with("://") {
            return at + 1;
        }
        if let Some(host) = self.known.leads_to(&format!("{SCHEME}{}", prefix(here, LONGEST_TARGET))) {
            return self.end_of_address(at + host - SCHEME.len());
        }
        let end = end_of_bare(self.text, at + 4);
        let (_, target) = host_and_path(&self.text[at..end]);
        let inert = |mark: &str| format!("`www{mark}{}`", &target[4..]);
        self.show(at, end, Some(inert(&written("."))), inert)
    }
}

/// Whether the text after a `<` is one of these elements.
fn is_element(rest: &str, names: &[&str]) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    // Browsers read a name up to whitespace, a slash or the end.
    let end = name.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(name.len());
    names.iter().any(|known| known.eq_ignore_ascii_case(&name[..end]))
}

/// Whether the text between `<` and `>` does nothing: a plain element such as `b`, a word such as
/// `String`, a mail address.
fn is_harmless(inside: &str) -> bool {
    let name = inside.strip_prefix('/').unwrap_or(inside);
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let mail = inside.split_once('@').is_some_and(|(user, host)| {
        let is_right = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        let right = |text: &str| !text.is_empty() && text.chars().all(is_right);
        right(user) && right(host)
    });
    mail || plain && !is_element(inside, &ACTIVE)
}

/// Whether the host of a link's address ends before `rest`, as Markdown reads it.
fn ends_target(rest: &str, quoted: bool) -> bool {
    rest.chars().next().is_none_or(|c| match c {
        '/' | '?' | '#' => true,
        '>' => quoted,
        c => !quoted && (c == ')' || c.is_ascii_whitespace()),
    })
}

/// Returns at most `max_bytes` of a text, up to a character's border.
fn prefix(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

fn is_scheme_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// Returns where a bare address ends at the latest.
fn end_of_bare(text: &str, from: usize) -> usize {
    let end = text[from..].find(|c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '!' | '<' | '>' | '"' | '\'' | '`' | '|' | '[' | ']' | '{' | '}' | '(' | ')' | '\\' | '^')
    });
    end.map_or(text.len(), |end| from + end)
}

/// Whether a link's address stays on the same host, whatever a renderer makes of its escapes: it
/// has no host and no scheme.
fn is_own(target: &str) -> bool {
    let target = target.trim_start_matches('<').trim_start();
    let end = prefix(target, LONGEST_TARGET).find([' ', '\n', ')', '>']);
    let Some(end) = end.or((target.len() <= LONGEST_TARGET).then_some(target.len())) else { return false };
    let address = &target[..end];
    let head = address.find(['/', '?', '#']).unwrap_or(address.len());
    let other_host = address.starts_with('/') && address[1..].starts_with(['/', '\\', '&']);
    !other_host && !address[..head].contains([':', '&', '\\', '%']) && !address.contains(char::is_control)
}

/// Returns a link's address, and the length up to its closing bracket; `None` where that is
/// missing.
fn target_of(target: &str) -> (&str, Option<usize>) {
    let inside = prefix(target, LONGEST_TARGET);
    let limit = inside.len();
    let (address, end) = match inside.strip_prefix('<') {
        Some(quoted) => match quoted.find(['>', '\n']) {
            Some(end) => (&quoted[..end], end + 2),
            None => return (quoted, None),
        },
        None => {
            let mut open = 0_usize;
            let end = inside.find(|c: char| {
                match c {
                    '(' => open += 1,
                    ')' if open == 0 => return true,
                    ')' => open -= 1,
                    _ => {}
                }
                c.is_whitespace()
            });
            (&inside[..end.unwrap_or(limit)], end.unwrap_or(limit))
        }
    };
    let Some(rest) = inside.get(end..) else { return (address, None) };
    let title = rest.trim_start();
    let end = match title.chars().next() {
        Some(')') => Some(0),
        Some(quote @ ('"' | '\'')) => title[1..]
            .find(quote)
            .map(|end| end + 2)
            .and_then(|end| Some(end + title[end..].find(|c: char| !c.is_whitespace())?))
            .filter(|end| title[*end..].starts_with(')')),
        _ => None,
    };
    (address, end.map(|end| limit - title.len() + end + 1))
}

/// Formats the target of an address in code marks, so that nothing makes it a link; `mark` is in
/// place of the colon after its scheme.
fn shown(address: &str, mark: &str) -> String {
    let (scheme, rest) = address.split_once(':').unwrap_or(("", address));
    let scheme: String = scheme.chars().filter(|c| is_scheme_character(*c)).take(LONGEST_SCHEME).collect();
    let Some(rest) = rest.strip_prefix("//").or((scheme.is_empty()).then_some(rest)) else {
        return format!("`{scheme}{mark}…`");
    };
    let (_, target) = host_and_path(rest);
    match scheme.to_ascii_lowercase().as_str() {
        "http" => format!("`hxxp{mark}//{target}`"),
        "https" => format!("`hxxps{mark}//{target}`"),
        "" => format!("`{mark}{target}`"),
        other => format!("`{other}{mark}//{target}`"),
    }
}

/// Returns the host, and host with path for display: without a query, which could carry data.
fn host_and_path(rest: &str) -> (String, String) {
    let query = rest.find(['?', '#']).unwrap_or(rest.len());
    let (host, path) = rest[..query].split_at(rest[..query].find(['/', '\\']).unwrap_or(query));
    let host = host.rsplit('@').next().unwrap_or(host);
    let plain = |text: &str, most: usize| -> String {
        // Without what ends a code mark, and what a link is made of where the code mark is ended by one in the text before.
        text.chars().filter(|c| !matches!(c, '`' | '<' | '>' | '[' | ']' | '\n' | '\r')).take(most).collect()
    };
    let host = plain(host, 253);
    let shown = plain(path, LONGEST_PATH);
    let ending = if query < rest.len() || shown.len() < path.len() { "…" } else { "" };
    (host.clone(), format!("{host}{shown}{ending}").replace("://", ":/ /"))
}

/// Returns the host of an address, for display.
fn host_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("//")?;
    let (host, _) = host_and_path(rest);
    Some(host.chars().filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | ':')).collect())
        .filter(|host: &String| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Hosts {
        Hosts::new(["desk.example.com", "a.vendor.example"])
    }

    /// The text as it is shown, with `#` for each id; it must come back as it was.
    fn shown(given: &str, inert: Inert) -> String {
        let mut originals = Originals::default();
        let text = make_inert(given, &known(), inert, &mut originals);
        assert_eq!(marks::restore(&text, &originals).map(|restored| restored.text).as_deref(), Ok(given), "{text}");
        let again = make_inert(&text, &known(), inert, &mut Originals::default());
        assert_eq!(again, text, "a second time changes nothing");
        let ids = ids_of(&text);
        ids.iter().fold(text.into_owned(), |text, id| text.replace(id.as_str(), "#"))
    }

    /// The ids of a text's marks.
    fn ids_of(text: &str) -> Vec<String> {
        let parts = text.split('⟦').skip(1).filter_map(|part| part.split_once('⟧'));
        parts.map(|(inner, _)| inner.to_owned()).filter(|inner| inner.len() == 8).collect()
    }

    #[test]
    fn links_to_other_hosts_are_inert_and_show_their_target() {
        for (given, expected) in [
            ("see https://evil.example/a/b?token=1#x now", "see `hxxps⟦#⟧//evil.example/a/b…` now"),
            ("[text](https://evil.example/a \"title\") on", "[text] (`hxxps⟦#⟧//evil.example/a`) on"),
            (
                "[a](odd://evil![b](https:/.evil.example/c.png)d.example/?e)",
                "[a] (`odd⟦#⟧//evil!b(https:/.evil.example/c.png)d.example/…`)",
            ),
            ("[text](<https://evil.example/a b>)", "[text] (`hxxps⟦#⟧//evil.example/a b`)"),
            ("![alt](https://evil.example/p.png?d=1) x", "⟦!⟧[image: alt] (removed⟦#⟧: evil.example) x"),
            ("!![a](https://desk.example.com/p)", "!⟦!⟧[image: a](https://desk.example.com/p)"),
            (
                "![alt][ref]\n\n[ref]: https://evil.example/p",
                "⟦!⟧[image: alt][ref]\n\n[ref]⟦:⟧ `hxxps⟦:⟧//evil.example/p`",
            ),
            ("[ref]: //evil.example/p", "[ref]⟦:⟧ //evil.example/p"),
            ("[x](//evil.example/p)", "[x] (`⟦#⟧evil.example/p`)"),
            ("[x](/\\evil.example)", "[x] (`⟦#⟧/\\evil.example`)"),
            ("[x](javascript:alert(1))", "[x] (`javascript⟦#⟧…`)"),
            ("[x](https&colon;//evil.example)", "[x] (`⟦#⟧https&colon;//evil.example`)"),
            ("[x](https:evil.example)", "[x] (`https⟦#⟧…`)"),
            (
                // What browsers take for a comment up to the next `>`.
                "</@b> </a@b.example> <@b>",
                "⟦<⟧/@b> ⟦<⟧/a@b.example> <@b>",
            ),
            (
                "<https://evil.example/a> <javascript:alert(1)> <mailto:a@b.example>",
                "⟦<⟧`hxxps⟦:⟧//evil.example/a`> `javascript⟦#⟧…` <mailto:a@b.example>",
            ),
            ("www.evil.example/a?b and WWW.x.example", "`www⟦#⟧evil.example/a…` and `www⟦#⟧x.example`"),
            ("https://a:b@evil.example/", "`hxxps⟦#⟧//evil.example/`"),
            ("https://desk.example.com@evil.example/", "`hxxps⟦#⟧//evil.example/`"),
            ("ftp://x.example/a hthttps://evil.example", "`ftp⟦:⟧//x.example/a` `hthttps⟦:⟧//evil.example`"),
            (
                "<a href=\"//evil.example\">x</a> <IMG src=x> <div style='background:url(//e.example)'>",
                "⟦<⟧a href=\"//evil.example\">x⟦<⟧/a> ⟦<⟧IMG src=x> ⟦<⟧div style='background:url(//e.example)'>",
            ),
            ("a <!-- hidden -->", "a ⟦<⟧!-- hidden -->"),
            ("[x](https://evil.example/a", "[x]⟦(⟧`hxxps⟦:⟧//evil.example/a`"),
            ("[x](https://evil.example/a)", "[x]⟦(⟧`hxxps⟦:⟧//evil.example/a`)"),
            ("`https://evil.example/a` https://evil.example", "``hxxps⟦:⟧//evil.example/a`` `hxxps⟦:⟧//evil.example`"),
        ] {
            assert_eq!(shown(given, Inert::Links), expected, "{given}");
        }
    }

    #[test]
    fn text_and_links_to_known_hosts_stay() {
        for given in [
            "plain: text! with a <b> and 3 < 4 :// and a/b, std::fmt, 10:32",
            "https://desk.example.com/Ticket/7?a=b#c and [it](https://desk.example.com/Ticket/7) (https://a.vendor.example)",
            "<https://desk.example.com/x> [home](https://desk.example.com/r?u=https://evil.example/)",
            "[page](/Ticket/7) handlers[name](argument) vec![0] a@b.example <a@b.example>",
            "already `hxxps://evil.example/a`",
            "awww. www. wwww",
        ] {
            assert_eq!(shown(given, Inert::Links), given);
        }
        let given = "[link](https://evil.example) https://evil.example <a href=x>";
        assert_eq!(shown(given, Inert::Images), given, "only images were asked for");
        let given = "![x](https://evil.example/p) <img src=//evil.example/p>";
        assert_eq!(
            shown(given, Inert::Images),
            "⟦!⟧[image: x] (removed⟦#⟧: evil.example) ⟦<⟧img src=//evil.example/p>"
        );
    }
}
