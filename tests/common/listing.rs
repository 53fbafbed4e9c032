//! An upstream that answers every request by a function of its address and body, and a toolbox of the compiled vendors
//! over it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use toolwright::call::Toolbox;
use toolwright::catalog::sandbox_tables;
use toolwright::policy::Defaults;
use url::Url;

/// A request: its address and its body.
pub(crate) struct Asked {
    url: Url,
    body: Value,
}

impl Asked {
    /// A number of the query or the body.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        let in_query = self.url.query_pairs().find(|(key, _)| key == name).and_then(|(_, text)| text.parse().ok());
        in_query.or_else(|| self.body[name].as_u64().and_then(|number| usize::try_from(number).ok()))
    }
}

/// What a vendor answers: a body, and the headers that matter.
pub(crate) struct Told {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl From<Value> for Told {
    fn from(body: Value) -> Self {
        Self { headers: Vec::new(), body }
    }
}

/// A vendor whose listings a test makes up.
pub(crate) struct Listing {
    toolbox: Toolbox,
    positions: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Listing {
    /// `position` is the parameter in which a request states where its page begins.
    pub(crate) async fn new<T: Into<Told>>(
        position: &'static str,
        answer: impl Fn(&Asked) -> T + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let positions = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&positions);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some((head, body)) = super::pages::read(&mut stream).await else { continue };
                let target = head.split(' ').nth(1).unwrap();
                let url = Url::parse(&format!("http://test{target}")).unwrap();
                let asked = Asked { url, body: serde_json::from_str(&body).unwrap_or_default() };
                seen.lock().unwrap().push(asked.number(position));
                let Told { headers, body } = answer(&asked).into();
                let mut head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n".to_owned();
                for (name, value) in &headers {
                    let _ = write!(head, "{name}: {value}\r\n");
                }
                let body = body.to_string();
                let length = body.len();
                let answer = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let connection = super::connection(&address, Duration::from_secs(20));
        let connections: HashMap<_, _> =
            sandbox_tables().iter().map(|(api, _)| ((*api).to_owned(), connection.clone())).collect();
        Self {
            toolbox: super::toolboxes::with_connections(&connections, &super::everything(), Defaults::Reads),
            positions,
        }
    }

    /// Calls; the answer as JSON.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let result = super::result(&self.toolbox, tool, arguments).await;
        assert_eq!(result.is_error, Some(false), "{tool}: {}", super::text(&result));
        serde_json::from_str(super::text(&result)).unwrap()
    }

    /// Calls, and follows the cursors to the last page. Returns the values of `id` in all records, and the last page.
    pub(crate) async fn walk(&self, tool: &str, arguments: Value, id: &str) -> (Vec<Value>, Value) {
        let mut answer = self.call(tool, arguments).await;
        let mut found = ids(&answer, id);
        for _ in 0..200 {
            let cursor = &answer["page"]["next_cursor"];
            if cursor.is_null() {
                return (found, answer);
            }
            assert_ne!(answer["page"]["has_more"], false, "{answer}");
            answer = self.call(tool, json!({"cursor": cursor})).await;
            found.extend(ids(&answer, id));
        }
        panic!("{tool}: the cursors never end");
    }

    /// Where the requests since the last call of this began.
    pub(crate) fn positions(&self) -> Vec<Option<usize>> {
        std::mem::take(&mut self.positions.lock().unwrap())
    }
}

/// The values of `id` in an answer's records.
pub(crate) fn ids(answer: &Value, id: &str) -> Vec<Value> {
    let lists = ["items", "values", "issues", "results"].into_iter().filter_map(|name| answer[name].as_array());
    let pointer = format!("/{}", id.replace('.', "/"));
    lists.flatten().map(|record| record.pointer(&pointer).cloned().unwrap_or_default()).collect()
}

/// The records of a range.
pub(crate) fn range(records: &[Value], from: usize, size: usize) -> Vec<Value> {
    records.iter().skip(from).take(size).cloned().collect()
}
