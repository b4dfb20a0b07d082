//! `docs/settings.md` is the table, and the other documents agree with it.

use std::{fs, path::Path};

use super::*;

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_default()
}

/// A text between the bars of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn row(field: &Field) -> String {
    let default = field.default_text().map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
    let values = match field.range() {
        Some(range) => format!("{range} {}", field.unit()),
        None => field.unit(),
    };
    let taken_by = match field.taken_by {
        TakenBy::EveryCommand => "every command",
        TakenBy::Snapshots => "the server, commands on snapshots",
        TakenBy::Server => "the server",
    };
    let limit = field.limit.map_or_else(String::new, |limit| format!(". Published as `{limit}`"));
    format!(
        "| `{}` | {default} | {} | `{}` | {taken_by} | `{}` | {}{limit} |\n",
        field.name,
        cell(&values),
        field.flag(),
        field.variable(),
        cell(field.help())
    )
}

fn page() -> String {
    let head = format!(
        "# Settings\n\n\
         Made from the table in `src/config/table.rs`: change it there, then run `AISLED_UPDATE=1 cargo test --lib config`.\n\n\
         Defaults < `{FILE_DEFAULT}` < environment < flags. In the file a setting has its name here. `aisled config` shows what is in force and\n\
         from which source. A value that cannot be used is refused at the start; all such values are named at once. \"Published as\" is the\n\
         name in `x-limits` of the [AsyncAPI document](asyncapi.json), which shows the defaults.\n\n\
         | setting | default | values | flag | flag of | environment | what it does |\n|---|---|---|---|---|---|---|\n"
    );
    FIELDS.iter().fold(head, |page, field| page + &row(field))
}

#[test]
fn the_kept_page_of_settings_is_what_the_table_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    if std::env::var_os("AISLED_UPDATE").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let kept = document("docs/settings.md");
    assert!(kept == page(), "docs/settings.md is stale: run `AISLED_UPDATE=1 cargo test --lib config` and look at the difference");
}

#[test]
fn the_file_in_the_readme_can_be_used_and_shows_defaults() {
    let readme = document("README.md");
    let (_, file) = readme.split_once("```toml\n").unwrap();
    let (_dir, sources) = with_file(file.split_once("```").unwrap().0);
    assert_eq!(load(&sources).unwrap().config, Config::default());
}

#[test]
fn the_greeting_in_the_live_protocol_shows_defaults() {
    let Config { session_ping_seconds, session_lifetime_seconds, .. } = Config::default();
    let greeting = format!(r#""ping_interval_seconds":{session_ping_seconds},"lifetime_seconds":{session_lifetime_seconds},"#);
    assert!(document("docs/live.md").contains(&greeting), "{greeting}");
}
