//! PostgreSQL from the system's packages → a database of a test's own, on a free port of this machine.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use toolwright::store::StoreAddress;

/// A server with one empty database.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// Starts a server.
    pub(crate) async fn start(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("toolwright-postgres-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = Self { programs: programs(), folder, port, server: None };
        if let Some(user) = user() {
            std::os::unix::fs::chown(&postgres.folder, Some(user), None).unwrap();
        }
        let data = postgres.folder.join("data");
        let mut initdb = postgres.command("initdb");
        initdb.arg("-D").arg(&data).args(["-U", "toolwright", "--auth=trust", "-E", "UTF8", "--no-sync"]);
        let done = initdb.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        postgres.resume().await;
        postgres
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://toolwright@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    pub(crate) fn address(&self) -> StoreAddress {
        StoreAddress::parse(&self.url()).unwrap()
    }

    /// Starts it again, and waits until it answers.
    pub(crate) async fn resume(&mut self) {
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        server.args(["-h", "127.0.0.1", "-F", "-p", &self.port.to_string()]);
        self.server = Some(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..600 {
            let mut ready = self.command("pg_isready");
            ready.args(["-q", "-h", "127.0.0.1", "-U", "toolwright", "-p", &self.port.to_string()]);
            if ready.status().unwrap().success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("PostgreSQL does not answer");
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // SIGQUIT ends its processes too.
            if let Some(pid) = Pid::from_raw(i32::try_from(server.id()).unwrap()) {
                let _ = kill_process(pid, Signal::QUIT);
            }
            let _ = server.wait();
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder);
        // It refuses to run as root.
        if let Some(user) = user() {
            std::os::unix::process::CommandExt::uid(&mut command, user);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where the newest version's programs are.
fn programs() -> PathBuf {
    let versions = Path::new("/usr/lib/postgresql");
    let found = std::fs::read_dir(versions).unwrap_or_else(|error| panic!("{}: {error}", versions.display()));
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    found.map(|entry| entry.unwrap().path()).max_by_key(version).unwrap().join("bin")
}

/// The user that the package has made for it, where this process is root.
fn user() -> Option<u32> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let text = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = text.lines().find(|line| line.starts_with("postgres:")).unwrap();
    line.split(':').nth(2)?.parse().ok()
}
