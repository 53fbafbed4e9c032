//! The steps of a workflow → a picture of their order, to be drawn as SVG, and the same in words.

use std::collections::BTreeMap;

use toolwright_model::truncate;
use toolwright_model::workflow::{Step, Workflow};

/// The width of the picture; it is scaled down where less is there.
pub(super) const WIDTH: usize = 360;
/// Where the boxes begin: to their left are the lines that pass others.
const LEFT: usize = 56;
const BOX_WIDTH: usize = WIDTH - LEFT - 4;
const BOX_HEIGHT: usize = 48;
/// From the top of a box to that of the next.
const ROW: usize = 76;
const MARGIN: usize = 4;
/// How far apart the lines are that pass boxes, and how many there is room for beside each other.
const LANE: usize = 12;
const LANES: usize = 4;
/// The longest text in a box, in characters.
const LONGEST: usize = 36;

/// A picture of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) height: usize,
    pub(super) boxes: Vec<StepBox>,
    /// The lines between boxes, as SVG paths.
    pub(super) lines: Vec<String>,
    /// The same in words.
    pub(super) description: String,
}

/// A step in the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepBox {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) title: String,
    pub(super) about: String,
    /// By what it is drawn: the effect, or `unreviewed`.
    pub(super) class: &'static str,
    pub(super) optional: bool,
}

impl StepBox {
    pub(super) fn text_x(&self) -> usize {
        self.x + 10
    }

    pub(super) fn title_y(&self) -> usize {
        self.y + 20
    }

    pub(super) fn about_y(&self) -> usize {
        self.y + 38
    }
}

impl Picture {
    pub(super) fn of(workflow: &Workflow) -> Self {
        let rows: BTreeMap<&str, usize> =
            workflow.steps.iter().enumerate().map(|(row, step)| (step.id.as_str(), row)).collect();
        let mut lines = Vec::new();
        let mut passing = 0;
        for (to, step) in workflow.steps.iter().enumerate() {
            for from in nearest(workflow, step).iter().filter_map(|id| rows.get(id.as_str()).copied()) {
                if from + 1 == to {
                    let x = LEFT + BOX_WIDTH / 2;
                    lines.push(format!("M {x} {} V {}", top(from) + BOX_HEIGHT, top(to)));
                } else {
                    // Beside the boxes, each line in another lane.
                    let x = LEFT - LANE * (passing % LANES + 1);
                    passing += 1;
                    let (start, end) = (top(from) + BOX_HEIGHT * 2 / 3, top(to) + BOX_HEIGHT / 3);
                    lines.push(format!("M {LEFT} {start} H {x} V {end} H {LEFT}"));
                }
            }
        }
        let boxes = workflow.steps.iter().enumerate().map(|(row, step)| drawn(row, step)).collect();
        let height = (workflow.steps.len() * ROW + 2 * MARGIN).saturating_sub(ROW - BOX_HEIGHT);
        Self { height, boxes, lines, description: described(workflow) }
    }
}

fn top(row: usize) -> usize {
    MARGIN + row * ROW
}

fn drawn(row: usize, step: &Step) -> StepBox {
    let class = step.call.effect.map_or("unreviewed", |effect| effect.as_str());
    let mut about = format!("{class}: {}", step.call.tool);
    if step.foreach.is_some() {
        about = format!("each, {about}");
    }
    StepBox {
        x: LEFT,
        y: top(row),
        width: BOX_WIDTH,
        height: BOX_HEIGHT,
        title: truncate(&format!("{}. {}", row + 1, step.id), LONGEST).into_owned(),
        about: truncate(&about, LONGEST + 6).into_owned(),
        class,
        optional: step.optional || !step.when.is_empty(),
    }
}

/// The steps that a step waits for, without those that another of them waits for already.
fn nearest(workflow: &Workflow, step: &Step) -> Vec<String> {
    let is_before =
        |id: &String, other: &String| id != other && workflow.step(other).is_some_and(|other| other.after.contains(id));
    let nearest = step.after.iter().filter(|id| !step.after.iter().any(|other| is_before(id, other)));
    nearest.cloned().collect()
}

fn described(workflow: &Workflow) -> String {
    let step = |(row, step): (usize, &Step)| {
        let after = nearest(workflow, step);
        let after = if after.is_empty() { String::new() } else { format!(", after {}", after.join(" and ")) };
        let each = if step.foreach.is_some() { " for each value of a list" } else { "" };
        let optional = if step.optional { ", can fail without ending the rest" } else { "" };
        format!("{}. {} calls {}{each}{after}{optional}", row + 1, step.id, step.call.tool)
    };
    let steps: Vec<String> = workflow.steps.iter().enumerate().map(step).collect();
    format!("{} steps. {}.", steps.len(), steps.join(". "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_workflow_has_a_picture_with_each_step_and_every_line_within_it() {
        for entry in Catalog::compiled().entries() {
            let Some(workflow) = entry.tool.workflow.as_deref() else { continue };
            let picture = Picture::of(workflow);
            assert_eq!(picture.boxes.len(), workflow.steps.len(), "{}", workflow.id);
            for step in &workflow.steps {
                assert!(picture.description.contains(&step.id), "{}: {}", workflow.id, step.id);
            }
            let lowest = picture.boxes.iter().map(|one| one.y + one.height).max().unwrap_or_default();
            assert_eq!(lowest + MARGIN, picture.height, "{}", workflow.id);
            let waits = workflow.steps.iter().filter(|step| !step.after.is_empty()).count();
            assert!(picture.lines.len() >= waits, "{}: a step that waits has a line", workflow.id);
        }
    }
}
