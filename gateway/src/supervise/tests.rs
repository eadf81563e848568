//! Work that panics, on time that is no real time. The real tasks panic in `process/tests.rs`.

use super::*;
use tokio::sync::mpsc;

fn panics(supervisor: &Supervisor, task: Task) -> u64 {
    supervisor.panics().find(|(one, _)| *one == task).map_or(0, |(_, n)| n)
}

#[tokio::test(start_paused = true)]
async fn work_that_panics_is_begun_anew_with_what_it_was_lent() {
    async fn hear(told: &mut mpsc::Receiver<u32>, heard: &mut Vec<u32>) -> &'static str {
        while let Some(n) = told.recv().await {
            assert!(n % 2 == 0, "an odd number");
            heard.push(n);
        }
        "all"
    }
    let supervisor = Supervisor::default();
    let (tell, mut told) = mpsc::channel(10);
    for n in 0..5 {
        tell.send(n).await.unwrap();
    }
    drop(tell);
    let mut heard = Vec::new();
    let end = supervised!(supervisor, Task::Control, hear(&mut told, &mut heard));
    assert_eq!((end, heard, panics(&supervisor, Task::Control)), (Some("all"), vec![0, 2, 4], 2));
    assert_eq!(supervisor.failed(), None);
}

async fn panic_always() {
    panic!("always");
}

#[tokio::test(start_paused = true)]
async fn work_that_panics_again_and_again_ends_the_process() {
    let supervisor = Supervisor::default();
    let began = Instant::now();
    let never = supervised!(supervisor, Task::Control, panic_always());
    assert_eq!((never, panics(&supervisor, Task::Control)), (None, u64::from(MOST)));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((supervisor.failed(), supervisor.has_failed().await), (Some(Task::Control), Task::Control));
}

#[tokio::test(start_paused = true)]
async fn panics_with_long_times_between_them_and_those_of_one_endpoint_do_not() {
    async fn panic_often(runs: &mut u32, between: Duration) {
        *runs += 1;
        sleep(between).await;
        assert!(*runs > 3 * MOST, "not yet");
    }
    let supervisor = Supervisor::default();
    for (task, between) in [(Task::Control, RECOVERED), (Task::Endpoint, Duration::ZERO)] {
        let mut runs = 0;
        assert_eq!(supervised!(supervisor, task, panic_often(&mut runs, between)), Some(()));
        assert_eq!(panics(&supervisor, task), u64::from(3 * MOST));
    }
    assert_eq!(supervisor.failed(), None);
}

#[test]
fn a_thread_is_supervised_alike() {
    let supervisor = Supervisor::default();
    let mut turns = 0;
    supervisor.run_thread(Task::FileWatcher, || {
        turns += 1;
        assert!(turns != 2, "the second time");
        turns < 4
    });
    assert_eq!((turns, panics(&supervisor, Task::FileWatcher)), (4, 1));
    supervisor.run_thread(Task::FileWatcher, || panic!("always"));
    assert_eq!(supervisor.failed(), Some(Task::FileWatcher));
}

#[test]
fn every_task_has_a_name_and_a_place_of_its_own() {
    let names: std::collections::BTreeSet<_> = Task::ALL.iter().map(|task| task.name()).collect();
    assert_eq!(names.len(), Task::ALL.len());
    assert!(Task::ALL.iter().enumerate().all(|(at, task)| at == *task as usize));
}
