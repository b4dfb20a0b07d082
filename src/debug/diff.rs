//! What differs between two JSON values: only the changed paths.

use std::fmt;

use serde_json::Value;

/// One path whose value changed; absent on one side if it was added or removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Field names and array places with dots between.
    pub path: String,
    pub old: Option<Value>,
    pub new: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [("-", &self.old), ("+", &self.new)].into_iter().filter_map(|(sign, value)| value.as_ref().map(|value| (sign, value)));
        let lines: Vec<_> = lines.map(|(sign, value)| format!("{sign} {}: {value}", self.path)).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The changed paths, in the order of their names.
#[must_use]
pub fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(old), Some(new), &mut changes);
    changes
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            let mut names: Vec<_> = old.keys().chain(added).collect();
            names.sort_unstable();
            for name in names {
                compare(&below(path, name), old.get(name), new.get(name), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for place in 0..old.len().max(new.len()) {
                compare(&below(path, &place.to_string()), old.get(place), new.get(place), changes);
            }
        }
        (old, new) => changes.push(Change { path: path.to_owned(), old: old.cloned(), new: new.cloned() }),
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_changed_paths_are_shown() {
        let old = json!({"name": "Weekly", "items": {"i1": {"checked": null}, "i2": 1}, "same": [1, 2]});
        let new = json!({"name": "Party", "items": {"i1": {"checked": "ann"}, "i3": 2}, "same": [1, 2, 3]});
        let shown: Vec<_> = diff(&old, &new).iter().map(Change::to_string).collect();
        let wanted = [
            "- items.i1.checked: null\n+ items.i1.checked: \"ann\"",
            "- items.i2: 1",
            "+ items.i3: 2",
            "- name: \"Weekly\"\n+ name: \"Party\"",
            "+ same.2: 3",
        ];
        assert_eq!(shown, wanted);
        assert!(diff(&new, &new).is_empty());
    }
}
