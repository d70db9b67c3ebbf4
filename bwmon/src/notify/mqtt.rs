//! One try to publish an event at a broker.
//!
//! Each event has a connection of its own: they are rare, and a broker has little to gain from one
//! that is silent for days.

use std::{sync::Arc, time::Duration};

use rumqttc::{
    AsyncClient, Event as Progress, EventLoop, MqttOptions, Outgoing, Packet, QoS,
    TlsConfiguration, Transport,
};
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::Verifier;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    error::DeliveryError,
    excerpt::{Secrets, excerpt},
    sender::Answer,
};
use crate::{
    chain::chain,
    config::Mqtt,
    core::{event::Event, trial},
};

/// Most bytes of a packet, either way.
const PACKET: usize = 256 << 10;
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// A broker and a topic.
pub(super) struct Publisher {
    settings: Mqtt,
}

impl Publisher {
    pub(super) fn new(settings: Mqtt) -> Self {
        Self { settings }
    }

    pub(super) fn host(&self) -> &str {
        &self.settings.host
    }

    /// Publishes an event; all is well when the broker said that it has it (QoS 1).
    pub(super) async fn send(
        &self,
        events: &[Arc<Event>],
        within: Duration,
    ) -> Result<Answer, DeliveryError> {
        let [event] = events else {
            return Err(DeliveryError::several(events));
        };
        let options = self.options().await?;
        let publishing = publish(options, &self.settings, event);
        match timeout(within, publishing).await {
            Ok(published) => published,
            Err(_) => Err(DeliveryError::Timeout(within)),
        }
    }

    async fn options(&self) -> Result<MqttOptions, DeliveryError> {
        let Mqtt {
            host,
            port,
            tls,
            login,
            client_id,
            ..
        } = &self.settings;
        // Two of the same name would push each other out.
        let name = client_id.clone();
        let name = name.unwrap_or_else(|| format!("bwmon-{}", Uuid::new_v4().simple()));
        let mut options = MqttOptions::new(name, host, *port);
        options.set_clean_session(true);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_max_packet_size(PACKET, PACKET);
        if let Some(login) = login {
            options.set_credentials(&login.username, login.password.reveal());
        }
        if *tls {
            let configuration = TlsConfiguration::Rustls(Arc::new(self.tls().await?));
            options.set_transport(Transport::tls_with_config(configuration));
        }
        Ok(options)
    }

    async fn tls(&self) -> Result<ClientConfig, DeliveryError> {
        let ca = self.settings.ca.clone();
        // Reads the root certificates: some hundred of them, from flash.
        let building = tokio::task::spawn_blocking(move || {
            let provider = Arc::new(ring::default_provider());
            let extra = ca.iter().flat_map(|ca| ca.certificates().iter().cloned());
            let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
            let versions = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?;
            // What looks dangerous is how rustls is given the verifier that reqwest uses as well.
            Ok(versions
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth())
        });
        let fail = |reason| DeliveryError::Certificates {
            host: self.settings.host.clone(),
            reason,
        };
        let built: Result<_, rustls::Error> =
            building.await.map_err(|panic| fail(panic.to_string()))?;
        built.map_err(|error| fail(error.to_string()))
    }
}

async fn publish(
    options: MqttOptions,
    settings: &Mqtt,
    event: &Event,
) -> Result<Answer, DeliveryError> {
    let refused = |reason: String| DeliveryError::Request {
        event: event.id.clone(),
        reason,
    };
    let payload = serde_json::to_vec(event).map_err(|error| refused(error.to_string()))?;
    // A test is not what those who come later should find.
    let retain = settings.retain && !trial::is_trial(event);
    let (client, mut connection) = AsyncClient::new(options, 1);
    client
        .publish(&settings.topic, QoS::AtLeastOnce, retain, payload)
        .await
        .map_err(|error| refused(error.to_string()))?;
    let secrets = settings.login.as_ref().map(|login| &login.password);
    let secrets = Secrets::of(secrets);
    until(&mut connection, |progress| {
        matches!(progress, Progress::Incoming(Packet::PubAck(_)))
    })
    .await
    .map_err(|reason| DeliveryError::Broker(excerpt(reason.as_bytes(), &secrets)))?;
    // It is delivered, so what happens to the farewell does not matter.
    if client.disconnect().await.is_ok() {
        until(&mut connection, |progress| {
            matches!(progress, Progress::Outgoing(Outgoing::Disconnect))
        })
        .await
        .ok();
    }
    Ok(Answer("acknowledged".to_owned()))
}

async fn until(
    connection: &mut EventLoop,
    is_awaited: impl Fn(&Progress) -> bool,
) -> Result<(), String> {
    loop {
        let progress = connection.poll().await.map_err(|error| chain(&error))?;
        if is_awaited(&progress) {
            return Ok(());
        }
    }
}
