//! The description, against the router that it describes.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};

use super::*;
use crate::{
    core::view::{AddressView, AlertView, DeviceView, InterfaceView, MuteView},
    http::{Registration, StatusReport, problem::ProblemBody},
    past::{HistoryAnswer, Report},
};

async fn document() -> Value {
    let answer = get(&household(), "/api/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "private, no-cache");
    answer.json()
}

fn operations(document: &Value) -> impl Iterator<Item = (String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    })
}

#[tokio::test]
async fn what_is_served_is_described_and_what_is_described_is_served() {
    let document = document().await;
    // The paths of the router are to be had only by what it prints of itself.
    let (router, _) = described("0.1.0");
    let printed = format!("{router:?}");
    let mut served: BTreeSet<&str> = printed
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains("__private__"))
        .collect();
    let paths = document["paths"].as_object().unwrap().keys();
    let described: BTreeSet<&str> = paths.map(String::as_str).collect();
    if !described.contains("/") {
        // Of the answer to unknown paths, of which another test has it.
        served.remove("/");
    }
    assert_eq!(described, served);

    let world = household();
    world
        .token
        .send_replace(Some(Secret::new("s3cret".to_owned())));
    for path in described {
        let item = document["paths"][path].as_object().unwrap();
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
        ] {
            let known = if method == "HEAD" { "GET" } else { method };
            let is_described = item.contains_key(&known.to_lowercase());
            let request = Request::builder()
                .method(method)
                .uri(path.replace("{id}", "a1"))
                .header(header::AUTHORIZATION, "Bearer s3cret");
            let answer = ask(&world, request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status != 405, is_described, "{method} {path}");
            if is_described {
                let responses = &item[&known.to_lowercase()]["responses"];
                let status = answer.status.to_string();
                assert!(
                    responses.get(&status).is_some(),
                    "{method} {path}: {status}"
                );
            }
        }
    }
}

#[tokio::test]
async fn operations_have_names_words_and_the_refusals_of_the_guard() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{name}"
        );
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
        let responses = operation["responses"].as_object().unwrap();
        let refusals = match path.as_str() {
            path if guard::is_for_everybody(path) => &["413"][..],
            _ => &["400", "401", "403", "413"],
        };
        for status in refusals {
            assert!(responses.contains_key(*status), "{method} {path}: {status}");
        }
        for (status, response) in responses {
            let text = response["description"].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{name} {status}");
            let content = &response["content"];
            let is_usage = path == "/usage_report" && status == "404";
            if status.as_str() >= "400" && !is_usage {
                let schema = &content["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
            }
            if status == "304" {
                assert!(content.is_null(), "{name} {status}");
                assert!(responses["200"]["headers"]["ETag"].is_object(), "{name}");
            }
        }
        let security = operation["security"].to_string();
        let expected = match (path.as_str(), method.as_str()) {
            (path, _) if guard::is_for_everybody(path) => "[]",
            (_, "GET") => r#"[{},{"token":[]}]"#,
            _ => r#"[{"token":[]}]"#,
        };
        assert_eq!(security, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn everything_that_is_answered_is_said_to_be_there_and_to_mean_something() {
    let document = document().await;
    let asked = ["AckBody", "EntryPatch", "MuteBody"];
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let parts = schema["allOf"].as_array();
        let parts = parts.map_or(std::slice::from_ref(schema), Vec::as_slice);
        for part in parts {
            let Some(properties) = part["properties"].as_object() else {
                continue;
            };
            let required = part["required"].as_array().map_or(0, Vec::len);
            assert_eq!(
                part["additionalProperties"] == false,
                asked.contains(&name.as_str()),
                "{name}"
            );
            match asked.contains(&name.as_str()) {
                true => assert_eq!(required, 0, "{name}"),
                false => assert_eq!(required, properties.len(), "{name}"),
            }
            for (member, property) in properties {
                // Of what may be null, it is beside the other kind.
                let kinds = property["oneOf"].as_array();
                let kinds = kinds.map_or(std::slice::from_ref(property), Vec::as_slice);
                let has_words =
                    |kind: &Value| kind["$ref"].is_string() || kind["description"].is_string();
                assert!(
                    kinds.iter().any(has_words),
                    "{name}.{member} has no description"
                );
            }
        }
    }
}

#[tokio::test]
async fn references_lead_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                object.values().for_each(|value| check(document, value));
            }
            Value::Array(items) => items.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    let document = document().await;
    check(&document, &document);
}

/// Whether an example is what the type writes, with nothing left out.
fn check_example<T: Serialize + DeserializeOwned>(example: &Value) {
    let read: T = serde_json::from_value(example.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), *example);
}

#[tokio::test]
async fn examples_are_answers() {
    let document = document().await;
    let mut seen = 0;
    for (_, path, operation) in operations(&document) {
        for status in ["200", "201"] {
            let content = &operation["responses"][status]["content"]["application/json"];
            let Some(example) = content.get("example") else {
                let has_none = content.is_null() || path == "/api/openapi.json";
                assert!(has_none, "{path} has no example");
                continue;
            };
            seen += 1;
            match operation["operationId"].as_str().unwrap() {
                "status" => check_example::<StatusReport>(example),
                "interfaces" => check_example::<Vec<InterfaceView>>(example),
                "addresses" => check_example::<Vec<AddressView>>(example),
                "devices" => check_example::<Vec<DeviceView>>(example),
                "registration" => check_example::<Registration>(example),
                "device" | "change_device" => check_example::<DeviceView>(example),
                "alerts" => check_example::<Vec<AlertView>>(example),
                "alert" | "acknowledge" | "unacknowledge" => check_example::<AlertView>(example),
                "mutes" => check_example::<Vec<MuteView>>(example),
                "mute" | "one_mute" => check_example::<MuteView>(example),
                "history" => check_example::<HistoryAnswer>(example),
                "report" => check_example::<Report>(example),
                "usage_report" => assert!(example[0]["usage"].is_number()),
                name => panic!("{name} is not checked here"),
            }
        }
    }
    let file: Value = serde_json::from_str(include_str!("examples.json")).unwrap();
    assert_eq!(
        file.as_object().unwrap().len(),
        seen,
        "an example of no operation"
    );
    let problem = &document["components"]["schemas"]["Problem"]["example"];
    check_example::<ProblemBody>(problem);
}
