//! What the overlay states of an operation or preset, and what the operation can carry → one tool.
//! Called by `operations` and `choice`.

mod arguments;
mod checks;

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::lower::argument_rules::ArgumentRules;
use crate::lower::arguments::{Argument, add_own_arguments, input_schema};
use crate::lower::inputs::Input;
use crate::lower::paging;
use crate::lower::promises::ConciseAnswer;
use crate::lower::read_backs::ReadBacks;
use crate::lower::spec_operation::SpecOperation;
use crate::lower::tool_names::{derived_name, derived_verb};
use crate::lower::waits::Waits;
use crate::lower::{together, unshown};
use crate::read::document::Document;
use crate::read::keys::{PagingKey, ResolveKey, ToolKeys};
use crate::read::located::{Located, did_you_mean};
use crate::read::reference::escape;
use crate::read::source::SourcePlace;
use arguments::{ArgumentSamples, OfferedArguments};
pub(super) use checks::LONGEST_DESCRIPTION;
use toolwright_model::{
    Annotations, Call, Effect, Paging, PagingStyle, ResolveKind, Risk, Tool, UNREVIEWED_TAG, Verb, kebab_case,
};

/// One tool in the making.
#[derive(Clone)]
pub struct ToolDraft<'a> {
    pub vendor: &'a str,
    /// The ways in which the vendor pages; `None` where they are not known.
    pub styles: Option<&'a [PagingStyle]>,
    /// The formats that arguments have by their names; `None` where they are not known.
    pub rules: Option<&'a ArgumentRules<'a>>,
    pub api: &'a str,
    pub spec: &'a SpecOperation,
    pub inputs: &'a [Input],
    pub document: &'a Document,
    pub read_backs: &'a ReadBacks,
    /// How the end of work in the background is waited for.
    pub waits: &'a Waits,
    pub root: &'a Located<'a>,
    /// The JSON pointer to the tool's keys.
    pub pointer: String,
}

/// A tool with what only the generator needs to know of it.
pub struct DraftedTool {
    pub tool: Tool,
    pub samples: Vec<ToolSamples>,
    pub claims: Vec<NameClaim>,
    pub lookups: Vec<FormatLookup>,
    pub kinds: Vec<OwnKind>,
    /// Its answer, if that has a concise form.
    pub answer: Option<ConciseAnswer>,
}

/// Values of one argument that the vendor's grammar accepts.
#[derive(Debug, Clone)]
pub struct ToolSamples {
    pub tool: String,
    pub argument: String,
    pub values: Vec<Value>,
}

/// An operation that a format looks values up with, what it is asked with by query parameter, and the JSON pointer to
/// where it is named.
#[derive(Debug)]
pub struct FormatLookup {
    pub operation: String,
    pub with: Vec<String>,
    pub pointer: String,
}

/// A kind of record that an overlay states for one argument, and where.
#[derive(Debug)]
pub struct OwnKind {
    pub kind: ResolveKind,
    pub place: SourcePlace,
}

/// A name that leads to a tool, and where it comes from.
#[derive(Debug)]
pub struct NameClaim {
    pub name: String,
    /// The operation, for a message.
    pub owner: String,
    pub place: SourcePlace,
}

impl ToolDraft<'_> {
    /// Returns where the key `path` (such as `/name`) of this tool is, or would be.
    fn place(&self, path: &str) -> Located<'_> {
        self.root.nearest(&format!("{}{path}", self.pointer))
    }

    /// Reports a finding about the key `path` of this tool.
    fn report(&self, path: &str, expected: impl Into<String>, found: impl Into<String>, hint: Option<String>) {
        self.place(path).report(expected, found, hint);
    }

    /// Makes the tool that `keys` describe, with the arguments `only` or all, after one that
    /// chooses between operations. `answering` are the operations whose answers it gives.
    ///
    /// # Panics
    /// Never: a JSON value prints as JSON.
    pub fn tool(
        &self,
        keys: &ToolKeys,
        only: Option<&[String]>,
        chooser: Option<Argument>,
        answering: &[&SpecOperation],
    ) -> DraftedTool {
        let verb = self.verb(keys);
        let name = keys.name.clone().unwrap_or_else(|| derived_name(self.vendor, verb, &self.spec.path));
        self.check_name(&name);
        let risks: BTreeSet<Risk> = keys.risks.iter().flatten().copied().collect();
        self.check_risks(keys.effect, &risks);
        let description = self.description(keys);
        let title = keys.title.clone().or_else(|| self.spec.summary.clone()).unwrap_or_else(|| name.replace('_', " "));
        let (offered, call) = self.offered_call(keys, only);
        let alternatives =
            chooser.is_none().then(|| together::alternatives(self.spec, self.inputs, &call, &offered.arguments));
        let mut arguments: Vec<Argument> = chooser.into_iter().chain(offered.arguments).collect();
        let records = self.records(keys, call.paging.as_ref());
        let fields = self.concise_fields(keys, answering, records);
        let pages = call.paging.is_some();
        let concise = !keys.concise.is_empty();
        add_own_arguments(keys.effect, concise, call.written_back, pages, keys.answers, &mut arguments);
        let mut schema = input_schema(&arguments);
        if let Some(alternatives) = alternatives.flatten() {
            unshown::note_of_arguments(&alternatives, &mut schema);
        }
        let unshown = unshown::take(&mut schema);
        let tool = Tool {
            annotations: annotations(keys.effect, verb, keys.idempotent),
            unlisted: self.unlisted(keys, &arguments),
            input_schema: RawValue::from_string(schema.to_string()).expect("a JSON value prints as JSON"),
            unshown,
            title,
            description,
            effect: keys.effect,
            verb,
            risks,
            tags: self.tags(keys),
            aliases: keys.aliases.clone(),
            phrases: self.phrases(keys),
            calls: vec![call],
            workflow: None,
            // Until its effect is stated, a tool has no argument that asks for the rest.
            concise: if keys.effect == Some(Effect::Read) { keys.concise.clone() } else { Vec::new() },
            name,
        };
        let sample = |ArgumentSamples { argument, values }| ToolSamples { tool: tool.name.clone(), argument, values };
        let samples = offered.samples.into_iter().map(sample).collect();
        let concise = (!keys.concise.is_empty()).then(|| self.place("/concise").place());
        let answer = concise.map(|place| ConciseAnswer { tool: tool.name.clone(), place, fields });
        DraftedTool {
            claims: self.claims(&tool),
            samples,
            lookups: self.lookups(keys),
            kinds: self.own_kinds(keys),
            answer,
            tool,
        }
    }

    /// Returns how the arguments of a tool that is made already become this operation's request.
    pub fn further_call(&self, keys: &ToolKeys, only: Option<&[String]>) -> Call {
        self.offered_call(keys, only).1
    }

    /// The arguments that are offered, and how they become the request.
    fn offered_call(&self, keys: &ToolKeys, only: Option<&[String]>) -> (OfferedArguments, Call) {
        // Until its effect is stated, a tool has no argument that reads on, and its own parameters stay.
        let mut paging = self.paging(keys).filter(|_| keys.effect == Some(Effect::Read));
        let mut offered = self.offered_arguments(keys, only, paging.as_ref());
        if let Some(paging) = &mut paging {
            paging.most = paging::most(paging, &offered.bindings, &offered.arguments);
        }
        self.keep_usable(&mut offered);
        self.check_aliases(&offered);
        let call = Call {
            api: self.api.to_owned(),
            operation: self.spec.id.clone(),
            method: self.spec.method.clone(),
            path: self.spec.path.clone(),
            when: None,
            scopes: self.spec.scopes.clone(),
            hints: self.hints(keys, &offered.bindings),
            needs_one_of: self.needs_one_of(keys, &offered.bindings),
            bindings: std::mem::take(&mut offered.bindings),
            fixed: std::mem::take(&mut offered.fixed),
            returns: self.spec.returns,
            answers: keys.answers.map(|format| format.name().into()),
            paging,
            read_back: self.read_backs.of_change(&self.spec.id).cloned(),
            written_back: self.read_backs.is_read(&self.spec.id),
            wait: self.waits.of_operation(&self.spec.id).cloned(),
        };
        (offered, call)
    }

    fn verb(&self, keys: &ToolKeys) -> Verb {
        keys.verb.unwrap_or_else(|| derived_verb(&self.spec.method, &self.spec.path))
    }

    /// The vendor's tags and ours.
    fn tags(&self, keys: &ToolKeys) -> BTreeSet<String> {
        let unreviewed = keys.effect.is_none().then(|| UNREVIEWED_TAG.to_owned());
        let of_vendor = self.spec.tags.iter().map(|tag| kebab_case(tag)).filter(|tag| !tag.is_empty());
        of_vendor.chain(keys.tags.iter().cloned()).chain(unreviewed).collect()
    }

    fn lookups(&self, keys: &ToolKeys) -> Vec<FormatLookup> {
        let asking = keys.arguments.iter().flat_map(|(name, argument)| {
            let asked = [("ask", &argument.ask), ("then_ask", &argument.then_ask)];
            asked.into_iter().filter_map(move |(key, operation)| {
                let pointer = format!("{}/arguments/{}/{key}", self.pointer, escape(name));
                let with = if key == "ask" { argument.with.keys().cloned().collect() } else { Vec::new() };
                Some(FormatLookup { operation: operation.clone()?, with, pointer })
            })
        });
        asking.collect()
    }

    fn own_kinds(&self, keys: &ToolKeys) -> Vec<OwnKind> {
        let own = keys.arguments.iter().filter_map(|(name, argument)| match &argument.resolve {
            Some(ResolveKey::Own(kind)) => {
                let place = self.place(&format!("/arguments/{}/resolve", escape(name))).place();
                Some(OwnKind { kind: (**kind).clone(), place })
            }
            _ => None,
        });
        own.collect()
    }

    fn claims(&self, tool: &Tool) -> Vec<NameClaim> {
        let owner = format!("`{}` ({} {})", self.spec.id, self.spec.method, self.spec.path);
        let aliases = tool.aliases.iter().enumerate().map(|(index, alias)| (alias, format!("/aliases/{index}")));
        let names = std::iter::once((&tool.name, "/name".to_owned())).chain(aliases);
        let claim = |(name, path): (&String, String)| NameClaim {
            name: name.clone(),
            owner: owner.clone(),
            place: self.place(&path).place(),
        };
        names.map(claim).collect()
    }

    /// How the tool pages: by the style that the overlay names, or the first that fits.
    fn paging(&self, keys: &ToolKeys) -> Option<Paging> {
        let styles = self.styles?;
        match &keys.paging {
            Some(PagingKey::Named(name)) => self.named_paging(name, styles, keys),
            None if keys.effect == Some(Effect::Read) && matches!(self.verb(keys), Verb::List | Verb::Search) => {
                styles.iter().find_map(|style| paging::fit(style, self.inputs))
            }
            Some(PagingKey::Off(_)) | None => None,
        }
    }

    /// Where the list of records is: by the way in which the tool pages, or will once its effect is stated.
    fn records<'s>(&'s self, keys: &ToolKeys, paging: Option<&'s Paging>) -> Option<&'s str> {
        let named = || match &keys.paging {
            Some(PagingKey::Named(name)) => self.styles?.iter().find(|style| style.name == *name),
            Some(PagingKey::Off(_)) | None => None,
        };
        let signs = paging.map(|paging| &paging.signs).or_else(|| Some(&named()?.signs));
        signs.and_then(|signs| signs.records.as_deref())
    }

    fn named_paging(&self, name: &str, styles: &[PagingStyle], keys: &ToolKeys) -> Option<Paging> {
        let Some(style) = styles.iter().find(|style| style.name == name) else {
            let hint = did_you_mean(name, styles.iter().map(|style| style.name.as_str()));
            self.report("/paging", "the name of a `[[paging]]` in vendor.toml", format!("`{name}`"), hint);
            return None;
        };
        if keys.effect.is_some_and(|effect| effect != Effect::Read) {
            self.report("/paging", "a tool with the effect `read`", "another effect", None);
        }
        let fit = paging::fit(style, self.inputs);
        if fit.is_none() {
            let expected = format!("a style whose parameters the operation has: {}", paging::names(style));
            let known = self.inputs.iter().map(|input| format!("`{}`", input.key)).collect::<Vec<_>>();
            self.report("/paging", expected, format!("one with {}", known.join(", ")), None);
        }
        fit
    }
}

/// The hints, true to effect and verb. What is not reviewed may do anything.
pub(super) fn annotations(effect: Option<Effect>, verb: Verb, idempotent: Option<bool>) -> Annotations {
    let read = effect == Some(Effect::Read);
    let additive = effect == Some(Effect::Write) && verb == Verb::Create;
    Annotations {
        read_only_hint: read,
        destructive_hint: !read && !additive,
        idempotent_hint: read || idempotent == Some(true),
        open_world_hint: true,
    }
}
