//! A tool → what callers and servers ask of it: its own arguments, its operation for a call, its schemas.

use serde_json::{Map, Value};

use super::{ALL, ANSWER, CURSOR, Call, Condition, DETAIL, DRY_RUN, Effect, FIELDS, JQ, Tool, Unshown};
use crate::Paging;

impl Tool {
    /// Returns whether the effect is stated.
    pub fn reviewed(&self) -> bool {
        self.effect.is_some()
    }

    /// Returns whether toolwright itself has the argument `name`, and not the vendor.
    pub fn is_own_argument(&self, name: &str) -> bool {
        let reads = self.effect == Some(Effect::Read);
        let own = match name {
            DRY_RUN => !reads,
            FIELDS | JQ | CURSOR => reads,
            DETAIL => reads && (!self.concise.is_empty() || self.is_written_back()),
            ALL => self.paging().is_some(),
            _ => self.calls.iter().any(|call| call.raw_argument() == Some(name)),
        };
        own && !self.binds(name)
    }

    /// Returns whether clients are shown one argument, [`ANSWER`], in place of those that every tool that reads has.
    pub fn has_answer(&self) -> bool {
        self.is_own_argument(JQ) && !self.binds(ANSWER)
    }

    /// Returns the names of what is given within [`ANSWER`]. Where the vendor selects fields itself, that is meant.
    pub fn answer_arguments(&self) -> Vec<&str> {
        let own = [DETAIL, FIELDS, JQ, ALL, CURSOR].into_iter().filter(|name| self.is_own_argument(name));
        let of_vendor = Some(FIELDS).filter(|name| self.binds(name));
        let raw = self.calls.iter().filter_map(Call::raw_argument).filter(|name| self.is_own_argument(name));
        own.chain(of_vendor).chain(raw).collect()
    }

    /// Returns whether the vendor has the argument `name`.
    fn binds(&self, name: &str) -> bool {
        let of_workflow = self.workflow.as_ref().is_some_and(|workflow| workflow.has_input(name));
        of_workflow || self.calls.iter().flat_map(|call| &call.bindings).any(|binding| binding.argument == name)
    }

    /// Returns whether it reads what another operation changes, so that [`RAW`] means something.
    pub fn is_written_back(&self) -> bool {
        let steps = self.workflow.iter().flat_map(|workflow| &workflow.steps);
        self.calls.iter().any(|call| call.written_back) || steps.into_iter().any(|step| step.call.written_back)
    }

    /// Returns how the tool pages, if it does.
    pub fn paging(&self) -> Option<&Paging> {
        self.calls.first()?.paging.as_ref().filter(|_| self.effect == Some(Effect::Read))
    }

    /// Returns whether the argument `name` only chooses the operation and is not sent.
    pub fn chooses_by(&self, name: &str) -> bool {
        self.calls.iter().filter_map(|call| call.when.as_ref()).any(|when| when.argument == name)
    }

    /// Returns the operation that is called with these arguments.
    pub fn call_for(&self, arguments: &Map<String, Value>) -> Option<&Call> {
        let holds = |when: &Condition| arguments.get(&when.argument) == Some(&when.equals);
        self.calls.iter().find(|call| call.when.as_ref().is_none_or(holds))
    }

    /// Returns whether an assistant needs the tool every day.
    pub fn is_core(&self) -> bool {
        self.tags.contains(crate::CORE_TAG)
    }

    /// Returns the input schema as a JSON object.
    ///
    /// # Panics
    /// Never: the build writes an object, and a test reads each one.
    pub fn parsed_input_schema(&self) -> Map<String, Value> {
        serde_json::from_str(self.input_schema.get()).expect("the build writes an object, and a test reads each one")
    }

    /// Returns the schema that arguments are checked against: the input schema with what it does
    /// not show.
    pub fn checked_schema(&self) -> Map<String, Value> {
        let mut schema = Value::Object(self.parsed_input_schema());
        for Unshown { at, keywords } in &self.unshown {
            if let Some(Value::Object(node)) = schema.pointer_mut(at) {
                node.extend(keywords.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
        match schema {
            Value::Object(schema) => schema,
            _ => Map::new(),
        }
    }
}
