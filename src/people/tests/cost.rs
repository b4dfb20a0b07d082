//! What a check and a hash cost. Run by hand, optimized: `cargo test --release --lib people::tests::cost -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

#[test]
#[ignore = "it measures and decides nothing"]
fn a_check_and_a_hash_are_measured() {
    let rig = Rig::new();
    let people: Vec<_> = (0..1_000).map(|number| rig.add(&format!("person{number}"), false)).collect();
    let secrets: Vec<_> = people.iter().map(|who| rig.session(who).0).collect();
    let start = Instant::now();
    let rounds = 1_000;
    let found = (0..rounds).flat_map(|_| &secrets).filter(|secret| rig.people.check(secret.expose(), NOW).is_ok()).count();
    println!("a check takes {:?}", start.elapsed() / u32::try_from(found).expect("a million"));
    let hasher = super::super::hashing::Hasher::new(Cost::OWASP);
    let start = Instant::now();
    (0..20).for_each(|_| drop(hasher.hash(PASSWORD)));
    println!("a hash takes {:?}", start.elapsed() / 20);
    println!("a credential has {} bytes", size_of::<Credential>());
}
