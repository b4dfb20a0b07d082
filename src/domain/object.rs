//! What clients send as JSON objects is read from objects only: by default serde also accepts an array of the values in the
//! order of the fields, and then nothing shows which value is which.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Reads a value from a JSON object; `expected` names in errors what should have been there, such as "a quantity".
///
/// # Errors
/// That of the value, or that it was not an object.
pub fn from_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<T, D::Error> {
    deserializer.deserialize_map(OfObject { expected, value: PhantomData })
}

struct OfObject<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}
