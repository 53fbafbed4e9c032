//! Servers and security schemes → vendor.toml. It names variables and never holds a value.

use serde_json::Value;

use super::yaml::quoted;

/// Writes the vendor's file.
pub(super) fn write(name: &str, title: &str, document: &Value) -> String {
    let prefix = name.to_uppercase();
    let (example, note) = example(name, document);
    let mut out = format!(
        "# How to reach {title}. What it offers: api.yaml. What a model sees: overlay.yaml.\n\
         id = {}\ntitle = {}\n\n[address]\nvariable = \"{prefix}_URL\"\nexample = {}{note}\n",
        quoted(name),
        quoted(title),
        quoted(&example),
    );
    let credentials = credentials(&prefix, document);
    if credentials.is_empty() {
        out += "\n# The description names no way to sign in that we know: to be reviewed.\n";
        out += &format!("[[credentials]]\nkind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n");
    }
    for credential in credentials {
        out += &format!("\n[[credentials]]\n{credential}");
    }
    out
}

/// An address for people, and a comment where it is made up.
fn example(name: &str, document: &Value) -> (String, &'static str) {
    let server = document.get("servers").and_then(Value::as_array).and_then(|servers| servers.first());
    let mut url = server.and_then(|server| server.get("url")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let variables = server.and_then(|server| server.get("variables")).and_then(Value::as_object);
    for (variable, about) in variables.into_iter().flatten() {
        let default = about.get("default").and_then(Value::as_str).unwrap_or(variable);
        url = url.replace(&format!("{{{variable}}}"), default);
    }
    let url = url.trim_end_matches('/');
    if url.starts_with("https://") || url.starts_with("http://") {
        return (url.to_owned(), "");
    }
    let path = if url.starts_with('/') { url } else { "" };
    (format!("https://{name}.example.com{path}"), "  # the description names no host: to be reviewed")
}

/// The kinds of credentials that we can send, each once.
fn credentials(prefix: &str, document: &Value) -> Vec<String> {
    let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let mut found: Vec<String> = Vec::new();
    for scheme in schemes.into_iter().flatten().map(|(_, scheme)| scheme) {
        let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
        let credential = match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
            ("http", "basic", _) => {
                format!("kind = \"basic\"\nuser = \"{prefix}_USER\"\npassword = \"{prefix}_PASSWORD\"\n")
            }
            ("http", "bearer", _) | ("oauth2" | "openIdConnect", ..) => {
                format!("kind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n")
            }
            ("apiKey", _, "header") => {
                let header = text("name");
                let words: String = header
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                    .collect();
                let words = words.trim_start_matches("X_").trim_matches('_');
                let words = if words.is_empty() { "API_KEY" } else { words };
                format!("kind = \"header\"\nheader = {}\nvalue = \"{prefix}_{words}\"\n", quoted(header))
            }
            // A key in the query or a cookie can't be sent yet.
            _ => continue,
        };
        if !found.contains(&credential) {
            found.push(credential);
        }
    }
    found
}
