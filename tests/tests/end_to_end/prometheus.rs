//! What `config` has for Prometheus and Grafana: the alert rules are tried by promtool, and each query
//! of the dashboard is answered by a Prometheus that scraped a bwmon at work.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::PathBuf,
};

use bwmon_tests::{Api, Flow, Lan, PEER, Prometheus, SOON, Stage, project, server, wait_until};
use serde_json::Value;

const BWMON: ([u8; 4], u16) = ([127, 0, 0, 1], 4000);
const DEVICES: &str = r#"{
    "192.0.2.7": { "name": "Smart TV", "bandwidth_threshold": 5000 },
    "192.0.2.8": { "name": "NAS", "bandwidth_threshold": "off" }
}"#;
/// Each second, of 1,000 bytes.
const FRAMES: u32 = 100;
const BITS_PER_SEC: f64 = 8.0 * 1000.0 * FRAMES as f64;
/// What Grafana would put for its variables.
const VARIABLES: [(&str, &str); 5] = [
    ("$__rate_interval", "5s"),
    ("$__range", "1m"),
    ("$instance", "127\\\\.0\\\\.0\\\\.1:4000"),
    ("$device", ".*"),
    ("$scope", "internet"),
];

#[test]
fn each_rule_fires_for_what_it_is_about_and_for_nothing_else() {
    let rules = config("prometheus/bwmon.rules.yml");
    let tests = config("prometheus/bwmon.rules.test.yml");
    for (verb, path) in [("check", &rules), ("test", &tests)] {
        let output = server("promtool").arg(verb).arg("rules").arg(path).output();
        let output = output.expect("start promtool");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "promtool {verb} rules: {said}");
    }
    let tests = fs::read_to_string(tests).expect("read the tests of the rules");
    let quiet = tests
        .lines()
        .filter(|line| line.contains("exp_alerts: []"))
        .collect::<String>();
    for rule in words_after("- alert: ", &rules) {
        assert!(
            quiet.contains(&format!("alertname: {rule},")),
            "{rule} is quiet in no test"
        );
        assert!(
            tests.contains(&format!("alertname: {rule}\n")),
            "{rule} fires in no test"
        );
    }
}

#[test]
fn a_prometheus_that_scraped_bwmon_answers_each_query_of_the_dashboard() {
    let address = SocketAddr::from(BWMON);
    let mut stage = Stage::new(&format!("[http]\nlisten = \"{address}\"\n"), DEVICES);
    let router = &stage.lan.router;
    stage.setup = stage.setup.reached_at(Api::tcp(router, address));
    let daemon = stage.setup.start();
    let prometheus = Prometheus::start(
        router,
        "bwmon",
        address,
        &config("prometheus/bwmon.rules.yml"),
    );
    let frame = |from, to| Lan::packet(from, to).length(1000).build();
    let lan = &stage.lan;
    let _flows = [
        Flow::start(&lan.device, frame("192.0.2.7", PEER), FRAMES),
        Flow::start(&lan.lan, frame(PEER, "192.0.2.8"), 2 * FRAMES),
        Flow::start(&lan.device, frame("192.0.2.8", "192.0.2.7"), FRAMES),
    ];
    let dashboard = Dashboard::read();

    let answers = wait_until("an answer to each query", 2 * SOON, || {
        let answers = dashboard.ask(&prometheus)?;
        // Rates are right once the flows fill their window.
        let is_near = |title: &str, expected: f64| {
            let value = number(&answers[title][0]);
            match (value / expected - 1.0).abs() < 0.2 {
                true => Ok(()),
                false => Err(format!("{title}: {value} instead of {expected}")),
            }
        };
        is_near("Sent now", BITS_PER_SEC)?;
        is_near("Received now", 2.0 * BITS_PER_SEC)?;
        match number(&answers["Outbox"][0]) {
            0.0 => Ok(answers),
            waiting => Err(format!("{waiting} events wait")),
        }
    });
    assert_eq!(number(&answers["Alerts firing"][0]), 1.0);
    assert_eq!(number(&answers["Coverage"][0]), 1.0);
    assert_eq!(number(&answers["Database"][0]), 1.0);
    assert_eq!(number(&answers["Active devices"][0]), 2.0);
    let names = labels(&answers["Top devices today"], "name");
    assert_eq!(names, ["NAS", "Smart TV"].into());
    let scopes = labels(&answers["Internet and local"], "scope");
    assert_eq!(scopes, ["internet", "local"].into());
    let interfaces = labels(&answers["Coverage by interface"], "interface");
    assert_eq!(interfaces, ["lan0"].into());
    let by_rule = &answers["Alerts firing by rule"];
    let firing = by_rule.iter().filter(|series| number(series) > 0.0);
    assert_eq!(labels(firing, "rule"), ["volume"].into());

    // A dashboard's variables offer what there is.
    let offered = dashboard.offered(&prometheus);
    assert_eq!(offered["instance"], ["127.0.0.1:4000"]);
    assert_eq!(offered["device"], ["NAS", "Smart TV"]);

    // All is well but for the TV.
    let rules = prometheus.rules().expect("Prometheus tells its rules");
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let is_expected = rule["name"] == "BwmonAlertFiring";
        let state = if is_expected { "firing" } else { "inactive" };
        assert_eq!(rule["state"], state, "{rule}");
    }

    let metrics = daemon.api.get("/metrics").expect("read the metrics").body;
    let exist = existing(&metrics);
    let queries = rules.iter().filter_map(|rule| rule["query"].as_str());
    let queries = queries.map(str::to_owned).chain(dashboard.queries());
    let used: BTreeSet<String> = queries.flat_map(|query| named(&query)).collect();
    assert!(used.len() > 10, "{used:?}");
    let unknown: Vec<_> = used.difference(&exist).collect();
    assert!(unknown.is_empty(), "no such metrics: {unknown:?}");
}

#[test]
fn each_panel_says_what_it_shows_in_which_unit_and_covers_no_other() {
    let dashboard = Dashboard::read();
    let mut covered = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard.panels() {
        assert!(ids.insert(panel["id"].as_u64()), "{}", panel["title"]);
        let place = |edge: &str| {
            let number = panel["gridPos"][edge].as_u64();
            number.expect("a panel has its place")
        };
        for x in place("x")..place("x") + place("w") {
            assert!(x < 24, "{} is beyond the edge", panel["title"]);
            for y in place("y")..place("y") + place("h") {
                let is_free = covered.insert((x, y));
                assert!(is_free, "{} covers another", panel["title"]);
            }
        }
        if panel["type"] != "row" {
            for field in ["/title", "/description", "/fieldConfig/defaults/unit"] {
                let text = panel.pointer(field).and_then(Value::as_str);
                assert!(text.is_some_and(|text| !text.is_empty()), "{field}");
            }
        }
    }
}

/// `config/grafana/bwmon.json`.
struct Dashboard(Value);

impl Dashboard {
    fn read() -> Self {
        let text = fs::read_to_string(config("grafana/bwmon.json"));
        let text = text.expect("read the dashboard");
        Self(serde_json::from_str(&text).expect("the dashboard is JSON"))
    }

    fn panels(&self) -> &[Value] {
        let panels = self.0["panels"].as_array();
        panels.expect("a dashboard has panels")
    }

    /// The queries of panels, by their titles.
    fn targets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.panels().iter().flat_map(|panel| {
            let title = panel["title"].as_str().unwrap_or_default();
            let targets = panel["targets"].as_array().into_iter().flatten();
            targets.map(move |target| {
                let query = target["expr"].as_str();
                (title, query.expect("a target is a query"))
            })
        })
    }

    /// Of all panels and variables, as they are.
    fn queries(&self) -> impl Iterator<Item = String> {
        let of_variables = self.variables().map(|(_, query)| query);
        let of_panels = self.targets().map(|(_, query)| query);
        of_variables.chain(of_panels).map(str::to_owned)
    }

    fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.0["templating"]["list"].as_array();
        variables.into_iter().flatten().filter_map(|variable| {
            let query = variable["query"]["query"].as_str()?;
            Some((variable["name"].as_str()?, query))
        })
    }

    /// What each panel shows, all its queries together: numbers, and of each query some.
    fn ask(&self, prometheus: &Prometheus) -> Result<BTreeMap<&str, Vec<Value>>, String> {
        let mut answers = BTreeMap::<_, Vec<_>>::new();
        for (title, query) in self.targets() {
            let query = filled(query);
            let series = prometheus.query(&query)?;
            if series.is_empty() || !series.iter().all(|each| number(each).is_finite()) {
                return Err(format!("{title}: {query} yields {series:?}"));
            }
            answers.entry(title).or_default().extend(series);
        }
        Ok(answers)
    }

    /// What each variable offers.
    fn offered(&self, prometheus: &Prometheus) -> BTreeMap<&str, Vec<String>> {
        let asked = self.variables().map(|(name, query)| {
            let inner = query.strip_prefix("label_values(");
            let inner = inner.and_then(|query| query.strip_suffix(')'));
            let (series, label) = inner
                .and_then(|inner| inner.rsplit_once(", "))
                .expect("a variable is the values of a label");
            let values = prometheus.label_values(&filled(series), label);
            (name, values.expect("Prometheus tells values"))
        });
        asked.collect()
    }
}

/// The query with something for each variable.
#[track_caller]
fn filled(query: &str) -> String {
    let filled = VARIABLES
        .iter()
        .fold(query.to_owned(), |query, (variable, value)| {
            query.replace(variable, value)
        });
    assert!(!filled.contains('$'), "nothing is known for {filled}");
    filled
}

fn number(series: &Value) -> f64 {
    let number = series["value"][1].as_str();
    number
        .and_then(|number| number.parse().ok())
        .expect("a series has a value")
}

fn labels<'a>(series: impl IntoIterator<Item = &'a Value>, label: &str) -> BTreeSet<&'a str> {
    let values = series
        .into_iter()
        .filter_map(|series| series["metric"][label].as_str());
    values.collect()
}

/// The names of metrics as queries have them, as bwmon's own text describes them.
fn existing(metrics: &str) -> BTreeSet<String> {
    let described = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    described
        .flat_map(|(name, kind)| match kind {
            "histogram" => ["_bucket", "_sum", "_count"]
                .map(|part| format!("{name}{part}"))
                .to_vec(),
            _ => vec![name.to_owned()],
        })
        .collect()
}

/// The names of bwmon's metrics in a query.
fn named(query: &str) -> Vec<String> {
    query
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("bwmon_"))
        .map(str::to_owned)
        .collect()
}

fn words_after(start: &str, path: &PathBuf) -> Vec<String> {
    let text = fs::read_to_string(path).expect("read the rules");
    let lines = text.lines().filter_map(|line| line.split_once(start));
    let words: Vec<String> = lines.map(|(_, word)| word.to_owned()).collect();
    assert!(!words.is_empty(), "{} has no {start}", path.display());
    words
}

fn config(file: &str) -> PathBuf {
    project().join("config").join(file)
}
