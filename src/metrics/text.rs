//! The older of Prometheus's two text formats.

use std::collections::HashSet;

/// Converts OpenMetrics to the text format 0.0.4, in which counters are described under the full name of
/// their series, and which has neither units nor an end marker.
pub fn plain(open_metrics: &str) -> String {
    let is_counter = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        (kind == "counter").then(|| name.to_owned())
    };
    // Collected first, since a counter's `HELP` line precedes its `TYPE` line.
    let counters: HashSet<String> = open_metrics.lines().filter_map(is_counter).collect();
    let mut plain = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("EOF" | "UNIT"), ..) => continue,
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                plain.push_str(&format!("# {what} {name}_total {rest}"));
            }
            _ => plain.push_str(line),
        }
        plain.push('\n');
    }
    plain
}
