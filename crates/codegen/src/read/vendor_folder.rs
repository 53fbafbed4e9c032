//! The folders of specs/ → [`VendorFolder`]s: vendor.toml, and each description with its overlay laid
//! over it, checked and as `openapiv3` types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::read::document::Document;
use crate::read::finding::{Finding, Findings};
use crate::read::fixups::{self, Fixup};
use crate::read::load;
use crate::read::located::Located;
use crate::read::source::{LoadedFile, SourceFile};
use crate::read::source_map::{Origins, SourceMap};
use crate::read::vendor_file::{self, VendorFile};
use crate::read::workflows::{self, WORKFLOWS, WorkflowFile};
use crate::read::{check, overlay};
use toolwright_model::api_id;

/// What is in a vendor's folder.
pub struct VendorFolder {
    /// The vendor's id: the name of the folder.
    pub id: String,
    /// The folder, as messages name it.
    pub name: String,
    /// `None` where vendor.toml can't be read.
    pub file: Option<VendorFile>,
    /// The descriptions that nothing is wrong with.
    pub apis: Vec<ApiDescription>,
    /// The tools of several calls, if there are any.
    pub workflows: Option<WorkflowFile>,
    /// Whether these are all descriptions of the folder.
    pub is_complete: bool,
    /// Whether nothing is wrong with the files of the folder.
    pub is_sound: bool,
}

/// The description of one API.
pub struct ApiDescription {
    pub id: String,
    /// The file, as messages and headers name it.
    pub name: String,
    /// Before the overlay.
    pub published: Document,
    /// With overlay and fixups.
    pub document: Document,
    pub fixups: Vec<Fixup>,
    file: Rc<SourceFile>,
    origins: Origins,
}

impl ApiDescription {
    /// Returns where places of the document are.
    pub fn source<'a>(&'a self, findings: &'a Findings) -> SourceMap<'a> {
        SourceMap::with_origins(&self.file, &self.origins, findings)
    }

    /// Returns the text at a pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.document.raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Reads the folders of the vendors that are `wanted`, in order of their names, one at a time.
pub fn read_all(
    specs: &Path,
    wanted: impl Fn(&str) -> bool,
    findings: &Findings,
) -> impl Iterator<Item = VendorFolder> {
    let mut folders: Vec<PathBuf> = match std::fs::read_dir(specs) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect(),
        Err(error) => {
            if error.kind() != std::io::ErrorKind::NotFound {
                findings.push_file("specs", "a folder with one folder per vendor", error.to_string());
            }
            Vec::new()
        }
    };
    folders.sort();
    folders.into_iter().filter_map(move |folder| {
        let id = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // The files across vendors are no vendor.
        if id != WORKFLOWS && wanted(&id) { read_folder(&folder, id, findings) } else { None }
    })
}

fn read_folder(folder: &Path, id: String, findings: &Findings) -> Option<VendorFolder> {
    let known = findings.len();
    let name = format!("specs/{id}");
    if !is_id(&id, &[]) {
        let expected = "a folder named with `a-z` and `0-9`, a letter first";
        let hint = "tool names, environment and cargo feature are made from it".to_owned();
        findings.push(Finding::of_file(&name, expected, format!("`{id}`")).with_hint(Some(hint)));
        return None;
    }
    let file = vendor_file::load(&folder.join("vendor.toml"), &format!("{name}/vendor.toml"), &id, findings);
    let described = descriptions(folder, &name, findings);
    let apis: Vec<ApiDescription> =
        described.iter().filter_map(|(stem, file)| read_api(folder, &name, &id, stem, file, findings)).collect();
    let workflows = workflows::read_of_vendor(folder, &name, &id, findings);
    let is_complete = apis.len() == described.len() && !described.is_empty();
    let is_sound = findings.len() == known;
    Some(VendorFolder { id, name, file, apis, workflows, is_complete, is_sound })
}

/// Returns the descriptions of a folder: stem → file. Reports files whose names mean nothing.
fn descriptions(folder: &Path, place: &str, findings: &Findings) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let mut overlays = Vec::new();
    let mut described: BTreeMap<String, String> = BTreeMap::new();
    for name in &names {
        let Some((stem, "yaml" | "yml" | "json")) = name.rsplit_once('.') else { continue };
        if stem == WORKFLOWS {
            continue;
        }
        let file = format!("{place}/{name}");
        if stem == "overlay" || stem.ends_with(".overlay") {
            overlays.push(name);
        } else if !is_id(stem, &['-']) {
            let expected = "a file named with `a-z`, `0-9` and `-`, a letter first";
            let hint = "a folder and a Rust module are made from it".to_owned();
            findings.push(Finding::of_file(&file, expected, format!("`{name}`")).with_hint(Some(hint)));
        } else if let Some(other) = described.insert(stem.to_owned(), name.clone()) {
            findings.push_file(&file, "one file for each API", format!("`{other}` beside it"));
        }
    }
    for name in overlays {
        if !described.keys().any(|stem| overlay_name(stem) == *name) {
            let expected = "an overlay named after the description beside it: `overlay.yaml` for `api.yaml`, \
                            `<api>.overlay.yaml` for `<api>.yaml`";
            findings.push_file(&format!("{place}/{name}"), expected, format!("`{name}`, which belongs to none"));
        }
    }
    if described.is_empty() {
        findings.push_file(place, "an OpenAPI description, such as `api.yaml`", "none");
    }
    described
}

/// Returns the name of the overlay that belongs to a description.
pub fn overlay_name(stem: &str) -> String {
    if stem == "api" { "overlay.yaml".to_owned() } else { format!("{stem}.overlay.yaml") }
}

/// Returns whether `name` can be part of a tool name, a folder and a Rust module.
pub fn is_id(name: &str, joints: &[char]) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || joints.contains(&c))
}

fn read_api(
    folder: &Path,
    place: &str,
    vendor: &str,
    stem: &str,
    file: &str,
    findings: &Findings,
) -> Option<ApiDescription> {
    let name = format!("{place}/{file}");
    let overlay = overlay_name(stem);
    let overlay_path = folder.join(&overlay);
    let overlay_name = format!("{place}/{overlay}");
    let overlay = if overlay_path.exists() { load::load(&overlay_path, &overlay_name, findings) } else { None };
    let mut loaded = load::load(&folder.join(file), &name, findings)?;
    let published = read_published(&loaded, findings);
    let origins = match &overlay {
        Some(overlay) => overlay::apply(overlay, &mut loaded.value, findings),
        None => Origins::default(),
    };
    let source = SourceMap::with_origins(&loaded.file, &origins, findings);
    let Some(published) = published else {
        // Faults of the description must not hide those of its overlay.
        let root = Located::root(&source, &loaded.value);
        check::check_extensions(&root);
        check::check_keys(&root);
        return None;
    };
    let fixups = fixups::apply(&mut loaded.value);
    let root = Located::root(&source, &loaded.value);
    let document = read_overlaid(&root, &name, &overlay_name, findings);
    check::check_extensions(&root);
    let Some(document) = document else {
        check::check_keys(&root);
        return None;
    };
    let id = api_id(stem, vendor);
    Some(ApiDescription { id, name, published, document, fixups, file: loaded.file, origins })
}

/// Reads a description as it was published: a mistake in the overlay must not hide in the sandbox.
fn read_published(loaded: &LoadedFile, findings: &Findings) -> Option<Document> {
    let known = findings.len();
    let source = SourceMap::new(&loaded.file, findings);
    let root = Located::root(&source, &loaded.value);
    check::check_document(&root);
    if findings.len() == known { Document::read(&root) } else { None }
}

/// Checks a description once more: the overlay may have brought a fault in, or removed what a
/// reference leads to.
fn read_overlaid(root: &Located<'_>, name: &str, overlay: &str, findings: &Findings) -> Option<Document> {
    let known = findings.len();
    check::check_document(root);
    findings.amend_after(known, |finding| {
        if finding.file == name {
            finding.hint = Some(format!("{overlay} takes it away"));
        }
    });
    if findings.len() == known { Document::read(root) } else { None }
}
