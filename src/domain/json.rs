//! What holds for every text and message with named fields, whatever it is for: no name twice in one object, and faults in our own words.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Names of one object that are compared one by one; with more, a set is cheaper.
const NAMES_COMPARED_MAX: usize = 16;

/// What an object must not have: the same name a second time. Readers differ in which of the two counts, so neither does.
///
/// Returns a JSON pointer to the second one.
///
/// # Errors
/// The message is not of its form at all.
pub fn doubled_name<'de, D: Deserializer<'de>>(message: D) -> Result<Option<String>, D::Error> {
    let mut walk = Walk::default();
    let walked = Part(&mut walk).deserialize(message);
    match walk.doubled {
        Some(pointer) => Ok(Some(pointer)),
        None => walked.map(|()| None),
    }
}

/// A name as a step of a JSON pointer (RFC 6901).
pub fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// Why a text is no JSON, with the place, and without the sentence of the library that read it.
#[must_use]
pub fn json_fault(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "it ends before it is complete".to_owned();
    }
    format!("there is a mistake at line {}, column {}", error.line(), error.column())
}

#[derive(Default)]
struct Walk {
    /// Where we are.
    pointer: String,
    doubled: Option<String>,
}

/// A value in it.
struct Part<'w>(&'w mut Walk);

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let (mut names, length) = (Names::default(), self.0.pointer.len());
        while let Some(name) = fields.next_key_seed(Name)? {
            push_name(&mut self.0.pointer, &name);
            if !names.insert(name) {
                self.0.doubled = Some(std::mem::take(&mut self.0.pointer));
                return Err(A::Error::custom("a name is there twice"));
            }
            fields.next_value_seed(Part(self.0))?;
            self.0.pointer.truncate(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        use fmt::Write as _;
        let length = self.0.pointer.len();
        for index in 0_usize.. {
            // Writing to text cannot fail.
            let _ = write!(self.0.pointer, "/{index}");
            let entry = entries.next_element_seed(Part(self.0))?;
            if entry.is_none() {
                break;
            }
            self.0.pointer.truncate(length);
        }
        self.0.pointer.truncate(length);
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The names of one object so far.
#[derive(Default)]
struct Names<'a> {
    few: smallvec::SmallVec<[Cow<'a, str>; NAMES_COMPARED_MAX]>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Returns whether it is new.
    fn insert(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < NAMES_COMPARED_MAX {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

/// A field's name, not copied where it can be borrowed.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled(text: &str) -> Option<String> {
        doubled_name(&mut serde_json::Deserializer::from_str(text)).ok().flatten()
    }

    #[test]
    fn a_name_that_is_there_twice_is_found_at_any_depth_and_however_it_is_written() {
        for (text, pointer) in [
            (r#"{"a":1,"a":2}"#, "/a"),
            (r#"{"a":1,"\u0061":1}"#, "/a"),
            (r#"{"x":[0,{"b/c":{},"d":null,"b/c":{}}]}"#, "/x/1/b~1c"),
            (r#"{"x":{"y":{"z":1.5,"z":"t"}}}"#, "/x/y/z"),
            (r#"{"a":1,"a":"#, "/a"),
        ] {
            assert_eq!(doubled(text).as_deref(), Some(pointer), "{text}");
        }
        for text in [r#"{"a":{"b":1},"b":1,"c":[{"a":1},{"a":1}]}"#, "[]", "7", "{", r#"{"a":1,"A":1}"#] {
            assert_eq!(doubled(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_of_many_names_is_compared_with_all() {
        let many: Vec<_> = (0..200).map(|number| format!("\"n{number}\":{number}")).collect();
        for repeated in [0, 15, 16, 17, 199] {
            assert_eq!(doubled(&format!("{{{},\"n{repeated}\":0}}", many.join(","))), Some(format!("/n{repeated}")));
        }
        assert_eq!(doubled(&format!("{{{}}}", many.join(","))), None);
    }

    #[test]
    fn it_is_found_in_the_binary_form_too() {
        let twice = [0x82, 0xa1, b'a', 0x01, 0xa1, b'a', 0x02];
        let mut message = rmp_serde::Deserializer::new(&twice[..]);
        assert_eq!(doubled_name(&mut message).expect("is a message").as_deref(), Some("/a"));
    }

    #[test]
    fn a_fault_is_told_with_its_place_and_not_by_the_reader() {
        let fault = |text: &str| json_fault(&serde_json::from_str::<serde_json::Value>(text).expect_err("is no JSON"));
        assert_eq!(fault("{\"a\":\n tru}"), "there is a mistake at line 2, column 5");
        assert_eq!(fault("{\"a\":"), "it ends before it is complete");
    }
}
