//! Precedence, refusals and what is shown.

mod page;
mod table;

use figment::value::Value;

use super::*;

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("some.toml");
    std::fs::write(&file, text).unwrap();
    (dir, Sources { file: Some(file), ..Sources::default() })
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn problems(sources: &Sources) -> String {
    load(sources).unwrap_err().problems.join("\n")
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file_which_wins_over_defaults() {
    let (_dir, mut sources) = with_file("workers = 2\nactor_threads = 2\nsessions_max = 2\n");
    sources.environment = environment(&[("AISLED_ACTOR_THREADS", "3"), ("AISLED_SESSIONS_MAX", "3")]);
    sources.flags = Dict::from([("sessions_max".to_owned(), Value::from(4_u64))]);
    let loaded = load(&sources).unwrap();
    let config = &loaded.config;
    assert_eq!((config.workers, config.actor_threads, config.sessions_max, config.body_bytes_max), (2, 3, 4, 1 << 20));
    assert!(loaded.sources["workers"].starts_with("file ") && loaded.sources["workers"].ends_with("some.toml"));
    assert_eq!(loaded.sources["actor_threads"], "environment AISLED_ACTOR_THREADS");
    assert_eq!(loaded.sources["sessions_max"], "flag --sessions-max");
    assert_eq!(loaded.sources["body_bytes_max"], "default");
}

#[test]
fn an_unknown_key_in_the_file_is_refused_by_name() {
    let (_dir, sources) = with_file("durabilty = \"sync\"\n");
    assert!(problems(&sources).contains("durabilty"), "{}", problems(&sources));
}

#[test]
fn a_value_of_the_wrong_type_names_its_key_and_source() {
    let (_dir, sources) = with_file("workers = \"many\"\n");
    let problems = problems(&sources);
    assert!(problems.contains("workers") && problems.contains("some.toml"), "{problems}");
}

#[test]
fn values_out_of_range_are_all_named_at_once() {
    let (_dir, sources) = with_file("sessions_max = 0\nbody_bytes_max = 1\nlog_filter = \"=,=\"\nadmin_token = \"short\"\n");
    let problems = problems(&sources);
    for name in ["sessions_max", "body_bytes_max", "log_filter", "admin_token"] {
        assert!(problems.contains(name), "{name} is missing in {problems}");
    }
    assert!(!problems.contains("short"), "the token is shown in {problems}");
}

#[test]
fn a_named_file_that_is_not_there_is_refused() {
    let sources = Sources { file: Some("no/such.toml".into()), ..Sources::default() };
    assert!(problems(&sources).contains("no/such.toml"));
}

#[test]
fn an_unknown_environment_variable_is_named_in_a_warning() {
    let sources = Sources {
        environment: environment(&[("AISLED_DURABILTY", "sync"), ("AISLED_CRASH_ROUNDS", "5"), ("HOME", "/")]),
        ..Sources::default()
    };
    let warnings = load(&sources).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("AISLED_DURABILTY"));
}

#[test]
fn what_is_shown_hides_the_token_and_names_every_setting() {
    let sources = Sources { environment: environment(&[("AISLED_ADMIN_TOKEN", "a-token-nobody-sees")]), ..Sources::default() };
    let loaded = load(&sources).unwrap();
    for shown in [loaded.to_text(), loaded.to_json().to_string(), format!("{loaded:?}")] {
        assert!(!shown.contains("nobody"), "{shown}");
    }
    assert_eq!(loaded.to_json().as_object().unwrap().len(), FIELDS.len());
}

#[test]
fn the_table_of_settings_names_exactly_the_fields_of_the_configuration() {
    let values = serde_json::to_value(Config::default()).unwrap();
    let mut fields: Vec<_> = values.as_object().unwrap().keys().map(String::as_str).collect();
    let mut named: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    fields.sort_unstable();
    named.sort_unstable();
    assert_eq!(fields, named);
}

#[test]
fn a_provider_needs_a_public_url_unless_the_server_listens_on_the_loopback_alone() {
    let with = |lines: &str| with_file(&format!("oidc_issuer = \"https://id.example\"\n{lines}"));
    let (_dir, open) = with("listen = \"0.0.0.0:8080\"\n");
    assert!(problems(&open).starts_with("oidc_issuer needs public_url"), "{}", problems(&open));
    for fine in ["", "listen = \"0.0.0.0:8080\"\npublic_url = [\"https://shop.example\"]\n"] {
        let (_dir, sources) = with(fine);
        assert!(load(&sources).is_ok(), "{fine}");
    }
}
