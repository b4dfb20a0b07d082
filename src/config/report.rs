//! The effective configuration as `aisled config` shows it: each value with its source, secrets hidden.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{FIELDS, Loaded};

impl Loaded {
    /// Lines of TOML that could be a configuration file, each value with its source and meaning in a comment.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (field, value) in self.values() {
            let line = match &value {
                Value::Null => format!("# {} = (not set)", field.name),
                value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                    format!("{} = {value}", field.name)
                }
            };
            let source = &self.sources[field.name];
            let range = field.range().map(|range| format!(", {range}")).unwrap_or_default();
            let _ = writeln!(text, "# {} [{}{range}; {}]\n{line:<40} # {source}\n", field.help(), field.unit(), field.variable());
        }
        text
    }

    /// One object: setting → value, source, unit and meaning.
    pub fn to_json(&self) -> Value {
        self.values()
            .map(|(field, value)| {
                let about = json!({ "value": value, "source": self.sources[field.name], "unit": field.unit(), "meaning": field.help() });
                (field.name.to_owned(), about)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn values(&self) -> impl Iterator<Item = (&'static super::Field, Value)> {
        let mut values = serde_json::to_value(&self.config).expect("this holds because every setting is plain data");
        FIELDS.iter().map(move |field| (field, values[field.name].take()))
    }
}
