//! Answers to a Jira form by the labels of its questions and choices → by their ids, in the shapes that the form takes,
//! by the form itself, which is looked up.

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, suggest};

use crate::error::{FormatError, listed, short};
use crate::format::{Format, LookupUse, WriteFuture};
use crate::{FormatContext, LookupError, schema};

/// The keys of an answer in the vendor's shape, of which it has one.
const SHAPES: [&str; 7] = ["text", "choices", "date", "time", "users", "adf", "files"];
const SCHEMA_TEXT: &str = "By the question's label: a text, the labels of choices, or a shape such as \
                           {\"date\": \"2026-12-01\"} or {\"users\": [accountId]}.";

pub(crate) struct JiraFormAnswers;

/// A question of the form.
struct Question {
    id: String,
    key: Option<String>,
    label: String,
    /// Id and label of each choice; empty where it has none.
    choices: Vec<(String, String)>,
}

impl Format for JiraFormAnswers {
    fn name(&self) -> &'static str {
        "jira-form-answers"
    }

    fn summary(&self) -> &'static str {
        "Answers by the labels of a Jira form's questions and choices → by their ids."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "object" {
            return Err("an object with an entry for each question");
        }
        schema::replace(schema, "object", ("label", SCHEMA_TEXT), &[]);
        schema.insert("additionalProperties".to_owned(), json!(true));
        Ok(())
    }

    /// Labels need a lookup, and ids too: the form decides what an answer is.
    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!({"3": {"text": "Broken"}}), json!({"7": {"choices": ["2"]}, "9": {"date": "2026-12-01"}})]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(async move {
            let Value::Object(answers) = value else {
                return Err(FormatError::new("an object with an entry for each question", short(&value.to_string())));
            };
            if answers.iter().all(|(id, answer)| is_number(id) && is_shaped(answer)) {
                return Ok(Value::Object(answers));
            }
            let operation = formatted.ask.as_deref().unwrap_or_default();
            match context.lookup.ask(operation, context.path.to_vec()).await {
                Ok(form) => written(answers, &questions(&form), notes),
                Err(LookupError::DryRun) => {
                    let labels = listed(answers.keys().map(String::as_str));
                    notes.push(format!(
                        "left as given in this dry run: {labels}; the real call reads the form for the ids of its questions"
                    ));
                    Ok(Value::Object(answers))
                }
                Err(LookupError::Failed(reason)) => {
                    let expected =
                        "ids of questions with answers in the vendor's shape, since the form could not be read";
                    Err(FormatError::new(expected, reason))
                }
            }
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an answer is in the vendor's shape already.
fn is_shaped(answer: &Value) -> bool {
    let entries = answer.as_object();
    entries.is_some_and(|entries| entries.len() == 1 && entries.keys().all(|key| SHAPES.contains(&key.as_str())))
}

/// Returns the questions of a form.
fn questions(form: &Value) -> Vec<Question> {
    let text = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let choice = |choice: &Value| Some((text(&choice["id"])?, text(&choice["label"]).unwrap_or_default()));
    let question = |(id, question): (&String, &Value)| Question {
        id: id.clone(),
        key: text(&question["questionKey"]),
        label: text(&question["label"]).unwrap_or_default(),
        choices: question["choices"].as_array().into_iter().flatten().filter_map(choice).collect(),
    };
    form["design"]["questions"].as_object().into_iter().flatten().map(question).collect()
}

fn written(answers: Map<String, Value>, questions: &[Question], notes: &mut Vec<String>) -> Result<Value, FormatError> {
    let mut by_id = Map::new();
    for (name, answer) in answers {
        let question = find(&name, questions)?;
        let answer = shaped(answer, question).map_err(|error| error.below(&format!(".{name}")))?;
        if question.id != name {
            notes.push(format!("{} is question `{}`", short(&name), question.id));
        }
        if by_id.insert(question.id.clone(), answer).is_some() {
            let expected = "one answer to each question";
            return Err(FormatError::new(expected, format!("two for {}", short(&name))).at(format!(".{name}")));
        }
    }
    Ok(Value::Object(by_id))
}

/// Returns the question of this id, key or label.
fn find<'a>(name: &str, questions: &'a [Question]) -> Result<&'a Question, FormatError> {
    let wanted = name.trim();
    let by_id = questions.iter().find(|question| question.id == wanted || question.key.as_deref() == Some(wanted));
    let is_labelled = |question: &&Question| question.label.to_lowercase() == wanted.to_lowercase();
    let labelled: Vec<&Question> = questions.iter().filter(is_labelled).collect();
    match (by_id, labelled.as_slice()) {
        (Some(question), _) => Ok(question),
        (None, [question]) => Ok(*question),
        (None, []) => {
            let known: Vec<&str> = questions.iter().map(|question| question.label.as_str()).collect();
            let near = suggest(wanted, known.iter().copied()).first().map(|label| (*label).to_owned());
            let expected = match known.as_slice() {
                [] => "a question; this form has none".to_owned(),
                known => format!("a question of this form, by label or id: {}", listed(known.iter().copied())),
            };
            Err(FormatError { suggestion: near, ..FormatError::new(expected, short(name)) }.at(format!(".{name}")))
        }
        (None, several) => {
            let ids = listed(several.iter().map(|question| question.id.as_str()));
            let expected = format!("an id, since several questions have this label: {ids}");
            Err(FormatError::new(expected, short(name)).at(format!(".{name}")))
        }
    }
}

/// An answer in the vendor's shape. Of a question with choices the labels become ids.
fn shaped(answer: Value, question: &Question) -> Result<Value, FormatError> {
    let shape = answer.as_object().and_then(|entries| entries.iter().next());
    match (is_shaped(&answer).then_some(shape).flatten(), question.choices.is_empty()) {
        (Some((key, given)), false) if key == "choices" => chosen(given, question),
        (Some(_), _) => Ok(answer),
        (None, false) => chosen(&answer, question),
        (None, true) => match answer {
            Value::String(text) => Ok(json!({"text": text})),
            Value::Number(number) => Ok(json!({"text": number.to_string()})),
            other => {
                let expected = format!("a text, or an object with one of {}", listed(SHAPES));
                Err(FormatError::new(expected, short(&other.to_string())))
            }
        },
    }
}

/// The ids of choices that are given by label or id, one or several.
fn chosen(given: &Value, question: &Question) -> Result<Value, FormatError> {
    let items = match given {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let id = |item: &Value| {
        let wanted = match item {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            other => other.to_string(),
        };
        let is_label = |label: &str| label.to_lowercase() == wanted.to_lowercase();
        let mut labelled = question.choices.iter().filter(|(_, label)| is_label(label));
        let by_label = labelled.next().filter(|_| labelled.next().is_none());
        let found = by_label.or_else(|| question.choices.iter().find(|(id, _)| *id == wanted));
        found.map(|(id, _)| Value::from(id.as_str())).ok_or_else(|| {
            let known = || question.choices.iter().map(|(_, label)| label.as_str());
            let near = suggest(&wanted, known()).first().map(|label| (*label).to_owned());
            let expected = format!("one of the choices: {}", listed(known()));
            FormatError { suggestion: near, ..FormatError::new(expected, short(&wanted)) }
        })
    };
    let ids = items.iter().map(id).collect::<Result<Vec<Value>, FormatError>>()?;
    Ok(json!({"choices": ids}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Bench;

    fn bench() -> Bench {
        Bench::new(Ok(json!({"id": "f", "design": {"questions": {
            "3": {"label": "What is broken?", "type": "ts"},
            "7": {"label": "Laptop", "choices": [{"id": "1", "label": "Air"}, {"id": "2", "label": "Pro"}]},
            "8": {"label": "Extras", "questionKey": "extras", "choices": [{"id": "1", "label": "Dock"}, {"id": "9", "label": "1"}]},
            "9": {"label": "First day"},
            "10": {"label": "Twice"}, "11": {"label": "Twice"},
        }}})))
    }

    fn format() -> Formatted {
        Formatted { ask: Some("getIssueForm".to_owned()), ..Formatted::whole("jira-form-answers") }
    }

    #[test]
    fn answers_by_label_become_answers_by_id() {
        let given = json!({
            "what is broken?": "The screen", "Laptop": "pro", "extras": ["Dock", "1"],
            "First day": {"date": "2026-12-01"}, "10": 5,
        });
        let bench = bench();
        let (written, notes) = bench.write(&[format()], given);
        assert_eq!(
            written,
            Ok(json!({
                "3": {"text": "The screen"}, "7": {"choices": ["2"]}, "8": {"choices": ["1", "9"]},
                "9": {"date": "2026-12-01"}, "10": {"text": "5"},
            }))
        );
        assert_eq!((bench.lookups(), notes.len()), (1, 4));
        assert!(notes.contains(&"`Laptop` is question `7`".to_owned()), "{notes:?}");
    }

    #[test]
    fn the_vendors_own_shape_needs_no_lookup() {
        let bench = bench();
        let given = json!({"3": {"text": "a"}, "7": {"choices": ["2"]}});
        assert_eq!(bench.write(&[format()], given.clone()), (Ok(given), Vec::new()));
        assert_eq!(bench.lookups(), 0);
    }

    #[test]
    fn what_the_form_does_not_have_is_refused_with_what_it_has() {
        for (given, at, expected, suggestion) in [
            (json!({"Laptops": "Pro"}), ".Laptops", "by label or id: `What is broken?`", Some("Laptop")),
            (json!({"Laptop": "Por"}), ".Laptop", "one of the choices: `Air`, `Pro`", Some("Pro")),
            (json!({"Laptop": {"choices": ["5"]}}), ".Laptop", "one of the choices", None),
            (json!({"Twice": "a"}), ".Twice", "several questions have this label: `10`, `11`", None),
            (json!({"First day": {"day": 1}}), ".First day", "an object with one of `text`", None),
            (json!({"Laptop": "Pro", "7": "Air"}), ".", "one answer to each question", None),
            (json!(["Pro"]), "", "an object with an entry", None),
        ] {
            let error = bench().write(&[format()], given.clone()).0.unwrap_err();
            assert!(error.at.starts_with(at) && error.expected.contains(expected), "{given}: {error:?}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{given}");
        }
    }

    #[test]
    fn without_the_form_labels_are_left_or_refused() {
        let (left, notes) = Bench::new(Err(LookupError::DryRun)).write(&[format()], json!({"Laptop": "Pro"}));
        assert_eq!(left, Ok(json!({"Laptop": "Pro"})));
        assert!(notes[0].contains("dry run: `Laptop`"), "{notes:?}");
        let broken = Bench::new(Err(LookupError::Failed("the vendor answered 404".to_owned())));
        let error = broken.write(&[format()], json!({"Laptop": "Pro"})).0.unwrap_err();
        assert!(error.expected.contains("could not be read") && error.given.contains("404"), "{error:?}");
    }
}
