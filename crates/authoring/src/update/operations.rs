//! One operation of ours and what it became → edits: identity, parameters, body, answers, ways to sign in.

use serde_json::{Map, Value, json};

use super::merge::Merge;
use crate::convert::grammar::Role;
use crate::diff::change::Place;
use crate::diff::interface::{Interface, Operation, Parameter};
use crate::diff::kind::Kind;
use crate::diff::operations::became;
use crate::diff::schemas::Way;
use crate::diff::shape::Node;
use toolwright_codegen::read::paths::operation_pointer;
use toolwright_codegen::read::reference::escape;
use toolwright_model::media_type::essence;

/// An operation on both sides.
pub(super) struct Pair<'p, 'd> {
    /// Method and path of ours.
    pub(super) request: String,
    pub(super) ours: &'p Operation<'d>,
    pub(super) new: &'p Operation<'d>,
    /// The pointer to ours.
    pub(super) pointer: String,
    /// The pointer to the vendor's.
    pub(super) theirs: String,
}

impl<'p, 'd> Pair<'p, 'd> {
    pub(super) fn new(ours: &'p Operation<'d>, new: &'p Operation<'d>) -> Self {
        let pointer = |of: &Operation<'_>| operation_pointer(&of.name.path, &of.name.method.to_lowercase());
        Self { request: super::gate::request(&ours.name), pointer: pointer(ours), theirs: pointer(new), ours, new }
    }
}

impl<'d> Merge<'d> {
    pub(super) fn operation(&mut self, pair: &Pair<'_, 'd>, interfaces: (&Interface<'d>, &Interface<'d>)) {
        let has = |merge: &Self, kind: Kind| merge.gate.has(&pair.request, kind);
        if has(self, Kind::OperationDeprecated) || has(self, Kind::OperationUndeprecated) {
            let value = pair.new.deprecated.then_some(Value::Bool(true));
            self.set_or_remove(&format!("{}/deprecated", pair.pointer), value, Role::Operation);
        }
        if has(self, Kind::OperationIdChanged) {
            let id = Value::from(pair.new.name.id.clone());
            self.set(&format!("{}/operationId", pair.pointer), id, Role::Operation);
        }
        self.parameters(pair);
        self.body(pair);
        self.answers(pair);
        let signs = [
            Kind::SignInAdded,
            Kind::SignInRemoved,
            Kind::SignInRequired,
            Kind::SignInDropped,
            Kind::ScopeAdded,
            Kind::ScopeRemoved,
        ];
        if signs.into_iter().any(|kind| has(self, kind)) {
            self.security(pair, interfaces);
        }
    }

    /// Where each of our parameters is written: in the operation's list or that of its path.
    fn places(&self, pair: &Pair<'_, 'd>) -> Vec<String> {
        let path = pair.pointer.rsplit_once('/').map_or("", |(path, _)| path);
        let lists = [format!("{}/parameters", pair.pointer), format!("{path}/parameters")];
        let mut items = Vec::new();
        for list in &lists {
            let count = self.value(list).as_array().map_or(0, Vec::len);
            items.extend((0..count).map(|index| format!("{list}/{index}")));
        }
        let find = |parameter: &Parameter<'_>| {
            items.iter().find(|item| {
                let value = self.value(&self.target(item));
                value.get("name").and_then(Value::as_str) == Some(parameter.name)
                    && value.get("in").and_then(Value::as_str) == Some(parameter.location)
            })
        };
        pair.ours.parameters.iter().map(|parameter| find(parameter).cloned().unwrap_or_default()).collect()
    }

    fn parameters(&mut self, pair: &Pair<'_, 'd>) {
        let places = self.places(pair);
        let (old, new) = (&pair.ours.parameters, &pair.new.parameters);
        let became = became(old, new, (self.ours, self.new));
        for (index, parameter) in old.iter().enumerate() {
            let item = &places[index];
            let place = place(parameter, String::new());
            if item.is_empty() {
                continue;
            }
            match became[index].map(|at| &new[at]) {
                Some(now) => self.parameter(pair, item, parameter, now),
                None if !self.gate.allows(&pair.request, &place, None) => {}
                None if item.starts_with(&pair.pointer) || self.is_only_operation(&pair.pointer) => self.remove(item),
                None => {
                    let what = format!("`{}` is gone for {} and not for the whole path", parameter.name, pair.request);
                    self.conflict(item, &what);
                }
            }
        }
        let mut added = Vec::new();
        for (at, parameter) in new.iter().enumerate().filter(|(at, _)| !became.contains(&Some(*at))) {
            if self.gate.allows(&pair.request, &place(&new[at], String::new()), None)
                && let Some(value) = self.written(pair, parameter)
            {
                added.push(value);
            }
        }
        let list = format!("{}/parameters", pair.pointer);
        if self.editor.has(&list) {
            for value in added {
                self.push(&list, value);
            }
        } else if !added.is_empty() {
            self.set(&list, Value::Array(added), Role::Operation);
        }
    }

    fn is_only_operation(&self, pointer: &str) -> bool {
        let path = pointer.rsplit_once('/').map_or("", |(path, _)| path);
        let methods = self.value(path).as_object().into_iter().flatten();
        methods.filter(|(key, _)| toolwright_codegen::read::paths::METHODS.contains(&key.as_str())).count() == 1
    }

    /// The parameter as the vendor's facts have it.
    fn written(&self, pair: &Pair<'_, 'd>, parameter: &Parameter<'d>) -> Option<Value> {
        let path = pair.theirs.rsplit_once('/').map_or("", |(path, _)| path);
        let lists = [format!("{}/parameters", pair.theirs), format!("{path}/parameters")];
        let items = lists.iter().filter_map(|list| self.new.pointer(list)?.as_array()).flatten();
        let is = |item: &&Value| {
            let value = Node::new(item).single(self.new);
            let text = |key: &str| value.and_then(|value| value.get(key)?.as_str());
            text("name") == Some(parameter.name) && text("in") == Some(parameter.location)
        };
        items.into_iter().find(is).cloned()
    }

    fn parameter(&mut self, pair: &Pair<'_, 'd>, item: &str, old: &Parameter<'d>, new: &Parameter<'d>) {
        let target = self.target(item);
        let is_renamed_in_path = old.location == "path" && old.name != new.name;
        let is_frozen = self.gate.is_frozen(&target) && self.gate.touches(&pair.request, &place(old, String::new()));
        if is_renamed_in_path || is_frozen || self.gate.allows(&pair.request, &place(old, String::new()), None) {
            let is_shared = target != *item && target.starts_with("/components/");
            if is_shared && (old.name != new.name || self.gate.is_frozen(&target)) {
                // Others may use the shared parameter as it was: this operation gets one of its own, with our words.
                let mut own = self.value(&target).clone();
                own["name"] = Value::from(new.name);
                own["in"] = Value::from(new.location);
                own["schema"] = new.node.facts();
                match own.as_object_mut() {
                    Some(own) if !new.required => drop(own.shift_remove("required")),
                    Some(own) => drop(own.insert("required".to_owned(), Value::Bool(true))),
                    None => {}
                }
                self.set(item, own, Role::PathItem);
                return;
            }
            if old.name != new.name {
                self.set(&format!("{target}/name"), Value::from(new.name), Role::Parameter);
            }
            if old.location != new.location {
                self.set(&format!("{target}/in"), Value::from(new.location), Role::Parameter);
            }
            if old.required != new.required {
                let value = new.required.then_some(Value::Bool(true));
                self.set_or_remove(&format!("{target}/required"), value, Role::Parameter);
            }
            if old.deprecated != new.deprecated {
                let value = new.deprecated.then_some(Value::Bool(true));
                self.set_or_remove(&format!("{target}/deprecated"), value, Role::Parameter);
            }
            if old.style != new.style {
                let theirs = self.written(pair, new).unwrap_or_default();
                let theirs = Node::new(&theirs).single(self.new).cloned().unwrap_or_default();
                for key in ["style", "explode"] {
                    self.set_or_remove(&format!("{target}/{key}"), theirs.get(key).cloned(), Role::Parameter);
                }
            }
        }
        let schema = format!("{target}/schema");
        if self.editor.has(&schema) {
            let (location, name) = (old.location.to_owned(), old.name.to_owned());
            self.schema(&pair.request, &schema, new.node.clone(), Way::Request, &|inside| Place::Parameter {
                location: location.clone(),
                name: name.clone(),
                inside,
            });
        }
    }

    fn body(&mut self, pair: &Pair<'_, 'd>) {
        let whole = Place::Body { inside: String::new() };
        let pointer = format!("{}/requestBody", pair.pointer);
        let theirs = || self.new.pointer(&format!("{}/requestBody", pair.theirs));
        let allowed = self.gate.allows(&pair.request, &whole, None);
        let (old, new) = match (&pair.ours.body, &pair.new.body) {
            (Some(old), Some(new)) => (old, new),
            (None, Some(_)) if allowed => {
                let value = theirs().cloned().unwrap_or_default();
                return self.set(&pointer, value, Role::Operation);
            }
            (Some(_), None) if allowed => return self.remove(&pointer),
            _ => return,
        };
        let theirs = theirs().and_then(|body| Node::new(body).single(self.new));
        let target = self.target(&pointer);
        if target != pointer && self.gate.is_frozen(&target) {
            if self.gate.touches(&pair.request, &whole) {
                self.set(&pointer, theirs.cloned().unwrap_or_default(), Role::Operation);
            }
            return;
        }
        if allowed && old.required != new.required {
            let value = new.required.then_some(Value::Bool(true));
            self.set_or_remove(&format!("{target}/required"), value, Role::Body);
        }
        self.content(&target, theirs, pair, Way::Request, allowed, &|inside| Place::Body { inside });
    }

    /// Merges the kinds of content of a body or an answer.
    fn content(
        &mut self,
        ours: &str,
        theirs: Option<&'d Value>,
        pair: &Pair<'_, 'd>,
        way: Way,
        allowed: bool,
        place: &dyn Fn(String) -> Place,
    ) {
        let none = Map::new();
        let list = format!("{ours}/content");
        let mine = self.value(&list).as_object().unwrap_or(&none);
        let theirs = theirs.and_then(|theirs| theirs.get("content")?.as_object());
        if theirs.is_none_or(Map::is_empty) {
            if allowed && !mine.is_empty() {
                self.remove(&list);
            }
            return;
        }
        let Some(theirs) = theirs else { return };
        if mine.is_empty() {
            if allowed {
                self.set(
                    &list,
                    Value::Object(theirs.clone()),
                    if way == Way::Request { Role::Body } else { Role::Response },
                );
            }
            return;
        }
        let same = |kind: &str, others: &'d Map<String, Value>| {
            others.iter().find(|(other, _)| essence(other) == essence(kind))
        };
        let gone: Vec<&String> = mine.keys().filter(|kind| same(kind, theirs).is_none()).collect();
        let ours_has = |kind: &str| mine.keys().any(|other| essence(other) == essence(kind));
        let fresh: Vec<(&String, &Value)> = theirs.iter().filter(|(kind, _)| !ours_has(kind)).collect();
        let mut renamed = None;
        match (gone.as_slice(), fresh.as_slice()) {
            // The same content in another form.
            ([old], [(new, media)]) if allowed => {
                self.rename(&format!("{list}/{}", escape(old)), new);
                renamed = Some(((*old).clone(), *media));
            }
            _ if allowed => {
                for kind in &gone {
                    self.remove(&format!("{list}/{}", escape(kind)));
                }
                for (kind, media) in &fresh {
                    self.add(&list, kind, (*media).clone());
                }
            }
            _ => {}
        }
        for (kind, _) in mine {
            let media = match &renamed {
                Some((old, media)) if old == kind => Some(*media),
                _ => same(kind, theirs).map(|(_, media)| media),
            };
            let Some(schema) = media.and_then(|media| media.get("schema")) else { continue };
            let at = format!("{list}/{}/schema", escape(kind));
            if self.editor.has(&at) {
                self.schema(&pair.request, &at, Node::new(schema), way, place);
            } else if allowed {
                self.set(&at, schema.clone(), Role::Media);
            }
        }
    }

    fn answers(&mut self, pair: &Pair<'_, 'd>) {
        let list = format!("{}/responses", pair.pointer);
        let theirs = self.new.pointer(&format!("{}/responses", pair.theirs)).and_then(Value::as_object);
        let of = |status: &str| theirs.and_then(|theirs| theirs.get(status));
        let whole = |status: &str| Place::Answer { status: status.to_owned(), inside: String::new() };
        let old: Vec<&str> =
            pair.ours.answers.iter().filter(|answer| answer.is_success()).map(|answer| answer.status).collect();
        let new: Vec<&str> =
            pair.new.answers.iter().filter(|answer| answer.is_success()).map(|answer| answer.status).collect();
        let gone: Vec<&str> = old.iter().copied().filter(|status| !new.contains(status)).collect();
        let fresh: Vec<&str> = new.iter().copied().filter(|status| !old.contains(status)).collect();
        for status in &old {
            let at = format!("{list}/{}", escape(status));
            let is_allowed = self.gate.allows(&pair.request, &whole(status), None);
            let now = match (gone.as_slice(), fresh.as_slice()) {
                ([only], [now]) if only == status => {
                    if is_allowed {
                        self.rename(&at, now);
                    }
                    *now
                }
                _ if gone.contains(status) => {
                    if is_allowed {
                        self.remove(&at);
                    }
                    continue;
                }
                _ => status,
            };
            let theirs = of(now).and_then(|response| Node::new(response).single(self.new));
            let target = self.target(&at);
            if target != at && self.gate.is_frozen(&target) {
                if self.gate.touches(&pair.request, &whole(status)) {
                    self.set(&at, theirs.cloned().unwrap_or_default(), Role::Operation);
                }
                continue;
            }
            let status = (*status).to_owned();
            self.content(&target, theirs, pair, Way::Answer, is_allowed, &|inside| Place::Answer {
                status: status.clone(),
                inside,
            });
            self.headers(&target, theirs, pair, &status);
        }
        if gone.len() != 1 || fresh.len() != 1 {
            for status in fresh.iter().filter(|status| self.gate.allows(&pair.request, &whole(status), None)) {
                self.add(&list, status, of(status).cloned().unwrap_or_default());
            }
        }
        if self.gate.has(&pair.request, Kind::RefusalsChanged) {
            self.refusals(pair, &list, theirs);
        }
    }

    fn headers(&mut self, ours: &str, theirs: Option<&'d Value>, pair: &Pair<'_, 'd>, status: &str) {
        let none = Map::new();
        let headers = |of: Option<&'d Value>| of.and_then(|of| of.get("headers")?.as_object());
        let list = format!("{ours}/headers");
        let mine = self.value(&list).as_object().unwrap_or(&none);
        let theirs = headers(theirs).unwrap_or(&none);
        let known = |of: &Map<String, Value>, name: &str| of.keys().any(|other| other.eq_ignore_ascii_case(name));
        let place = |name: &str| Place::AnswerHeader { status: status.to_owned(), name: name.to_owned() };
        for name in mine.keys().filter(|name| !known(theirs, name)) {
            if self.gate.allows(&pair.request, &place(name), None) {
                self.remove(&format!("{list}/{}", escape(name)));
            }
        }
        let mut added = Map::new();
        for (name, header) in theirs.iter().filter(|(name, _)| !known(mine, name)) {
            if self.gate.allows(&pair.request, &place(name), None) {
                added.insert(name.clone(), header.clone());
            }
        }
        if self.editor.has(&list) {
            for (name, header) in added {
                self.add(&list, &name, header);
            }
        } else if !added.is_empty() {
            self.set(&list, Value::Object(added), Role::Response);
        }
    }

    /// Refusals are single statuses of ours or a class of them; only single ones come and go.
    fn refusals(&mut self, pair: &Pair<'_, 'd>, list: &str, theirs: Option<&'d Map<String, Value>>) {
        let has = |of: &Operation<'_>, status: &str| {
            of.answers.iter().any(|answer| answer.status.eq_ignore_ascii_case(status))
        };
        let class = |status: &str| format!("{}XX", status.get(..1).unwrap_or_default());
        for answer in pair.ours.answers.iter().filter(|answer| !answer.is_success()) {
            let stays =
                has(pair.new, answer.status) || has(pair.new, &class(answer.status)) || has(pair.new, "default");
            let is_range =
                answer.status.eq_ignore_ascii_case("default") || answer.status.to_uppercase().ends_with("XX");
            let covers = is_range && pair.new.answers.iter().any(|new| new.status.get(..1) == answer.status.get(..1));
            if !stays && !covers {
                self.remove(&format!("{list}/{}", escape(answer.status)));
            }
        }
        for answer in pair.new.answers.iter().filter(|answer| !answer.is_success()) {
            let known =
                has(pair.ours, answer.status) || has(pair.ours, &class(answer.status)) || has(pair.ours, "default");
            let is_range = answer.status.to_uppercase().ends_with("XX");
            let covered =
                is_range && pair.ours.answers.iter().any(|ours| ours.status.get(..1) == answer.status.get(..1));
            if !known && !covered && !answer.status.eq_ignore_ascii_case("default") {
                let value = theirs
                    .and_then(|theirs| theirs.get(answer.status))
                    .cloned()
                    .unwrap_or_else(|| json!({"description": ""}));
                self.add(list, answer.status, value);
            }
        }
    }

    /// Writes the ways to sign in with the names of our schemes; one that we don't have is added.
    fn security(&mut self, pair: &Pair<'_, 'd>, interfaces: (&Interface<'d>, &Interface<'d>)) {
        let own = self.new.pointer(&format!("{}/security", pair.theirs)).or_else(|| self.new.get("security"));
        let mut ways = own.cloned().unwrap_or_else(|| json!([]));
        let (mine, theirs) = (interfaces.0.schemes(), interfaces.1.schemes());
        for way in ways.as_array_mut().into_iter().flatten() {
            let Some(object) = way.as_object() else { continue };
            let mut renamed = Map::new();
            for (scheme, scopes) in object {
                let what = theirs.iter().find(|(name, _)| name == scheme).map(|(_, what)| what);
                let ours = mine.iter().find(|(_, known)| Some(known) == what).map(|(name, _)| name.clone());
                if ours.is_none()
                    && let Some(about) = self.new.pointer(&format!("/components/securitySchemes/{}", escape(scheme)))
                {
                    self.components_add("securitySchemes", scheme, about.clone());
                }
                renamed.insert(ours.unwrap_or_else(|| scheme.clone()), scopes.clone());
            }
            *way = Value::Object(renamed);
        }
        let pointer = format!("{}/security", pair.pointer);
        // What holds for the whole description on both sides changes there, once.
        let is_global =
            self.value(&pointer).is_null() && self.new.pointer(&format!("{}/security", pair.theirs)).is_none();
        let pointer = if is_global { "/security".to_owned() } else { pointer };
        if self.value(&pointer) != &ways {
            self.set(&pointer, ways, Role::Operation);
        }
    }
}

fn place(parameter: &Parameter<'_>, inside: String) -> Place {
    Place::Parameter { location: parameter.location.to_owned(), name: parameter.name.to_owned(), inside }
}
