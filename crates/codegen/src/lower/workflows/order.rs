//! The steps of a workflow, and what each waits for → an order without a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::read::located::Located;
use toolwright_model::Effect;
use toolwright_model::workflow::{Step, Then};

/// Returns the positions of the steps in an order in which each comes after those that it waits for; those that wait for
/// nothing stay in the order of the file. `waits`: the positions by position.
///
/// # Errors
/// The positions of a circle.
pub(super) fn sorted(waits: &[BTreeSet<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < waits.len() {
        let is_next = |step: &usize| !order.contains(step) && waits[*step].iter().all(|before| order.contains(before));
        match (0..waits.len()).find(is_next) {
            Some(step) => order.push(step),
            None => return Err(circle(waits, &order)),
        }
    }
    Ok(order)
}

/// A circle among the steps that are not ordered.
fn circle(waits: &[BTreeSet<usize>], ordered: &[usize]) -> Vec<usize> {
    let mut way: Vec<usize> = Vec::new();
    let mut here = (0..waits.len()).find(|step| !ordered.contains(step));
    while let Some(step) = here {
        if let Some(start) = way.iter().position(|before| *before == step) {
            return way.split_off(start);
        }
        way.push(step);
        // Each that is left waits for another that is left.
        here = waits[step].iter().find(|before| !ordered.contains(before)).copied();
    }
    way
}

/// Writes into each step which steps have ended before it begins. The steps are in their order; `data` has what they
/// read of each other and what the file demands.
pub(super) fn write_after(steps: &mut [Step], data: &[BTreeSet<usize>]) {
    let has_goto = steps.iter().any(|step| leads_elsewhere(step, |then| matches!(then, Then::Goto(_))));
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for (position, own) in data.iter().enumerate() {
        let mut before = own.clone();
        if has_goto {
            before.extend(position.checked_sub(1));
        } else if changes(&steps[position]) {
            // What reads before may fail; then nothing was changed.
            before.extend(0..position);
        } else {
            let ends = |step: &Step| leads_elsewhere(step, |then| matches!(then, Then::End));
            before.extend((0..position).filter(|other| changes(&steps[*other]) || ends(&steps[*other])));
        }
        all.push(before);
    }
    let ids: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    for (position, step) in steps.iter_mut().enumerate() {
        let implied: BTreeSet<usize> = all[position].iter().flat_map(|before| reached(&all, *before)).collect();
        let direct = all[position].iter().filter(|before| !implied.contains(before));
        step.after = direct.map(|before| ids[*before].clone()).collect();
    }
}

/// All that a step waits for, directly or not.
fn reached(all: &[BTreeSet<usize>], step: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![step];
    while let Some(step) = open.pop() {
        for before in &all[step] {
            if found.insert(*before) {
                open.push(*before);
            }
        }
    }
    found
}

/// Whether a step may change something; one that is not reviewed may.
pub(super) fn changes(step: &Step) -> bool {
    step.call.effect != Some(Effect::Read)
}

fn leads_elsewhere(step: &Step, is_it: impl Fn(&Then) -> bool) -> bool {
    step.on_success.iter().chain(&step.on_failure).any(|action| is_it(&action.then))
}

/// Reports actions that lead back over a step that changes something: it would be sent again.
pub(super) fn check_repeats(steps: &[Step], places: &BTreeMap<&str, Located<'_>>) {
    for (position, step) in steps.iter().enumerate() {
        for (key, actions) in [("onSuccess", &step.on_success), ("onFailure", &step.on_failure)] {
            for action in actions {
                let (target, is_goto) = match &action.then {
                    Then::Goto(target) => (target, true),
                    Then::Retry(retry) => match &retry.step {
                        Some(target) => (target, false),
                        None => continue,
                    },
                    Then::End => continue,
                };
                let Some(start) = steps.iter().position(|other| other.id == *target) else { continue };
                let between = if is_goto { start..=position } else { start..=start };
                let repeated = steps.get(between).into_iter().flatten().find(|step| changes(step));
                if let (Some(repeated), Some(place)) = (repeated, places.get(step.id.as_str())) {
                    let hint =
                        "a step that failed is run again by `retry`, where that is certain to change nothing twice";
                    place.get(key).unwrap_or_else(|| place.clone()).report(
                        "an action that repeats only what reads",
                        format!("`{}`, which leads back to `{target}` and runs `{}` again", action.name, repeated.id),
                        Some(hint.to_owned()),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(of: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        of.iter().map(|before| before.iter().copied().collect()).collect()
    }

    #[test]
    fn steps_come_after_what_they_wait_for() {
        assert_eq!(sorted(&waits(&[&[2], &[], &[1]])), Ok(vec![1, 2, 0]));
        assert_eq!(sorted(&waits(&[&[], &[], &[]])), Ok(vec![0, 1, 2]));
    }

    #[test]
    fn circles_are_found() {
        assert_eq!(sorted(&waits(&[&[], &[2], &[3], &[1]])), Err(vec![1, 2, 3]));
        assert_eq!(sorted(&waits(&[&[0]])), Err(vec![0]));
        assert_eq!(sorted(&waits(&[&[1], &[2], &[1]])), Err(vec![1, 2]));
    }
}
