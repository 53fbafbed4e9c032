//! Files on their way to a request or issue, and back.

use std::path::Path;

use serde_json::{Value, json};
use toolwright::formats::Folder;
use toolwright::policy::Defaults;
use toolwright::sandbox::Recorded;

use super::desk::{Desk, answers};
use crate::common::everything;

const ISSUE: &str = "ITS-1";

/// The request's form as text.
fn form(sent: &Recorded) -> String {
    assert!(sent.headers["content-type"].starts_with("multipart/form-data; boundary="), "{:?}", sent.headers);
    assert_eq!(sent.headers.get("x-atlassian-token").map(String::as_str), Some("no-check"));
    String::from_utf8_lossy(sent.body.as_deref().unwrap()).into_owned()
}

#[tokio::test]
async fn a_file_is_uploaded_and_then_attached() {
    let uploaded = json!({"temporaryAttachments": [{"temporaryAttachmentId": "temp-9", "fileName": "vpn.log"}]});
    let desk = Desk::open(&json!([answers("attachTemporaryFile", &json!({}), &uploaded)])).await;
    let files = json!([
        {"filename": "vpn.log", "content_base64": "aGVsbG8=", "content_type": "text/plain"},
        {"filename": "shot \"1\".png", "content_base64": "iVBORw=="},
    ]);
    let answer = desk.answer("jsm_upload_temporary_files", json!({"serviceDeskId": "3", "files": files})).await;
    let sent = desk.one();
    assert_eq!(sent.path, "/rest/servicedeskapi/servicedesk/3/attachTemporaryFile");
    let form = form(&sent);
    assert_eq!(form.matches("form-data; name=\"file\"; filename=").count(), 2, "{form}");
    assert!(form.contains("filename=\"vpn.log\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n"), "{form}");
    assert!(form.contains("Content-Type: image/png"), "{form}");
    let id = &answer["temporaryAttachments"][0]["temporaryAttachmentId"];
    let given = json!({"issueIdOrKey": ISSUE, "temporaryAttachmentIds": [id], "public": false, "additionalComment": {"body": "From the gateway."}});
    desk.call("jsm_add_request_attachments", given).await;
    let sent = desk.one();
    assert_eq!(sent.path, "/rest/servicedeskapi/request/ITS-1/attachment");
    let body = sent.json().unwrap();
    assert_eq!((&body["temporaryAttachmentIds"], &body["public"]), (&json!(["temp-9"]), &json!(false)));
}

#[tokio::test]
async fn a_file_is_attached_to_any_issue() {
    let desk = Desk::open(&json!([])).await;
    let file = json!([{"filename": "a.pdf", "content_base64": "JVBERg=="}]);
    desk.answer("jsm_attach_files_to_issue", json!({"issueIdOrKey": ISSUE, "file": file})).await;
    let sent = desk.one();
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/rest/api/3/issue/ITS-1/attachments"));
    let form = form(&sent);
    assert!(form.contains("form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF"));
    for (file, expected) in [
        (json!([{"filename": "a.pdf", "content_base64": "not base64!"}]), "base64"),
        (json!([{"filename": "a.pdf", "content_base64": "A".repeat(15 * 1024 * 1024)}]), "10 MB"),
        (json!([{"filename": "a.pdf"}]), "content_base64"),
        (json!([{"path": "/etc/hostname"}]), "path"),
    ] {
        let refused = desk.refusal("jsm_attach_files_to_issue", json!({"issueIdOrKey": ISSUE, "file": file})).await;
        assert!(refused.contains(expected), "{expected}: {}", refused.chars().take(400).collect::<String>());
        assert!(
            !refused
                .contains("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        );
    }
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn a_file_of_the_allowed_folder_is_sent_by_path() {
    let folder = Folder::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")).unwrap();
    let desk = Desk::with(&json!([]), &everything(), Defaults::Everything, Some(folder)).await;
    let path = json!([{"path": "specs/acme/vendor.toml"}]);
    for (tool, given) in [
        ("jsm_upload_temporary_files", json!({"serviceDeskId": "3", "files": path})),
        ("jsm_attach_files_to_issue", json!({"issueIdOrKey": ISSUE, "file": path})),
    ] {
        desk.call(tool, given.clone()).await;
        let form = form(&desk.one());
        assert!(form.contains("name=\"file\"; filename=\"vendor.toml\"") && form.contains("ACME_URL"), "{form}");
        let outside = given.to_string().replace("specs/acme/vendor.toml", "../../jsm/main.rs");
        let refused = desk.refusal(tool, serde_json::from_str(&outside).unwrap()).await;
        assert!(refused.contains("no such file in the folder"), "{refused}");
        assert!(desk.sent().is_empty());
    }
}

#[tokio::test]
async fn a_download_keeps_type_and_name() {
    let file = |operation: &str, kind: &str, disposition: &str| json!({"operation": operation, "answer": {"headers": {"Content-Type": kind, "Content-Disposition": disposition}, "body": "bytes"}});
    let named = "attachment; filename=\"log.pdf\"";
    let script = json!([
        file("getAttachmentContent", "image/png", "inline"),
        file("getRequestAttachmentContent", "application/pdf", named),
        file("getRequestAttachmentThumbnail", "image/jpeg", "inline"),
    ]);
    let desk = Desk::open(&script).await;
    let content = |result: rmcp::model::CallToolResult| -> Value {
        assert_ne!(result.is_error, Some(true), "{result:?}");
        json!(result)["content"][0].clone()
    };
    let image = content(desk.call("jsm_download_attachment", json!({"attachmentId": "7"})).await);
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));
    let given = json!({"issueIdOrKey": ISSUE, "attachmentId": 7});
    let resource = content(desk.call("jsm_download_request_attachment", given.clone()).await);
    assert_eq!(resource["type"], "resource");
    assert_eq!(resource["resource"]["mimeType"], "application/pdf");
    assert!(resource["resource"]["uri"].as_str().unwrap().contains("log"), "{resource}");
    assert_eq!(resource["resource"]["blob"], "Ynl0ZXM=");
    let image = content(desk.call("jsm_download_request_thumbnail", given).await);
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/jpeg")));
}
