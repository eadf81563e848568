//! Everything that a trial starts: a folder, instances, the gateway with its tables.

use crate::Failed;
use crate::gateway::Gateway;
use crate::instance::Instance;
use crate::options::Options;
use crate::tables::Tables;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// The gateway's log in the trial's folder.
pub(crate) const SERVER_LOG: &str = "gateway.log";

/// How long it may take until the gateway is connected to an instance that is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an instance is reached.
pub(crate) struct Place {
    /// Where it listens.
    pub(crate) listen: String,
    /// Where the gateway finds it: the same, or a relay before it.
    pub(crate) endpoint: String,
    /// The network namespace in which it runs, if not in ours.
    pub(crate) netns: Option<String>,
}

/// What a trial runs on. All processes end when it is dropped.
pub(crate) struct Rig {
    pub(crate) instances: Vec<Arc<Mutex<Instance>>>,
    pub(crate) gateway: Arc<Mutex<Gateway>>,
    pub(crate) tables: Arc<Mutex<Tables>>,
    folder: TempDir,
}

impl Rig {
    /// Starts the instances on ports of loopback, and the gateway.
    pub(crate) async fn start(options: &Options) -> Result<Rig, Failed> {
        let place = |_| {
            let listen = format!("127.0.0.1:{}", crate::ports::free()?);
            Ok(Place { endpoint: listen.clone(), listen, netns: None })
        };
        let places: Result<Vec<Place>, Failed> = (0..options.instances).map(place).collect();
        Rig::start_at(options, places?).await
    }

    /// Starts the instances at those places, and the gateway, and waits until it is connected to all of them.
    pub(crate) async fn start_at(options: &Options, places: Vec<Place>) -> Result<Rig, Failed> {
        let mut folder = TempDir::with_prefix("callgate-chaos-")?;
        folder.disable_cleanup(options.keep);
        let path = folder.path();
        std::fs::create_dir(path.join("routes"))?;
        let endpoints: Vec<String> = places.iter().map(|place| place.endpoint.clone()).collect();
        let mut instances = Vec::new();
        for (number, place) in places.into_iter().enumerate() {
            let mut instance = Instance::new(path, number, place.listen, place.netns);
            instance.start().await?;
            instances.push(Arc::new(Mutex::new(instance)));
        }
        let tables = Tables {
            path: path.join("routes/probe.toml"),
            endpoints,
            away: BTreeSet::new(),
            drained: BTreeSet::new(),
            timeout: options.timeout,
            backend_lines: options.backend_lines.clone(),
            route_lines: options.route_lines.clone(),
            variation: 0,
        };
        tables.write()?;
        let started = Gateway::start(path, &options.server_lines).await;
        let gateway = started.map_err(|error| format!("{error}:\n{}", tail(&path.join(SERVER_LOG))))?;
        for endpoint in &tables.endpoints {
            connected(&gateway, endpoint).await?;
        }
        let (gateway, tables) = (Arc::new(Mutex::new(gateway)), Arc::new(Mutex::new(tables)));
        Ok(Rig { instances, gateway, tables, folder })
    }

    /// How often each id has run, in all instances together. They are told to end first: what they have accepted may
    /// still run.
    pub(crate) async fn runs(&self) -> Result<HashMap<u64, u32>, Failed> {
        let mut runs = HashMap::new();
        for instance in &self.instances {
            let mut instance = instance.lock().await;
            instance.drain().await?;
            instance.add_runs(&mut runs)?;
        }
        Ok(runs)
    }

    /// The last lines of every log, for a trial that failed.
    pub(crate) fn tails(&self) -> String {
        let mut logs: Vec<PathBuf> = std::fs::read_dir(self.folder.path())
            .map_or(Vec::new(), |entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect());
        logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.sort();
        let tails = logs.iter().filter(|path| path.metadata().is_ok_and(|data| data.len() > 0));
        tails.map(|path| format!("--- {}\n{}\n", path.display(), tail(path))).collect()
    }

    /// Where everything lies.
    pub(crate) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }
}

async fn connected(gateway: &Gateway, endpoint: &str) -> Result<(), Failed> {
    let connecting = async {
        while gateway.admin.endpoint(endpoint).await?.connections < 2 {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    };
    timeout(PATIENCE, connecting).await.map_err(|_| format!("the gateway does not connect to {endpoint}"))?
}

/// A program of the workspace: they lie beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf, Failed> {
    let path = std::env::current_exe()?.with_file_name(name);
    match path.exists() {
        true => Ok(path),
        false => {
            Err(format!("{} is not there: cargo build --workspace --bins builds it", path.display()).into())
        }
    }
}

fn tail(path: &std::path::Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
