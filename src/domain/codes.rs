//! Product codes: GTIN with its check digit, PLU of loose produce, store-made codes and a source's own ids. One number is one code, however many
//! zeros lead it and whether it is written as UPC-E, UPC, EAN-8, EAN or GTIN-14.

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

/// What makes a code the same as another: two products cannot have one in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodeIdentity(u64);

impl ProductCode {
    /// What it shares with the same code in another form. A digest: no two codes of a catalogue share one by chance.
    #[must_use]
    pub fn identity(&self) -> CodeIdentity {
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &str| {
            hasher.update(text.as_bytes()).update(&[0]);
        };
        match self {
            Self::Gtin(gtin) => part(&gtin.to_string()),
            Self::Plu(plu) => ["plu", &plu.to_string()].into_iter().for_each(part),
            Self::StoreMade { store, code } => ["store", store.as_str(), without_leading_zeros(code)].into_iter().for_each(part),
            Self::Source { source, id } => ["source", source, id].into_iter().for_each(part),
        }
        CodeIdentity(u64::from_le_bytes(
            *hasher.finalize().as_bytes().first_chunk().expect("32 bytes hold 8 because a hash has a fixed length"),
        ))
    }
}

/// A number without its leading zeros; any other text as it is.
fn without_leading_zeros(code: &str) -> &str {
    if code.bytes().all(|byte| byte.is_ascii_digit()) { code.trim_start_matches('0') } else { code }
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
    /// Reads a GTIN-8, -12 (UPC, or UPC-E of 8 digits), -13 (EAN) or -14 and verifies its check digit.
    ///
    /// # Errors
    /// `gtin_malformed`, `gtin_check_digit_wrong`, or `gtin_store_made` for prefixes that stores and companies use as they like
    /// (UPC 2 and 4, EAN 02, 04 and 20–29).
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Self::read(text).and_then(|gtin| if gtin.is_store_made() { Err(CodeError::GtinStoreMade) } else { Ok(gtin) })
    }

    /// Reads a number that may be one that stores make themselves: what was recorded once stays readable.
    ///
    /// # Errors
    /// `gtin_malformed` or `gtin_check_digit_wrong`.
    pub fn read(text: &str) -> Result<Self, CodeError> {
        if !matches!(text.len(), 8 | 12 | 13 | 14) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CodeError::GtinMalformed);
        }
        let number: u64 = text.parse().map_err(|_| CodeError::GtinMalformed)?;
        if number == 0 {
            return Err(CodeError::GtinMalformed);
        }
        // Of 8 digits that fit both, those that begin with 0 or 1 are a UPC-E: no EAN-8 of that kind leaves its store.
        if text.len() == 8
            && let Some(upc) = expanded(number).filter(|&upc| is_checked(upc))
        {
            return Ok(Self(upc));
        }
        if is_checked(number) { Ok(Self(number)) } else { Err(CodeError::GtinCheckDigit { expected: check_digit(number / 10) }) }
    }

    /// Whether stores or companies use the number as they like: 02, 04 and 20–29 (a UPC that starts with 2 or 4 is an EAN 02 or 04), packed in
    /// a case or not, and 8-digit numbers that start with 2.
    #[must_use]
    pub fn is_store_made(self) -> bool {
        let prefix = self.0 % 10_000_000_000_000 / 100_000_000_000;
        matches!(prefix, 2 | 4 | 20..=29) || (20_000_000..30_000_000).contains(&self.0)
    }
}

fn is_checked(number: u64) -> bool {
    u64::from(check_digit(number / 10)) == number % 10
}

/// The UPC of 12 digits that 8 digits abbreviate: a number system of 0 or 1, six digits, and the check digit of the whole. The last of the six
/// says where zeros were left out.
fn expanded(short: u64) -> Option<u64> {
    let (system, six, check) = (short / 10_000_000, short / 10 % 1_000_000, short % 10);
    let (five, last) = (six / 10, six % 10);
    let body = match last {
        0..=2 => five / 1_000 * 100_000_000 + last * 10_000_000 + five % 1_000,
        3 => five / 100 * 10_000_000 + five % 100,
        4 => five / 10 * 1_000_000 + five % 10,
        _ => five * 100_000 + last,
    };
    (system <= 1).then_some(system * 100_000_000_000 + body * 10 + check)
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
    ($name:ident, $stored:ident, $pattern:literal, $example:literal) => {
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
                Self::$stored(text.trim()).map_err(serde::de::Error::custom)
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
as_text!(Gtin, read, "^([0-9]{8}|[0-9]{12,14})$", "04006381333931");
as_text!(Plu, parse, "^9?[0-9]{4}$", "4011");

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
    fn a_upc_e_is_the_upc_that_it_abbreviates() {
        for (short, long) in [
            ("04252614", "042100005264"),
            ("01234505", "012000003455"),
            ("01234531", "012300000451"),
            ("01234543", "012340000053"),
            ("01234565", "012345000065"),
            ("01234596", "012345000096"),
        ] {
            assert_eq!(Gtin::parse(short), Gtin::parse(long), "{short}");
            assert!(Gtin::parse(short).is_ok(), "{short}");
        }
        assert_eq!(gtin("04252615"), Err("gtin_check_digit_wrong"));
        assert_eq!(gtin("96385074").as_deref(), Ok("00000096385074"), "an EAN-8 stays one");
    }

    #[test]
    fn one_number_is_one_code_and_a_store_made_one_stays_with_its_store() {
        let of = |text: &str| ProductCode::Gtin(Gtin::parse(text).unwrap()).identity();
        assert_eq!(of("036000291452"), of("00036000291452"));
        assert_eq!(of("96385074"), of("0000096385074"));
        let made = |store: &str, code: &str| ProductCode::store_made(StoreId::new(store).unwrap(), code).unwrap().identity();
        assert_eq!(made("a", "0021234500000"), made("a", "21234500000"));
        assert_ne!(made("a", "21234500000"), made("b", "21234500000"));
        assert_ne!(made("a", "0x"), made("a", "x"));
        assert_ne!(ProductCode::source("a", "07").unwrap().identity(), ProductCode::source("a", "7").unwrap().identity());
    }

    #[test]
    fn what_was_recorded_once_is_read_for_ever() {
        let recorded: ProductCode = serde_json::from_str(r#"{"gtin":"00412345678903"}"#).unwrap();
        let ProductCode::Gtin(gtin) = recorded else { panic!("a GTIN") };
        assert!(gtin.is_store_made());
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
        for body in ["200000000000", "021234500000", "041234567890", "299999999999", "1200000000001"] {
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
