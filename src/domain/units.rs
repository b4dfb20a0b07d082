//! Units of measure: how shops spell them, their dimensions and their exact ratios as integers.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(crate) use super::ratio::Ratio;

/// The longest spelling of an unknown unit, in characters.
const UNIT_CHARS_MAX: usize = 40;

/// What a unit measures. Different dimensions never convert without a fact about the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Pieces and packs as they are sold.
    Count,
    Mass,
    Volume,
    Length,
    /// Comparable only with the same unit.
    Unknown,
}

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident $text:literal $dimension:ident $size:literal [$($spelling:literal)*];)*) => {
        /// A unit of measure. oz and fl oz differ, US and imperial pints differ; an unknown unit stays unknown, never "each".
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Unit {
            $($(#[$doc])* $name,)*
            /// An unknown unit, as it was written.
            Other(Arc<str>),
        }

        impl Unit {
            /// Every known unit.
            pub const KNOWN: &[Self] = &[$(Self::$name),*];

            /// The canonical text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// What it measures.
            #[must_use]
            pub const fn dimension(&self) -> Dimension {
                match self {
                    $(Self::$name => Dimension::$dimension,)*
                    Self::Other(_) => Dimension::Unknown,
                }
            }

            /// How many of its dimension's base unit it is, exactly. Bases: one piece, 1 ng, 10⁻¹¹ ml, 1 µm.
            #[must_use]
            pub const fn size(&self) -> i64 {
                match self {
                    $(Self::$name => $size,)*
                    Self::Other(_) => 1,
                }
            }

            fn canonical(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Expects small letters, single blanks and no full stop at the end.
            fn spelled(text: &str) -> Option<Self> {
                match text {
                    $($text $(| $spelling)* => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

units! {
    /// One piece as it is sold.
    #[default]
    Each "each" Count 1 ["ea" "pc" "pcs" "piece" "pieces" "stk" "stück" "stücke" "stueck" "st" "kos" "kosov" "count" "ct" "x"];
    /// One pack as it is sold.
    Pack "pack" Count 1 ["pk" "pkg" "packs" "package" "packung" "packungen" "pkt" "paket" "packet" "paquet" "zavitek"];
    Dozen "dozen" Count 12 ["dz" "doz" "dutzend"];
    Milligram "mg" Mass 1_000_000 ["milligram" "milligrams" "milligramm"];
    Gram "g" Mass 1_000_000_000 ["gr" "gm" "gram" "grams" "gramm" "gramme" "grammes"];
    /// Ten grams, as Austrian counters weigh.
    Dekagram "dag" Mass 10_000_000_000 ["dkg" "deka" "dekagramm" "dekagram"];
    Kilogram "kg" Mass 1_000_000_000_000 ["kilo" "kilos" "kgs" "kilogram" "kilograms" "kilogramm"];
    /// 28.349523125 g.
    Ounce "oz" Mass 28_349_523_125 ["ounce" "ounces" "ozs"];
    /// 453.59237 g.
    Pound "lb" Mass 453_592_370_000 ["lbs" "pound" "pounds"];
    Millilitre "ml" Volume 100_000_000_000 ["milliliter" "milliliters" "millilitre" "millilitres" "mililiter"];
    Centilitre "cl" Volume 1_000_000_000_000 ["centiliter" "centilitre" "zentiliter"];
    Decilitre "dl" Volume 10_000_000_000_000 ["deciliter" "decilitre" "deziliter"];
    Litre "l" Volume 100_000_000_000_000 ["lt" "ltr" "liter" "liters" "litre" "litres" "lier" "lter" "lilter"];
    /// 29.5735295625 ml, a volume; "oz" alone is a mass.
    FluidOunce "fl oz" Volume 2_957_352_956_250 ["floz" "fl. oz" "us fl oz" "fluid ounce" "fluid ounces" "fl ounce"];
    /// 236.5882365 ml.
    Cup "cup" Volume 23_658_823_650_000 ["cups" "us cup"];
    /// 473.176473 ml; the imperial pint is its own unit.
    Pint "pt" Volume 47_317_647_300_000 ["pint" "pints" "us pt" "us pint"];
    /// 946.352946 ml.
    Quart "qt" Volume 94_635_294_600_000 ["quart" "quarts" "us qt" "us quart"];
    /// 3.785411784 l; the imperial gallon is its own unit.
    Gallon "gal" Volume 378_541_178_400_000 ["gallon" "gallons" "us gal" "us gallon"];
    /// 14.78676478125 ml.
    Tablespoon "tbsp" Volume 1_478_676_478_125 ["tablespoon" "tablespoons" "tbs" "us tbsp"];
    /// 4.92892159375 ml.
    Teaspoon "tsp" Volume 492_892_159_375 ["teaspoon" "teaspoons" "us tsp"];
    /// 15 ml, the spoon of European recipes.
    MetricTablespoon "metric tbsp" Volume 1_500_000_000_000 ["el" "esslöffel" "metric tablespoon"];
    /// 5 ml, the spoon of European recipes.
    MetricTeaspoon "metric tsp" Volume 500_000_000_000 ["tl" "teelöffel" "metric teaspoon"];
    /// 28.4130625 ml.
    ImperialFluidOunce "imp fl oz" Volume 2_841_306_250_000 ["imperial fl oz" "uk fl oz" "imperial fluid ounce"];
    /// 568.26125 ml.
    ImperialPint "imp pt" Volume 56_826_125_000_000 ["imperial pint" "imperial pints" "uk pint" "uk pt" "imp pint"];
    /// 4.54609 l.
    ImperialGallon "imp gal" Volume 454_609_000_000_000 ["imperial gallon" "imperial gallons" "uk gallon" "uk gal" "imp gallon"];
    Millimetre "mm" Length 1_000 ["millimeter" "millimetre"];
    Centimetre "cm" Length 10_000 ["centimeter" "centimetre" "zentimeter"];
    Metre "m" Length 1_000_000 ["mt" "meter" "metre" "meters" "metres"];
    Kilometre "km" Length 1_000_000_000 ["kilometer" "kilometre"];
    /// 25.4 mm.
    Inch "in" Length 25_400 ["inch" "inches"];
    /// 304.8 mm.
    Foot "ft" Length 304_800 ["foot" "feet"];
    /// One load of washing, as detergents count.
    WashLoad "wg" Unknown 1 ["waschgang" "waschgänge" "wl" "wash load" "wash loads"];
}

impl Unit {
    /// Reads a unit as shops spell it, whatever its case; an unknown one is kept as written, trimmed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::canonical(text).unwrap_or_else(|| Self::parse_spelling(text.trim()))
    }

    fn parse_spelling(text: &str) -> Self {
        let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        let plain = words.join(" ");
        Self::spelled(plain.trim_end_matches('.')).unwrap_or_else(|| Self::Other(Arc::from(text)))
    }

    /// How many of `other` one of this is; `None` where that is not known.
    #[must_use]
    pub(crate) fn ratio_to(&self, other: &Self) -> Option<Ratio> {
        if self == other {
            return Some(Ratio::ONE);
        }
        let comparable = self.dimension() == other.dimension() && self.dimension() != Dimension::Unknown;
        comparable.then(|| Ratio::new(i128::from(self.size()), i128::from(other.size())))
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Unit;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a unit of measure")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Unit, E> {
                let unit = Unit::parse(text);
                let Unit::Other(own) = &unit else { return Ok(unit) };
                if own.is_empty() {
                    Err(E::custom("a unit must not be empty"))
                } else if own.chars().any(char::is_control) {
                    Err(E::custom("a unit must not contain control characters"))
                } else if own.chars().count() > UNIT_CHARS_MAX {
                    Err(E::custom(format_args!("a unit has at most {UNIT_CHARS_MAX} characters")))
                } else {
                    Ok(unit)
                }
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl utoipa::PartialSchema for Unit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .max_length(Some(UNIT_CHARS_MAX))
            .description(Some("A unit as shops spell it; an unknown one is kept as written and converts into nothing"))
            .examples(["kg", "each", "fl oz"])
            .into()
    }
}

impl utoipa::ToSchema for Unit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shops_spellings_are_known_whatever_their_case() {
        for (text, unit) in [
            ("Stück", Unit::Each),
            ("STÜCK", Unit::Each),
            ("stk.", Unit::Each),
            ("kos", Unit::Each),
            ("Gramm", Unit::Gram),
            ("gr", Unit::Gram),
            ("KG", Unit::Kilogram),
            (" lier ", Unit::Litre),
            ("FL  OZ", Unit::FluidOunce),
            ("fl. oz.", Unit::FluidOunce),
            ("OZ", Unit::Ounce),
            ("wg", Unit::WashLoad),
            ("LBS", Unit::Pound),
        ] {
            assert_eq!(Unit::parse(text), unit, "{text:?}");
        }
    }

    #[test]
    fn a_unit_nobody_taught_us_stays_as_written() {
        assert_eq!(Unit::parse(" Abtr.G. "), Unit::Other("Abtr.G.".into()));
        assert_eq!(Unit::parse("500ml").dimension(), Dimension::Unknown);
    }

    #[test]
    fn every_canonical_text_reads_back_as_its_unit() {
        for unit in Unit::KNOWN {
            assert_eq!(&Unit::parse(unit.as_str()), unit);
            assert_eq!(&Unit::parse(&unit.as_str().to_uppercase()), unit);
        }
    }

    #[test]
    fn ratios_are_exact() {
        let times = |unit: &Unit, other: &Unit| unit.ratio_to(other).and_then(|ratio| ratio.times(100_000)?.whole());
        assert_eq!(times(&Unit::Pound, &Unit::Ounce), Some(1_600_000));
        assert_eq!(times(&Unit::Gallon, &Unit::Pint), Some(800_000));
        assert_eq!(times(&Unit::Gallon, &Unit::FluidOunce), Some(12_800_000));
        assert_eq!(times(&Unit::Cup, &Unit::Tablespoon), Some(1_600_000));
        assert_eq!(times(&Unit::Tablespoon, &Unit::Teaspoon), Some(300_000));
        assert_eq!(times(&Unit::ImperialGallon, &Unit::ImperialPint), Some(800_000));
        assert_eq!(times(&Unit::ImperialPint, &Unit::ImperialFluidOunce), Some(2_000_000));
        assert_eq!(times(&Unit::ImperialPint, &Unit::Millilitre), Some(56_826_125));
        assert_eq!(times(&Unit::Pound, &Unit::Gram), Some(45_359_237));
        assert_eq!(times(&Unit::Foot, &Unit::Inch), Some(1_200_000));
        assert_eq!(times(&Unit::Pint, &Unit::ImperialPint), None);
    }

    #[test]
    fn dimensions_never_convert_into_one_another() {
        for (one, other) in
            [(Unit::Ounce, Unit::FluidOunce), (Unit::Each, Unit::Gram), (Unit::WashLoad, Unit::Each), (Unit::Metre, Unit::Litre)]
        {
            assert!(one.ratio_to(&other).is_none());
        }
    }
}
