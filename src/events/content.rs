//! An event's content in MessagePack: the fields of its variant with their names. The variant is in the envelope.

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor, value::StrDeserializer},
};

use super::{direct, names::event_name};
use crate::domain::{Entity, Event, StreamKind, entities::entities};

type Read<'a> = rmp_serde::Deserializer<rmp_serde::decode::ReadRefReader<'a, [u8]>>;

/// Appends the fields of an event.
pub fn write_content(bytes: &mut Vec<u8>, event: &Event) {
    let start = bytes.len();
    let mut serializer = rmp_serde::Serializer::new(&mut *bytes).with_struct_map();
    entities!(event event, content => content.serialize(&mut serializer))
        .expect("writing to memory cannot fail, and every type of an event can be written");
    // serde writes {"item_added": {fields}}; the envelope already has the name, so the wrapping goes.
    bytes.drain(start..start + wrapping_len(event_name(event)));
}

/// A map of one entry (one byte), then the variant's name as a short or a long MessagePack string.
fn wrapping_len(name: &str) -> usize {
    let (_, variant) = name.split_once('.').expect("every name in the table of names has a dot");
    let marker_len = if variant.len() < 32 { 1 } else { 2 };
    1 + marker_len + variant.len()
}

/// Reads the fields of the event of this name, in the shape the code has today.
pub fn read_content(name: &str, bytes: &[u8]) -> Result<Event, String> {
    direct::read(name, bytes).map_or_else(|| read_any(name, bytes), Ok)
}

/// As [`read_content`], by way of serde.
pub fn read_any(name: &str, bytes: &[u8]) -> Result<Event, String> {
    let (kind, variant) = name.split_once('.').ok_or_else(|| format!("{name:?} is not the name of an event"))?;
    let kind = StreamKind::of_name(kind).ok_or_else(|| format!("{name:?} is not the name of an event"))?;
    entities!(kind kind, E => read_variant::<<E as Entity>::Event>(variant, bytes).map(Event::from))
}

fn read_variant<'a, E: Deserialize<'a>>(variant: &'a str, bytes: &'a [u8]) -> Result<E, String> {
    E::deserialize(Tagged { variant, content: Read::from_read_ref(bytes) }).map_err(|error| error.to_string())
}

/// Presents a name and its content to serde as their enum, without a copy.
struct Tagged<'a> {
    variant: &'a str,
    content: Read<'a>,
}

type Error = rmp_serde::decode::Error;

impl<'de> de::Deserializer<'de> for Tagged<'de> {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'a> EnumAccess<'a> for Tagged<'a> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant: StrDeserializer<'_, Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'a> VariantAccess<'a> for Tagged<'a> {
    type Error = Error;

    fn unit_variant(mut self) -> Result<(), Error> {
        Deserialize::deserialize(&mut self.content)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(&mut self.content)
    }

    fn tuple_variant<V: Visitor<'a>>(mut self, len: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_tuple(&mut self.content, len, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(mut self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(&mut self.content, "", fields, visitor)
    }
}
