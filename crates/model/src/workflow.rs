//! A workflow in its compiled form: steps that are calls of tools, and the values that lead from one to the next. The
//! build makes it of an Arazzo file and writes it into `tools.json`, the program runs it.
//!
//! Everything is resolved: names of operations, parameters, outputs and steps mean something, no cycle is left, and every
//! list of `foreach` has a bound. A step's request is in the arguments of a tool, not in the vendor's names.

mod criterion;
mod selection;
mod template;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Effect, Risk};
pub use criterion::{Comparison, Condition, Criterion, CriterionKind};
pub use selection::{Field, Only, Selection, SortKey, Test, Where};
pub use template::{Expression, NamedTemplate, Source, Template};

/// The vendor that tools of several vendors are listed under.
pub const ACROSS_VENDORS: &str = "workflows";

/// The most often that one step runs in one call: where a `goto` leads back, the workflow fails after that.
pub const MOST_RUNS_OF_STEP: u32 = 10;

/// What a tool of several calls does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workflow {
    /// The `workflowId`.
    pub id: String,
    /// The file that states it, such as `specs/jitbit/workflows.yaml`.
    pub source: String,
    /// The vendors whose tools it calls, in order of their ids.
    pub vendors: Vec<String>,
    /// What callers give, in the order of the file. The tool's input schema describes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<WorkflowInput>,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// What it answers with, in this order.
    pub outputs: Vec<NamedTemplate>,
    /// The output whose fields are the answer's own; the other outputs are added to them. Where it is missing, the
    /// answer has the outputs as its fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<String>,
}

/// What callers give to a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkflowInput {
    /// Its name in the input schema.
    pub name: String,
    /// Other names under which it is understood: those of the arguments of the same name that it is given to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Its value where the caller gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// One step: one call of one tool, or one for each value of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// The `stepId`.
    pub id: String,
    /// What it does, for progress and reports.
    pub title: String,
    /// The tool that it calls.
    pub call: StepCall,
    /// The steps that have ended before it begins, of all kinds of order: data, `dependsOn`, changes, branches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Holds where the step is run at all: all of them. Otherwise it is skipped, and its outputs are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Criterion>,
    /// Once for each value of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreach: Option<ForEach>,
    /// Holds where the step succeeded: all of them. Where there is none, what the call stages count as success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success: Vec<Criterion>,
    /// What follows a success: the first whose criteria hold; the next step where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_success: Vec<Action>,
    /// What follows a failure: the first whose criteria hold; the workflow fails where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<Action>,
    /// What later steps and the workflow's outputs read of it. In a step with `foreach`, each is a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<NamedTemplate>,
    /// Whether its failure is reported and does not end the workflow; its outputs are missing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The call that takes it back. It is reported, never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<StepCall>,
}

/// A call of a tool with arguments that are made when it is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepCall {
    /// The tool's name.
    pub tool: String,
    /// The vendor's id.
    pub vendor: String,
    /// The API's id.
    pub api: String,
    /// The operation that these arguments call.
    pub operation: String,
    /// Upper-case HTTP method.
    pub method: String,
    /// The path as the vendor's description writes it.
    pub path: String,
    /// The effect of the tool; `None` while it is not reviewed, as the workflow is then.
    pub effect: Option<Effect>,
    /// The risks of the tool.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risks: BTreeSet<Risk>,
    /// The arguments by the names of the tool's input schema. One whose value is missing is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Template>,
    /// Whether it reads what another operation changes: then a caller may want its texts as the vendor has them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub written_back: bool,
}

/// A list whose values a step is run for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForEach {
    /// The list: an input, or an output of a step.
    pub over: Expression,
    /// Further lists, whose values follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Expression>,
    /// Whether the values are lists, whose values the step is run for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flat: bool,
    /// What holds for the values that the step is run for; the others are left out.
    #[serde(rename = "where", default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Where>,
    /// JSON pointer to what tells values apart: of several with the same, the step is run for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<String>,
    /// The most values that it may have; with more, nothing of the step is sent.
    pub at_most: u32,
    /// How many of its calls may be under way at once.
    pub concurrency: u32,
    /// What a value is named by in the table of outcomes; the value itself where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Template>,
    /// What shows that a value is as the step would make it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already: Option<Already>,
}

impl ForEach {
    /// All of its lists, in order.
    pub fn lists(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.over).chain(&self.also)
    }
}

/// What is looked at before a value's call: where all criteria hold, nothing is sent for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Already {
    /// The call that looks, which only reads; without it the criteria are about the value alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<StepCall>,
    /// What has to hold, of the value and of that call's answer.
    pub criteria: Vec<Criterion>,
}

/// What follows a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// Its name in the file, for reports.
    pub name: String,
    /// When it is taken: all of them hold; always where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// What is done.
    pub then: Then,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Then {
    /// The workflow ends here, with the outputs that there are.
    End,
    /// The step with this id is next.
    Goto(String),
    /// The step is run again, after a failure only.
    Retry(Retry),
}

/// How a step is run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// After how many milliseconds; what the vendor's answer demands comes first.
    pub after_ms: u64,
    /// How often at most.
    pub limit: u32,
    /// The step that is run before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

impl Step {
    /// Returns the calls that running it can make: its own, and what looks before it. What takes it back is not sent.
    pub fn calls(&self) -> impl Iterator<Item = &StepCall> {
        let looks = self.foreach.iter().filter_map(|foreach| foreach.already.as_ref()?.call.as_ref());
        looks.chain(std::iter::once(&self.call))
    }
}

impl Workflow {
    /// Returns the step with this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Returns the names of the tools that it calls, each once, in the order of the steps.
    pub fn tools(&self) -> Vec<&str> {
        let mut tools: Vec<&str> = Vec::new();
        for call in self.steps.iter().flat_map(Step::calls) {
            if !tools.contains(&call.tool.as_str()) {
                tools.push(&call.tool);
            }
        }
        tools
    }

    /// Returns whether callers give a value of this name.
    pub fn has_input(&self, name: &str) -> bool {
        self.inputs.iter().any(|input| input.name == name)
    }
}
