//! Reading a log without changing it: replay with comparison, stepping, forks and bundles, through the real binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
};

use aisled::{
    domain::product::ProductEvent,
    events::{Event, Recorded, from_json::event_from_json},
    projections::Views,
};
use serde_json::{Value, json};
use support::{Exited, TestApp, process, run_on};
use tempfile::TempDir;

/// A stopped server's folder, with one of everything in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let server = support::Server::start(&folder.path("data"), &[]).unwrap();
        let client = support::Client::new(server.url());
        shop(&client);
        assert_eq!(server.stop().code, Some(0));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.text(name)
    }

    fn run(&self, arguments: &[&str]) -> Exited {
        run_on(&self.path("data"), arguments)
    }

    fn events(&self) -> Vec<Recorded> {
        let lines = self.run(&["events"]).ok().stdout;
        lines.lines().map(|line| event_from_json(&serde_json::from_str(line).unwrap()).unwrap()).collect()
    }

    /// Everything in the log, with its hashes.
    fn log(&self) -> String {
        self.run(&["export"]).ok().stdout
    }
}

/// Two stores with a price of milk each, a household, its list, and an order.
fn shop(client: &support::Client) {
    let command = |path: &str, body: Value| client.post(path, &body).ok();
    for (store, price) in [("billa", "1.50"), ("spar", "1.20")] {
        command(&format!("/api/v1/stores/{store}/commands"), json!({"op": "register", "name": store, "currency": "EUR"}));
        if store == "billa" {
            command("/api/v1/products/milk/commands", json!({"op": "register", "name": "Milk"}));
        }
        let seen = json!({"op": "observe_price", "store": store, "price": {"amount": price, "currency": "EUR", "per": "each"},
            "observed_at": "2024-06-01T08:00:00Z", "source": "receipt"});
        command("/api/v1/products/milk/commands", seen);
    }
    command("/api/v1/households/home/commands", json!({"op": "create", "name": "Anna's home"}));
    let list = "/api/v1/lists/weekly/commands";
    command(list, json!({"op": "create", "name": "Weekly", "household": "home", "store": "billa"}));
    let item = json!({"op": "add_item", "item": "i1", "name": "Milk", "product": "milk", "quantity": {"amount": "2", "unit": "each"},
        "note": "for Ben's birthday"});
    command(list, item);
    command(list, json!({"op": "change_quantity", "item": "i1", "by": {"amount": "3", "unit": "each"}}));
    command(list, json!({"op": "check", "item": "i1"}));
    let line = json!({"line": 1, "product": "milk", "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "1.50", "currency": "EUR"}});
    let order = json!({"op": "place", "household": "home", "store": "billa", "placed_at": "2024-06-02T08:00:00Z", "lines": [line], "source": "receipt"});
    command("/api/v1/orders/o1/commands", order);
}

/// Runs the binary with lines on its standard input.
fn converse(arguments: &[&str], lines: &str) -> Exited {
    let mut child = process::binary().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Exited { code: output.status.code(), signal: None, stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_replay_takes_what_the_filters_leave() {
    let folder = Folder::new();
    let all = folder.run(&["replay"]).ok().summary();
    let head = all["events"].as_u64().unwrap();
    let one = folder.run(&["replay", "--stream", "list/weekly", "--type", "list.item_added"]).ok().summary();
    assert_eq!(one["events"], 1);
    let part = folder.run(&["replay", "--from", "3", "--to", "5", "--projection", "lists"]).ok().summary();
    assert_eq!((&part["events"], &part["last_position"]), (&json!(3), &json!("5")));
    assert_eq!(part["digests"].as_object().unwrap().keys().collect::<Vec<_>>(), ["lists"]);
    assert_eq!(folder.run(&["replay", "--who", "nobody"]).ok().summary()["events"], 0);
    for (arguments, word) in [
        (vec!["--to", "0"], "before the first event"),
        (vec!["--to", &(head + 1).to_string()], "ends at position"),
        (vec!["--from", "5", "--to", "4"], "no event"),
        (vec!["--projection", "moods"], "moods"),
        (vec!["--compare", "--to", "3"], "filters"),
    ] {
        let refused = folder.run(&[&["replay"], &arguments[..]].concat());
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(word), "{refused:?}");
    }
}

#[test]
fn a_replay_equals_what_the_server_saved() {
    let folder = Folder::new();
    let log = folder.log();
    let compared = folder.run(&["replay", "--compare"]).ok().summary();
    assert_eq!((&compared["differences"], &compared["ok"]), (&json!(0), &json!(true)));
    assert_eq!(folder.log(), log, "the log is not touched");
    fs::remove_file(folder.path("data/checkpoints/views")).unwrap();
    let none = folder.run(&["replay", "--compare"]);
    assert!(none.code == Some(1) && none.stderr.contains("not saved"), "{none:?}");
}

#[test]
fn a_planted_difference_is_named_with_its_entity_and_position() {
    let folder = Folder::new();
    let mut views = Views::default();
    let mut planted = None;
    for mut recorded in folder.events() {
        if let (Event::Product(ProductEvent::PriceObserved { seen, .. }), None) = (&mut recorded.event, planted) {
            seen.source = "somebody else".into();
            planted = Some(recorded.position);
        }
        views.apply(&recorded);
    }
    let file = folder.path("data/checkpoints/views");
    let saved = fs::read(&file).unwrap();
    let first_line = saved.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    fs::write(&file, [first_line, &views.to_checkpoint()].concat()).unwrap();
    let compared = folder.run(&["replay", "--compare"]);
    assert_eq!(compared.code, Some(1), "{compared:?}");
    let found = compared.summary();
    let position = planted.unwrap().to_string();
    let wanted = json!([{"projection": "prices", "subject": "product/milk", "position": position, "first_touched_at": "2"}]);
    assert_eq!((&found["differences"], &found["differing"]), (&json!(1), &wanted));
    assert!(compared.stderr.contains(&format!("product/milk: first at position {position}")), "{compared:?}");
}

/// A server of two answers: digests, and the events of a folder.
fn fake_server(digests: Value, events: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let lines: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let body = if lines[0].contains("/api/v1/admin/digests") { digests.to_string() } else { events.clone() };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = reader.get_mut().write_all((head + &body).as_bytes());
        }
    });
    url
}

#[test]
fn a_replay_of_a_server_s_events_is_compared_with_the_digests_it_tells() {
    let folder = Folder::new();
    let replayed = folder.run(&["replay"]).ok().summary();
    let events = folder.run(&["events"]).ok().stdout;
    let told = json!({"position": replayed["last_position"], "digests": replayed["digests"]});
    let url = fake_server(told.clone(), events.clone());
    let compared = process::run(&["replay", "--compare", "--url", &url].map(str::to_owned)).ok().summary();
    assert_eq!((&compared["ok"], &compared["differing"]), (&json!(true), &json!([])));
    let mut wrong = told;
    wrong["digests"]["prices"] = json!("00");
    let compared = process::run(&["replay", "--compare", "--url", &fake_server(wrong, events)].map(str::to_owned));
    assert_eq!((compared.code, &compared.summary()["differing"]), (Some(1), &json!(["prices"])));
}

#[test]
fn a_stream_is_stepped_through_offline_from_a_server_and_from_an_export() {
    let folder = Folder::new();
    let script = "n\n\nb data.by.amount>1\nc\np\ng 1\nb state.items.i1.checked\nc\nc\nrc\nl\nd\nl\njump\nq\nn\n";
    let offline = converse(&["debug", "list/weekly", "--data", &folder.text("data")], script).ok();
    let said = &offline.stdout;
    assert!(!said.contains("> "), "no prompt where nobody types: {said}");
    assert!(said.starts_with("list/weekly: 4 events"), "{said}");
    for words in [
        "list/weekly v1  list.created",
        "+ items.i1: {",
        "breakpoint 1: data.by.amount>1\nlist/weekly v3",
        "- items.i1.quantity.amount: \"2\"\n+ items.i1.quantity.amount: \"5\"",
        "breakpoint 2: state.items.i1.checked\nlist/weekly v4",
        "no breakpoints",
        "\"jump\" is not a command",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(said.lines().last(), Some("\"jump\" is not a command; h lists them"), "q ends it");
    folder.run(&["export", "--out", &folder.text("all.zst")]).ok();
    let from_file = converse(&["debug", "list/weekly", "--file", &folder.text("all.zst")], script).ok();
    assert_eq!(from_file.stdout, *said);
    let mut app = TestApp::start();
    shop(app.client());
    let online = converse(&["debug", "list/weekly", "--url", app.server().url()], script).ok();
    assert!(online.stdout.contains("breakpoint 2: state.items.i1.checked\nlist/weekly v4"), "{online:?}");
    app.stop();
}

#[test]
fn every_kind_of_stream_can_be_stepped_through_and_an_unknown_one_is_refused() {
    let folder = Folder::new();
    for (stream, field) in [
        ("product/milk", "details"),
        ("order/o1", "lines"),
        ("household/home", "members"),
        ("store/spar", "details"),
        ("list/weekly", "items"),
    ] {
        let said = converse(&["debug", stream, "--data", &folder.text("data")], "n\n").ok().stdout;
        assert!(said.contains(&format!("\"{field}\"")) && said.contains("- phase: \"absent\""), "{said}");
    }
    let none = converse(&["debug", "list/none", "--data", &folder.text("data")], "n\n");
    assert!(none.code == Some(1) && none.stderr.contains("list/none"), "{none:?}");
    let foreign = folder.write("photo", "PNG");
    let refused = converse(&["debug", "list/weekly", "--file", &foreign], "n\n");
    assert!(refused.code == Some(1) && refused.stderr.contains("line 1"), "{refused:?}");
}

#[test]
fn a_fork_shows_what_would_have_happened_and_records_nothing() {
    let folder = Folder::new();
    let head = folder.events().len();
    let log = folder.log();
    let more = json!({"op": "change_quantity", "item": "i1", "by": {"amount": "5", "unit": "each"}});
    let commands = [
        json!({"stream": "list/weekly", "command": more}),
        json!({"stream": "list/weekly", "command": {"op": "check", "item": "none"}, "who": "local"}),
        json!({"stream": "list/weekly", "command": {"op": "cheer"}}),
    ];
    let file = folder.write("do.ndjson", &commands.iter().map(|command| format!("{command}\n")).collect::<String>());
    let printed = folder.run(&["fork", "--at", &head.to_string(), "--do", &file]).ok().stdout;
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<_> = lines[..3].iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["applied", "refused", "refused"]);
    assert_eq!((&lines[0]["events"][0]["type"], &lines[1]["code"]), (&json!("list.item_quantity_changed"), &json!("item_not_found")));
    let forked = &lines[3];
    assert_eq!((&forked["done"], &forked["refused"]), (&json!(1), &json!(2)));
    let list = &forked["lists"]["weekly"];
    assert_eq!(
        (&list["before"]["shown"]["estimated"]["amount"], &list["after"]["shown"]["estimated"]["amount"]),
        (&json!("7.50"), &json!("15.00"))
    );
    assert_eq!(list["after"]["stores"][0]["store"], "billa");
    assert_eq!((folder.events().len(), folder.log() == log), (head, true), "nothing is recorded");
    for (at, word) in [("0".to_owned(), "first event"), ((head + 1).to_string(), "ends at position")] {
        let refused = folder.run(&["fork", "--at", &at, "--do", &file]);
        assert!(refused.code == Some(2) && refused.stderr.contains(word), "{refused:?}");
    }
    let wrong = folder.write("wrong.ndjson", "{\"stream\":\"list/weekly\"}\n");
    let refused = folder.run(&["fork", "--at", "1", "--do", &wrong]);
    assert!(refused.code == Some(2) && refused.stderr.contains("line 1"), "{refused:?}");
}

/// Everything in a bundle, as anyone can unpack it.
fn unpacked(path: &Path) -> String {
    String::from_utf8(zstd::decode_all(fs::File::open(path).unwrap()).unwrap()).unwrap()
}

#[test]
fn a_bundle_holds_nobody_s_names_and_replays_elsewhere_to_the_same_totals() {
    let folder = Folder::new();
    let bundle = folder.text("bug.bundle");
    let made = folder.run(&["bundle", "create", "--stream", "list/weekly", "--with-prices", "--out", &bundle]).ok().summary();
    let live = folder.run(&["fork", "--at", "11", "--do", &folder.write("none", ""), "--list", "weekly"]).ok().summary();
    let estimated = &live["lists"]["weekly"]["before"]["shown"]["estimated"];
    assert_eq!((&made["outcome"]["totals"]["weekly"], &estimated["amount"]), (estimated, &json!("7.50")));
    let text = unpacked(&folder.path("bug.bundle"));
    for personal in ["Anna", "birthday", "Milk", "Weekly", "local", "receipt"] {
        assert!(!text.contains(personal), "{personal} is in {text}");
    }
    for stream in ["list/weekly", "product/milk", "store/billa", "household/home"] {
        assert!(text.contains(&format!("\"stream\":\"{stream}\"")), "{stream} is not in {text}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy");
    fs::copy(&bundle, &copy).unwrap();
    let replayed = process::run(&["bundle".into(), "replay".into(), copy.display().to_string()]).ok().summary();
    assert_eq!((&replayed["outcome"], &replayed["differing"]), (&made["outcome"], &json!([])));
    let stepped = converse(&["debug", "list/weekly", "--file", &copy.display().to_string()], "b state.items.i1.checked\nc\n").ok().stdout;
    assert!(stepped.contains("breakpoint 1: state.items.i1.checked\nlist/weekly v4  list.item_checked  by person-"), "{stepped}");
}

#[test]
fn two_bundles_of_the_same_share_no_pseudonym_and_ids_can_be_redacted_too() {
    let folder = Folder::new();
    let create = |name: &str| {
        let out = folder.text(name);
        folder.run(&["bundle", "create", "--stream", "list/weekly", "--with-prices", "--redact-ids", "--out", &out]).ok();
        unpacked(&folder.path(name))
    };
    let (one, two) = (create("one"), create("two"));
    // As whole words: chance may write one in the middle of a pseudonym.
    let words: Vec<_> = one.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
    for id in ["weekly", "milk", "billa", "home", "i1"] {
        assert!(!words.contains(&id), "{id} is in {one}");
    }
    let pseudonyms = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        words
            .filter(|word| ["text-", "person-", "list-", "product-"].iter().any(|kind| word.starts_with(kind)))
            .map(str::to_owned)
            .collect()
    };
    let ours = pseudonyms(&one);
    assert!(ours.len() > 5 && pseudonyms(&two).iter().all(|word| !ours.contains(word)), "the key is another each time");
    process::run(&["bundle".into(), "replay".into(), folder.text("one")]).ok();
}

#[test]
fn a_damaged_cut_newer_or_foreign_bundle_is_refused_with_the_reason() {
    let folder = Folder::new();
    folder.run(&["bundle", "create", "--stream", "list/weekly", "--out", &folder.text("good")]).ok();
    let bytes = fs::read(folder.path("good")).unwrap();
    let refusal = |bytes: &[u8]| {
        fs::write(folder.path("bad"), bytes).unwrap();
        let refused = process::run(&["bundle".into(), "replay".into(), folder.text("bad")]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        refused.stderr
    };
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    assert!(refusal(&flipped).contains("a byte was changed"));
    assert!(refusal(&bytes[..bytes.len() - 10]).contains("cut"));
    assert!(refusal(b"PNG").contains("not a bundle"));
    let newer = unpacked(&folder.path("good")).replacen("\"aisled_bundle\":1", "\"aisled_bundle\":7", 1);
    assert!(refusal(&zstd::encode_all(newer.as_bytes(), 1).unwrap()).contains("format 7"));
    // A changed event in a repacked bundle is found by the digests of the events.
    let edited = unpacked(&folder.path("good")).replacen("\"amount\":\"3\"", "\"amount\":\"9\"", 1);
    assert!(refusal(&zstd::encode_all(edited.as_bytes(), 1).unwrap()).contains("seal"));
}

#[test]
fn a_bundle_of_what_is_not_there_is_refused() {
    let folder = Folder::new();
    for (arguments, word) in [
        (["--stream", "list/none", "--from", "1"], "list/none"),
        (["--stream", "list/weekly", "--to", "3"], "no events of list/weekly"),
        (["--stream", "list/weekly", "--from", "0"], "before the first event"),
        (["--stream", "list/weekly", "--to", "999"], "ends at position"),
    ] {
        let refused = folder.run(&[&["bundle", "create", "--out", &folder.text("none")], &arguments[..]].concat());
        assert!(refused.code == Some(2) && refused.stderr.contains(word), "{refused:?}");
        assert!(!folder.path("none").exists());
    }
}
