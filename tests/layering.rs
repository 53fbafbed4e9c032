//! The table in src/lib.rs holds: each module imports only the modules that its row lists, and no
//! import leads back to where it came from. (Between the crates of the workspace, the compiler
//! checks that.)

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Fewer imports than the code has: a test that finds less has not looked at the code.
const FEWEST_IMPORTS: usize = 100;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table: module → the modules that it may import.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(project().join("src/lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let mut table = BTreeMap::new();
    for row in rows.skip_while(|row| !row.starts_with("module |")).skip(1) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [module, _, _, imports] = cells[..] else { panic!("a row of other than four cells: {row}") };
        let imports = imports.split(", ").filter(|name| *name != "–").map(bare).collect();
        assert!(table.insert(bare(module), imports).is_none(), "two rows for {module}");
    }
    table
}

/// A name as the table writes it, without the marks of a link or of code.
fn bare(name: &str) -> String {
    name.trim_matches(|c| matches!(c, '[' | ']' | '`')).to_owned()
}

/// The names of the files and folders below a folder, without their endings.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The modules of src/, each a file, a folder or both.
fn modules() -> BTreeSet<String> {
    let mut modules = names(&project().join("src"));
    assert!(modules.remove("lib") && modules.remove("main"), "src/ has other files now");
    // An empty folder is what a checkout keeps of a module that was renamed.
    modules.retain(|module| !sources(module).is_empty());
    modules
}

/// The source files of a module. Its tests may import more; their paths are looked at below src/
/// only, since a checkout may be anywhere.
fn sources(module: &str) -> Vec<PathBuf> {
    let source = project().join("src");
    let mut found = Vec::new();
    let mut waiting = vec![source.join(module), source.join(format!("{module}.rs"))];
    while let Some(path) = waiting.pop() {
        let is_test = path.strip_prefix(&source).unwrap().iter().any(|part| part == "tests" || part == "tests.rs");
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && !is_test {
            found.push(path);
        }
    }
    found
}

/// The modules that a source file names as `crate::x` or `crate::{x, y}`, but for comments.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => found.extend(heads(group)),
            None => found.push(identifier(rest)),
        }
    }
    found
}

fn identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first name of each path of a group, after its opening brace.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut found) = (1, vec![identifier(group)]);
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => found.push(identifier(&group[index + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn every_module_has_a_row_and_every_row_a_module_or_a_crate() {
    let table = table();
    let rows: BTreeSet<String> = table.keys().cloned().collect();
    let (modules, crates) = (modules(), names(&project().join("crates")));
    assert_eq!(modules.difference(&rows).collect::<Vec<_>>(), [""; 0], "modules without a row in src/lib.rs");
    let known: BTreeSet<String> = modules.union(&crates).cloned().collect();
    assert_eq!(rows.difference(&known).collect::<Vec<_>>(), [""; 0], "rows of src/lib.rs without a module");
    for (module, imports) in &table {
        let unknown: Vec<&String> = imports.difference(&known).collect();
        assert!(unknown.is_empty(), "the row of {module} lists {unknown:?}, which do not exist");
    }
}

#[test]
fn modules_import_only_what_their_row_lists() {
    let table = table();
    let mut broken = Vec::new();
    let mut seen = 0;
    for module in modules() {
        for file in sources(&module) {
            for import in imports(&std::fs::read_to_string(&file).unwrap()) {
                seen += 1;
                if import != module && !table.get(&module).is_some_and(|allowed| allowed.contains(&import)) {
                    broken.push(format!("{}: crate::{import}", file.strip_prefix(project()).unwrap().display()));
                }
            }
        }
    }
    broken.dedup();
    assert!(broken.is_empty(), "imports that src/lib.rs does not list:\n{}", broken.join("\n"));
    assert!(seen >= FEWEST_IMPORTS, "only {seen} imports found");
}

#[test]
fn no_row_leads_back_to_itself() {
    let table = table();
    let mut left = table.clone();
    // What imports nothing that is left can be taken away; what stays at the end is a circle.
    loop {
        let free: Vec<String> =
            left.iter().filter(|(_, of)| of.iter().all(|m| !left.contains_key(m))).map(|(m, _)| m.clone()).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|module, _| !free.contains(module));
    }
    assert!(left.is_empty(), "these modules import each other in a circle: {:?}", left.keys());
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::error::{A, B};\nuse crate::{call::Reply, config::{self, X}, jq};\n// crate::cli\nfn f() { crate::audit::g(); }";
    assert_eq!(imports(text), ["error", "call", "config", "jq", "audit"]);
}
