//! Operations without an overlay → what `spec new` proposes for each beside its name: a style of paging and the fields
//! that `concise` keeps, with what shows them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answers::{Answer, Shape};
use super::effects;
use super::lint::DraftCounts;
use super::nouns::singular;
use super::paging::{self, Found, Styles};
use super::words;
use toolwright_codegen::lower::inputs::{BodyChoice, inputs};
use toolwright_codegen::lower::lowered::Lowered;
use toolwright_codegen::lower::promises;
use toolwright_codegen::lower::spec_operation::SpecOperation;
use toolwright_codegen::read::finding::Findings;
use toolwright_codegen::read::keys::PagingKey;
use toolwright_model::{Effect, Verb, resource_words};

/// What is proposed for one operation.
#[derive(Debug, Default)]
pub(crate) struct Proposal {
    /// Whether it lists records.
    pub is_listing: bool,
    /// What shows the style that its keys name.
    pub paging: Option<String>,
    /// Why none is named, though it takes the number of a page or a position.
    pub open_paging: Option<String>,
}

/// The proposals by the pointer of their operation.
pub(crate) type Proposals = BTreeMap<String, Proposal>;

/// Writes paging and concise fields into the keys of operations that state none. `document` is the description with
/// the vendor's texts, which are evidence too.
pub(super) fn propose(operations: &mut [SpecOperation], document: &Value, styles: &mut Styles) -> Proposals {
    let mut proposals = Proposals::new();
    for operation in operations.iter_mut().filter(|operation| operation.keys.skip.is_none()) {
        let guess = effects::guess(&operation.method, &operation.path, &operation.id);
        if guess.effect != Effect::Read {
            continue;
        }
        let answer = Answer::of(document, &operation.pointer, &operation.path);
        let mut proposal = Proposal::default();
        let verb = operation.keys.tool.verb;
        if matches!(verb, Some(Verb::List | Verb::Search)) {
            proposal.is_listing = matches!(answer.shape, Shape::List | Shape::Wrapped);
            page(operation, &answer, document, styles, &mut proposal);
        }
        // Several lists: only a style of paging says which of them has the records.
        let is_found = answer.rows.as_ref().is_none_or(|rows| !rows.is_stated || proposal.paging.is_some());
        if is_found && operation.keys.tool.concise.is_empty() {
            let nouns = resource_words(&operation.path).into_iter();
            let noun = nouns.rev().find(|word| !words::is_question(word) && !words::is_deed(word));
            let noun = noun.map(|word| singular(&word)).unwrap_or_default();
            operation.keys.tool.concise = super::concise::of(&answer, &noun, &words_of(operation));
        }
        proposals.insert(operation.pointer.clone(), proposal);
    }
    proposals
}

fn page(
    operation: &mut SpecOperation,
    answer: &Answer<'_>,
    document: &Value,
    styles: &mut Styles,
    proposal: &mut Proposal,
) {
    let Ok(body) = operation.body.as_ref().map(BodyChoice::of).transpose() else { return };
    let inputs = inputs(operation, body.as_ref());
    match paging::of(operation, &inputs, answer, document) {
        Found::Nothing => {}
        Found::Open(why) => proposal.open_paging = Some(why),
        Found::Draft(draft) => {
            let place = format!("{} {}", operation.method, operation.path);
            let name = styles.add(&draft, &place);
            proposal.paging = Some(draft.evidence.clone());
            operation.keys.tool.paging = Some(PagingKey::Named(name));
        }
    }
}

/// The words of the texts that the tool will have.
fn words_of(operation: &SpecOperation) -> Vec<String> {
    let texts = [&operation.description, &operation.summary].into_iter().flatten();
    let words = texts.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Takes the concise fields away where the tool's own text promises others, which the build would refuse.
pub(super) fn keep_promises(operations: &mut [SpecOperation], lowered: &Lowered) {
    for answer in &lowered.answers {
        let findings = Findings::default();
        let tool = lowered.tools.iter().find(|tool| tool.name == answer.tool);
        promises::check(&tool.into_iter().collect::<Vec<_>>(), &[answer], &findings);
        let own = operations.iter_mut().find(|operation| operation.keys.tool.name.as_ref() == Some(&answer.tool));
        if let Some(operation) = own.filter(|_| !findings.is_empty()) {
            operation.keys.tool.concise.clear();
        }
    }
}

/// Counts what is proposed.
pub(super) fn count(operations: &[SpecOperation], proposals: &Proposals) -> DraftCounts {
    let of = |is: &dyn Fn(&Proposal) -> bool| proposals.values().filter(|proposal| is(proposal)).count();
    let proposed = operations.iter().filter(|operation| proposals.contains_key(&operation.pointer));
    DraftCounts {
        listings: of(&|proposal| proposal.is_listing),
        paging: of(&|proposal| proposal.paging.is_some()),
        open_paging: of(&|proposal| proposal.open_paging.is_some()),
        concise: proposed.filter(|operation| !operation.keys.tool.concise.is_empty()).count(),
    }
}
