//! The table in `docs/security.md` is the permission table.

use std::{fs, path::Path};

use crate::domain::rights::{PERMISSIONS, Permission, Standing, Subject, Verdict};

const BEGIN: &str = "<!-- Made from src/domain/rights/table.rs: AISLED_UPDATE=1 cargo test --lib rights -->\n";
const END: &str = "<!-- End of the table -->";

fn head() -> String {
    let columns = Standing::ALL.map(Standing::name);
    format!("| may | of | {} |\n|---|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

fn row(permission: &Permission) -> String {
    let cell = |standing: Standing| match standing.may(permission.action) {
        Verdict::Allowed => "yes",
        Verdict::Forbidden => "403",
        Verdict::Hidden => "404",
        Verdict::SignIn => "401",
    };
    let subject = match permission.subject {
        Subject::List => "a list",
        Subject::Household => "a household",
        Subject::Order => "an order",
        Subject::Catalog => "what all share",
        Subject::Server => "the server",
        Subject::Own => "the sender",
    };
    format!("| {} | {subject} | {} |\n", permission.what, Standing::ALL.map(cell).join(" | "))
}

fn table() -> String {
    PERMISSIONS.iter().fold(head(), |table, permission| table + &row(permission))
}

#[test]
fn the_kept_page_of_security_shows_the_table_of_rights() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let kept = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = kept.split_once(BEGIN).expect("the page has the begin of the table");
    let (_, after) = rest.split_once(END).expect("the page has the end of the table");
    let made = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os("AISLED_UPDATE").is_some() {
        fs::write(&path, &made).expect("the page can be written");
        return;
    }
    assert!(kept == made, "docs/security.md is stale: run `AISLED_UPDATE=1 cargo test --lib rights` and look at the difference");
}
