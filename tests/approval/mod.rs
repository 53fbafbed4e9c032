//! Human approval before changes: each way to a person through a real client, and whatever else might pass for a yes. What
//! counts is what the vendor has seen: nothing, or exactly the approved request, once.

mod command;
mod forms;
#[cfg(feature = "jsm")]
mod help_desk;
mod hostile;
#[cfg(unix)]
mod killed;
mod more;
#[cfg(all(feature = "jsm", feature = "jumpcloud"))]
mod steering;
mod webhook;
mod workflows;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, FormElicitationCapability, Implementation, ProtocolVersion,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RequestContext, RunningService};
use rmcp::{ClientHandler, ErrorData, RoleClient};
use serde_json::{Value, json};
use toolwright::approval::{Approvals, Confirm};
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::policy::Defaults;
use toolwright::sandbox::{Recorded, Sandbox};
use toolwright::server::Server;
use toolwright::store::{Decision, Store, StoreAddress, StoredApproval};

use crate::common::network::fresh_folder;
use crate::common::{everything, sandbox, text, toolbox};

/// What the person at a client does.
#[derive(Clone)]
pub(super) enum Person {
    /// Fills in the form.
    Answers(Value),
    Declines,
    /// Accepts the form, but leaves out the yes.
    Closes,
    /// Does not look.
    Sleeps,
    /// The client declares forms and has none.
    CantBeAsked,
}

/// A client with a person.
#[derive(Clone)]
pub(super) struct Client {
    person: Arc<Mutex<Person>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    declares: bool,
    count: Arc<AtomicUsize>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if self.declares {
            let form = FormElicitationCapability::default();
            capabilities.elicitation = Some(ElicitationCapability::default().with_form(form));
        }
        ClientConfig::new(capabilities, Implementation::new("desk", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            panic!("a form was expected")
        };
        self.asked.lock().unwrap().push((message, serde_json::to_value(requested_schema).unwrap()));
        let person = self.person.lock().unwrap().clone();
        match person {
            Person::Answers(content) => Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content)),
            Person::Declines => Ok(ElicitResult::new(ElicitationAction::Decline)),
            Person::Closes => Ok(ElicitResult::new(ElicitationAction::Accept)),
            Person::Sleeps => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({"approve": true})))
            }
            Person::CantBeAsked => Err(ErrorData::internal_error("no form here", None)),
        }
    }
}

/// The protocol by which a client talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// Before 2026-07-28: the client is asked while the call waits.
    Handshake,
    /// 2026-07-28: the call ends with the question.
    Stateless,
}

impl Era {
    pub(super) const BOTH: [Self; 2] = [Self::Handshake, Self::Stateless];
}

/// A scripted site, and a server before it that asks.
pub(super) struct Site {
    pub(super) sandbox: Sandbox,
    pub(super) store: Store,
    pub(super) audit: PathBuf,
    server: Server,
}

/// How a server asks.
pub(super) struct Terms {
    pub(super) confirm: &'static [&'static str],
    pub(super) by_another: bool,
    pub(super) form_within: Duration,
    pub(super) within: Duration,
    pub(super) script: Option<Value>,
}

impl Default for Terms {
    fn default() -> Self {
        let (form_within, within) = (Duration::from_secs(300), Duration::from_secs(1_800));
        Self { confirm: &["write"], by_another: false, form_within, within, script: None }
    }
}

impl Site {
    pub(super) async fn open(test: &str, terms: Terms) -> Self {
        Self::with(test, terms, |approvals| approvals).await
    }

    pub(super) async fn with(test: &str, terms: Terms, more: impl FnOnce(Approvals) -> Approvals) -> Self {
        let folder = fresh_folder(&format!("approval-{test}"));
        let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
        let audit = folder.join("calls.jsonl");
        let words: Vec<String> = terms.confirm.iter().map(|word| (*word).to_owned()).collect();
        let approvals = Approvals::in_store(Confirm::parse(&words).unwrap(), store.clone())
            .by_another(terms.by_another)
            .within(terms.form_within, terms.within);
        let sandbox = sandbox(terms.script.map(|script| script.to_string()).as_deref()).await;
        let toolbox: Toolbox = toolbox(&sandbox, &everything(), Defaults::Everything)
            .with_record(Some(Audit::open(&audit).unwrap()))
            .with_approvals(Some(Arc::new(more(approvals))));
        Self { sandbox, store, audit, server: Server::new(toolbox) }
    }

    /// A client of the server, over a pipe.
    pub(super) async fn client(&self, era: Era, declares: bool, person: Person) -> Connected {
        let (client_side, server_side) = tokio::io::duplex(1 << 20);
        let server = self.server.clone();
        tokio::spawn(async move {
            use rmcp::ServiceExt as _;
            Box::pin(server.serve(server_side)).await.unwrap().waiting().await
        });
        let client =
            Client { person: Arc::new(Mutex::new(person)), asked: Arc::default(), declares, count: Arc::default() };
        let lifecycle = match era {
            Era::Handshake => ClientLifecycleMode::Initialize,
            Era::Stateless => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        };
        let service = client.clone().serve_with_lifecycle(client_side, lifecycle).await.unwrap();
        Connected { client, service }
    }

    /// The requests that have changed something, or would have.
    pub(super) fn changes(&self) -> Vec<Recorded> {
        self.sandbox.record().into_iter().filter(|request| request.method != "GET").collect()
    }

    /// Lines of the record that are of approvals: what happened, and who did it.
    pub(super) fn recorded(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(&self.audit).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let of_approvals = lines.filter(|line| line["event"] == "approval");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        of_approvals.map(|line| (word(&line["what"]), word(&line["by"]))).collect()
    }

    pub(super) async fn pending(&self) -> Vec<StoredApproval> {
        self.store.approvals(true).await.unwrap()
    }

    /// Another server with the same store and site.
    pub(super) fn server_toolbox(&self) -> Toolbox {
        let confirm = Confirm::parse(&["write".to_owned()]).unwrap();
        let approvals = Approvals::in_store(confirm, self.store.clone());
        toolbox(&self.sandbox, &everything(), Defaults::Everything).with_approvals(Some(Arc::new(approvals)))
    }

    /// A yes at the command line.
    pub(super) async fn yes(&self, id: &str) -> bool {
        self.store.decide_approval(id, &decision(true)).await.unwrap()
    }
}

pub(super) fn decision(is_approved: bool) -> Decision {
    Decision { is_approved, by: "ops at the command line".to_owned(), reason: None, scope: None, lasts: None }
}

/// A client that is connected.
pub(super) struct Connected {
    client: Client,
    pub(super) service: RunningService<RoleClient, Client>,
}

impl Connected {
    pub(super) async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.service.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await.unwrap()
    }

    pub(super) fn becomes(&self, person: Person) {
        *self.client.person.lock().unwrap() = person;
    }

    /// What the person was shown: messages and schemas of forms.
    pub(super) fn asked(&self) -> Vec<(String, Value)> {
        self.client.asked.lock().unwrap().clone()
    }
}

pub(super) fn is_error(result: &CallToolResult) -> bool {
    result.is_error == Some(true)
}

/// The id that a result names.
pub(super) fn id_in(result: &CallToolResult) -> String {
    let words = text(result).split("approval ").nth(1).unwrap_or_else(|| panic!("{}", text(result)));
    words.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Yes to a form.
pub(super) fn yes() -> Person {
    Person::Answers(json!({"approve": true}))
}
