//! A tool and a selection → allowed, or why not and which flags would allow it. Pure; the one gate for
//! tools/list, tools/call and the command line. A refusal names flags to people only: a model can't set them.

mod name_patterns;

use std::collections::BTreeSet;

use crate::catalog::{Catalog, CatalogEntry};
use crate::error::{Audience, ConfigError};
pub use name_patterns::NamePatterns;
use name_patterns::{NamePattern, patterns};
use toolwright_model::{ALL_TAGS, CORE_TAG, Effect, HELD_BACK_TAGS, Risk, ToolHead, UNREVIEWED_TAG, Verb, suggest_one};

/// A word among the tags that no tool has: of those that the other tags choose, only what reads is offered.
const READONLY_TAG: &str = "readonly";
/// The most words that an error lists.
const MOST_LISTED: usize = 20;

/// The words of the selection flags; an empty list is an absent flag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectionWords {
    /// Vendor ids.
    pub vendors: Vec<String>,
    /// Effects, verbs, or `all`.
    pub methods: Vec<String>,
    /// Tags, or `all`.
    pub tags: Vec<String>,
    /// Globs of the tool names to offer.
    pub tools: Vec<String>,
    /// Globs of the tool names to leave out.
    pub exclude: Vec<String>,
    /// Risks that are accepted.
    pub allow: Vec<String>,
}

/// The selection where a flag is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defaults {
    /// Everything that is compiled in: `catalog`.
    Everything,
    /// Whatever another selection offers, but for the risks that are refused by default: a link.
    Narrowing,
    /// Tools that only read: `call`.
    Reads,
    /// Tools that only read and have the tag core: `serve`.
    CoreReads,
}

/// Which tools are offered. Every word in it exists in the catalog.
#[derive(Debug, Clone)]
pub struct Selection {
    vendors: Option<BTreeSet<String>>,
    /// `None`: every method.
    methods: Option<Methods>,
    /// `None`: any tag.
    tags: Option<BTreeSet<String>>,
    /// Whether only what reads is offered, whatever the methods are.
    only_reads: bool,
    /// Whether some tags hold tools back until they are named.
    held_back: bool,
    /// Whether gated risks hold tools back until they are allowed.
    gated: bool,
    /// The tags named: tools that these hold back are offered.
    named_tags: BTreeSet<String>,
    /// For hints, which show a flag's whole list.
    in_force: FlagWords,
    tools: Vec<NamePattern>,
    exclude: Vec<NamePattern>,
    allow: BTreeSet<Risk>,
}

/// The words in force of each flag: a hint repeats them, because a flag replaces its default.
#[derive(Debug, Clone, Default)]
struct FlagWords {
    methods: Vec<String>,
    tags: Vec<String>,
    allow: Vec<String>,
}

/// Returns the flag with the words in force and the words to add.
fn flag(name: &str, in_force: &[String], added: &[&str]) -> String {
    let mut words: Vec<&str> = in_force.iter().map(String::as_str).collect();
    words.extend(added.iter().filter(|word| !in_force.iter().any(|known| known == *word)));
    format!("{name} {}", words.join(","))
}

/// Why a tool is not offered, and the flags that would offer it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectionRefusal {
    /// Every reason.
    pub reasons: Vec<RefusalReason>,
    /// The flags that would allow it; empty where none would.
    pub flags: Vec<String>,
}

/// One reason why a tool is not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// Its vendor is not among the selected ones.
    Vendor(String),
    /// What it does is not among the selected methods; `None`: its effect is unreviewed.
    Effect(Option<Effect>),
    /// Tags that hold it back.
    HeldBack(Vec<String>),
    /// It has none of the selected tags.
    Tags(Vec<String>),
    /// Its name matches none of the selected ones.
    Name,
    /// Its name is excluded.
    Excluded,
    /// Risks that were not allowed.
    Risks(Vec<Risk>),
    /// Scopes that the caller's access token lacks.
    Scopes(Vec<String>),
    /// A step of a workflow calls a tool that is not offered.
    Step {
        /// The step.
        step: String,
        /// Its tool.
        tool: String,
        /// Why that is not offered.
        reasons: Vec<RefusalReason>,
    },
}

impl RefusalReason {
    fn text(&self, audience: Audience) -> String {
        let for_model = audience == Audience::Model;
        match self {
            Self::Vendor(vendor) => format!("`{vendor}` is not among the selected vendors"),
            Self::Effect(Some(effect)) => format!("its effect is `{effect}`"),
            Self::Effect(None) => "its effect is unreviewed".to_owned(),
            Self::HeldBack(tags) => format!("it has the tag `{}`", tags.join("`, `")),
            Self::Tags(tags) => format!("it has none of the tags `{}`", tags.join("`, `")),
            Self::Name if for_model => "it is not among the tools that were selected by name".to_owned(),
            Self::Name => "its name matches none of `--tools`".to_owned(),
            Self::Excluded if for_model => "it is excluded by name".to_owned(),
            Self::Excluded => "it is excluded by `--exclude`, which wins over every other flag".to_owned(),
            Self::Risks(risks) => {
                let risks: Vec<&str> = risks.iter().map(|risk| risk.as_str()).collect();
                format!("it has the risk `{}`", risks.join("`, `"))
            }
            Self::Scopes(scopes) => format!("the access token lacks the scope `{}`", scopes.join("`, `")),
            Self::Step { step, tool, reasons } => {
                let reasons: Vec<String> = reasons.iter().map(|reason| reason.text(audience)).collect();
                format!("its step `{step}` calls `{tool}`: {}", reasons.join("; "))
            }
        }
    }
}

impl SelectionRefusal {
    /// The refusal of a workflow for one of its steps.
    pub(crate) fn of_step(self, step: &str, tool: &str) -> Self {
        let reason = RefusalReason::Step { step: step.to_owned(), tool: tool.to_owned(), reasons: self.reasons };
        Self { reasons: vec![reason], flags: self.flags }
    }

    /// Adds what another refusal states, each flag once.
    pub(crate) fn join(&mut self, other: Self) {
        self.reasons
            .extend(other.reasons.into_iter().filter(|reason| !self.reasons.contains(reason)).collect::<Vec<_>>());
        self.flags.extend(other.flags.into_iter().filter(|flag| !self.flags.contains(flag)).collect::<Vec<_>>());
    }

    fn add(&mut self, reason: RefusalReason, flag: Option<String>) {
        self.reasons.push(reason);
        self.flags.extend(flag);
    }

    /// Returns the reasons and the next step: flags for a person; a model asks the server's administrator.
    pub fn text(&self, audience: Audience) -> String {
        let reasons: Vec<String> = self.reasons.iter().map(|reason| reason.text(audience)).collect();
        let reasons = reasons.join("; ");
        match audience {
            Audience::Model => format!(
                "{reasons}\nhint: the server's administrator decides what is offered; if the user needs this tool, tell them \
                 to ask the administrator"
            ),
            _ if self.flags.is_empty() => reasons,
            _ => format!("{reasons}\nhint: `{}` would allow it", self.flags.join(" ")),
        }
    }
}

impl Selection {
    /// Resolves the words of the flags against the catalog.
    ///
    /// # Errors
    /// A vendor, method, tag or risk that does not exist, a glob that matches nothing.
    pub fn resolve(words: &SelectionWords, defaults: Defaults, catalog: &Catalog) -> Result<Self, ConfigError> {
        let vendors = known_words("vendor", &words.vendors, catalog.vendors().iter().map(|v| v.id.as_str()))?;
        let methods = methods(&words.methods, defaults)?;
        let all_tags: BTreeSet<&str> = catalog
            .entries()
            .iter()
            .flat_map(|entry| entry.head().tags.iter().map(String::as_str))
            .chain(HELD_BACK_TAGS)
            .chain([ALL_TAGS, CORE_TAG, READONLY_TAG])
            .collect();
        let mut named_tags = known_words("tag", &words.tags, all_tags.iter().copied())?.unwrap_or_default();
        let only_reads = named_tags.remove(READONLY_TAG);
        let any_tag = named_tags.contains(ALL_TAGS);
        let tags = if any_tag || only_reads && named_tags.is_empty() {
            None
        } else if !named_tags.is_empty() {
            Some(named_tags.clone())
        } else if defaults == Defaults::CoreReads && words.tools.is_empty() {
            Some(BTreeSet::from([CORE_TAG.to_owned()]))
        } else {
            None
        };
        let allow = known_risks(&words.allow)?;
        let everything = defaults == Defaults::Everything;
        let holds_back = matches!(defaults, Defaults::Reads | Defaults::CoreReads);
        // A flag replaces its default, so a hint that adds a word has to name the default too.
        let or = |words: &[String], default: &str| {
            let is_default = defaults == Defaults::CoreReads && words.is_empty();
            if is_default { vec![default.to_owned()] } else { words.to_vec() }
        };
        let in_force = FlagWords {
            methods: or(&words.methods, Effect::Read.as_str()),
            tags: if tags.is_some() { or(&words.tags, CORE_TAG) } else { words.tags.clone() },
            allow: words.allow.clone(),
        };
        Ok(Self {
            in_force,
            vendors,
            methods,
            tags,
            only_reads,
            held_back: holds_back && !any_tag,
            gated: !everything,
            named_tags,
            tools: patterns("--tools", &words.tools, catalog)?,
            exclude: patterns("--exclude", &words.exclude, catalog)?,
            allow,
        })
    }

    /// Returns the selection that offers every tool.
    pub fn everything() -> Self {
        Self {
            vendors: None,
            methods: None,
            tags: None,
            only_reads: false,
            held_back: false,
            gated: false,
            named_tags: BTreeSet::new(),
            in_force: FlagWords::default(),
            tools: Vec::new(),
            exclude: Vec::new(),
            allow: BTreeSet::new(),
        }
    }

    /// The vendors that were named, if any.
    pub fn vendors(&self) -> Option<&BTreeSet<String>> {
        self.vendors.as_ref()
    }

    /// Keeps only these vendors.
    pub(crate) fn narrow_to_vendors(&mut self, vendors: BTreeSet<String>) {
        self.vendors = Some(vendors);
    }

    /// Decides about one tool.
    ///
    /// # Errors
    /// The tool is not offered: every reason, and the flags that would offer it.
    pub fn decide(&self, entry: &CatalogEntry) -> Result<(), SelectionRefusal> {
        self.judge(entry, true)
    }

    /// Decides about a tool as the step of a workflow that is offered: about what it does. By which names and tags tools
    /// are chosen is the workflow's matter, which the caller chose.
    ///
    /// # Errors
    /// What it does is not offered.
    pub(crate) fn decide_step(&self, entry: &CatalogEntry) -> Result<(), SelectionRefusal> {
        self.judge(entry, false)
    }

    /// Decides about what a tool does, and where it `is_chosen` by itself, about its name and tags.
    fn judge(&self, entry: &CatalogEntry, is_chosen: bool) -> Result<(), SelectionRefusal> {
        let tool = entry.head();
        let mut refusal = SelectionRefusal::default();
        let is_wanted = |vendor: &str| self.vendors.as_ref().is_none_or(|vendors| vendors.contains(vendor));
        if !entry.has_vendors(is_wanted) {
            for vendor in entry.vendors().filter(|vendor| !is_wanted(vendor)) {
                refusal.add(RefusalReason::Vendor(vendor.to_owned()), Some(format!("--vendor {vendor}")));
            }
        }
        if self.only_reads && tool.effect != Some(Effect::Read) {
            refusal.add(RefusalReason::Effect(tool.effect), None);
        } else if !self.method_allows(tool) {
            let flag = match tool.effect {
                Some(effect) => Some(flag("--methods", &self.in_force.methods, &[effect.as_str()])),
                // Refused by its tag below, whose flag is enough.
                None if self.held_back => None,
                None => Some(flag("--tags", &self.in_force.tags, &[UNREVIEWED_TAG])),
            };
            if let Some(flag) = flag {
                refusal.add(RefusalReason::Effect(tool.effect), Some(flag));
            }
        }
        self.decide_tags(tool, is_chosen, &mut refusal);
        if is_chosen && !self.tools.is_empty() && !self.tools.iter().any(|pattern| pattern.matches(tool)) {
            refusal.add(RefusalReason::Name, Some(format!("--tools {}", tool.name)));
        }
        if self.exclude.iter().any(|pattern| pattern.matches(tool)) {
            refusal.add(RefusalReason::Excluded, None);
        }
        let is_closed = |risk: &&Risk| self.gated && risk.is_gated() && !self.allow.contains(*risk);
        let closed: Vec<Risk> = tool.risks.iter().filter(is_closed).copied().collect();
        if !closed.is_empty() {
            let words: Vec<&str> = closed.iter().map(|risk| risk.as_str()).collect();
            let flag = flag("--allow", &self.in_force.allow, &words);
            refusal.add(RefusalReason::Risks(closed), Some(flag));
        }
        if refusal.reasons.is_empty() { Ok(()) } else { Err(refusal) }
    }

    fn method_allows(&self, tool: &ToolHead) -> bool {
        let Some(Methods { effects, verbs }) = &self.methods else { return true };
        match tool.effect {
            Some(effect) => effects.contains(&effect) || verbs.contains(&tool.verb),
            // Naming the tag accepts an unreviewed effect.
            None => self.named_tags.contains(UNREVIEWED_TAG) || effects.len() == Effect::ALL.len(),
        }
    }

    fn decide_tags(&self, tool: &ToolHead, is_chosen: bool, refusal: &mut SelectionRefusal) {
        let holding: Vec<&str> = HELD_BACK_TAGS
            .into_iter()
            .filter(|tag| self.held_back && tool.has_tag(tag) && !self.named_tags.contains(*tag))
            .collect();
        if !holding.is_empty() {
            let flag = flag("--tags", &self.in_force.tags, &holding);
            refusal.add(RefusalReason::HeldBack(holding.into_iter().map(str::to_owned).collect()), Some(flag));
        } else if let Some(tags) = self.tags.as_ref().filter(|_| is_chosen)
            && !tool.tags.iter().any(|tag| tags.contains(tag))
        {
            let word = tool.tags.first().map_or(ALL_TAGS, String::as_str);
            let flag = flag("--tags", &self.in_force.tags, &[word]);
            refusal.add(RefusalReason::Tags(tags.iter().cloned().collect()), Some(flag));
        }
    }
}

/// The effects and verbs of `--methods`.
#[derive(Debug, Clone, Default)]
struct Methods {
    effects: BTreeSet<Effect>,
    verbs: BTreeSet<Verb>,
}

fn methods(words: &[String], defaults: Defaults) -> Result<Option<Methods>, ConfigError> {
    let known = Effect::ALL.iter().map(|effect| effect.as_str());
    let known = known.chain(Verb::ALL.iter().map(|verb| verb.as_str())).chain(["all"]);
    if let Some(word) = words.iter().find(|word| {
        reqwest::Method::from_bytes(word.to_uppercase().as_bytes())
            .is_ok_and(|method| ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].contains(&method.as_str()))
            && word.chars().all(|c| c.is_ascii_uppercase())
    }) {
        return Err(ConfigError::new(format!(
            "`{word}` is an HTTP method, and those don't define what a call does: at some vendors GET changes things\n\
             hint: `--methods` takes effects (read, write, destructive, all) and verbs (list, get, search, create, update, delete, action)"
        )));
    }
    let Some(words) = known_words("method", words, known)? else {
        return Ok(match defaults {
            Defaults::Everything | Defaults::Narrowing => None,
            Defaults::Reads | Defaults::CoreReads => {
                Some(Methods { effects: BTreeSet::from([Effect::Read]), verbs: BTreeSet::new() })
            }
        });
    };
    if words.contains("all") {
        return Ok(Some(Methods { effects: Effect::ALL.iter().copied().collect(), verbs: BTreeSet::new() }));
    }
    let effects = words.iter().filter_map(|word| word.parse().ok()).collect();
    let verbs = words.iter().filter_map(|word| word.parse().ok()).collect();
    Ok(Some(Methods { effects, verbs }))
}

/// Checks that each word is known; `None` where there are none.
fn known_words<'a>(
    what: &str,
    words: &[String],
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<Option<BTreeSet<String>>, ConfigError> {
    for word in words {
        if !known.clone().any(|known| known == word) {
            return Err(unknown_word(what, word, known));
        }
    }
    Ok((!words.is_empty()).then(|| words.iter().cloned().collect()))
}

fn unknown_word<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> ConfigError {
    let hint = match (suggest_one(word, known.clone()), known.clone().count()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, count) if count > MOST_LISTED => {
            format!("there are {count}; `toolwright catalog list --format json` shows those of each tool")
        }
        (None, _) => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    ConfigError::new(format!("unknown {what} `{word}`\nhint: {hint}"))
}

/// Checks the words of `--allow`. A risk that no tool is refused for may be named; it is not suggested.
fn known_risks(words: &[String]) -> Result<BTreeSet<Risk>, ConfigError> {
    let risk = |word: &String| {
        word.parse::<Risk>().map_err(|()| unknown_word("risk", word, Risk::GATED.iter().map(|risk| risk.as_str())))
    };
    words.iter().map(risk).collect()
}
