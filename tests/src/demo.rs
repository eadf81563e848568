//! The demo's own tables, before a backend of a test.

use crate::{Backend, Gateway, Setup, eventually};
use std::fs;
use std::path::Path;

impl Setup {
    /// Writes the tables of `routes/`, in which that backend is the only instance of each.
    pub fn write_demo(&self, backend: &Backend) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../routes");
        for entry in fs::read_dir(folder).expect("the demo's tables") {
            let path = entry.expect("a table").path();
            let text = fs::read_to_string(&path).expect("a table");
            let line = |line: &str| match line.starts_with("endpoints = ") {
                true => format!("endpoints = [{:?}]\n", backend.endpoint()),
                false => format!("{line}\n"),
            };
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            self.write_routes(name, &text.lines().map(line).collect::<String>());
        }
    }
}

/// A gateway with the demo's tables, all of whose backends are one instance; connected.
pub async fn demo(setup: &Setup) -> (Backend, Gateway) {
    let backend = setup.backend("shop");
    setup.write_demo(&backend);
    let gateway = setup.gateway().await;
    // Each backend has a connection of each worker.
    let declared = gateway.admin.get("/backends").await.json()["backends"].as_array().map_or(0, Vec::len);
    eventually("all connections", async || {
        let connected = gateway.metric("callgate_backend_connections", &[]).await;
        (connected == (2 * declared) as f64).then_some(())
    })
    .await;
    (backend, gateway)
}
