//! `JITBIT_URL` and `JITBIT_TOKEN` → the open tickets, with the typed Jitbit client.
//!
//! ```sh
//! cargo run --example jitbit_typed --features typed
//! ```

#[cfg(all(feature = "typed", feature = "jitbit"))]
use toolwright::clients::jitbit::{Client, types};
use toolwright::config::ConnectionConfig;

/// Returns a line for each open ticket, at most `most`.
///
/// # Errors
/// The vendor can't be reached, or its answer is not of the described form.
#[cfg(all(feature = "typed", feature = "jitbit"))]
pub async fn unclosed(connection: &ConnectionConfig, most: i64) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let client = Client::new_with_client(connection.address(), connection.http_client()?);
    let tickets = client.list_tickets().mode(types::ListTicketsMode::Unclosed).count(most).send().await?.into_inner();
    Ok(tickets
        .iter()
        .map(|ticket| {
            let technician = ticket.technician.as_deref().unwrap_or("unassigned");
            let subject = ticket.subject.as_deref().unwrap_or_default();
            format!("#{} {subject} ({technician})", ticket.issue_id.unwrap_or_default())
        })
        .collect())
}

/// In place of the client where its features are off.
///
/// # Errors
/// Always.
#[cfg(not(all(feature = "typed", feature = "jitbit")))]
#[expect(clippy::unused_async, reason = "the same signature as with the client")]
pub async fn unclosed(_: &ConnectionConfig, _: i64) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    Err("build with `--features typed`".into())
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the example's output")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalog = toolwright::catalog::Catalog::compiled();
    let vendor = catalog.vendor("jitbit").ok_or("build with the feature `jitbit`")?;
    let connection = toolwright::config::connection(
        vendor,
        &|name| std::env::var(name).ok(),
        toolwright::upstream::Unencrypted::OnThisMachine,
    )?;
    let connection = connection.ok_or("set JITBIT_URL and JITBIT_TOKEN")?;
    for line in unclosed(&connection, 25).await? {
        println!("{line}");
    }
    Ok(())
}
