//! An event in a few words for people: its title, and its numbers with what they are.

use serde_json::{Value, json};

use super::{event::Event, message, trial};

/// One line that says who and what.
pub fn title(event: &Event) -> String {
    if trial::is_trial(event) {
        format!("Test from {}", event.host)
    } else {
        message::title(event)
    }
}

/// What is known, with a label each.
pub fn details(event: &Event) -> Vec<(&'static str, String)> {
    let mut details = vec![("Severity", event.severity.as_str().to_owned())];
    if trial::is_trial(event) {
        details.push(("Since", event.started_at.clone()));
        details.push(("Told by", event.host.clone()));
    } else {
        details.extend(message::details(event));
    }
    details
}

/// What a template may tell: the event as it is posted, its title and its details.
pub fn context(event: &Event) -> Value {
    // An event has no key that is not text, so this does not fail.
    let mut context = serde_json::to_value(event).unwrap_or_default();
    if let Some(context) = context.as_object_mut() {
        let details = details(event)
            .into_iter()
            .map(|(label, value)| json!({ "label": label, "value": value }));
        context.insert("title".to_owned(), title(event).into());
        context.insert("details".to_owned(), details.collect());
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_says_that_it_is_one() {
        let test = trial::event("e1", "2026-03-08T14:03:11+01:00", "router");
        assert_eq!(title(&test), "Test from router");
        let expected = [
            ("Severity", "info"),
            ("Since", "2026-03-08T14:03:11+01:00"),
            ("Told by", "router"),
        ];
        assert_eq!(
            details(&test),
            expected.map(|(label, value)| (label, value.to_owned()))
        );
    }

    #[test]
    fn a_template_may_tell_all_there_is() {
        let mut event = trial::event("e1", "2026-03-08T14:03:11+01:00", "router");
        event.alert = "a1".to_owned();
        event.device.name = "Laptop".to_owned();
        let context = context(&event);
        assert_eq!(context["title"], message::title(&event));
        assert_eq!(context["details"][0]["label"], "Severity");
        assert_eq!(context["details"][1]["value"], "Laptop");
        assert_eq!(context["id"], "e1");
    }
}
