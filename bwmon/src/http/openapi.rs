//! `GET /api/openapi.json`: the API described, out of the code that serves it.
//!
//! Each handler says by `#[utoipa::path]` what is its own. What holds for all of them is added here,
//! so that no handler has to repeat it: what the guard refuses, that errors are problems, the
//! headers of pages and tags, examples.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use utoipa::{
    OpenApi,
    openapi::{
        self, ContentBuilder, HeaderBuilder, KnownFormat, ObjectBuilder, PathItem, Ref, RefOr,
        Response as Described, Schema, SchemaFormat, Type,
        path::{Operation, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    conditional::{Tag, unless_had},
    guard,
    problem::ProblemBody,
};

/// What is said about the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "bwmon",
        description = "What each device on the network sends and receives, and what is unusual \
                       about it.\n\nTimes are RFC 3339 with offset. Sizes are bytes of layer-2 \
                       frames, rates bytes per second, durations seconds. `sent` is what a device \
                       uploads, `received` what it downloads. Fields may be added; those that are \
                       there stay.\n\nA path that is not here is answered by 404, a method that is \
                       not here by 405 with an `Allow` header, a request head of more than 16 KiB \
                       by 431; all but the last as `application/problem+json`. `HEAD` is taken \
                       wherever `GET` is.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemBody)),
    tags(
        (name = "devices", description = "Who used what."),
        (name = "history", description = "Who used what, for years."),
        (name = "alerts", description = "What is unusual, and who takes care of it."),
        (name = "service", description = "How bwmon itself does."),
    ),
)]
pub(super) struct Base;

/// An answer of each operation to look at, by the name of the operation.
const EXAMPLES: &str = include_str!("examples.json");

const TOKEN: &str = "token";
const PROBLEM: &str = "application/problem+json";

/// The document as it is sent.
#[derive(Debug)]
pub(super) struct Document {
    body: Bytes,
    tag: Tag,
}

impl Document {
    /// # Errors
    ///
    /// When it can't be written as JSON.
    pub(super) fn of(api: &openapi::OpenApi) -> serde_json::Result<Self> {
        let body = serde_json::to_vec(api)?;
        let tag = Tag::of(&body);
        let body = body.into();
        Ok(Self { body, tag })
    }
}

/// This description.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "service",
    responses((status = 200, body = Value, description = "OpenAPI 3.1."), (status = 304)),
)]
pub(super) async fn openapi_json(
    Extension(document): Extension<Arc<Document>>,
    headers: HeaderMap,
) -> Response {
    let mut response = unless_had(&headers, &document.tag, || {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], document.body.clone()).into_response()
    });
    // It says nothing of anybody.
    let keep = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, keep);
    response
}

/// All operations with their methods and paths.
pub(super) fn operations(
    api: &openapi::OpenApi,
) -> impl Iterator<Item = (Method, &str, &Operation)> {
    api.paths.paths.iter().flat_map(|(path, item)| {
        methods(item).map(move |(method, operation)| (method, path.as_str(), operation))
    })
}

fn methods(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Adds what holds for every operation.
pub(super) fn complete(api: &mut openapi::OpenApi, version: &str) {
    version.clone_into(&mut api.info.version);
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for (path, item) in &mut api.paths.paths {
        for (is_write, operation) in [
            (false, &mut item.get),
            (true, &mut item.post),
            (true, &mut item.put),
            (true, &mut item.patch),
            (true, &mut item.delete),
        ] {
            let Some(operation) = operation else { continue };
            add_refusals(operation, path, is_write);
            add_security(operation, path, is_write);
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    let kind = status.as_bytes().first();
                    let is_error = matches!(kind, Some(b'4' | b'5'));
                    if is_error && response.content.is_empty() {
                        response
                            .content
                            .insert(PROBLEM.to_owned(), RefOr::T(problem()));
                    }
                }
            }
            add_headers(operation);
            add_example(operation, &examples);
        }
    }
    let components = api.components.get_or_insert_default();
    for schema in components.schemas.values_mut() {
        if let RefOr::T(schema) = schema {
            all_are_there(schema);
        }
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The text of `http.token_file`. Where one is set it is needed for all but `/healthz`; \
             to change something it is needed always, except over the Unix socket.",
        ))
        .build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
}

/// What is refused before a handler sees it.
fn add_refusals(operation: &mut Operation, path: &str, is_write: bool) {
    let mut refuse = |status: &str, description: &str| {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(Described::new(description)));
    };
    refuse("413", "The request body is larger than 64 KiB.");
    if guard::is_for_everybody(path) {
        refuse("400", "There is no such parameter, or no such path.");
        return;
    }
    refuse(
        "400",
        "The path or a parameter can't be used, or there is no such parameter; `detail` says which.",
    );
    refuse("401", "A token is needed, or this is not the one.");
    refuse(
        "403",
        match is_write {
            false => "The `Host` header is not a name of this listener, which has no token.",
            true => {
                "Nothing can be changed over TCP without a token, or by a page of another site."
            }
        },
    );
    if operation.request_body.is_some() {
        refuse("408", "The request body did not come within 10 s.");
        refuse("415", "The request body is not `application/json`.");
    }
}

fn add_security(operation: &mut Operation, path: &str, is_write: bool) {
    let token = SecurityRequirement::new(TOKEN, [""; 0]);
    operation.security = Some(match (path, is_write) {
        (path, _) if guard::is_for_everybody(path) => Vec::new(),
        (_, true) => vec![token],
        // Where none is set, none is asked for.
        (_, false) => vec![SecurityRequirement::default(), token],
    });
}

fn add_headers(operation: &mut Operation) {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let header = |schema: ObjectBuilder, description: &str| {
        let header = HeaderBuilder::new().schema(Some(schema.build()));
        RefOr::T(header.description(Some(description)).build())
    };
    let parameters = operation.parameters.iter().flatten();
    let has_pages = parameters.into_iter().any(|parameter| {
        matches!(parameter, RefOr::T(parameter)
            if parameter.name == "after" && parameter.parameter_in == ParameterIn::Query)
    });
    let responses = &mut operation.responses.responses;
    let has_tag = responses.contains_key("304");
    for status in ["200", "304"] {
        let Some(RefOr::T(response)) = responses.get_mut(status) else {
            continue;
        };
        if has_tag {
            let description = "To be sent back as `If-None-Match`.";
            let tag = header(text(), description);
            response.headers.insert("ETag".to_owned(), tag);
        }
        if status == "304" {
            "It is what `If-None-Match` names.".clone_into(&mut response.description);
        } else if has_pages {
            let count = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .minimum(Some(0));
            let total = header(count, "How many there are on all pages.");
            response.headers.insert("X-Total-Count".to_owned(), total);
            let next = header(
                text(),
                "Where more follow: the next page, with `rel=\"next\"`.",
            );
            response.headers.insert("Link".to_owned(), next);
        }
    }
}

fn add_example(operation: &mut Operation, examples: &Map<String, Value>) {
    let example = operation
        .operation_id
        .as_ref()
        .and_then(|id| examples.get(id));
    let Some(example) = example else { return };
    for status in ["200", "201"] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status)
            && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
        {
            content.example = Some(example.clone());
        }
    }
}

fn problem() -> openapi::Content {
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build()
}

/// Whatever bwmon writes has all its members, `null` where there is nothing to say. What a client
/// writes may leave some out; it may have no others (`deny_unknown_fields`), and is known by that.
fn all_are_there(schema: &mut Schema) {
    match schema {
        Schema::Object(object) if object.additional_properties.is_none() => {
            object.required = object.properties.keys().cloned().collect();
        }
        Schema::AllOf(all) => {
            for part in &mut all.items {
                if let RefOr::T(part) = part {
                    all_are_there(part);
                }
            }
        }
        _ => {}
    }
}
