//! `bwmon notify-test`.

use bwmon_tests::{Answer, Receiver};
use std::process::Output;

use super::Stage;

#[test]
fn a_test_says_what_each_receiver_said_and_which_did_not_take_it() {
    let mut receivers = Vec::new();
    let stage = Stage::new(|lan| {
        receivers.extend([Receiver::start(&lan.router), Receiver::start(&lan.router)]);
        receivers[0].set(Answer::Say(r#"{"queued": 4711}"#));
        receivers[1].set(Answer::Refuse("the disk is full"));
        let good = format!("{}name = \"good\"\n", receivers[0].channel());
        // Held back from all else, and yet tested.
        let bad = format!(
            "{}name = \"bad\"\nmin_severity = \"critical\"\n",
            receivers[1].channel()
        );
        good + &bad
    });
    let test = |words: &[&str]| {
        let output = stage.setup.command([&["notify-test"], words].concat());
        let said = said(&output);
        (output.status.code(), said)
    };

    let (code, said) = test(&["--channel", "good"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("good") && said.contains("4711"), "{said}");
    assert_eq!((receivers[0].attempts(), receivers[1].attempts()), (1, 0));
    let event = &receivers[0].deliveries()[0];
    assert!(event.text("eventDescription").contains("test"), "{event:?}");
    assert_eq!(event.text("alert"), "test");

    let (code, said) = test(&["--channel", "bad"]);
    assert_eq!(code, Some(1), "{said}");
    for words in ["bad", "500", "the disk is full"] {
        assert!(said.contains(words), "{words}: {said}");
    }

    let (code, said) = test(&[]);
    assert_eq!(code, Some(1), "{said}");
    for words in ["control", "good", "4711", "bad", "the disk is full"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!((receivers[0].attempts(), receivers[1].attempts()), (2, 2));
    assert_eq!(stage.control.deliveries().len(), 1);

    let (code, said) = test(&["--channel", "nobody"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nobody"), "{said}");
}

fn said(output: &Output) -> String {
    let text = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}
