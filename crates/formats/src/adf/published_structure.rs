//! A document → whether it has the published structure of ADF, by our own table of it: what each node may hold, in which
//! order, with which attributes and marks. For tests.

use serde_json::Value;

const INLINE: [&str; 3] = ["text", "hardBreak", "mention"];

/// Whether a document is valid; else where it is not.
pub(super) fn valid(document: &Value) -> Result<(), String> {
    keys(document, &["type", "version", "content"])?;
    if document["type"] != "doc" || document["version"] != 1 {
        return Err("no document of version 1".to_owned());
    }
    let blocks =
        ["paragraph", "heading", "bulletList", "orderedList", "codeBlock", "blockquote", "rule", "table", "taskList"];
    content(document, &blocks, 0)
}

fn keys(node: &Value, known: &[&str]) -> Result<(), String> {
    match node.as_object().into_iter().flatten().find(|(key, _)| !known.contains(&key.as_str())) {
        Some((key, _)) => Err(format!("the key `{key}` in {node}")),
        None if node.is_object() => Ok(()),
        None => Err(format!("no node: {node}")),
    }
}

fn content(node: &Value, allowed: &[&str], at_least: usize) -> Result<(), String> {
    let Some(children) = node["content"].as_array() else {
        return if node.get("content").is_none() && at_least == 0 {
            Ok(())
        } else {
            Err(format!("no content: {node}"))
        };
    };
    if children.len() < at_least {
        return Err(format!("too little content: {node}"));
    }
    for child in children {
        let kind = child["type"].as_str().unwrap_or_default();
        if !allowed.contains(&kind) {
            return Err(format!("`{kind}` in `{}`", node["type"]));
        }
        valid_node(child)?;
    }
    Ok(())
}

fn valid_node(node: &Value) -> Result<(), String> {
    let in_cell = ["paragraph", "blockquote", "orderedList", "bulletList", "rule", "heading", "codeBlock", "taskList"];
    let kind = node["type"].as_str().unwrap_or_default();
    let attrs = |known: &[&str], needed: &[&str]| {
        keys(&node["attrs"], known)?;
        match needed.iter().find(|key| node["attrs"].get(**key).is_none()) {
            Some(key) => Err(format!("no `{key}` in {node}")),
            None => Ok(()),
        }
    };
    if kind != "text" {
        keys(node, &["type", "attrs", "content"])?;
    }
    match kind {
        "paragraph" => content(node, &INLINE, 0),
        "heading" => {
            attrs(&["level"], &["level"])?;
            let level = node["attrs"]["level"].as_u64().unwrap_or_default();
            if (1..=6).contains(&level) { content(node, &INLINE, 0) } else { Err(format!("level {level}")) }
        }
        "codeBlock" => {
            if node.get("attrs").is_some() {
                attrs(&["language"], &[])?;
            }
            content(node, &["text"], 0)?;
            let marked = node["content"].as_array().into_iter().flatten().any(|text| text.get("marks").is_some());
            if marked { Err("marks in code".to_owned()) } else { Ok(()) }
        }
        "rule" | "hardBreak" => keys(node, &["type"]),
        "blockquote" => content(node, &["paragraph", "orderedList", "bulletList", "codeBlock"], 1),
        "bulletList" => content(node, &["listItem"], 1),
        "orderedList" => {
            if node.get("attrs").is_some() {
                attrs(&["order"], &["order"])?;
            }
            content(node, &["listItem"], 1)
        }
        "listItem" => {
            let first = node["content"][0]["type"].as_str().unwrap_or_default();
            if !["paragraph", "codeBlock"].contains(&first) {
                return Err(format!("an item that begins with `{first}`"));
            }
            content(node, &["paragraph", "bulletList", "orderedList", "codeBlock"], 1)
        }
        "taskList" => {
            attrs(&["localId"], &["localId"])?;
            if node["content"][0]["type"] != "taskItem" {
                return Err("a task list that begins with no task".to_owned());
            }
            content(node, &["taskItem", "taskList"], 1)
        }
        "taskItem" => {
            attrs(&["localId", "state"], &["localId", "state"])?;
            content(node, &INLINE, 0)
        }
        "table" => content(node, &["tableRow"], 1),
        "tableRow" => content(node, &["tableCell", "tableHeader"], 1),
        "tableCell" | "tableHeader" => content(node, &in_cell, 1),
        "mention" => attrs(&["id", "text"], &["id"]),
        "text" => valid_text(node),
        other => Err(format!("the node `{other}`")),
    }
}

fn valid_text(node: &Value) -> Result<(), String> {
    keys(node, &["type", "text", "marks"])?;
    if node["text"].as_str().is_none_or(str::is_empty) {
        return Err(format!("an empty text: {node}"));
    }
    let marks: Vec<&str> =
        node["marks"].as_array().into_iter().flatten().filter_map(|mark| mark["type"].as_str()).collect();
    let code = marks.contains(&"code");
    for mark in &marks {
        let known = if code { ["code", "link"].as_slice() } else { ["strong", "em", "strike", "link"].as_slice() };
        if !known.contains(mark) || marks.iter().filter(|other| other == &mark).count() > 1 {
            return Err(format!("the marks {marks:?}"));
        }
    }
    let links = node["marks"].as_array().into_iter().flatten().filter(|mark| mark["type"] == "link");
    for link in links {
        if link["attrs"]["href"].as_str().is_none_or(str::is_empty) {
            return Err(format!("a link to nowhere: {node}"));
        }
    }
    Ok(())
}
