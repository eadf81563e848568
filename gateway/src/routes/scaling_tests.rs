//! What taking up a table costs, from nothing and from the table before, at one size and at twice that.

use super::Table;
use crate::config::{Source, Tables};
use crate::discovery::Lists;
use callgate_scaling::{Cost, cost, grow_like_their_input};

/// Taking up these files twice: the second table finds everything of the first.
fn taken_up(files: String) -> Cost {
    let tables = || Tables::parse(vec![Source::new("t.toml", files.as_str())]).expect("sound tables");
    let (first, second) = (tables(), tables());
    cost(move || {
        let table = Table::next(&Table::empty(), first, &Lists::default(), 1);
        Table::next(&table, second, &Lists::default(), 1)
    })
}

fn backend(endpoints: usize, name: &str) -> String {
    let list: String = (0..endpoints).map(|at| format!("\"h{at}:1\",")).collect();
    format!("[backends.{name}]\nendpoints = [{list}]\n")
}

#[test]
fn tables_cost_what_they_say() {
    grow_like_their_input(&[
        ("routes", 200, |n| {
            let route = |at| format!("[[routes]]\nmatch = \"GET /r{at}/{{id}}\"\ncall = \"a.b\"\n");
            taken_up(backend(1, "shop") + &(0..n).map(route).collect::<String>())
        }),
        ("backends", 200, |n| taken_up((0..n).map(|at| backend(1, &format!("shop-{at}"))).collect())),
        ("endpoints", 200, |n| taken_up(backend(n, "shop"))),
        ("fixed replies", 200, |n| {
            let route = |at| format!("[[routes]]\nmatch = \"GET /r{at}\"\nrespond = {{ status = 204 }}\n");
            taken_up((0..n).map(route).collect())
        }),
    ]);
}
