//! Servers and security schemes → vendor.toml. It names variables and never holds a value.

use std::fmt::Write as _;

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
        let _ = write!(out, "[[credentials]]\nkind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n");
    }
    for credential in credentials {
        let _ = write!(out, "\n[[credentials]]\n{credential}");
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

/// The kinds of credentials that we can send, each once; headers that go together first.
fn credentials(prefix: &str, document: &Value) -> Vec<String> {
    let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let mut found: Vec<String> = together(prefix, document).into_iter().collect();
    for scheme in schemes.into_iter().flatten().map(|(_, scheme)| scheme) {
        let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
        let endpoint = scheme.pointer("/flows/clientCredentials/tokenUrl").and_then(Value::as_str).unwrap_or_default();
        let credential = match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
            ("http", "basic", _) => {
                format!("kind = \"basic\"\nuser = \"{prefix}_USER\"\npassword = \"{prefix}_PASSWORD\"\n")
            }
            ("oauth2", ..) if endpoint.starts_with("https://") && !endpoint.contains(['{', '?', '#', '@', ' ']) => {
                format!(
                    "kind = \"oauth-client\"\nclient_id = \"{prefix}_CLIENT_ID\"\nclient_secret = \"{prefix}_CLIENT_SECRET\"\nendpoint = {}\n",
                    quoted(endpoint)
                )
            }
            ("http", "bearer", _) | ("oauth2" | "openIdConnect", ..) => {
                format!("kind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n")
            }
            ("apiKey", _, "header") => {
                let header = text("name");
                let variable = variable(prefix, header);
                // One that goes together with another is there already.
                if found.iter().any(|other| other.contains(&format!("\"{variable}\""))) {
                    continue;
                }
                format!("kind = \"header\"\nheader = {}\nvalue = \"{variable}\"\n", quoted(header))
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

/// Headers that one way to sign in demands together.
fn together(prefix: &str, document: &Value) -> Option<String> {
    let schemes = document.pointer("/components/securitySchemes")?;
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let own = operations.filter_map(|(_, operation)| operation.get("security"));
    let requirements = document.get("security").into_iter().chain(own).filter_map(Value::as_array).flatten();
    let headers = requirements.filter_map(Value::as_object).find_map(|requirement| {
        let header = |(name, _): (&String, &Value)| {
            let scheme = schemes.get(name).filter(|scheme| scheme["type"] == "apiKey" && scheme["in"] == "header")?;
            scheme.get("name").and_then(Value::as_str)
        };
        requirement.iter().map(header).collect::<Option<Vec<_>>>().filter(|headers| headers.len() > 1)
    })?;
    let further = headers[1..].iter().map(|header| format!("{} = \"{}\"", quoted(header), variable(prefix, header)));
    Some(format!(
        "kind = \"header\"\nheader = {}\nvalue = \"{}\"\nfurther = {{ {} }}\n",
        quoted(headers[0]),
        variable(prefix, headers[0]),
        further.collect::<Vec<_>>().join(", ")
    ))
}

/// The variable of a header's value: `X-Acme-Key` of Acme is `ACME_KEY`.
fn variable(prefix: &str, header: &str) -> String {
    let words: String =
        header.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let words = words.trim_start_matches("X_").trim_matches('_');
    let words = words.strip_prefix(&format!("{prefix}_")).unwrap_or(words);
    format!("{prefix}_{}", if words.is_empty() { "API_KEY" } else { words })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_that_go_together_are_one_way_to_sign_in() {
        let document = json!({
            "paths": {"/a": {"parameters": [], "get": {"security": [{"key": [], "app": []}, {"key": []}]}}},
            "components": {"securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Acme-Key"},
                "app": {"type": "apiKey", "in": "header", "name": "X-App"},
                "own": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://login.example.com/token"}}},
                "odd": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token"}}},
            }},
        });
        assert_eq!(
            credentials("ACME", &document),
            [
                "kind = \"header\"\nheader = \"X-Acme-Key\"\nvalue = \"ACME_KEY\"\nfurther = { \"X-App\" = \"ACME_APP\" }\n",
                "kind = \"oauth-client\"\nclient_id = \"ACME_CLIENT_ID\"\nclient_secret = \"ACME_CLIENT_SECRET\"\nendpoint = \"https://login.example.com/token\"\n",
                "kind = \"bearer\"\ntoken = \"ACME_TOKEN\"\n",
            ]
        );
    }
}
