//! A client of the API.

use std::{error::Error, io, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, Url, header, redirect::Policy};
use serde::de::DeserializeOwned;

use super::{
    args::Options,
    endpoint::{Endpoint, EndpointError, endpoint},
    printable::printable,
};
use crate::{config::Secret, http::ProblemBody, tls};

/// For one answer, connecting included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// For one that takes reading years of history on a small router.
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

/// Asks one bwmon.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    token: Option<Secret>,
    http: reqwest::Client,
    /// For one answer.
    patience: Duration,
}

/// An answer that goes on.
#[derive(Debug)]
pub(crate) struct Following {
    response: reqwest::Response,
    client: Client,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint can't be part of a URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// TLS could not be set up.
    #[error("cannot set up the HTTP client")]
    SetUp(#[source] reqwest::Error),
    /// Nobody answers there.
    #[error(
        "cannot reach bwmon at {endpoint}: {reason}; is `bwmon run` running? \
         (--api URL to ask another)"
    )]
    Unreachable {
        /// Who was asked.
        endpoint: Endpoint,
        /// The innermost of reqwest's many reasons.
        reason: String,
    },
    /// Somebody is there but silent.
    #[error("bwmon at {endpoint} did not answer within {} s", within.as_secs())]
    TimedOut {
        /// Who was asked.
        endpoint: Endpoint,
        /// How long it was waited for.
        within: Duration,
    },
    /// It wants a token, or another one.
    #[error(
        "bwmon at {endpoint} wants its token: {detail} (the token comes from http.token_file of \
         the configuration; --config PATH chooses it, or --token-file PATH the token)"
    )]
    Unauthorized {
        /// Who was asked.
        endpoint: Endpoint,
        /// What it says.
        detail: String,
    },
    /// It answers with an error.
    #[error("bwmon at {endpoint} answers {status}: {detail}")]
    Refused {
        /// Who was asked.
        endpoint: Endpoint,
        /// Of the answer.
        status: StatusCode,
        /// What it says.
        detail: String,
    },
    /// The answer is not of this API.
    #[error("what answers at {endpoint} is not bwmon, or not of this version")]
    Unreadable {
        /// Who was asked.
        endpoint: Endpoint,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Client {
    /// Of the bwmon that the command line and the configuration point at.
    ///
    /// # Errors
    ///
    /// When they are wrong, or TLS can't be set up.
    pub fn of(options: &Options) -> anyhow::Result<Self> {
        let (endpoint, token) = endpoint(options)?;
        Ok(Self::new(endpoint, token)?)
    }

    /// Of the bwmon at `endpoint`.
    ///
    /// # Errors
    ///
    /// When TLS can't be set up.
    pub fn new(endpoint: Endpoint, token: Option<Secret>) -> Result<Self, ClientError> {
        tls::init();
        let builder = reqwest::Client::builder()
            .no_proxy()
            // The token is for whom we ask, not for whom that points at.
            .redirect(Policy::none());
        let builder = match &endpoint {
            Endpoint::Unix(path) => builder.unix_socket(path.as_path()).tls_certs_only([]),
            Endpoint::Http(url) if url.starts_with("https://") => builder,
            // Without TLS no certificates are needed; a small router has none, and reqwest insists.
            Endpoint::Http(_) => builder.tls_certs_only([]),
        };
        Ok(Self {
            endpoint,
            token,
            http: builder.build().map_err(ClientError::SetUp)?,
            patience: TIMEOUT,
        })
    }

    /// The same, for answers that take their time.
    pub(super) fn patient(self) -> Self {
        Self {
            patience: LONG_TIMEOUT,
            ..self
        }
    }

    /// Whether it can be asked to change anything: the daemon lets nobody over TCP without a token.
    pub fn may_change(&self) -> bool {
        matches!(self.endpoint, Endpoint::Unix(_)) || self.token.is_some()
    }

    /// The answer, as JSON that has been checked to be some.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none that is JSON.
    pub async fn json(&self, path: &str, query: &[(&str, &str)]) -> Result<String, ClientError> {
        let text = self.text(path, query).await?;
        self.parse::<serde::de::IgnoredAny>(&text)?;
        Ok(text)
    }

    /// The answer, read.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none that is a `T`.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        self.parse(&self.text(path, query).await?)
    }

    /// Has something changed. Returns the answer, which is empty where there is nothing to say.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is refused.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<String, ClientError> {
        let mut request = self.http.request(method, self.url(path, &[])?);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// What an answer to [`Self::change`] says.
    ///
    /// # Errors
    ///
    /// When it is no `T`.
    pub fn read<T: DeserializeOwned>(&self, answer: &str) -> Result<T, ClientError> {
        self.parse(answer)
    }

    /// An answer that goes on, as events do. Only its beginning is waited for with a limit.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is refused.
    pub(crate) async fn follow(&self, path: &str) -> Result<Following, ClientError> {
        let request = self.asking(self.http.get(self.url(path, &[])?));
        let started = tokio::time::timeout(self.patience, request.send());
        let Ok(response) = started.await else {
            return Err(self.too_late());
        };
        let response = response.map_err(|err| self.failed(&err))?;
        let status = response.status();
        if status.is_success() {
            return Ok(Following {
                response,
                client: self.clone(),
            });
        }
        let text = tokio::time::timeout(self.patience, response.text()).await;
        let text = text.map_err(|_| self.too_late())?;
        Err(self.refused(status, &text.map_err(|err| self.failed(&err))?))
    }

    /// Whom it asks.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn text(&self, path: &str, query: &[(&str, &str)]) -> Result<String, ClientError> {
        self.send(self.http.get(self.url(path, query)?)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<String, ClientError> {
        let request = self
            .asking(request.timeout(self.patience))
            .header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(|err| self.failed(&err))?;
        let status = response.status();
        let text = response.text().await.map_err(|err| self.failed(&err))?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(self.refused(status, &text))
        }
    }

    /// Shows the token, if there is one.
    fn asking(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, ClientError> {
        let base = match &self.endpoint {
            Endpoint::Http(base) => base,
            Endpoint::Unix(_) => "http://localhost",
        };
        let mut url = Url::parse(&format!("{base}{path}"))
            .map_err(|_| EndpointError::new(&self.endpoint.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, ClientError> {
        serde_json::from_str(text).map_err(|source| ClientError::Unreadable {
            endpoint: self.endpoint.clone(),
            source,
        })
    }

    fn failed(&self, err: &reqwest::Error) -> ClientError {
        if err.is_timeout() {
            return self.too_late();
        }
        ClientError::Unreachable {
            endpoint: self.endpoint.clone(),
            reason: innermost(err),
        }
    }

    fn too_late(&self) -> ClientError {
        ClientError::TimedOut {
            endpoint: self.endpoint.clone(),
            within: self.patience,
        }
    }

    fn refused(&self, status: StatusCode, text: &str) -> ClientError {
        let endpoint = self.endpoint.clone();
        let detail = match serde_json::from_str::<ProblemBody>(text) {
            Ok(problem) => printable(&problem.detail).into_owned(),
            Err(_) => "no reason given".to_owned(),
        };
        match status {
            StatusCode::UNAUTHORIZED => ClientError::Unauthorized { endpoint, detail },
            _ => ClientError::Refused {
                endpoint,
                status,
                detail,
            },
        }
    }
}

impl Following {
    /// The next piece, of any length; `None` at the end.
    pub(crate) async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, ClientError> {
        let piece = self.response.chunk().await;
        piece.map_err(|err| self.client.failed(&err))
    }

    /// What one of its events says.
    pub(crate) fn read<T: DeserializeOwned>(&self, data: &str) -> Result<T, ClientError> {
        self.client.parse(data)
    }
}

/// What is at the end of the chain: the system's reason in plain words, else the last one's text.
fn innermost(err: &reqwest::Error) -> String {
    let mut last: &dyn Error = err;
    while let Some(source) = last.source() {
        last = source;
    }
    match last.downcast_ref::<io::Error>() {
        Some(err) if err.kind() == io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        Some(err) if err.raw_os_error().is_some() => err.kind().to_string(),
        _ => printable(&last.to_string()).into_owned(),
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
