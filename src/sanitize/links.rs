//! A text in Markdown, or plain → the same text with links and images that no renderer follows or
//! loads, unless they lead to a known host. A reader still sees where they led.
//!
//! Looking at an answer must tell nobody that it was looked at, and what an outsider wrote must
//! not become a button. What counts as a link is what any usual renderer takes for one: Markdown's
//! links, images, definitions and `<…>`, bare addresses, HTML.

use std::borrow::Cow;

use super::hosts::Hosts;

/// How much of a path is shown of a link that was made inert, in bytes.
const LONGEST_PATH: usize = 80;
/// How long a scheme such as `https` can be.
const LONGEST_SCHEME: usize = 32;
/// How far the end of a link's address may be from its beginning, in bytes.
const LONGEST_TARGET: usize = 500;

/// Elements that load something, lead somewhere or change how the rest is read.
const ACTIVE: [&str; 34] = [
    "a", "area", "audio", "base", "body", "button", "embed", "form", "frame", "frameset", "iframe", "image", "img",
    "input", "link", "math", "meta", "noscript", "object", "picture", "script", "source", "style", "svg", "table",
    "td", "template", "textarea", "th", "title", "track", "use", "video", "xmp",
];

/// What a browser takes `www.` for.
const SCHEME: &str = "https://";

/// What is made inert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Links and images.
    Links,
    /// What loads by itself.
    Images,
}

/// Makes links and images inert that do not lead to `known` hosts.
pub(super) fn inert<'t>(text: &'t str, known: &Hosts, what: What) -> Cow<'t, str> {
    let last_target = text.rfind(['(', '[', ':']).filter(|_| text.contains("!["));
    let mut pass = Pass { text, known, out: String::new(), done: 0, last_target, image: false, stop: (1, 0) };
    let mut at = 0;
    while let Some(step) =
        text.as_bytes()[at..].iter().position(|b| matches!(b, b'!' | b'<' | b']' | b':' | b'w' | b'W'))
    {
        at += step;
        at = match (text.as_bytes()[at], what) {
            (b'!', _) => pass.image(at),
            (b'<', _) => pass.angle(at, what),
            (b']', _) => pass.bracket(at, what),
            (b':', What::Links) => pass.scheme(at),
            (b'w' | b'W', What::Links) => pass.www(at),
            _ => at + 1,
        };
    }
    if pass.done == 0 {
        return Cow::Borrowed(text);
    }
    pass.out.push_str(&text[pass.done..]);
    Cow::Owned(pass.out)
}

struct Pass<'t, 'h> {
    text: &'t str,
    known: &'h Hosts,
    out: String,
    /// How much of the text is in `out`.
    done: usize,
    /// Where the last target of an image can begin.
    last_target: Option<usize>,
    /// Whether the next `](` belongs to an image.
    image: bool,
    /// From where on we have looked for what ends an address, and where it is.
    stop: (usize, usize),
}

impl Pass<'_, '_> {
    /// Writes `instead` for what stands from `from` to `to`; returns where to go on.
    fn replace(&mut self, from: usize, to: usize, instead: &str) -> usize {
        self.out.push_str(&self.text[self.done..from]);
        // What was no image must not become one.
        if instead.starts_with('[') && self.out.ends_with('!') {
            self.out.push(' ');
        }
        self.out.push_str(instead);
        self.done = to;
        to
    }

    /// Where a bare address ends whose host ends at `host`.
    fn behind(&self, host: usize) -> usize {
        if self.text[host..].starts_with(['/', '?', '#']) { end_of_bare(self.text, host) } else { host }
    }

    /// Where a link's address that begins at `from` ends at the latest.
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
        // Without an address behind it, it is none: `array![0]`.
        if !self.text[at..].starts_with("![") || self.last_target.is_none_or(|last| last < at + 2) {
            return at + 1;
        }
        self.image = true;
        self.replace(at, at + 2, "[image: ")
    }

    /// `](…)` or `]: …`
    fn bracket(&mut self, at: usize, what: What) -> usize {
        let rest = &self.text[at + 1..];
        match rest.bytes().next() {
            Some(b'(') => {}
            Some(b':') if what == What::Links && !is_own(rest[1..].trim_start()) => {
                return self.replace(at, at + 2, "] :");
            }
            _ => return at + 1,
        }
        let image = std::mem::take(&mut self.image);
        let target = rest[1..].trim_start();
        if what == What::Images && !image {
            return at + 2;
        }
        let from = self.text.len() - target.len();
        if self.stop(from) - from > LONGEST_TARGET {
            // Longer than anybody needs.
            return self.replace(at, at + 2, "] (");
        }
        if is_own(target) {
            return at + 2;
        }
        let bare = target.trim_start_matches('<');
        if self.known.leads_to(bare).is_some_and(|end| ends_target(&bare[end..], bare.len() < target.len())) {
            // Behind the address, so that it is not met again.
            return end_of_bare(self.text, self.text.len() - bare.len());
        }
        let (address, length) = target_of(target);
        let instead = match (image, host_of(address)) {
            (true, Some(host)) => format!("] (removed: {host})"),
            (true, None) => "] (removed)".to_owned(),
            (false, _) => format!("] ({})", shown(address)),
        };
        match length {
            Some(length) => self.replace(at, self.text.len() - target.len() + length, &instead),
            None => self.replace(at, at + 2, "] ("),
        }
    }

    /// `<https://…>`, `<img …`
    fn angle(&mut self, at: usize, what: What) -> usize {
        let rest = cut(&self.text[at + 1..], LONGEST_TARGET);
        let inside =
            rest.find(['>', '<', ' ', '\n']).filter(|end| rest[*end..].starts_with('>')).map(|end| &rest[..end]);
        let scheme = rest.find(|c: char| !is_scheme_character(c)).unwrap_or(rest.len());
        let link = (2..=LONGEST_SCHEME).contains(&scheme) && rest[scheme..].starts_with(':');
        match inside {
            _ if what == What::Images && !is_element(rest, &["img", "image"]) => at + 1,
            Some(_) if link && self.known.leads_to(rest).is_some_and(|end| ends_target(&rest[end..], true)) => {
                end_of_bare(self.text, at + 1)
            }
            Some(address) if link && !address[..scheme].eq_ignore_ascii_case("mailto") => {
                self.replace(at, at + 2 + address.len(), &shown(address))
            }
            Some(inside) if link || is_harmless(inside) => at + 1,
            // An element, a comment, or what may become one by what is taken away behind it.
            _ if rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) => {
                self.replace(at, at + 1, "&lt;")
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
        // `hxxps` has been made inert already.
        if scheme.is_empty() || scheme.eq_ignore_ascii_case("hxxp") || scheme.eq_ignore_ascii_case("hxxps") {
            return at + 3;
        }
        let from = at - scheme.len();
        if let Some(host) = self.known.leads_to(&self.text[from..]) {
            return self.behind(from + host);
        }
        let end = end_of_bare(self.text, at + 3);
        self.replace(from, end, &shown(&self.text[from..end]))
    }

    /// `www.…`
    fn www(&mut self, at: usize) -> usize {
        let here = &self.text[at..];
        let begins = here.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("www."))
            && here[4..].starts_with(|c: char| c.is_alphanumeric())
            && !self.text[..at].ends_with(|c: char| c.is_alphanumeric());
        // `…://www.` is the business of its scheme.
        if !begins || self.text[self.done..at].ends_with("://") {
            return at + 1;
        }
        if let Some(host) = self.known.leads_to(&format!("{SCHEME}{}", cut(here, LONGEST_TARGET))) {
            return self.behind(at + host - SCHEME.len());
        }
        let end = end_of_bare(self.text, at + 4);
        let (_, led) = host_and_path(&self.text[at..end]);
        self.replace(at, end, &format!("`www[.]{}`", &led[4..]))
    }
}

/// Whether what follows a `<` is one of these elements.
fn is_element(rest: &str, names: &[&str]) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    // As browsers read a name: up to a space, a slash or the end.
    let end = name.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(name.len());
    names.iter().any(|known| known.eq_ignore_ascii_case(&name[..end]))
}

/// Whether what stands between `<` and `>` does nothing: a plain element such as `b`, or what only
/// looks like one, such as `String`; a mail address.
fn is_harmless(inside: &str) -> bool {
    let name = inside.strip_prefix('/').unwrap_or(inside);
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let mail = name.split_once('@').is_some_and(|(user, host)| {
        let right = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'));
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

/// At most so many bytes of a text.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn is_scheme_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// Where a bare address ends at the latest.
fn end_of_bare(text: &str, from: usize) -> usize {
    let end = text[from..].find(|c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '!' | '<' | '>' | '"' | '\'' | '`' | '|' | '[' | ']' | '{' | '}' | '(' | ')' | '\\' | '^')
    });
    end.map_or(text.len(), |end| from + end)
}

/// Whether a link's address leads nowhere else, whatever a renderer makes of its escapes: it names
/// no host and no scheme.
fn is_own(target: &str) -> bool {
    let target = target.trim_start_matches('<').trim_start();
    let end = cut(target, LONGEST_TARGET).find([' ', '\n', ')', '>']);
    let Some(end) = end.or((target.len() <= LONGEST_TARGET).then_some(target.len())) else { return false };
    let address = &target[..end];
    let head = address.find(['/', '?', '#']).unwrap_or(address.len());
    let other_host = address.starts_with('/') && address[1..].starts_with(['/', '\\', '&']);
    !other_host && !address[..head].contains([':', '&', '\\', '%']) && !address.contains(char::is_control)
}

/// A link's address, and how long it is with what follows up to the closing bracket; `None` where
/// that is missing.
fn target_of(target: &str) -> (&str, Option<usize>) {
    let inside = cut(target, LONGEST_TARGET);
    let limit = inside.len();
    let (address, behind) = match inside.strip_prefix('<') {
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
    let Some(rest) = inside.get(behind..) else { return (address, None) };
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

/// Where an address leads, in code marks and so that nothing takes it for a link.
fn shown(address: &str) -> String {
    let (scheme, rest) = address.split_once(':').unwrap_or(("", address));
    let scheme: String = scheme.chars().filter(|c| is_scheme_character(*c)).take(LONGEST_SCHEME).collect();
    let Some(rest) = rest.strip_prefix("//").or((scheme.is_empty()).then_some(rest)) else {
        return format!("`{scheme}[:]…`");
    };
    let (_, led) = host_and_path(rest);
    match scheme.to_ascii_lowercase().as_str() {
        "http" => format!("`hxxp://{led}`"),
        "https" => format!("`hxxps://{led}`"),
        "" => format!("`{led}`"),
        other => format!("`{other}[:]//{led}`"),
    }
}

/// The host, and host and path as they can be shown: without what could carry data out.
fn host_and_path(rest: &str) -> (String, String) {
    let query = rest.find(['?', '#']).unwrap_or(rest.len());
    let (host, path) = rest[..query].split_at(rest[..query].find(['/', '\\']).unwrap_or(query));
    let host = host.rsplit('@').next().unwrap_or(host);
    let plain = |text: &str, most: usize| -> String {
        text.chars().filter(|c| !matches!(c, '`' | '<' | '>' | '\n' | '\r')).take(most).collect()
    };
    let host = plain(host, 253);
    let shown = plain(path, LONGEST_PATH);
    let ending = if query < rest.len() || shown.len() < path.len() { "…" } else { "" };
    (host.clone(), format!("{host}{shown}{ending}").replace("://", ":/ /"))
}

/// The host that an address leads to.
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
        Hosts::new(["desk.example.com", "*.vendor.example"])
    }

    #[test]
    fn links_elsewhere_are_inert_and_still_say_where_they_led() {
        for (given, expected) in [
            ("see https://evil.example/a/b?token=1#x now", "see `hxxps://evil.example/a/b…` now"),
            ("[text](https://evil.example/a \"title\") on", "[text] (`hxxps://evil.example/a`) on"),
            ("[text](<https://evil.example/a b>)", "[text] (`hxxps://evil.example/a b`)"),
            ("![alt](https://evil.example/p.png?d=1) x", "[image: alt] (removed: evil.example) x"),
            ("!![a](https://desk.example.com/p)", "! [image: a](https://desk.example.com/p)"),
            ("![alt][ref]\n\n[ref]: https://evil.example/p", "[image: alt][ref]\n\n[ref] : `hxxps://evil.example/p`"),
            ("[ref]: //evil.example/p", "[ref] : //evil.example/p"),
            ("[x](//evil.example/p)", "[x] (`evil.example/p`)"),
            ("[x](/\\evil.example)", "[x] (`/\\evil.example`)"),
            ("[x](javascript:alert(1))", "[x] (`javascript[:]…`)"),
            ("[x](https&colon;//evil.example)", "[x] (`https&colon;//evil.example`)"),
            ("[x](https:evil.example)", "[x] (`https[:]…`)"),
            (
                "<https://evil.example/a> <javascript:alert(1)> <mailto:a@b.example>",
                "`hxxps://evil.example/a` `javascript[:]…` <mailto:a@b.example>",
            ),
            ("www.evil.example/a?b and WWW.x.example", "`www[.]evil.example/a…` and `www[.]x.example`"),
            ("https://a:b@evil.example/", "`hxxps://evil.example/`"),
            ("https://desk.example.com@evil.example/", "`hxxps://evil.example/`"),
            ("ftp://x.example/a hthttps://evil.example", "`ftp[:]//x.example/a` `hthttps[:]//evil.example`"),
            (
                "<a href=\"//evil.example\">x</a> <IMG src=x> <div style='background:url(//e.example)'>",
                "&lt;a href=\"//evil.example\">x&lt;/a> &lt;IMG src=x> &lt;div style='background:url(//e.example)'>",
            ),
            ("a <!-- hidden -->", "a &lt;!-- hidden -->"),
            ("[x](https://evil.example/a", "[x] (`hxxps://evil.example/a`"),
        ] {
            assert_eq!(inert(given, &known(), What::Links), expected, "{given}");
        }
    }

    #[test]
    fn what_is_no_link_or_leads_home_stays() {
        for given in [
            "plain: text! with a <b> and 3 < 4 :// and a/b, std::fmt, 10:32",
            "https://desk.example.com/Ticket/7?a=b#c and [it](https://desk.example.com/Ticket/7) (https://a.vendor.example)",
            "<https://desk.example.com/x> [home](https://desk.example.com/r?u=https://evil.example/)",
            "[page](/Ticket/7) handlers[name](argument) vec![0] a@b.example <a@b.example>",
            "already `hxxps://evil.example/a`",
            "awww. www. wwww",
        ] {
            assert_eq!(inert(given, &known(), What::Links), given);
        }
        let given = "[link](https://evil.example) https://evil.example <a href=x>";
        assert_eq!(inert(given, &known(), What::Images), given, "only images were asked for");
        let given = "![x](https://evil.example/p) <img src=//evil.example/p>";
        assert_eq!(
            inert(given, &known(), What::Images),
            "[image: x] (removed: evil.example) &lt;img src=//evil.example/p>"
        );
    }
}
