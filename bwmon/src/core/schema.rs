//! Shapes of text that the description of the API has no type for. They hold nothing.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// An IPv4 or IPv6 address, as `std::net::IpAddr` is written.
#[derive(Debug)]
pub enum IpAddress {}

impl PartialSchema for IpAddress {
    fn schema() -> RefOr<Schema> {
        let text = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
        };
        OneOfBuilder::new()
            .item(text(KnownFormat::Ipv4))
            .item(text(KnownFormat::Ipv6))
            .description(Some("An IPv4 or IPv6 address."))
            .examples(["192.168.1.5", "fd00::5"])
            .into()
    }
}

impl ToSchema for IpAddress {}
