//! `toolwright catalog html`: a selection → a folder of pages whose links lead to pages of the folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::common::network::{fresh_folder, run};

fn pages(folder: &Path) -> BTreeSet<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
    };
    below(folder).into_iter().chain(below(&folder.join("tools"))).collect()
}

async fn written(folder: &Path, flags: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["catalog", "html", folder.to_str().unwrap()].iter().chain(flags).copied().collect();
    let (code, _, errors) = run(&arguments, &[]).await;
    (code, errors)
}

#[tokio::test]
async fn every_link_leads_to_a_page_of_the_folder() {
    let folder = fresh_folder("console-files").join("site");
    let (code, said) = written(&folder, &["--vendor", "jitbit", "--methods", "read"]).await;
    assert_eq!(code, Some(0), "{said}");
    let found = pages(&folder);
    assert!(found.len() > 20 && said.contains(&format!("{} tools are in", found.len() - 4)), "{said}: {}", found.len());
    for page in found.iter().filter(|page| page.extension().is_some_and(|ending| ending == "html")) {
        let text = std::fs::read_to_string(page).unwrap();
        assert!(!text.contains("<script") && !text.contains("<form"), "{}", page.display());
        assert!(text.contains("http-equiv=\"Content-Security-Policy\""), "{}", page.display());
        for link in text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            assert!(!file.starts_with('/') && !file.contains(':'), "{}: {link}", page.display());
            let target = page.parent().unwrap().join(file);
            assert!(file.is_empty() || target.is_file(), "{}: {link}", page.display());
        }
    }
    let index = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(index.contains("tools/jitbit_get_ticket.html") && !index.contains("jitbit_close_ticket"));
    assert!(index.contains("toolwright serve --vendor jitbit --methods read --tags all"), "{index}");
}

#[tokio::test]
async fn written_again_it_holds_the_new_selection_and_what_others_put_there() {
    let folder = fresh_folder("console-again");
    assert_eq!(written(&folder, &["--vendor", "jitbit", "--methods", "all"]).await.0, Some(0));
    assert!(folder.join("tools/jitbit_close_ticket.html").is_file());
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(written(&folder, &["--served", "--vendor", "jitbit"]).await.0, Some(0));
    assert!(!folder.join("tools/jitbit_close_ticket.html").exists());
    assert!(folder.join("tools/jitbit_get_ticket.html").is_file() && folder.join("notes.txt").is_file());
}

#[tokio::test]
async fn a_folder_of_something_else_is_left_as_it_is() {
    let folder = fresh_folder("console-foreign");
    std::fs::write(folder.join("index.html"), "mine").unwrap();
    let (code, said) = written(&folder, &["--vendor", "jitbit"]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("did not write") && said.contains("hint:"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.join("index.html")).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let (code, said) = written(&folder.join("new"), &["--tools", "jitbit_get_ticket", "--exclude", "*"]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(!folder.join("new").exists());
}
