//! One try to hand a mail to a mail server.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::header::{ContentType, HeaderName, HeaderValue},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use tokio::time::timeout;

use super::{
    error::DeliveryError,
    escape::Markup,
    excerpt::{Secrets, excerpt},
    message::Message,
    sender::Answer,
};
use crate::{
    chain::chain,
    config::{Email, Secret, Security},
    core::event::Event,
    tls,
};

/// Most bytes of a body.
const MOST: usize = 64 << 10;

/// A mail server, and those who get mail.
pub(super) struct Mailer {
    settings: Email,
}

impl Mailer {
    pub(super) fn new(settings: Email) -> Self {
        Self { settings }
    }

    pub(super) fn host(&self) -> &str {
        &self.settings.server
    }

    /// Sends a mail; all is well when the server took it for everybody.
    pub(super) async fn send(
        &self,
        events: &[Arc<Event>],
        within: Duration,
    ) -> Result<Answer, DeliveryError> {
        let mail = mail(&self.settings, events, Timestamp::now())?;
        let transport = self.transport(within).await?;
        let sent = timeout(within, transport.send(mail)).await;
        let secrets = self.settings.login.as_ref().map(|login| &login.password);
        let secrets = Secrets::of(secrets);
        match sent {
            Err(_) => Err(DeliveryError::Timeout(within)),
            Ok(Ok(answer)) => {
                let lines: Vec<&str> = answer.message().collect();
                let said = excerpt(lines.join(" ").as_bytes(), &secrets);
                Ok(Answer(format!("{}{said}", answer.code())))
            }
            Ok(Err(error)) if error.is_timeout() => Err(DeliveryError::Timeout(within)),
            Ok(Err(error)) => {
                let said = excerpt(chain(&error).as_bytes(), &secrets);
                Err(DeliveryError::Mail(said))
            }
        }
    }

    async fn transport(
        &self,
        within: Duration,
    ) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryError> {
        let Email {
            server,
            port,
            security,
            login,
            ..
        } = &self.settings;
        let protection = match security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(self.tls().await?),
            Security::Tls => Tls::Wrapper(self.tls().await?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
            .port(*port)
            .tls(protection)
            .timeout(Some(within));
        if let Some(login) = login {
            let password = Secret::reveal(&login.password).to_owned();
            transport = transport.credentials(Credentials::new(login.username.clone(), password));
        }
        Ok(transport.build())
    }

    async fn tls(&self) -> Result<TlsParameters, DeliveryError> {
        tls::init();
        let host = self.settings.server.clone();
        let fail = |reason| DeliveryError::Certificates {
            host: self.settings.server.clone(),
            reason,
        };
        let mut parameters = TlsParameters::builder(host);
        for certificate in self.settings.ca.iter().flat_map(|ca| ca.certificates()) {
            let certificate = Certificate::from_der(certificate.to_vec());
            let certificate = certificate.map_err(|error| fail(error.to_string()))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        // Reads the root certificates: some hundred of them, from flash.
        let building = tokio::task::spawn_blocking(move || parameters.build());
        let built = building.await.map_err(|panic| fail(panic.to_string()))?;
        built.map_err(|error| fail(chain(&error)))
    }
}

/// The mail that tells of events, with an id that stays the same on every try.
fn mail(settings: &Email, events: &[Arc<Event>], now: Timestamp) -> Result<Mail, DeliveryError> {
    let first = events.first().map_or("", |event| &event.id);
    let message = Message::of(events);
    let domain = settings.from.email.domain();
    let mut mail = Mail::builder()
        .from(settings.from.clone())
        .subject(&message.title)
        .message_id(Some(format!("<{first}.{}@{domain}>", events.len())))
        .date(now.into())
        .header(ContentType::TEXT_PLAIN);
    // RFC 3834: no out-of-office replies to it.
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    mail = mail.raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
    for to in &settings.to {
        mail = mail.to(to.clone());
    }
    let body = message.body(Markup::Plain, MOST).replace('\n', "\r\n");
    mail.body(body + "\r\n")
        .map_err(|error| DeliveryError::Request {
            event: first.to_owned(),
            reason: chain(&error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::trial;

    fn shown(name: &str) -> String {
        let mut event = trial::event("e1", "2026-03-08T14:03:11+01:00", "router");
        event.alert = "a1".to_owned();
        event.device.name = name.to_owned();
        event.event_description = format!("{name} has used 512 MB today.");
        let settings = Email {
            server: "mx".to_owned(),
            port: 25,
            security: Security::None,
            ca: None,
            login: None,
            from: "bwmon <bwmon@example.org>".parse().unwrap(),
            to: ["a@example.org", "Bé <b@example.org>"]
                .map(|to| to.parse().unwrap())
                .to_vec(),
        };
        let now = "2026-03-08T13:03:12Z".parse().unwrap();
        let mail = mail(&settings, &[Arc::new(event)], now).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    #[test]
    fn a_mail_has_an_id_that_stays() {
        insta::assert_snapshot!(shown("Laptop").replace('\r', ""), @"
        From: bwmon <bwmon@example.org>
        Subject: Laptop: 0 B today, over 0 B
        Message-ID: <e1.1@example.org>
        Date: Sun, 08 Mar 2026 13:03:12 +0000
        Content-Type: text/plain; charset=utf-8
        Auto-Submitted: auto-generated
        To: a@example.org, =?utf-8?b?QsOp?= <b@example.org>
        Content-Transfer-Encoding: 7bit

        Laptop has used 512 MB today.
        Severity: info
        Subject: Laptop
        Rule: daily volume
        Observed: 0 B
        Threshold: 0 B
        Since: 2026-03-08T14:03:11+01:00
        Peak: 0 bit/s
        Sent today: 0 B
        Received today: 0 B
        Told by: router
        ");
    }

    #[test]
    fn no_name_makes_a_header() {
        let plain = shown("Laptop");
        let names = |mail: &str| {
            let head = mail.split_once("\r\n\r\n").unwrap().0;
            let lines = head.lines().filter(|line| !line.starts_with([' ', '\t']));
            let names = lines.map(|line| line.split_once(':').unwrap().0.to_owned());
            names.collect::<Vec<_>>()
        };
        for name in [
            "x\r\nBcc: evil@example.org",
            "x\r\n\r\n<script>",
            "x\n.\nQUIT",
            "\u{2028}Bcc: y",
            &"Küche ".repeat(100),
        ] {
            let mail = shown(name);
            assert_eq!(names(&mail), names(&plain), "{mail}");
            assert!(!mail.contains("evil@") && mail.is_ascii(), "{mail}");
        }
    }
}
