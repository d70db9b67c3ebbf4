//! Bodies that the owner writes for receivers with a shape of their own.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, value::Serde};

/// Steps of a template. One that loops over a few lists takes some hundred.
const FUEL: u64 = 50_000;
/// Most bytes that a template may make.
const MAX_BYTES: usize = 64 << 10;
const NAME: &str = "body";

/// A body with places for what an event says.
#[derive(Clone)]
pub struct BodyTemplate {
    source: String,
    content_type: String,
    environment: Arc<Environment<'static>>,
}

/// A template can't be read, or makes no body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It has a mistake, or asks for something that is not there.
    #[error("line {line}: {reason}")]
    Mistake {
        /// In the template.
        line: usize,
        /// Why.
        reason: String,
    },
    /// It goes on for too long.
    #[error("the body would be longer than {} KiB", MAX_BYTES >> 10)]
    TooLong,
    /// What comes out is not what `content_type` says.
    #[error(
        "what comes out is no JSON: {0}; write {{{{ name }}}} without quotes around it, or set content_type"
    )]
    NotJson(String),
}

impl BodyTemplate {
    /// Compiles a template.
    pub fn new(source: String, content_type: String) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let escape = escape_for(&content_type);
        environment.set_auto_escape_callback(move |_| escape.clone());
        environment
            .add_template_owned(NAME, source.clone())
            .map_err(|error| mistake(&error))?;
        Ok(Self {
            source,
            content_type,
            environment: Arc::new(environment),
        })
    }

    /// What the body is.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The body.
    pub fn render(&self, context: serde_json::Value) -> Result<Vec<u8>, TemplateError> {
        let template = self
            .environment
            .get_template(NAME)
            .map_err(|error| mistake(&error))?;
        let mut body = Bounded::default();
        let rendered = template
            .render_captured_to(Serde(&context), &mut body)
            .map(drop);
        if body.is_full {
            return Err(TemplateError::TooLong);
        }
        rendered.map_err(|error| mistake(&error))?;
        if is_json(&self.content_type)
            && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&body.bytes)
        {
            return Err(TemplateError::NotJson(error.to_string()));
        }
        Ok(body.bytes)
    }
}

impl PartialEq for BodyTemplate {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.content_type) == (&other.source, &other.content_type)
    }
}

/// A template may hold a secret.
impl fmt::Debug for BodyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyTemplate(…)")
    }
}

/// How `{{ … }}` is written, so that no name can end the text that it is put into.
fn escape_for(content_type: &str) -> AutoEscape {
    let essence = essence(content_type);
    if is_json(content_type) {
        AutoEscape::Json
    } else if essence == "text/html" || essence.ends_with("xml") {
        AutoEscape::Html
    } else {
        AutoEscape::None
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence == "application/json" || essence.ends_with("+json")
}

fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn mistake(error: &minijinja::Error) -> TemplateError {
    let reason = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError::Mistake {
        line: error.line().unwrap_or(1),
        reason,
    }
}

/// Bytes up to the most that a body may have.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_BYTES {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(source: &str, content_type: &str) -> Result<String, String> {
        let context = json!({
            "title": "\"}, {<b>&\n", "observed": 5, "ended_at": null,
            "device": { "name": "Laptop", "addresses": ["10.0.0.1"] },
        });
        let template = BodyTemplate::new(source.to_owned(), content_type.to_owned());
        let body = template.and_then(|template| template.render(context));
        body.map(|body| String::from_utf8(body).unwrap())
            .map_err(|error| error.to_string())
    }

    fn check(source: &str, content_type: &str, expected: &str) {
        let shown = render(source, content_type).unwrap_or_else(|error| error);
        assert_eq!(shown, expected, "{source} as {content_type}");
    }

    #[test]
    fn a_value_cannot_end_the_text_that_it_is_in() {
        let json = "application/json; charset=utf-8";
        check(
            r#"{"a": {{ title }}, "b": {{ title | tojson }}, "c": {{ observed }}}"#,
            json,
            r#"{"a": "\"}, {<b>&\n", "b": "\"}, {\u003cb\u003e\u0026\n", "c": 5}"#,
        );
        check(
            r#"[{{ device }}, {{ ended_at }}]"#,
            "application/vnd.x+json",
            r#"[{"addresses":["10.0.0.1"],"name":"Laptop"}, null]"#,
        );
        check("{{ title }}", "text/html", "&quot;}, {&lt;b&gt;&amp;\n");
        check("{{ device.name }}!", "text/plain", "Laptop!");
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        check(
            "\n{{ title",
            "text/plain",
            "line 2: syntax error: unexpected end of input, expected end of variable block",
        );
        check("\n\n{{ titel }}", "text/plain", "line 3: undefined value");
        check(
            r#"{"a": "{{ title }}"}"#,
            "application/json",
            "what comes out is no JSON: expected `,` or `}` at line 1 column 9; write {{ name }} \
             without quotes around it, or set content_type",
        );
    }

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let loops =
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
        check(loops, "text/plain", "line 1: engine ran out of fuel");
        check(
            "{% for a in range(9999) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}",
            "text/plain",
            "the body would be longer than 64 KiB",
        );
        check(
            "{{ 'x' * 70000 }}",
            "text/plain",
            "the body would be longer than 64 KiB",
        );
    }
}
