//! The demo's tables, with one instance behind all of their backends.

use crate::{Backend, Gateway, Setup, eventually};
use std::path::Path;

const TABLES: [&str; 4] = ["files.toml", "library.toml", "page.toml", "shop.toml"];

/// A gateway with the demo's tables, all of whose backends are one instance; connected.
pub async fn demo(setup: &Setup) -> (Backend, Gateway) {
    let backend = setup.backend("shop");
    for name in TABLES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../routes").join(name);
        let table = std::fs::read_to_string(path).expect("the demo has the table");
        let moved: Vec<String> = table
            .lines()
            .map(|line| match line.starts_with("endpoints = ") {
                true => format!("endpoints = [{:?}]", backend.endpoint()),
                false => line.to_owned(),
            })
            .collect();
        setup.write_routes(name, &moved.join("\n"));
    }
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
