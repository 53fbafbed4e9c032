//! An operation → where its requests go in place of the API's address, and which security schemes they need.

use openapiv3::Server;

use crate::read::document::{Document, OperationAt};
use crate::read::vendor_file::is_whole;

/// The address that the description states for the operation, or for its path: the first, with the defaults of its
/// variables. `None` where it is that of the API.
pub(super) fn server(at: &OperationAt<'_>, document: &Document) -> Option<String> {
    let own = [&at.operation.servers, &at.item.servers].into_iter().find_map(|servers| servers.first())?;
    let of_api = document.api.servers.first().map(address).unwrap_or_default();
    Some(address(own)).filter(|own| *own != of_api)
}

/// A whole address, or a path that begins with `/`; without a slash at the end.
fn address(server: &Server) -> String {
    let mut url = server.url.clone();
    for (name, variable) in server.variables.iter().flatten() {
        url = url.replace(&format!("{{{name}}}"), &variable.default);
    }
    let url = url.trim_end_matches('/');
    if is_whole(url) || url.starts_with('/') { url.to_owned() } else { format!("/{url}") }
}

/// The security schemes of the operation: all of any one entry, and no entry where anyone may call it. `None` where the
/// description says nothing.
pub(super) fn security(at: &OperationAt<'_>, document: &Document) -> Option<Vec<Vec<String>>> {
    let stated = at.operation.security.as_ref().or(document.api.security.as_ref())?;
    Some(stated.iter().map(|way| way.keys().cloned().collect()).collect())
}
