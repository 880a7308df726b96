//! Reading metrics as Prometheus does.

use reqwest::StatusCode;

/// Scrapes the metrics at that base URL.
pub async fn scrape(http: &reqwest::Client, base: &str) -> String {
    let response = http.get(format!("{base}/metrics")).send().await;
    let response = response.expect("the server answers");
    assert_eq!(response.status(), StatusCode::OK);
    let media = response.headers()["content-type"].to_str().expect("text");
    assert_eq!(media, "text/plain; version=0.0.4; charset=utf-8");
    response.text().await.expect("text")
}

/// Returns the value of the only series of that name with all these labels. `None` if there is none.
pub fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let found = values(text, name, labels);
    assert!(found.len() < 2, "{name} is several series");
    found.first().copied()
}

/// Returns the values of all series of that name with all these labels.
pub fn values(text: &str, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    let found = text.lines().filter(|line| {
        let is_named = line
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']));
        let has = |(label, value): &(&str, &str)| line.contains(&format!("{label}=\"{value}\""));
        is_named && labels.iter().all(has)
    });
    let numbers = found.map(|line| {
        let (_, number) = line.rsplit_once(' ').expect("a number");
        number.parse().expect("a number")
    });
    numbers.collect()
}
