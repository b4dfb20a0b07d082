//! Currencies: the ISO 4217 codes in use, each with its own number of decimals.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::money::MoneyError;

/// An ISO 4217 currency code with its own number of decimals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Every code accepted, sorted; funds, metals and test codes are left out.
const KNOWN: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF \
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD \
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
    NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL \
    THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// Whether the table of codes holds it: one bit per possible code of three capital letters.
static KNOWN_BITS: [u64; 26 * 26 * 26 / 64 + 1] = known_bits();

const fn known_bits() -> [u64; 26 * 26 * 26 / 64 + 1] {
    let mut bits = [0; 26 * 26 * 26 / 64 + 1];
    let text = KNOWN.as_bytes();
    let mut at = 0;
    while at + 3 <= text.len() {
        let number = number_of([text[at], text[at + 1], text[at + 2]]);
        bits[number / 64] |= 1 << (number % 64);
        at += 4;
    }
    bits
}

const fn number_of(code: [u8; 3]) -> usize {
    ((code[0] - b'A') as usize * 26 + (code[1] - b'A') as usize) * 26 + (code[2] - b'A') as usize
}

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The US dollar.
    pub const USD: Self = Self(*b"USD");

    /// Accepts a known ISO 4217 code in capital letters.
    ///
    /// # Errors
    /// `currency_unknown` for anything else.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        let known = <[u8; 3]>::try_from(code.as_bytes()).ok().filter(|bytes| {
            let number = bytes.iter().all(u8::is_ascii_uppercase).then(|| number_of(*bytes));
            number.is_some_and(|number| KNOWN_BITS[number / 64] & (1 << (number % 64)) != 0)
        });
        known.map(Self).ok_or_else(|| MoneyError::CurrencyUnknown(code.chars().take(8).collect()))
    }

    /// The code, such as `EUR`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is three ASCII letters because `new` accepts only known codes")
    }

    /// How many decimals its minor unit has: JPY 0, EUR 2, KWD 3.
    #[must_use]
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX" | b"VND" | b"VUV" | b"XAF"
            | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::new(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Code;
        impl de::Visitor<'_> for Code {
            type Value = Currency;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an ISO 4217 currency code")
            }

            fn visit_str<E: de::Error>(self, code: &str) -> Result<Currency, E> {
                Currency::new(code).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Code)
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("ISO 4217 currency code"))
            .examples(["EUR"])
            .into()
    }
}

impl utoipa::ToSchema for Currency {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_is_known_and_others_are_not() {
        for code in KNOWN.split(' ') {
            assert_eq!(Currency::new(code).expect(code).as_str(), code);
        }
        for code in ["", "eur", "EU", "EURO", "XXX", "AAA", "E R", "ÄÖ", "€"] {
            assert!(Currency::new(code).is_err(), "{code:?}");
        }
    }

    #[test]
    fn each_currency_has_its_own_decimals() {
        let decimals = |code| Currency::new(code).expect(code).decimals();
        assert_eq!((decimals("JPY"), decimals("EUR"), decimals("KWD"), decimals("CLF")), (0, 2, 3, 4));
    }
}
