//! Which programs are on an interface, as the kernel tells.

use std::io;

use nix::net::if_::if_nametoindex;
use serde_json::Value;

use crate::{
    bpf::{ATTACH_TCX_EGRESS, ATTACH_TCX_INGRESS, name_of, query},
    link::Link,
};

/// A program that is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its id in the kernel.
    pub id: u32,
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: String,
}

/// The programs on an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs {
    /// On the XDP hook, native or generic.
    pub xdp: Vec<Program>,
    /// On TCX ingress.
    pub tcx_ingress: Vec<Program>,
    /// On TCX egress.
    pub tcx_egress: Vec<Program>,
    /// The names of classifiers on clsact, both directions.
    pub clsact: Vec<String>,
}

impl Programs {
    /// Asks the kernel.
    #[track_caller]
    pub(crate) fn on(link: &Link) -> Self {
        let tcx = link.namespace.enter(|| -> io::Result<_> {
            let interface = if_nametoindex(link.name.as_str())?;
            Ok((
                query(interface, ATTACH_TCX_INGRESS)?,
                query(interface, ATTACH_TCX_EGRESS)?,
            ))
        });
        let (ingress, egress) = match tcx {
            Ok(ids) => ids,
            Err(error) => panic!("ask for the TCX programs of {}: {error}", link.name),
        };
        Self {
            xdp: with_names(xdp(link)),
            tcx_ingress: with_names(ingress),
            tcx_egress: with_names(egress),
            clsact: ["ingress", "egress"]
                .iter()
                .flat_map(|hook| clsact(link, hook))
                .collect(),
        }
    }

    /// All of them but the foreign one with this id.
    pub fn names_without(&self, id: u32) -> Vec<String> {
        let listed = self
            .xdp
            .iter()
            .chain(&self.tcx_ingress)
            .chain(&self.tcx_egress);
        listed
            .filter(|program| program.id != id)
            .map(|program| program.name.clone())
            .chain(self.clsact.clone())
            .collect()
    }
}

fn with_names(ids: Vec<u32>) -> Vec<Program> {
    let name = |id| name_of(id).expect("a program that is attached can be asked for");
    ids.into_iter()
        .map(|id| Program { id, name: name(id) })
        .collect()
}

fn xdp(link: &Link) -> Vec<u32> {
    let link = json(
        &link
            .namespace
            .ip(&format!("-json -details link show dev {}", link.name)),
    );
    let id = link[0]["xdp"]["prog"]["id"]
        .as_u64()
        .and_then(|id| u32::try_from(id).ok());
    id.into_iter().collect()
}

fn clsact(link: &Link, hook: &str) -> Vec<String> {
    let args = ["-json", "filter", "show", "dev", &link.name, hook];
    let filters = json(&link.namespace.run("tc", &args));
    let filters = filters.as_array().cloned().unwrap_or_default();
    filters
        .iter()
        .filter_map(|filter| Some(filter["options"]["bpf_name"].as_str()?.to_owned()))
        .collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("ip and tc write JSON")
}
