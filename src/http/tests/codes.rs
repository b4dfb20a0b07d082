//! One code, one product: a sender who gives a product another's code is told whose it is, however the number is written.

use serde_json::{Value, json};

use super::rig::Rig;

async fn register(rig: &Rig, id: &str, codes: Value) -> (u16, Value) {
    let answer = rig.write("POST", "/api/v1/products", json!({"id": id, "name": id, "codes": codes})).await;
    (answer.status.as_u16(), answer.json())
}

#[actix_web::test]
async fn a_code_of_another_product_is_refused_with_its_holder() {
    let rig = Rig::furnished().await;
    assert_eq!(register(&rig, "cola", json!([{"gtin": "042100005264"}])).await.0, 201);
    for same in ["042100005264", "0042100005264", "00042100005264", "04252614"] {
        let (status, problem) = register(&rig, "other", json!([{"plu": "4011"}, {"gtin": same}])).await;
        assert_eq!((status, &problem["code"]), (409, &json!("code_taken")), "{same}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("cola")), "{problem}");
    }
    assert_eq!(register(&rig, "cola", json!([{"gtin": "04252614"}])).await.1["outcome"], "unchanged", "its own, in another form");
    let link = rig.write("PATCH", "/api/v1/products/p", json!({"add_code": {"gtin": "042100005264"}})).await;
    assert_eq!(link.problem(), (409, "code_taken".into(), "/add_code".into()));
    assert_eq!(register(&rig, "banana", json!([{"plu": "4011"}])).await.0, 201, "the refused one took nothing");
}

#[actix_web::test]
async fn what_a_product_was_merged_into_has_its_codes() {
    let rig = Rig::furnished().await;
    register(&rig, "old", json!([{"gtin": "4006381333931"}])).await;
    let merged = rig.done("POST", "/api/v1/products/old/commands", json!({"op": "merge_into", "product": "p"})).await;
    let position = merged["position"].as_str().expect("a position").to_owned();
    let found = rig.get(&format!("/api/v1/products?gtin=4006381333931&after={position}")).await.json();
    assert_eq!(found["entries"][0]["id"], "p", "{found}");
    assert_eq!(register(&rig, "third", json!([{"gtin": "4006381333931"}])).await.1["code"], "code_taken");
    let own = rig.write("PATCH", "/api/v1/products/p", json!({"add_code": {"gtin": "4006381333931"}})).await;
    assert_eq!(own.status.as_u16(), 200, "{:?}", own.body);
}

#[actix_web::test]
async fn a_number_that_stores_make_names_a_product_of_one_store_each() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/stores", json!({"id": "t", "name": "T", "currency": "EUR"})).await;
    for restricted in ["0212345000007", "0412345678903", "2000000000008"] {
        let (status, problem) = register(&rig, "cheese", json!([{"gtin": restricted}])).await;
        assert!((400..500).contains(&status) && problem["code"] == "gtin_store_made", "{restricted}: {problem}");
    }
    let made = |store: &str, code: &str| json!([{"store_made": {"store": store, "code": code}}]);
    assert_eq!(register(&rig, "cheese-s", made("s", "0212345000007")).await.0, 201);
    assert_eq!(register(&rig, "cheese-t", made("t", "0212345000007")).await.0, 201, "another store's number is another");
    assert_eq!(register(&rig, "ham", made("s", "212345000007")).await.1["code"], "code_taken");
}

#[actix_web::test]
async fn of_products_that_ask_for_a_code_at_once_one_gets_it() {
    let rig = Rig::furnished().await;
    let ids: Vec<_> = (0..20).map(|number| format!("twin{number}")).collect();
    let all = ids.iter().map(|id| register(&rig, id, json!([{"gtin": "4006381333931"}])));
    let statuses: Vec<u16> = futures_util::future::join_all(all).await.into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
}
