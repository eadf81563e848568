//! Two versions of one service behind one route, at the same time: each call is encoded for the instance that reads it.

use callgate_tests::{Client, Setup};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the route answers to this order, whichever version answers; `gift` and `currency` are the new one's.
fn is_right(answer: &Value, id: &str, qty: u32) -> bool {
    let amount = 2.5 * f64::from(qty);
    let line = &answer["lines"][0];
    answer["order_id"] == id
        && answer["express"] == json!(true)
        && answer["total"] == json!(amount)
        && line["sku"] == format!("sku-{id}")
        && line["qty"] == qty
        && line["amount"] == json!(amount)
}

/// Asks for a quote, of which nothing may be wrong; says whether the new version has answered.
async fn quote(client: &Client, id: &str, qty: u32) -> bool {
    let order = json!({
        "express": true, "customer": "ada",
        "items": [{"qty": qty, "sku": format!("sku-{id}"), "unit_price": 2.5}],
    });
    let answer = client.post(&format!("/v1/orders/{id}/quote"), order.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert!(is_right(&answer, id, qty), "{answer}");
    answer["currency"] == "EUR"
}

#[tokio::test]
async fn an_added_field_and_another_order_serve_beside_the_old_ones() {
    let setup = Setup::new();
    let old = setup.backend("shop");
    let new = setup.backend("shop-next");
    setup.write_shop(&[&old, &new]);
    let gateway = setup.gateway().await;
    gateway.connected(&old).await;
    gateway.connected(&new).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let client = gateway.client.clone();
        tasks.spawn(async move {
            let (mut old, mut new) = (0, 0);
            for n in 0..100u32 {
                match quote(&client, &format!("{task}-{n}"), n).await {
                    true => new += 1,
                    false => old += 1,
                }
            }
            (old, new)
        });
    }
    let (mut olds, mut news) = (0, 0);
    while let Some(counted) = tasks.join_next().await {
        let (old, new) = counted.expect("a task that asserts");
        olds += old;
        news += new;
    }
    assert!(olds > 0 && news > 0, "both served: {olds} by the old, {news} by the new");
    // The old version alone has the calculator: its calls never go to the new one.
    for n in 0..50 {
        let answer = gateway.client.get(&format!("/v1/calc/add?a={n}&b=1")).await;
        assert_eq!(answer.json(), json!({"result": n + 1}));
    }
    // A field that only the new version has: taken by the new, refused by the old, never dropped in silence.
    for n in 0..50 {
        let item = json!({"qty": 1, "sku": "x", "unit_price": 1, "gift": true});
        let order = json!({"express": true, "customer": "a", "items": [item]});
        let answer = gateway.client.post(&format!("/v1/orders/{n}/quote"), order.to_string()).await;
        match answer.status {
            200 => assert_eq!(answer.json()["lines"][0]["gift"], json!(true)),
            400 => assert_eq!(answer.json()["errors"][0]["pointer"], "/items/0/gift"),
            other => panic!("{other}: {}", answer.text()),
        }
    }
}

#[tokio::test]
async fn ten_thousand_calls_are_served_while_instances_are_replaced_one_by_one() {
    const CALLS: u32 = 10_000;
    const TASKS: u32 = 8;
    let setup = Setup::new();
    let mut instances = [setup.backend("shop"), setup.backend("shop"), setup.backend("shop")];
    setup.write_shop(&instances.each_ref());
    let gateway = setup.gateway().await;
    for instance in &instances {
        gateway.connected(instance).await;
    }
    let done = Arc::new(Semaphore::new(0));
    let all_are_new = tokio::sync::watch::Sender::new(false);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let (client, done, mut all_are_new) = (gateway.client.clone(), done.clone(), all_are_new.subscribe());
        tasks.spawn(async move {
            let mut new = 0;
            for n in 0..CALLS / TASKS {
                // Some are left for the new ones, however fast the machine is.
                if n == CALLS / TASKS * 4 / 5 {
                    all_are_new.wait_for(|all| *all).await.expect("somebody says so");
                }
                new += u32::from(quote(&client, &format!("{task}-{n}"), n).await);
                done.add_permits(1);
            }
            new
        });
    }
    for instance in &mut instances {
        // A part of the calls before each.
        done.acquire_many(CALLS / 5).await.expect("it is never closed").forget();
        instance.stop().await;
        *instance = setup.backend_at("shop-next", instance.endpoint());
        gateway.connected(instance).await;
    }
    all_are_new.send_replace(true);
    let mut news = 0;
    while let Some(counted) = tasks.join_next().await {
        news += counted.expect("no call failed and none was wrong");
    }
    assert!((1..CALLS).contains(&news), "both served: {news} by the new one");
    assert!(quote(&gateway.client, "last", 1).await, "the new one is alone");
}
