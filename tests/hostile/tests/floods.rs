//! The floods in their short form: memory as a bound, a good client served, and an end. Nothing is judged by the clock.

use callgate_hostile::floods::{self, ALL, Size};

/// One after the other: each is to meet an idle machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_cost_what_their_bounds_allow_and_nobody_else_notices() {
    let mut complaints = Vec::new();
    println!("{}", floods::HEADING);
    for flood in ALL {
        let found = floods::run(flood, Size::Short).await;
        println!("{}", found.row(flood));
        complaints.extend(found.complaint(flood).map(|complaint| format!("{}: {complaint}", flood.name)));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
