//! Every row of the table: what it accepts, from each source, and the message for what it does not.

use figment::value::Value;

use super::*;

/// A number's row, with its unit and the ends of its range.
fn numbers() -> impl Iterator<Item = (&'static Field, &'static str, u64, u64)> {
    FIELDS.iter().filter_map(|field| match field.takes {
        Takes::Number { unit, least, most } => Some((field, unit, least, most)),
        Takes::Choice(_)
        | Takes::Switch
        | Takes::Address
        | Takes::Folder
        | Takes::Secret
        | Takes::Passphrase
        | Takes::Filter
        | Takes::Issuer
        | Takes::Text
        | Takes::List(_) => None,
    })
}

/// Texts that a setting takes.
fn good(field: &Field) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match field.takes {
        Takes::Number { least, most, .. } => vec![least.to_string(), most.to_string()],
        Takes::Choice(_) => field.unit().split('|').map(str::to_owned).collect(),
        Takes::Switch => words(&["true", "false"]),
        Takes::Address => words(&["127.0.0.1:0", "[::1]:8080"]),
        Takes::Folder => words(&["somewhere", "/a/b c"]),
        Takes::Secret => words(&["1234567890123456"]),
        Takes::Passphrase => vec!["two words, ö".into(), "x".repeat(256)],
        Takes::Filter => words(&["warn,aisled=debug"]),
        Takes::Issuer => words(&["https://id.example", "https://id.example/realms/home/", "http://127.0.0.1:9000", "http://localhost"]),
        Takes::Text => words(&["a", "Müller & co"]),
        Takes::List(Entries::Urls | Entries::Origins) => words(&["https://shop.example", "https://shop.example,http://10.0.0.7:8080", ""]),
        Takes::List(Entries::Networks) => words(&["127.0.0.1", "10.0.0.0/8,fd00::/8", ""]),
    }
}

/// Texts that a setting does not take, and what of each is shown.
fn bad(field: &Field) -> Vec<(String, String)> {
    let shown = |texts: &[&str]| texts.iter().map(|text| ((*text).to_owned(), format!("is {text:?}"))).collect();
    match field.takes {
        Takes::Number { .. } => shown(&["many", "-1", "1.5", ""]),
        Takes::Choice(_) => shown(&["sometimes", "Sync", ""]),
        Takes::Switch => shown(&["yes", "1", ""]),
        Takes::Address => shown(&["localhost", "127.0.0.1", ""]),
        Takes::Folder => shown(&[""]),
        Takes::Secret => ["short", "with spaces between words", ""].map(|text| (text.to_owned(), "cannot be used".to_owned())).to_vec(),
        Takes::Passphrase => ["elevenchars".into(), "x".repeat(257)].map(|text| (text, "cannot be used".to_owned())).to_vec(),
        Takes::Filter => shown(&["=,="]),
        Takes::Issuer => shown(&[
            "id.example",
            "http://id.example",
            "https://id.example/?a",
            "https://a@id.example",
            "https://id.example/#a",
            "ftp://id.example",
            "",
        ]),
        Takes::Text => shown(&["", "two\nlines"]),
        // The wrong entry alone is shown.
        Takes::List(Entries::Urls | Entries::Origins) => has("https://shop.example", &["shop.example", "https://a.example/path", "*"]),
        Takes::List(Entries::Networks) => has("10.0.0.0/8", &["localhost", "10.0.0.0/33", ""]),
    }
}

/// Lists with one wrong entry each.
fn has(good: &str, wrong: &[&str]) -> Vec<(String, String)> {
    wrong.iter().map(|wrong| (format!("{good}, {wrong}"), format!("has {wrong:?}"))).collect()
}

/// The value of a setting as `aisled config` shows it.
fn value(loaded: &Loaded, field: &Field) -> String {
    match &loaded.to_json()[field.name]["value"] {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(entries) => entries.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(","),
        other @ (serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::Object(_)) => {
            other.to_string()
        }
    }
}

/// A value as a file has it.
fn in_toml(field: &Field, text: &str) -> String {
    match field.value_of_text(text) {
        Value::String(_, text) => format!("{} = {text:?}\n", field.name),
        Value::Array(_, entries) => format!("{} = {}\n", field.name, serde_json::to_string(&entries).unwrap()),
        Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Empty(..) | Value::Dict(..) => {
            format!("{} = {text}\n", field.name)
        }
    }
}

fn by_flag(field: &Field, text: &str) -> Sources {
    Sources { flags: Dict::from([(field.name.to_owned(), field.value_of_text(text))]), ..Sources::default() }
}

fn by_environment(field: &Field, text: &str) -> Sources {
    Sources { environment: vec![(field.variable(), text.to_owned())], ..Sources::default() }
}

#[test]
fn every_default_can_be_used() {
    let defaults = Value::serialize(Config::default()).unwrap().into_dict().unwrap();
    for field in FIELDS {
        assert_eq!(field.problem(&defaults[field.name], "default"), None);
        let default = field.default_text();
        assert_eq!(default.is_none(), matches!(field.takes, Takes::Secret | Takes::Passphrase | Takes::Issuer), "{}", field.name);
    }
}

#[test]
fn every_setting_takes_its_values_and_both_ends_of_its_range_from_each_source() {
    for field in FIELDS {
        for text in good(field) {
            let (_dir, file) = with_file(&in_toml(field, &text));
            for (sources, source) in
                [(file, "file "), (by_environment(field, &text), field.variable().as_str()), (by_flag(field, &text), field.flag().as_str())]
            {
                let loaded = load(&sources).unwrap();
                let shown = if matches!(field.takes, Takes::Secret | Takes::Passphrase) { "(hidden)" } else { &text };
                assert_eq!(value(&loaded, field), shown, "{}", field.name);
                assert!(loaded.sources[field.name].contains(source), "{} is from {}", field.name, loaded.sources[field.name]);
            }
        }
    }
}

#[test]
fn one_below_or_above_a_range_is_refused_by_name_value_range_and_unit() {
    for (field, unit, least, most) in numbers() {
        for wrong in [i128::from(least) - 1, i128::from(most) + 1] {
            let (_dir, sources) = with_file(&format!("{} = {wrong}\n", field.name));
            let file = sources.file.as_ref().unwrap().display();
            let expected = format!("{} is {wrong} (file {file}); it must be a whole number from {least} to {most} {unit}", field.name);
            assert_eq!(problems(&sources), expected);
        }
    }
}

#[test]
fn what_a_setting_does_not_take_is_refused_from_each_source() {
    for field in FIELDS {
        for (text, shown) in bad(field) {
            for (sources, source) in [
                (by_environment(field, &text), format!("environment {}", field.variable())),
                (by_flag(field, &text), format!("flag {}", field.flag())),
            ] {
                let problems = problems(&sources);
                let expected = format!("{} {shown} ({source}); it must be ", field.name);
                assert!(problems.starts_with(&expected) && !problems.contains('\n'), "{problems}\nand not\n{expected}");
            }
        }
    }
}

#[test]
fn three_wrong_settings_in_one_file_are_all_named_in_peoples_words() {
    let (_dir, mut sources) = with_file("sesions_max = 5\nsession_ping_seconds = 0\nworkers = \"many\"\ndemo = 1\n");
    sources.environment = environment(&[("AISLED_DURABILITY", "always")]);
    let file = sources.file.as_ref().unwrap().display();
    let expected = [
        "durability is \"always\" (environment AISLED_DURABILITY); it must be sync or flush or periodic".to_owned(),
        format!("demo is 1 (file {file}); it must be true or false"),
        format!("workers is \"many\" (file {file}); it must be a whole number from 0 to 1024 threads"),
        format!("session_ping_seconds is 0 (file {file}); it must be a whole number from 1 to 3600 seconds"),
        format!("sesions_max is not a setting (file {file}); `aisled serve --help` lists them"),
    ];
    assert_eq!(problems(&sources), expected.join("\n"));
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line() {
    let (_dir, sources) = with_file("workers = 1\ndata = \n");
    let problems = problems(&sources);
    assert!(problems.contains("some.toml") && problems.contains("line 2"), "{problems}");
}

#[test]
fn a_wildcard_among_the_origins_is_refused_with_the_reason() {
    let (_dir, sources) = with_file("cors_origins = [\"https://app.example\", \"*\"]\n");
    let problems = problems(&sources);
    assert!(problems.starts_with("cors_origins has \"*\" (file ") && problems.contains("a wildcard would"), "{problems}");
}

#[test]
fn a_text_in_place_of_a_list_is_refused_as_a_whole() {
    let (_dir, sources) = with_file("public_url = \"https://shop.example\"\ntrusted_proxies = [\"127.0.0.1\", 7]\n");
    let problems = problems(&sources);
    assert!(problems.contains("public_url is \"https://shop.example\" (file "), "{problems}");
    assert!(problems.contains("trusted_proxies has 7 (file "), "{problems}");
}
