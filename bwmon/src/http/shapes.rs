//! Shapes of what a client writes that no derive can say.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Number;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        AllOfBuilder, ObjectBuilder, Ref, RefOr, Schema, Type,
        schema::{AdditionalProperties, AnyOfBuilder, SchemaType},
    },
};

use super::commands::MuteBody;
use crate::config::ENTRY_FIELDS;

/// A mute that ends in one way: by `seconds` or by `until`, or not at all.
#[derive(Debug)]
pub(super) enum NewMute {}

impl PartialSchema for NewMute {
    fn schema() -> RefOr<Schema> {
        let without = |name: &str| {
            let nothing = ObjectBuilder::new().schema_type(Type::Null);
            ObjectBuilder::new()
                .schema_type(SchemaType::AnyValue)
                .property(name, nothing)
        };
        let one_end = AnyOfBuilder::new()
            .item(without("seconds"))
            .item(without("until"));
        AllOfBuilder::new()
            .item(Ref::from_schema_name(MuteBody::name()))
            .item(one_end)
            .description(Some(
                "What to mute, and until when, said in one way at most.",
            ))
            .into()
    }
}

impl ToSchema for NewMute {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((MuteBody::name().into_owned(), MuteBody::schema()));
        MuteBody::schemas(schemas);
    }
}

/// What the owner says of a device, as a merge patch (RFC 7396) of its entry.
#[derive(Debug)]
pub(super) enum EntryPatch {}

impl PartialSchema for EntryPatch {
    fn schema() -> RefOr<Schema> {
        let one_of = |types: &[Type], description: &str| {
            ObjectBuilder::new()
                .schema_type(SchemaType::Array(types.to_vec()))
                .description(Some(description))
        };
        let shape = |field| match field {
            "name" | "group" => {
                one_of(&[Type::String, Type::Null], "Up to 64 characters.").max_length(Some(64))
            }
            "mute" => one_of(&[Type::Boolean, Type::Null], "`true`: no alerts for it."),
            "schedule" => one_of(
                &[Type::String, Type::Array, Type::Null],
                "Times of the week, one text or several.",
            ),
            "surge" | "new_device" => one_of(
                &[Type::Boolean, Type::Object, Type::Null],
                "Whether it is looked for, or an object that says more.",
            ),
            _ => one_of(
                &[Type::Integer, Type::String, Type::Object, Type::Null],
                "A number in bytes, bytes per second or seconds; a text with a unit, or `off`; or \
                 an object that says more.",
            ),
        };
        let fields = ENTRY_FIELDS
            .iter()
            .fold(ObjectBuilder::new(), |object, &field| {
                object.property(field, shape(field))
            });
        fields
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .description(Some(
                "The fields to change; `null` removes one, and an object is merged with the one that \
                 is there. `docs/configuration.md` has what each may say, which is more than a schema \
                 can: 422 tells what is not allowed.",
            ))
            .examples([serde_json::json!({ "name": "Smart TV", "quota": "20 GB", "mute": null })])
            .into()
    }
}

impl ToSchema for EntryPatch {}

/// A whole number, which in JSON may be written as `7200.0` too.
pub(super) fn whole<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    /// Up to here a float holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Some(number) = Option::<Number>::deserialize(value)? else {
        return Ok(None);
    };
    let written = number.as_f64();
    let as_float = written
        .filter(|float| float.fract() == 0.0 && (0.0..=EXACT).contains(float))
        .map(|float| float as u64);
    match number.as_u64().or(as_float) {
        Some(whole) => Ok(Some(whole)),
        None => Err(D::Error::custom(format_args!(
            "expected a whole number that is not negative, not {number}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_have_a_point() {
        for (text, expected) in [
            ("null", Some(None)),
            ("0", Some(Some(0))),
            ("7200", Some(Some(7200))),
            ("7200.0", Some(Some(7200))),
            ("7.2e3", Some(Some(7200))),
            ("18446744073709551615", Some(Some(u64::MAX))),
            ("-0.0", Some(Some(0))),
            ("-1", None),
            ("-1.0", None),
            ("0.5", None),
            ("1e16", None),
            ("1e300", None),
            ("\"7200\"", None),
            ("true", None),
        ] {
            let read = whole(&mut serde_json::Deserializer::from_str(text)).ok();
            assert_eq!(read, expected, "{text}");
        }
    }
}
