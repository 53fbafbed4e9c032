//! A vendor and the tools of it that are offered → a skill (SEP-2640): what a model reads before it works with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rmcp::model::{Resource, Skill, SkillFrontmatter, SkillResource, SkillResources};
use toolwright_model::{CORE_TAG, HELD_BACK_TAGS, Vendor, truncate};

use super::{TOOL_PAGE, View, prompts};
use crate::catalog::CatalogEntry;
use crate::server::discover::FIND_TOOLS;

/// The longest line about a tool, in characters.
const LONGEST_LINE: usize = 160;
/// Of more tools, only the everyday ones are described.
const MOST_DESCRIBED: usize = 60;

/// A skill and its text.
pub(super) struct VendorSkill {
    vendor: String,
    description: String,
    pub(super) text: String,
}

/// Returns the skills of the vendors that are offered.
pub(super) fn all(view: &View<'_>) -> Vec<VendorSkill> {
    let mut vendors: BTreeMap<&str, Vec<&CatalogEntry>> = BTreeMap::new();
    for entry in view.tools.iter() {
        vendors.entry(&entry.vendor).or_default().push(entry);
    }
    let known = vendors.into_iter().filter_map(|(id, entries)| Some((view.catalog.vendor(id)?, entries)));
    known.map(|(vendor, entries)| skill(vendor, &entries, view)).collect()
}

impl VendorSkill {
    pub(super) fn uri(&self) -> String {
        format!("skill://{}/SKILL.md", self.vendor)
    }

    pub(super) fn resource(&self) -> Resource {
        Resource::new(self.uri(), self.vendor.clone())
            .with_description(self.description.clone())
            .with_mime_type("text/markdown")
    }

    pub(super) fn entry(&self) -> Skill {
        let file = SkillResource::from_bytes(self.uri(), self.text.as_bytes());
        let frontmatter = SkillFrontmatter::new(self.vendor.clone(), self.description.clone());
        Skill::new(self.uri(), frontmatter, SkillResources::Files(vec![file]))
    }
}

fn skill(vendor: &Vendor, entries: &[&CatalogEntry], view: &View<'_>) -> VendorSkill {
    let changes =
        if entries.iter().any(|entry| !entry.tool.annotations.read_only_hint) { "read and change" } else { "read" };
    let description = format!("How to {changes} what {} holds with the tools of this server", vendor.title);
    let mut text = format!("---\nname: {}\ndescription: {description}\n---\n\n# {}\n\n", vendor.id, vendor.title);
    let guidance = view.tools.readable(vendor.guidance.trim());
    if !guidance.is_empty() {
        let _ = writeln!(text, "{guidance}\n");
    }
    if view.discovers {
        let _ = writeln!(
            text,
            "`{FIND_TOOLS}` returns these tools with their arguments and names the tool that calls them.\n"
        );
    }
    let _ = writeln!(text, "`{TOOL_PAGE}` with a tool's name is the address of its page.\n\n## Tools\n");
    text.push_str(&tools(entries, view));
    let prompts: Vec<_> = prompts::offered(view).filter(|(of, _)| of.id == vendor.id).collect();
    if !prompts.is_empty() {
        text.push_str("\n## Common jobs\n");
        for (_, prompt) in prompts {
            let asked = prompt.filled(&|name| Some(format!("<{name}>"))).unwrap_or_default();
            let _ = write!(text, "\n### {}\n\n{}\n", prompt.title, view.tools.readable(&asked));
        }
    }
    VendorSkill { vendor: vendor.id.clone(), description, text }
}

/// A line for each tool, or of many for the everyday ones, and the number of the others by tag.
fn tools(entries: &[&CatalogEntry], view: &View<'_>) -> String {
    let is_described = |entry: &&&CatalogEntry| entries.len() <= MOST_DESCRIBED || entry.tool.is_core();
    let mut text = String::new();
    for entry in entries.iter().filter(is_described) {
        let described = view.tools.readable(&entry.tool.description);
        let first = described.split_inclusive(". ").next().unwrap_or_default();
        let _ = writeln!(text, "- `{}`: {}", entry.tool.name, truncate(first.trim_end(), LONGEST_LINE));
    }
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !is_described(entry)) {
        let says_nothing = |tag: &str| tag == CORE_TAG || HELD_BACK_TAGS.contains(&tag);
        if let Some(tag) = entry.tool.tags.iter().map(String::as_str).find(|tag| !says_nothing(tag)) {
            *others.entry(tag).or_default() += 1;
        }
    }
    if !others.is_empty() {
        let others: Vec<String> = others.into_iter().map(|(tag, count)| format!("{tag} {count}")).collect();
        let _ = writeln!(text, "- and others, by tag: {}", others.join(", "));
    }
    text
}
