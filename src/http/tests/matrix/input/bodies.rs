//! Bodies: UTF-8 with or without a mark, whole, every name known and once, compressed or not.

use std::io::Write;

use serde_json::{Value, json};

use super::{Sample, Side, Things, World, all_answer_alike, all_refuse, bare, body_of, content_type, refuses, with_body, writes};

fn only_writes(sample: Sample) -> Option<Sample> {
    (sample.method != "GET").then_some(sample)
}

#[actix_web::test]
async fn a_mark_before_a_body_changes_nothing_anywhere() {
    all_answer_alike(|sample, things| {
        let sample = only_writes(sample)?;
        Some(with_body(sample, things, [b"\xef\xbb\xbf".as_slice(), body_of(sample, things).as_bytes()].concat()))
    })
    .await;
}

#[actix_web::test]
async fn a_body_that_is_not_utf_8_is_refused_everywhere() {
    all_refuse(|sample, things| Some(with_body(only_writes(sample)?, things, b"{\"name\": \"M\xfcsli\"}".to_vec())), 400, "not_utf8").await;
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let marked = [vec![0xff, 0xfe], utf_16("{}")].concat();
    all_refuse(|sample, things| Some(with_body(only_writes(sample)?, things, marked.clone())), 400, "not_utf8").await;
}

#[actix_web::test]
async fn a_body_that_ends_in_the_middle_is_refused_everywhere() {
    all_refuse(|sample, things| Some(with_body(only_writes(sample)?, things, "{\"name\": \"Mi")), 400, "malformed_json").await;
    all_refuse(|sample, things| Some(with_body(only_writes(sample)?, things, "{} {}")), 400, "malformed_json").await;
}

#[actix_web::test]
async fn a_name_that_is_there_twice_is_refused_everywhere_and_at_every_depth() {
    all_refuse(
        |sample, things| Some(with_body(only_writes(sample)?, things, r#"{"command_id":"a","command_id":"a"}"#)),
        422,
        "duplicate_field",
    )
    .await;
    all_refuse(|sample, things| Some(with_body(only_writes(sample)?, things, r#"{"a":[{"b":{"c":1,"c":1}}]}"#)), 422, "duplicate_field")
        .await;
}

/// The value with a further field in each of its objects, one at a time.
fn with_unknown(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    if let Value::Object(fields) = value {
        let mut more = fields.clone();
        more.insert("colour".into(), json!("red"));
        all.push(Value::Object(more));
        for (name, inner) in fields {
            all.extend(with_unknown(inner).into_iter().map(|inner| {
                let mut outer = fields.clone();
                outer.insert(name.clone(), inner);
                Value::Object(outer)
            }));
        }
    }
    if let Value::Array(entries) = value {
        for (place, entry) in entries.iter().enumerate() {
            all.extend(with_unknown(entry).into_iter().map(|inner| {
                let mut outer = entries.clone();
                outer[place] = inner;
                Value::Array(outer)
            }));
        }
    }
    all
}

#[actix_web::test]
async fn an_unknown_field_is_refused_everywhere_and_at_every_depth() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let head = world.rig.app.log.head();
    let mut faults = Vec::new();
    for sample in writes() {
        let body: Value = serde_json::from_str(&body_of(sample, &things)).expect("a sample is JSON");
        for body in with_unknown(&body) {
            let answer = world.line.send(with_body(sample, &things, body.to_string())).await;
            if !refuses(sample, &answer, 422, "unknown_field") {
                faults.push(format!("{} {} {body}: {} {:?}", sample.method, sample.path, answer.status, answer.body));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(world.rig.app.log.head(), head);
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(body: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(body, 3).expect("memory takes it")
}

fn encoded(sample: Sample, things: &Things, name: &str, body: Vec<u8>) -> actix_web::test::TestRequest {
    bare(sample, things).insert_header(content_type(sample)).insert_header(("content-encoding", name)).set_payload(body)
}

type Encoder = fn(&[u8]) -> Vec<u8>;

#[actix_web::test]
async fn a_compressed_body_is_read_everywhere_like_a_plain_one() {
    let encodings: [(&str, Encoder); 4] = [("gzip", gzip), ("X-GZIP", gzip), ("deflate", deflate), ("zstd", zstd)];
    for (name, encode) in encodings {
        all_answer_alike(|sample, things| {
            let sample = only_writes(sample)?;
            Some(encoded(sample, things, name, encode(body_of(sample, things).as_bytes())))
        })
        .await;
    }
}

#[actix_web::test]
async fn an_encoding_that_is_not_read_is_refused_everywhere() {
    for name in ["br", "gzip, gzip", "snappy"] {
        all_refuse(|sample, things| Some(encoded(only_writes(sample)?, things, name, b"{}".to_vec())), 415, "unsupported_encoding").await;
    }
}

#[actix_web::test]
async fn a_damaged_or_cut_encoding_is_refused_everywhere() {
    let whole = gzip(b"{\"command_id\": \"a command that is not there\"}");
    let (cut, trailed) = (whole[..whole.len() - 4].to_vec(), [whole.clone(), b"rubbish".to_vec()].concat());
    for body in [b"{}".to_vec(), cut, trailed] {
        all_refuse(|sample, things| Some(encoded(only_writes(sample)?, things, "gzip", body.clone())), 400, "malformed_encoding").await;
    }
}

#[actix_web::test]
async fn what_an_encoding_hides_counts_for_the_limit_everywhere() {
    let bomb = gzip(&vec![b'\n'; 64 << 20]);
    assert!(bomb.len() < 100_000, "it is small as it is sent");
    all_refuse(|sample, things| Some(encoded(only_writes(sample)?, things, "gzip", bomb.clone())), 413, "body_too_large").await;
}
