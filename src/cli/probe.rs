//! The address of a server on this machine → whether it is ready, for health checks where there is no other program.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use clap::Args;
use url::Url;

use super::CommandError;
use super::printer::Printer;
use crate::error::ConfigError;

pub(super) const EXAMPLE: &str = "\
Exit code 0 where the answer is 200, else 1. HTTPS is not spoken: ask from outside then.

Example:
  toolwright probe http://127.0.0.1:8080/healthz";

/// A server that is up answers at once.
const WAIT: Duration = Duration::from_secs(5);
/// The longest status line that is read.
const LONGEST_LINE: u64 = 256;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What is asked; /readyz is ready while changes can be served, /healthz while the process runs
    #[arg(default_value = "http://127.0.0.1:8080/readyz")]
    url: String,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let url = Url::parse(&arguments.url).ok().filter(|url| url.scheme() == "http" && url.has_host());
    let url = url.ok_or_else(|| {
        ConfigError::new(format!("`{}` is no address\nhint: such as `http://127.0.0.1:8080/readyz`", arguments.url))
    })?;
    match status(&url) {
        Ok(200) => Ok(()),
        Ok(status) => {
            printer.note(&format!("{url}: status {status}"));
            Err(CommandError::Check)
        }
        Err(error) => {
            printer.note(&format!("{url}: {error}"));
            Err(CommandError::Check)
        }
    }
}

fn status(url: &Url) -> std::io::Result<u16> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let address = (host.trim_matches(['[', ']']), port).to_socket_addrs()?.next();
    let address = address.ok_or_else(|| std::io::Error::other("the host has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    write!(stream, "GET {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n", url.path())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_LINE).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("the answer is no HTTP"))
}
