//! A step of the conversion, or a construct that no tool can carry → what a caller loses by it, and where it is in the
//! file. Nothing that is weakened or dropped goes without a line.

use serde::Serialize;
use serde_json::Value;

use super::lint::{Drafts, FindingLine};
use crate::convert::grammar::{Role, visit};
use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::source::SourceFile;
use toolwright_model::Tool;

/// What a step does to what a caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weight {
    /// Said in another way.
    Changed,
    /// Less is checked before a request is sent; the vendor refuses the rest.
    Weakened,
    /// A caller can't use it.
    Dropped,
}

/// Returns the weight of a step, and what a caller loses.
pub(super) fn of_rule(rule: &str) -> (Weight, &'static str) {
    use Weight::{Changed, Dropped, Weakened};
    match rule {
        "dropped-keyword" => (Weakened, "values that only this keyword excludes are refused by the vendor, not before"),
        "pattern" => (Weakened, "the form of the text is checked by the vendor only"),
        "pattern-properties" => (Weakened, "names of further properties are checked by the vendor only"),
        "prefix-items" => (Weakened, "the order of a list's values is checked by the vendor only"),
        "boolean-schema" | "items" | "lost-reference" | "body" => {
            (Weakened, "nothing is known of the value: any is taken, and the vendor refuses what is wrong")
        }
        "parameter-type" | "collection-format" => (Weakened, "a text in place of a typed value: the caller writes it"),
        "required" => (Weakened, "the name is not demanded before a request is sent"),
        "responses" => (Weakened, "nothing is known of the answer"),
        "parameters" => (Dropped, "the parameter can't be given"),
        "path" => (Dropped, "what it holds is no operation and no tool"),
        "webhooks" => (Dropped, "nothing: these are requests by the vendor"),
        "mutual-tls" => (Dropped, "the way to sign in; a client certificate is configured by a variable"),
        "style" => (Weakened, "lists and objects are written in the usual way"),
        "unread-file" => (Dropped, "nothing: examples and extensions are not offered"),
        _ => (Changed, "nothing"),
    }
}

/// The text of the description, for the lines of its places.
pub(super) struct Places {
    file: Option<std::rc::Rc<SourceFile>>,
    name: String,
}

impl Places {
    pub(super) fn of(name: &str, text: Option<&str>) -> Self {
        Self { file: text.map(|text| SourceFile::yaml(name, text.to_owned())), name: name.to_owned() }
    }

    /// The line of a place, which may have another pointer in the file of an older version.
    pub(super) fn line(&self, pointer: &str) -> Option<usize> {
        const SECTIONS: [(&str, &str); 4] = [
            ("/components/schemas/", "/definitions/"),
            ("/components/parameters/", "/parameters/"),
            ("/components/responses/", "/responses/"),
            ("/components/securitySchemes/", "/securityDefinitions/"),
        ];
        let file = self.file.as_ref()?;
        let older = SECTIONS.iter().find_map(|(new, old)| Some(format!("{old}{}", pointer.strip_prefix(new)?)));
        file.line(pointer).or_else(|| file.line(&older?))
    }

    /// A finding about a construct: what is done to it, and where.
    fn finding(&self, kind: &'static str, weight: Weight, pointer: &str, what: String) -> FindingLine {
        FindingLine {
            line: self.line(pointer),
            weight: Some(weight),
            pointer: pointer.to_owned(),
            ..FindingLine::new(kind, format!("{} (#{pointer})", self.shown(pointer)), what)
        }
    }

    /// `file:line`, or the file alone.
    pub(super) fn shown(&self, pointer: &str) -> String {
        self.line(pointer).map_or_else(|| self.name.clone(), |line| format!("{}:{line}", self.name))
    }
}

/// Findings about constructs of a description that no tool carries.
pub(super) fn constructs(document: &mut Value, places: &Places) -> Vec<FindingLine> {
    let mut found = Vec::new();
    let mut find = |kind: &'static str, weight: Weight, pointer: &str, what: String| {
        found.push(places.finding(kind, weight, pointer, what));
    };
    visit(document, &mut |role, value, pointer| match role {
        Role::Schema if value.get("not").is_some_and(|not| not.as_object().is_some_and(|not| !not.is_empty())) => {
            find(
                "weakened",
                Weight::Weakened,
                pointer,
                "what `not` excludes is refused by the vendor, not before".to_owned(),
            );
        }
        Role::Operation if names(value, "callbacks").next().is_some() => {
            let names = names(value, "callbacks").collect::<Vec<_>>().join("`, `");
            let what = format!("the callbacks `{names}` are requests by the vendor: no tool receives them");
            find("callbacks", Weight::Dropped, pointer, what);
        }
        Role::Parameter if value.get("allowReserved") == Some(&Value::Bool(true)) => {
            let what = "reserved characters of its value are percent-encoded: a value that is part of a path or query \
                        can't be given as such";
            find("weakened", Weight::Weakened, pointer, what.to_owned());
        }
        Role::Response if names(value, "links").next().is_some() => {
            let what = "its links to other operations are left out: a tool's description has to say what comes next";
            find("links", Weight::Dropped, pointer, what.to_owned());
        }
        _ => {}
    });
    let servers = document.get("servers").and_then(Value::as_array).map(Vec::len).unwrap_or_default();
    if servers > 1 {
        let what = format!(
            "{} further addresses are left out: the variable of vendor.toml takes any, its example is the first",
            servers - 1
        );
        found.push(places.finding("servers", Weight::Changed, "/servers/1", what));
    }
    found
}

/// The names of the entries of a node under a key.
fn names<'v>(node: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    node.get(key).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str())
}

/// Findings about bodies that can be written in several ways: one is sent.
pub(super) fn content_types(drafts: &Drafts, places: &Places) -> Vec<FindingLine> {
    let mut found = Vec::new();
    for operation in &drafts.operations {
        let sent = drafts.lowered.operations.iter().find(|lowered| lowered.id == operation.id);
        let (Some(body), Some(sent)) = (&operation.body, sent.and_then(|sent| sent.body.as_ref())) else { continue };
        // Another notation of the same loses nothing.
        let schema = body.content.iter().find(|content| content.content_type == sent.content_type);
        let schema = schema.map(|content| &content.schema);
        let others = body.content.iter().filter(|other| Some(&other.schema) != schema);
        let others: Vec<&str> =
            others.map(|other| other.content_type.as_str()).filter(|other| !other.contains('*')).collect();
        if !others.is_empty() {
            let what = format!(
                "its body is sent as {}; what only {} can carry, such as a file, can't be sent",
                sent.content_type,
                others.join(", ")
            );
            let pointer = format!("{}/requestBody", operation.pointer);
            found.push(places.finding("content-type", Weight::Weakened, &pointer, what));
        }
    }
    found
}

/// Whether a place belongs to an operation or a component of the document; what is neither always does.
pub(super) fn is_about(document: &Value, pointer: &str) -> bool {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let owner = match steps[..] {
        ["paths", path, method, ..] if METHODS.contains(&method) => format!("/paths/{path}/{method}"),
        ["paths", path, ..] => format!("/paths/{path}"),
        ["components", section, name, ..] if section != "securitySchemes" => format!("/components/{section}/{name}"),
        _ => return true,
    };
    document.pointer(&owner).is_some()
}

/// Findings about tools whose schemas are cut.
pub(super) fn cut(tool: &Tool) -> Option<FindingLine> {
    let count = tool.input_schema.get().matches("its content is not described here").count();
    let what = || format!("{count} parts recur or are too deep to be described: any content is taken there");
    (count > 0).then(|| FindingLine { weight: Some(Weight::Weakened), ..FindingLine::new("cut", &tool.name, what()) })
}
