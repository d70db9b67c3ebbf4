//! `GET /api/v1/addresses`, `devices` and `devices/{id}`.

use std::{cmp::Ordering, net::IpAddr, sync::Arc};

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, Uri},
    response::Response,
};
use serde::Deserialize;

use super::{
    App,
    conditional::{json_unless_had, unless_had},
    format::{Format, negotiated},
    page::{Page, id_order, paged},
    problem::Problem,
    query,
};
use crate::core::{
    schema::IpAddress,
    view::{AddressView, DeviceView, Snapshot},
};

/// Which addresses are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AddressQuery {
    /// How many on a page; all of them if it is not there.
    #[serde(default, deserialize_with = "query::limit")]
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only those that follow this one.
    #[serde(default, deserialize_with = "query::address")]
    #[param(value_type = Option<IpAddress>)]
    after: Option<IpAddr>,
    /// What the list is written in; else it is as the `Accept` header says.
    #[param(inline)]
    format: Option<Format>,
}

/// Which devices are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeviceQuery {
    /// How many on a page; all of them if it is not there.
    #[serde(default, deserialize_with = "query::limit")]
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only those that follow this id.
    after: Option<String>,
    /// What the list is written in; else it is as the `Accept` header says.
    #[param(inline)]
    format: Option<Format>,
}

/// Every address that counted something, in order.
#[utoipa::path(
    get, path = "/api/v1/addresses", tag = "devices", params(AddressQuery),
    responses(
        (status = 200, description = "The addresses.", content(
            (Vec<AddressView> = "application/json"), (String = "text/csv"),
        )),
        (status = 304),
    ),
)]
pub(super) async fn addresses(
    State(app): State<Arc<App>>,
    query: Result<Query<AddressQuery>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(AddressQuery {
        limit,
        after,
        format,
    }) = query?;
    let format = Format::wanted(format, &headers);
    let snapshot = app.snapshot();
    let tag = app.tag(snapshot.versions.addresses, format);
    let answer = unless_had(&headers, &tag, || {
        let is_after = |item: &AddressView| after.is_none_or(|after| item.address > after);
        let page = Page::of(&snapshot.addresses, is_after, limit);
        let next = page.last_of_more().map(|last| last.address.to_string());
        let total = page.total();
        paged(format.list(page.into_items()), &uri, total, next.as_deref())
    });
    Ok(negotiated(answer))
}

/// Every registered device, and every one that was seen in the last seven days, in the order of
/// their ids.
#[utoipa::path(
    get, path = "/api/v1/devices", tag = "devices", params(DeviceQuery),
    responses(
        (status = 200, description = "The devices.", content(
            (Vec<DeviceView> = "application/json"), (String = "text/csv"),
        )),
        (status = 304),
    ),
)]
pub(super) async fn devices(
    State(app): State<Arc<App>>,
    query: Result<Query<DeviceQuery>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(DeviceQuery {
        limit,
        after,
        format,
    }) = query?;
    let format = Format::wanted(format, &headers);
    let snapshot = app.snapshot();
    let tag = app.tag(snapshot.versions.devices, format);
    let answer = unless_had(&headers, &tag, || {
        let is_after = |item: &DeviceView| {
            let after = after.as_deref();
            after.is_none_or(|after| id_order(&item.id, after) == Ordering::Greater)
        };
        let page = Page::of(&snapshot.devices, is_after, limit);
        let next = page.last_of_more().map(|last| last.id.clone());
        let total = page.total();
        paged(format.list(page.into_items()), &uri, total, next.as_deref())
    });
    Ok(negotiated(answer))
}

/// One device, by its id or one of its addresses.
#[utoipa::path(
    get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "The id of a device, or one of its addresses.")),
    responses(
        (status = 200, body = DeviceView, description = "The device."),
        (status = 304),
        (status = 404, description = "There is no such device."),
    ),
)]
pub(super) async fn device(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let snapshot = app.snapshot();
    let device = find_device(&snapshot, &id)
        .ok_or_else(|| Problem::not_found(format!("there is no device {id:?}")))?;
    json_unless_had(&headers, device)
}

/// The device with this id, else the one with this address.
pub(super) fn find_device<'a>(snapshot: &'a Snapshot, text: &str) -> Option<&'a Arc<DeviceView>> {
    let devices = &snapshot.devices;
    devices
        .iter()
        .find(|device| device.id.eq_ignore_ascii_case(text))
        .or_else(|| {
            let address: IpAddr = text.parse().ok()?;
            devices
                .iter()
                .find(|device| device.addresses.contains(&address))
        })
}
