//! Product codes: GTIN with its check digit, PLU of loose produce, store-made codes and a source's own ids. Leading zeros are kept.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::StoreId;

/// The longest store-made code or source id, in characters.
const CODE_CHARS_MAX: usize = 64;

/// One code of a product.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProductCode {
    Gtin(Gtin),
    Plu(Plu),
    /// A code that a store prints itself (with weight or price in it); meaningless in another store.
    StoreMade {
        store: StoreId,
        #[serde(deserialize_with = "code_text")]
        code: String,
    },
    /// A source's own id; never validated as a GTIN.
    Source {
        #[serde(deserialize_with = "code_text")]
        source: String,
        #[serde(deserialize_with = "code_text")]
        id: String,
    },
}

impl ProductCode {
    /// A code that a store prints itself.
    ///
    /// # Errors
    /// `code_malformed` for an empty, overlong or unprintable text.
    pub fn store_made(store: StoreId, code: &str) -> Result<Self, CodeError> {
        Ok(Self::StoreMade { store, code: check_text(code)? })
    }

    /// A source's own id.
    ///
    /// # Errors
    /// `code_malformed` for an empty, overlong or unprintable text.
    pub fn source(source: &str, id: &str) -> Result<Self, CodeError> {
        Ok(Self::Source { source: check_text(source)?, id: check_text(id)? })
    }
}

impl fmt::Display for ProductCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gtin(gtin) => write!(f, "GTIN {gtin}"),
            Self::Plu(plu) => write!(f, "PLU {plu}"),
            Self::StoreMade { store, code } => write!(f, "{code} of store {store}"),
            Self::Source { source, id } => write!(f, "{id} of {source}"),
        }
    }
}

/// Why a text is not a product code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("a GTIN has 8, 12, 13 or 14 digits")]
    GtinMalformed,
    #[error("the check digit of the GTIN is wrong: it should be {expected}")]
    GtinCheckDigit { expected: u8 },
    /// Use [`ProductCode::StoreMade`] for it.
    #[error("this number is a store's own: it is not a GTIN, send it as a store_made code")]
    GtinStoreMade,
    #[error("a PLU has 4 digits, or 5 that begin with 9 for organic produce")]
    PluMalformed,
    #[error("a code has 1 to {CODE_CHARS_MAX} printable characters")]
    Malformed,
}

impl CodeError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::GtinMalformed => "gtin_malformed",
            Self::GtinCheckDigit { .. } => "gtin_check_digit_wrong",
            Self::GtinStoreMade => "gtin_store_made",
            Self::PluMalformed => "plu_malformed",
            Self::Malformed => "code_malformed",
        }
    }
}

/// A global trade item number: 14 digits whose last one checks the others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin(u64);

impl Gtin {
    /// Reads a GTIN-8, -12 (UPC), -13 (EAN) or -14 and verifies its check digit.
    ///
    /// # Errors
    /// `gtin_malformed`, `gtin_check_digit_wrong`, or `gtin_store_made` for prefixes that stores use as they like
    /// (UPC 2, EAN 02 and 20–29).
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        if !matches!(text.len(), 8 | 12 | 13 | 14) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CodeError::GtinMalformed);
        }
        let number: u64 = text.parse().map_err(|_| CodeError::GtinMalformed)?;
        if number == 0 {
            return Err(CodeError::GtinMalformed);
        }
        let expected = check_digit(number / 10);
        if u64::from(expected) != number % 10 {
            return Err(CodeError::GtinCheckDigit { expected });
        }
        if is_store_made(number) { Err(CodeError::GtinStoreMade) } else { Ok(Self(number)) }
    }
}

/// The digit that makes the weighted sum a multiple of ten; weights 3, 1, 3, … from the right.
fn check_digit(mut body: u64) -> u8 {
    let (mut sum, mut weight) = (0, 3);
    while body > 0 {
        sum += body % 10 * weight;
        weight = 4 - weight;
        body /= 10;
    }
    u8::try_from((10 - sum % 10) % 10).expect("a remainder of ten fits a byte because it is below ten")
}

/// As 13 digits: 02 and 20–29 (a UPC that starts with 2 is an EAN 02), and 8-digit numbers that start with 2.
fn is_store_made(number: u64) -> bool {
    let prefix = number / 100_000_000_000;
    matches!(prefix, 2 | 20..=29) || (20_000_000..30_000_000).contains(&number)
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014}", self.0)
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A price look-up number of loose produce: four digits, conventional or organic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plu {
    number: u16,
    organic: bool,
}

impl Plu {
    /// Reads four digits, or five that begin with 9 (organic).
    ///
    /// # Errors
    /// `plu_malformed`.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let (organic, digits) = match (text.len(), text.strip_prefix('9')) {
            (5, Some(digits)) => (true, digits),
            _ => (false, text),
        };
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CodeError::PluMalformed);
        }
        let number = digits.parse().map_err(|_| CodeError::PluMalformed)?;
        Ok(Self { number, organic })
    }

    /// Whether it begins with the 9 of organic produce.
    #[must_use]
    pub const fn is_organic(self) -> bool {
        self.organic
    }
}

impl fmt::Display for Plu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:04}", if self.organic { "9" } else { "" }, self.number)
    }
}

impl fmt::Debug for Plu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

macro_rules! as_text {
    ($name:ident, $pattern:literal, $example:literal) => {
        impl FromStr for $name {
            type Err = CodeError;

            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::parse(text.trim())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(text.trim()).map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
as_text!(Gtin, "^([0-9]{8}|[0-9]{12,14})$", "04006381333931");
as_text!(Plu, "^9?[0-9]{4}$", "4011");

fn check_text(text: &str) -> Result<String, CodeError> {
    let text = text.trim();
    let length = text.chars().count();
    let sound = (1..=CODE_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err(CodeError::Malformed) }
}

fn code_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = <Cow<'de, str>>::deserialize(deserializer)?;
    check_text(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gtin(text: &str) -> Result<String, &'static str> {
        Gtin::parse(text).map(|gtin| gtin.to_string()).map_err(|error| error.code())
    }

    #[test]
    fn every_length_of_gtin_is_stored_as_fourteen_digits() {
        assert_eq!(gtin("4006381333931").as_deref(), Ok("04006381333931"));
        assert_eq!(gtin("036000291452").as_deref(), Ok("00036000291452"));
        assert_eq!(gtin("96385074").as_deref(), Ok("00000096385074"));
        assert_eq!(gtin("00036000291452").as_deref(), Ok("00036000291452"));
    }

    #[test]
    fn a_wrong_check_digit_is_named_with_the_right_one() {
        assert_eq!(gtin("4006381333932"), Err("gtin_check_digit_wrong"));
        assert_eq!(Gtin::parse("4006381333932"), Err(CodeError::GtinCheckDigit { expected: 1 }));
    }

    #[test]
    fn what_has_another_form_is_no_gtin() {
        for text in ["", "123", "40063813339310000", "400638133393x", "+006381333931", "00000000", "٤٠٠٦"] {
            assert_eq!(gtin(text), Err("gtin_malformed"), "{text:?}");
        }
    }

    #[test]
    fn numbers_that_stores_make_themselves_are_no_gtins() {
        for body in ["200000000000", "021234500000", "299999999999"] {
            let digit = check_digit(body.parse().unwrap());
            assert_eq!(gtin(&format!("{body}{digit}")), Err("gtin_store_made"), "{body}");
        }
        let digit = check_digit(21_234_500_000);
        assert_eq!(gtin(&format!("21234500000{digit}")), Err("gtin_store_made"), "as a UPC of 12 digits");
    }

    #[test]
    fn a_plu_has_four_digits_and_nine_in_front_means_organic() {
        let (plain, organic) = (Plu::parse("4011").unwrap(), Plu::parse("94011").unwrap());
        assert_eq!((plain.to_string().as_str(), plain.is_organic()), ("4011", false));
        assert_eq!((organic.to_string().as_str(), organic.is_organic()), ("94011", true));
        assert_eq!(Plu::parse("0042").unwrap().to_string(), "0042");
        for text in ["", "401", "84011", "940111", "4O11", "9401"] {
            assert_eq!(Plu::parse(text).is_ok(), text == "9401", "{text:?}");
        }
    }

    #[test]
    fn every_code_reads_back_from_both_forms() {
        let store = StoreId::new("heissepreise:billa").unwrap();
        let codes = [
            (ProductCode::Gtin(Gtin::parse("4006381333931").unwrap()), r#"{"gtin":"04006381333931"}"#),
            (ProductCode::Plu(Plu::parse("94011").unwrap()), r#"{"plu":"94011"}"#),
            (
                ProductCode::store_made(store, "0021234500000").unwrap(),
                r#"{"store_made":{"store":"heissepreise:billa","code":"0021234500000"}}"#,
            ),
            (ProductCode::source("kroger", "007").unwrap(), r#"{"source":{"source":"kroger","id":"007"}}"#),
        ];
        for (code, json) in codes {
            assert_eq!(serde_json::to_string(&code).unwrap(), json);
            assert_eq!(serde_json::from_str::<ProductCode>(json).unwrap(), code);
            assert_eq!(rmp_serde::from_slice::<ProductCode>(&rmp_serde::to_vec_named(&code).unwrap()).unwrap(), code);
        }
        assert!(serde_json::from_str::<ProductCode>(r#"{"source":{"source":"","id":"007"}}"#).is_err());
        assert!(serde_json::from_str::<ProductCode>(r#"{"gtin":"4006381333932"}"#).is_err());
    }
}
