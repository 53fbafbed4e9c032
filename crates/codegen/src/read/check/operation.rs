//! Operations, parameters and bodies of a description → findings.

use crate::read::located::{Located, describe, did_you_mean, one_of};
use crate::read::paths::{METHODS, template_parameters};
use crate::read::reference::{LONGEST_CHAIN, raw_target, reference_of};

/// OpenAPI states that headers of these names are described elsewhere and ignored as parameters.
pub const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// The styles that the build can write, by the place of a parameter.
const STYLES: [(&str, &[&str]); 4] = [
    ("path", &["simple"]),
    ("query", &["form", "spaceDelimited", "pipeDelimited", "deepObject"]),
    ("header", &["simple"]),
    ("cookie", &["form"]),
];

pub(super) fn check_operations(root: &Located<'_>) {
    let Some(paths) = root.get("paths").filter(|paths| paths.value.is_object()) else { return };
    for (path, item) in
        paths.entries().into_iter().filter(|(path, item)| path.starts_with('/') && item.value.is_object())
    {
        let shared = item.get("parameters");
        for operation in METHODS.iter().filter_map(|method| item.get(method)) {
            check_operation(&operation, path, shared.as_ref(), root);
        }
    }
}

/// A parameter as far as other checks need it.
struct Named<'s> {
    at: Located<'s>,
    name: &'s str,
    place: &'s str,
}

fn check_operation(at: &Located<'_>, path: &str, shared: Option<&Located<'_>>, root: &Located<'_>) {
    if at.object().is_none() {
        return;
    }
    let text = |key| at.get(key).and_then(|entry| entry.text());
    text("operationId");
    at.required("responses", "the answers of the operation");
    let mut parameters: Vec<Named<'_>> = Vec::new();
    // An operation's own parameters replace those of its path with the same name and place.
    for list in [at.get("parameters").as_ref(), shared].into_iter().flatten() {
        for item in list.items() {
            if let Some(parameter) = check_parameter(&follow(&item, root))
                && !parameters.iter().any(|known| known.name == parameter.name && known.place == parameter.place)
            {
                parameters.push(parameter);
            }
        }
    }
    check_path_parameters(at, path, &parameters);
    text("summary");
    text("description");
    if let Some(tags) = at.get("tags") {
        tags.texts();
    }
    if let Some(body) = at.get("requestBody") {
        check_body(&follow(&body, root));
    }
}

/// Returns the place that a `$ref` leads to, or the place itself.
fn follow<'s>(at: &Located<'s>, root: &Located<'s>) -> Located<'s> {
    let mut here = at.clone();
    for _ in 0..LONGEST_CHAIN {
        let reference = reference_of(here.value);
        let target =
            reference.and_then(|reference| Some((reference.strip_prefix('#')?, raw_target(root.value, reference)?)));
        let Some((pointer, target)) = target else { break };
        here = root.at(pointer, target);
    }
    here
}

fn check_path_parameters(at: &Located<'_>, path: &str, parameters: &[Named<'_>]) {
    let in_path = template_parameters(path).unwrap_or_default();
    let of_path = || parameters.iter().filter(|parameter| parameter.place == "path");
    for name in &in_path {
        if !of_path().any(|parameter| parameter.name == *name) {
            let hint = Some(format!("the path is `{path}`"));
            at.report(format!("a parameter `{name}` with `in: path`"), "none".to_owned(), hint);
        }
    }
    for parameter in of_path().filter(|parameter| !in_path.contains(&parameter.name)) {
        let hint = did_you_mean(parameter.name, in_path.iter().copied());
        parameter.at.report(format!("a path with `{{{}}}`", parameter.name), format!("`{path}`"), hint);
    }
}

fn check_parameter<'s>(at: &Located<'s>) -> Option<Named<'s>> {
    at.object()?;
    let name = at.required("name", "the parameter's name")?.text()?;
    if name.is_empty() {
        at.report("the parameter's name".to_owned(), "an empty text".to_owned(), None);
        return None;
    }
    let place = at.required("in", "one of `path`, `query`, `header`, `cookie`")?;
    match place.text()? {
        "header" if IGNORED_HEADERS.contains(&name.to_lowercase().as_str()) => return None,
        // RFC 9110, 5.6.2: anything else can't be sent.
        place @ ("header" | "cookie")
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)) =>
        {
            at.report(format!("the name of a {place}"), format!("`{name}`"), None);
            return None;
        }
        "path" | "query" | "header" | "cookie" => {}
        _ => {
            place.wrong(one_of(["path", "query", "header", "cookie"].into_iter()));
            return None;
        }
    }
    let parameter = Named { at: at.clone(), name, place: place.text()? };
    let required = at.get("required").and_then(|required| required.flag()).unwrap_or(false);
    if parameter.place == "path" && !required {
        at.report("`required: true` on a path parameter".to_owned(), format!("`{name}` without it"), None);
    }
    let content = at.get("content").is_some_and(|content| !content.entries().is_empty());
    if !content {
        at.required("schema", "the parameter's type")?;
    }
    let styles = STYLES.iter().find(|(of, _)| *of == parameter.place).map(|(_, styles)| *styles).unwrap_or_default();
    check_style(at, styles);
    if let Some(description) = at.get("description") {
        description.text();
    }
    Some(parameter)
}

fn check_style(at: &Located<'_>, styles: &[&str]) {
    if let Some(style) = at.get("style")
        && let Some(name) = style.text()
        && !styles.contains(&name)
    {
        style.report(one_of(styles.iter().copied()), format!("`{name}`"), None);
    }
    if let Some(explode) = at.get("explode") {
        explode.flag();
    }
}

fn check_body(at: &Located<'_>) {
    if at.object().is_none() {
        return;
    }
    if let Some(required) = at.get("required") {
        required.flag();
    }
    let Some(content) = at.required("content", "the content types of the body") else { return };
    if content.object().is_some_and(serde_json::Map::is_empty) {
        content.report("at least one content type".to_owned(), describe(content.value), None);
    }
    for (_, media) in content.entries() {
        let encoding = media.get("encoding").filter(|encoding| encoding.value.is_object());
        for (_, encoding) in encoding.iter().flat_map(Located::entries).filter(|(_, at)| at.value.is_object()) {
            check_style(&encoding, STYLES[1].1);
        }
    }
    if let Some(description) = at.get("description") {
        description.text();
    }
}
