//! What an import would read: each file with its columns, and what its first rows become. Nothing is recorded.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use super::{ImportError, Intent, Item, Opened};

/// Tells about every file, then about the first rows of each, a line of JSON for each; then about the files that are not read.
///
/// # Errors
/// When a file cannot be read any further.
pub fn preview(source: Opened, rows_max: usize, tell: &mut dyn FnMut(String)) -> Result<(), ImportError> {
    let mut left: BTreeMap<Arc<str>, usize> = source.files.iter().map(|about| (about.file.clone(), rows_max)).collect();
    for about in &source.files {
        tell(serde_json::to_string(about).expect("this holds because it is plain data"));
    }
    for item in source.items {
        let item = item?;
        if let Some(rows) = left.get_mut(&item.place.file).filter(|rows| **rows > 0) {
            *rows -= 1;
            tell(shown(&item));
        }
        if left.values().all(|rows| *rows == 0) {
            break;
        }
    }
    tell(json!({ "files_ignored": source.files_ignored }).to_string());
    Ok(())
}

fn shown(item: &Item) -> String {
    let warnings: Vec<_> = item.warnings.iter().map(ToString::to_string).collect();
    let mut shown = json!({ "file": &*item.place.file, "line": item.place.line, "rows": item.rows, "warnings": warnings });
    match &item.intent {
        Ok(Some(intent)) => {
            shown["stream"] = intent.stream().to_string().into();
            shown["command"] = intent.command();
        }
        Ok(None) => {}
        Err(reason) => shown["refused"] = reason.to_string().into(),
    }
    shown.to_string()
}

impl Intent {
    /// The command as it is sent.
    pub fn command(&self) -> serde_json::Value {
        let command = match self {
            Self::Store(_, command) => serde_json::to_value(command),
            Self::Household(_, command) => serde_json::to_value(command),
            Self::Product(_, command) => serde_json::to_value(command),
            Self::Order(_, command) => serde_json::to_value(command),
            Self::List(_, command) => serde_json::to_value(command),
        };
        command.expect("this holds because commands are plain data")
    }
}
