//! The files that heissepreise publishes, `latest-canonical.json` and `latest-canonical.<store>.compressed.json`, as the rows of its tables.
//! Read as its code wrote them at commits `02bd7e5` (2023-06, days as texts) to `80dfea6` and `8b215c2` (2024-02, days by number, with category).

use std::{collections::BTreeSet, io::Read as _};

use serde::Deserialize;
use serde_json::Value;

use crate::import::{
    ImportError,
    reason::{Read, Reason, quoted},
    table::{SourceFile, unreadable},
};

/// The rows of the two tables, and the keys of the stores in them.
#[derive(Debug, Default)]
pub(super) struct Canonical {
    /// As the columns of products: store, number, name, category, unit, quantity, by weight, organic.
    pub(super) products: Vec<Read<Vec<String>>>,
    /// As the columns of prices: day, store, number, price.
    pub(super) prices: Vec<Read<Vec<String>>>,
    pub(super) stores: BTreeSet<String>,
}

/// What its site calls the chains, and where they are.
const CHAINS: [(&str, &str, &str); 14] = [
    ("billa", "Billa", "AT"),
    ("spar", "Spar", "AT"),
    ("hofer", "Hofer", "AT"),
    ("lidl", "Lidl", "AT"),
    ("dm", "DM", "AT"),
    ("mpreis", "MPREIS", "AT"),
    ("bipa", "Bipa", "AT"),
    ("penny", "Penny", "AT"),
    ("unimarkt", "Unimarkt", "AT"),
    ("mueller", "Müller", "AT"),
    ("muellerDe", "Müller DE", "DE"),
    ("dmDe", "DM DE", "DE"),
    ("reweDe", "REWE DE", "DE"),
    ("sparSi", "Spar SI", "SI"),
];

/// An item as the plain file has it.
#[derive(Debug, Deserialize)]
struct Item {
    store: String,
    id: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    category: Value,
    #[serde(default)]
    unit: Value,
    #[serde(default)]
    quantity: Value,
    #[serde(default, rename = "isWeighted")]
    is_weighted: Value,
    #[serde(default)]
    bio: Value,
    #[serde(default, rename = "priceHistory")]
    prices: Vec<Price>,
}

#[derive(Debug, Deserialize)]
struct Price {
    date: Value,
    price: Value,
}

/// All items one after the other, as values without names.
#[derive(Debug, Deserialize)]
struct Compressed {
    stores: Vec<String>,
    n: usize,
    /// The days, where prices name them by number.
    dates: Option<Vec<String>>,
    data: Vec<Value>,
}

impl Canonical {
    /// Reads one file whole: it has one value.
    ///
    /// # Errors
    /// When it is not one that heissepreise writes.
    pub(super) fn read(file: &SourceFile) -> Result<Self, ImportError> {
        let mut text = String::new();
        file.text(&std::sync::Arc::default())?.read_to_string(&mut text).map_err(|error| unreadable(&file.name, &error))?;
        Self::of(&text).map_err(|reason| unreadable(&file.name, &reason))
    }

    fn of(text: &str) -> Result<Self, String> {
        let mut canonical = Self::default();
        if text.trim_start().starts_with('[') {
            let items: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
            items.into_iter().for_each(|item| canonical.take(Item::deserialize(item).map_err(|error| wrong(&error.to_string()))));
            return Ok(canonical);
        }
        let packed: Compressed = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let items = [(true, true), (true, false), (false, false)].into_iter().find_map(|shape| packed.unpacked(shape));
        items.ok_or("its data is of another form than any that is known")?.into_iter().for_each(|item| canonical.take(Ok(item)));
        Ok(canonical)
    }

    fn take(&mut self, item: Read<Item>) {
        let item = match item {
            Ok(item) => item,
            Err(reason) => return self.products.push(Err(reason)),
        };
        let Item { store, id, name, category, unit, quantity, is_weighted, bio, prices } = item;
        let id = text(&id);
        self.stores.insert(store.clone());
        for Price { date, price } in prices {
            self.prices.push(Ok(vec![day(&text(&date)), store.clone(), id.clone(), text(&price)]));
        }
        self.products.push(Ok(vec![store, id, text(&name), text(&category), text(&unit), text(&quantity), text(&is_weighted), text(&bio)]));
    }

    /// The rows of stores, for a folder without a file of them: key, currency, name, country.
    pub(super) fn store_rows(keys: &BTreeSet<String>) -> Vec<Read<Vec<String>>> {
        let row = |key: &String| {
            let known = CHAINS.iter().find(|(known, ..)| known == key);
            let (name, country) = known.map_or((key.as_str(), ""), |(_, name, country)| (*name, *country));
            Ok([key, "EUR", name, country].map(str::to_owned).to_vec())
        };
        keys.iter().map(row).collect()
    }
}

impl Compressed {
    /// Every item, if the data has this shape: with a category, and with a mark of what is unavailable.
    fn unpacked(&self, shape: (bool, bool)) -> Option<Vec<Item>> {
        let mut values = self.data.iter();
        let items = (0..self.n).map(|_| self.item(&mut values, shape)).collect::<Option<Vec<_>>>()?;
        values.next().is_none().then_some(items)
    }

    fn item<'a>(&self, values: &mut impl Iterator<Item = &'a Value>, (has_category, has_mark): (bool, bool)) -> Option<Item> {
        let mut next = || values.next();
        let store = self.stores.get(index(next()?)?)?.clone();
        let (id, name) = (next()?.clone(), next()?.clone());
        let category = if has_category { next().filter(|value| !value.is_number())?.clone() } else { Value::Null };
        if has_mark {
            index(next()?).filter(|mark| *mark < 2)?;
        }
        let count = index(next()?)?;
        let price = |next: &mut dyn FnMut() -> Option<&'a Value>| Some(Price { date: self.date(next()?)?, price: next()?.clone() });
        let prices = (0..count).map(|_| price(&mut next)).collect::<Option<Vec<_>>>()?;
        let [unit, quantity, is_weighted, bio, _url] = [next()?, next()?, next()?, next()?, next()?].map(Value::clone);
        Some(Item { store, id, name, category, unit, quantity, is_weighted, bio, prices })
    }

    fn date(&self, value: &Value) -> Option<Value> {
        match &self.dates {
            Some(dates) => dates.get(index(value)?).cloned().map(Value::String),
            None => value.is_string().then(|| value.clone()),
        }
    }
}

fn index(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// A value as a table has it; what is not there is empty.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// `20240131` with its hyphens.
fn day(text: &str) -> String {
    match (text.len(), text.is_ascii()) {
        (8, true) => format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]),
        _ => text.to_owned(),
    }
}

fn wrong(why: &str) -> Reason {
    Reason::new("json_wrong", format!("the item cannot be read: {}", quoted(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> (Vec<String>, Vec<String>) {
        let Canonical { products, prices, .. } = Canonical::of(text).unwrap();
        let joined = |rows: Vec<Read<Vec<String>>>| {
            rows.into_iter().map(|row| row.map_or_else(|reason| reason.to_string(), |row| row.join("|"))).collect()
        };
        (joined(products), joined(prices))
    }

    #[test]
    fn every_published_form_gives_the_same_rows() {
        let plain = r#"[{"store": "billa", "id": "00-1", "name": "Milch", "price": 1.09, "unit": "ml", "quantity": 1000, "isWeighted": false,
            "bio": true, "priceHistory": [{"date": "2024-01-02", "price": 1.09}, {"date": "2023-06-01", "price": 0.99}], "url": ""}]"#;
        let old = r#"{"stores": ["spar", "billa"], "n": 1, "data":
            [1, "00-1", "Milch", 2, "20240102", 1.09, "20230601", 0.99, "ml", 1000, 0, 1, null]}"#;
        let new = r#"{"stores": ["billa"], "n": 1, "dates": ["20230601", "20240102"], "data":
            [0, "00-1", "Milch", "37", 0, 2, 1, 1.09, 0, 0.99, "ml", 1000, 0, 1, "x"]}"#;
        let prices = vec!["2024-01-02|billa|00-1|1.09".to_owned(), "2023-06-01|billa|00-1|0.99".to_owned()];
        assert_eq!(rows(plain), (vec!["billa|00-1|Milch||ml|1000|false|true".to_owned()], prices.clone()));
        assert_eq!(rows(old), (vec!["billa|00-1|Milch||ml|1000|0|1".to_owned()], prices.clone()));
        assert_eq!(rows(new), (vec!["billa|00-1|Milch|37|ml|1000|0|1".to_owned()], prices));
    }

    #[test]
    fn an_item_that_cannot_be_read_is_refused_and_a_file_of_another_form_is_an_error() {
        let (products, _) = rows(r#"[{"store": "billa", "name": "Milch"}, {"store": "billa", "id": 7, "name": "Brot"}]"#);
        assert!(products[0].contains("json_wrong") && products[1] == "billa|7|Brot|||||", "{products:?}");
        for text in ["{}", "7", "", r#"{"stores": [], "n": 1, "data": [0]}"#, r#"{"stores": ["a"], "n": 0, "data": [0]}"#] {
            assert!(Canonical::of(text).is_err(), "{text}");
        }
    }
}
