//! Mail.

use std::cell::OnceCell;

use bwmon_tests::{Authority, MailServer};

use super::{LAPTOP, STRANGER, Stage, TOLD};

#[test]
fn a_mail_server_gets_mail_by_both_kinds_of_tls_and_after_the_login_only() {
    let authority = Authority::new();
    let server = OnceCell::new();
    let stage = Stage::new(|lan| {
        let server =
            server.get_or_init(|| MailServer::start(&lan.router, &authority.for_loopback()));
        let ca = format!("ca_file = \"{}\"", authority.certificate().display());
        let channel = |name: &str, security: &str, port: u16, password: &str, ca: &str| {
            format!(
                "[[notify]]\ntype = \"email\"\nname = \"{name}\"\nserver = \"127.0.0.1\"\n\
                 port = {port}\nsecurity = \"{security}\"\nusername = \"{}\"\n\
                 password = \"{password}\"\nfrom = \"Router <router@example.org>\"\n\
                 to = [\"{name}@example.org\", \"all@example.org\"]\n{ca}\n",
                MailServer::USER
            )
        };
        let (starttls, tls) = (server.starttls_port(), server.tls_port());
        [
            channel("first", "starttls", starttls, MailServer::PASSWORD, &ca),
            channel("second", "tls", tls, MailServer::PASSWORD, &ca),
            channel("guesser", "starttls", starttls, "tide-guessed", &ca),
            channel("trusting", "starttls", starttls, MailServer::PASSWORD, ""),
            channel("naive", "tls", tls, MailServer::PASSWORD, ""),
        ]
        .concat()
    })
    .loud();
    let server = server.get().expect("it was started");
    let daemon = stage.setup.start();
    let fired = stage.fire(LAPTOP);
    let ports = [
        ("first", server.starttls_port()),
        ("second", server.tls_port()),
    ];
    let wait_for = |name: &str, sentence: &str| {
        let to = format!("{name}@example.org");
        server.wait_for(&format!("mail to {name}"), TOLD, |mail| {
            let text = mail.text.replace("\r\n", "\n");
            mail.recipients.contains(&to) && text.contains(sentence)
        })
    };
    for (name, port) in ports {
        let mail = wait_for(name, fired.text("eventDescription"));
        assert_eq!((mail.port, &*mail.login), (port, MailServer::USER));
        assert_eq!(mail.sender, "router@example.org");
        assert_eq!(
            mail.recipients,
            [&format!("{name}@example.org"), "all@example.org"]
        );
        assert!(mail.header("subject").contains("Laptop"), "{mail:#?}");
        assert_eq!(mail.header("from"), "Router <router@example.org>");
        assert!(
            mail.header("message-id").contains(fired.text("id")),
            "{mail:#?}"
        );
        assert!(!mail.header("date").is_empty());
        // RFC 3834: no answer by a machine.
        assert_eq!(mail.header("auto-submitted"), "auto-generated");
    }
    let resolved = stage.resolve(&daemon);
    for (name, _) in ports {
        wait_for(name, resolved.text("eventDescription"));
    }
    stage.fire(STRANGER);
    for (name, _) in ports {
        let mail = server.wait_for("mail of the stranger", TOLD, |mail| {
            let to = format!("{name}@example.org");
            mail.recipients.contains(&to) && mail.header("subject").contains("everyone")
        });
        let known = [
            "auto-submitted",
            "content-transfer-encoding",
            "content-type",
            "date",
            "from",
            "message-id",
            "mime-version",
            "subject",
            "to",
        ];
        let unknown: Vec<_> = mail
            .headers
            .keys()
            .filter(|name| !known.contains(&&***name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(mail.recipients.len(), 2);
    }
    for (channel, why) in [
        ("guesser", "535"),
        ("trusting", "certificate"),
        ("naive", "certificate"),
    ] {
        daemon.wait_for_log(&[&format!("channel {channel}"), why]);
    }
    // In order, and to nobody else.
    let recipients: Vec<_> = server
        .inbox()
        .iter()
        .map(|mail| mail.recipients[0].clone())
        .collect();
    for (name, _) in ports {
        let to = format!("{name}@example.org");
        assert_eq!(
            recipients.iter().filter(|each| **each == to).count(),
            3,
            "{recipients:?}"
        );
    }
    assert_eq!(recipients.len(), 6, "{recipients:?}");
    let log = daemon.log();
    let shown = log.lines().find(|line| line.contains("tide-"));
    assert_eq!(shown, None, "the log shows a password");
}
