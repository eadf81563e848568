//! The process's own figures, as Prometheus's client libraries name them.

use super::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

/// The process's own figures, from /proc; what cannot be read is left out.
pub(super) fn process(families: &mut Vec<MetricFamily>) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields follow the command's name, which ends with the last closing parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    const TICKS_PER_SECOND: f64 = 100.0;
    if let (Some(user), Some(system)) = (field(11), field(12)) {
        let mut cpu = family("process_cpu_seconds_total", "CPU time, user and system.", COUNTER);
        counter(&mut cpu, &[], (user + system) / TICKS_PER_SECOND);
        families.push(cpu);
    }
    // In kB whatever the size of a page, which stat counts in.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let resident = resident.and_then(|kb| kb.parse::<f64>().ok()).map(|kb| kb * 1024.0);
    let figures = [
        ("process_threads", "Threads.", field(17)),
        ("process_virtual_memory_bytes", "Virtual memory.", field(20)),
        ("process_resident_memory_bytes", "Resident memory.", resident),
        (
            "process_open_fds",
            "Open file descriptors.",
            std::fs::read_dir("/proc/self/fd").ok().map(|d| d.count() as f64),
        ),
    ];
    for (name, help, value) in figures {
        if let Some(value) = value {
            let mut one = family(name, help, GAUGE);
            gauge(&mut one, &[], value);
            families.push(one);
        }
    }
}
