//! Asks for the past: the daemon, or a database where one is named.

use std::path::Path;

use anyhow::Context;
use serde::de::DeserializeOwned;

use super::{
    args::{Form, Options},
    client::Client,
    json::pretty,
    wait,
};
use crate::{
    config::{self, Config, Overrides},
    http::csv_text,
    past::{Past, Present},
    store::History,
};

/// An answer, and how it is printed.
pub(super) enum Answer<T> {
    /// To be shown to people.
    People(T),
    /// For machines: what is to be checked of it, and its text.
    Machines(T, String),
}

impl<T> Answer<T> {
    pub(super) fn value(&self) -> &T {
        match self {
            Self::People(value) | Self::Machines(value, _) => value,
        }
    }
}

/// A question, for the daemon and for a database.
pub(super) struct Question<'a, T, Rows> {
    /// Of the API.
    pub(super) path: &'a str,
    /// Its parameters.
    pub(super) query: Vec<(&'a str, String)>,
    /// The same to the past.
    pub(super) to_past: &'a dyn Fn(&Past) -> anyhow::Result<T>,
    /// What of the answer is in a table.
    pub(super) rows: fn(T) -> Rows,
}

impl<T, Rows> Question<'_, T, Rows>
where
    T: Clone + DeserializeOwned + serde::Serialize,
    Rows: Iterator<Item: crate::http::Record>,
{
    /// Asks whom the command line names.
    pub(super) fn ask(&self, options: &Options, form: &Form) -> anyhow::Result<Answer<T>> {
        match &form.database {
            Some(path) => self.ask_database(options, form, path),
            None => self.ask_daemon(options, form),
        }
    }

    fn ask_daemon(&self, options: &Options, form: &Form) -> anyhow::Result<Answer<T>> {
        let client = Client::of(options)?.patient();
        let query: Vec<(&str, &str)> = self
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let text = wait(client.json(self.path, &query))?;
        let value: T = client.read(&text)?;
        self.answer(form, value, Some(text))
    }

    fn ask_database(
        &self,
        options: &Options,
        form: &Form,
        path: &Path,
    ) -> anyhow::Result<Answer<T>> {
        let Config {
            policy, timezone, ..
        } = config::load(&Overrides {
            config: options.config.clone(),
            ..Overrides::default()
        })?;
        let history = History::at(path.to_owned());
        let past = Past::open(&history, &timezone, Present::nothing_but(&policy))?;
        let value = (self.to_past)(&past)?;
        self.answer(form, value, None)
    }

    fn answer(&self, form: &Form, value: T, json: Option<String>) -> anyhow::Result<Answer<T>> {
        Ok(if form.json {
            let text = match json {
                Some(text) => text,
                None => serde_json::to_string(&value)?,
            };
            Answer::Machines(value, pretty(&text))
        } else if form.csv {
            let text = csv_text((self.rows)(value.clone())).context("cannot write it as CSV")?;
            Answer::Machines(value, text)
        } else {
            Answer::People(value)
        })
    }
}
