//! `bwmon device set`, `unset`, `show`: what the owner says of one device.
//!
//! Where the daemon may be asked to change something, it is; else the file is changed here, and the
//! daemon told to read it.

mod by_file;
mod find;
mod fit;
mod text;

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use self::{by_file::ByFile, find::Target};
use super::{
    args::{DeviceAction, DeviceArgs, FileArgs, Options, SetArgs, ShowArgs, UnsetArgs},
    client::{Client, ClientError},
    devices::DEVICES,
    json::pretty,
    output::print,
    wait,
};
use crate::{config::Change, core::view::DeviceView, http::Registration};

/// Does what is asked for, and says what was done.
///
/// # Errors
///
/// When it can't be done, with what to do instead.
pub fn device(options: &Options, args: &DeviceArgs) -> anyhow::Result<ExitCode> {
    print(&match &args.action {
        DeviceAction::Set(args) => set(options, args)?,
        DeviceAction::Unset(args) => unset(options, args)?,
        DeviceAction::Show(args) => show(options, args)?,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn set(options: &Options, args: &SetArgs) -> anyhow::Result<String> {
    let patch = args
        .patch()
        .map_err(|field| anyhow!("{field} is to be two things at once; name it once"))?;
    let owner = Owner::new(options, &args.files)?;
    let target = owner.find(&args.device)?;
    let entry = owner.entry(&target)?.map(|entry| entry.entry);
    let patch = fit::fitted(patch, &entry.unwrap_or_default());
    owner.change(&target, &Change::Merge(patch))
}

fn unset(options: &Options, args: &UnsetArgs) -> anyhow::Result<String> {
    let owner = Owner::new(options, &args.files)?;
    let target = owner.find(&args.device)?;
    owner.change(&target, &Change::Remove)
}

fn show(options: &Options, args: &ShowArgs) -> anyhow::Result<String> {
    let owner = Owner::new(options, &args.files)?;
    let target = owner.find(&args.device)?;
    let entry = owner.entry(&target)?;
    Ok(match args.json {
        true => pretty(&json!({ "device": target.device, "registration": entry }).to_string()),
        false => text::shown(&target, entry.as_ref()),
    })
}

/// Somebody at the command line, and what can be reached from there.
struct Owner<'a> {
    options: &'a Options,
    files: &'a FileArgs,
    client: Client,
    /// `None`: no daemon answers, for this reason.
    devices: Result<Vec<DeviceView>, ClientError>,
}

impl<'a> Owner<'a> {
    fn new(options: &'a Options, files: &'a FileArgs) -> anyhow::Result<Self> {
        let client = Client::of(options)?;
        let devices = match wait(async { Ok(client.get(DEVICES, &[]).await) })? {
            // Somebody else's daemon, that was named, is asked or nobody.
            Err(error) if options.api.is_some() => return Err(error.into()),
            devices => devices,
        };
        Ok(Self {
            options,
            files,
            client,
            devices,
        })
    }

    fn find(&self, text: &str) -> anyhow::Result<Target> {
        match &self.devices {
            Ok(devices) => Ok(find::among(devices, text)?),
            Err(error) => {
                let by_file = self.by_file()?;
                let found = find::registered(by_file.registered(), text);
                found.with_context(|| format!("no running bwmon can be asked ({error})"))
            }
        }
    }

    /// The entry of somebody, where there is one and it can be read.
    fn entry(&self, target: &Target) -> anyhow::Result<Option<Registration>> {
        if self.devices.is_err() {
            return self.by_file()?.entry(target);
        }
        let path = format!("{}/registration", path(target));
        match wait(async { Ok(self.client.get(&path, &[]).await) })? {
            Ok(entry) => Ok(Some(entry)),
            Err(ClientError::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn change(&self, target: &Target, change: &Change) -> anyhow::Result<String> {
        let is_named = self.options.api.is_some();
        let refused = match &self.devices {
            Ok(_) if is_named || self.client.may_change() => {
                match wait(async { Ok(self.ask(target, change).await) })? {
                    Ok(()) => return Ok(text::changed(target, change)),
                    // It may not, or can't: perhaps we can.
                    Err(error) if !is_named && is_worth_another_way(&error) => Some(error),
                    Err(error) => return Err(error.into()),
                }
            }
            _ => None,
        };
        let done = self.by_file().and_then(|by_file| {
            let told = by_file.change(target, change, &self.client, self.devices.is_ok())?;
            Ok(text::changed(target, change) + &told)
        });
        match refused {
            Some(refused) => done.with_context(|| format!("{refused}; and here")),
            None => done,
        }
    }

    async fn ask(&self, target: &Target, change: &Change) -> Result<(), ClientError> {
        let path = path(target);
        let (method, path, body) = match change {
            Change::Merge(fields) => (Method::PATCH, path, Some(Value::Object(fields.clone()))),
            Change::Remove => (Method::DELETE, format!("{path}/registration"), None),
        };
        let asked = self.client.change(method, &path, body.as_ref());
        asked.await.map(drop)
    }

    fn by_file(&self) -> anyhow::Result<ByFile> {
        ByFile::of(self.options, self.files)
    }
}

/// Whether it is worth doing here what a daemon did not: it may not, can't, or has ended.
fn is_worth_another_way(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused { status, .. } => matches!(status.as_u16(), 403 | 409),
        _ => false,
    }
}

/// Of a device in the API. Only prefixes have a character that a path has not.
fn path(target: &Target) -> String {
    format!("{DEVICES}/{}", target.id.replace('/', "%2F"))
}

/// The fields of an entry.
type Fields = Map<String, Value>;
