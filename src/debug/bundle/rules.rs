//! How each text of each event is treated in a bundle: the one table. A text without a rule is never written; the bundle is refused.

use crate::domain::StreamKind::{self, Household, List, Order, Product, Store};

/// How a text is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Not personal: a fixed value, a number, a date, a public code.
    Keep,
    /// Free text: a pseudonym that is equal where the text is, in any case.
    Text,
    /// A known unit stays, any other is free text.
    Unit,
    /// A principal.
    Person,
    /// The id that a client gave a command.
    Command,
    /// The device or program that sent a command.
    Client,
    /// An entity's id: stays, unless ids are redacted too.
    Id(StreamKind),
    /// The id of an item or an offer, as `Id`.
    PartId,
    /// A shop's or a source's own code for a product, as `Id`.
    Code,
}

use Rule::{Client, Code, Command, Id, Keep, PartId, Person, Text, Unit};

/// Fields other than `data`. The stream is redacted by its own kind.
pub const ENVELOPE: &[(&str, Rule)] =
    &[("position", Keep), ("previous", Keep), ("at", Keep), ("type", Keep), ("who", Person), ("command_id", Command), ("client", Client)];

/// Fields with the same meaning everywhere, by their last name.
pub const COMMON: &[(&str, Rule)] = &[
    ("amount", Keep),
    ("currency", Keep),
    ("unit", Unit),
    ("per", Unit),
    ("kind", Keep),
    ("role", Keep),
    ("stock", Keep),
    ("at", Keep),
    ("placed_at", Keep),
    ("observed_at", Keep),
    ("valid_from", Keep),
    ("valid_until", Keep),
    ("country", Keep),
    ("time_zone", Keep),
    ("gtin", Keep),
    ("plu", Keep),
];

/// Fields of `data` by the event's type. `*` stands for every entry of a list.
pub const RULES: &[(&str, &[(&str, Rule)])] = &[
    ("list.created", &[("name", Text), ("household", Id(Household)), ("store", Id(Store))]),
    ("list.renamed", &[("name", Text)]),
    ("list.store_chosen", &[("store", Id(Store))]),
    ("list.shared", &[("member", Person)]),
    ("list.item_added", &[("item", PartId), ("name", Text), ("product", Id(Product)), ("specification", Text), ("note", Text)]),
    ("list.item_quantity_changed", &[("item", PartId)]),
    ("list.item_details_changed", &[("item", PartId), ("name", Text), ("specification", Text), ("note", Text)]),
    ("list.item_matched", &[("item", PartId), ("product", Id(Product))]),
    ("list.item_checked", &[("item", PartId)]),
    ("list.item_unchecked", &[("item", PartId)]),
    ("list.item_moved", &[("item", PartId)]),
    ("list.item_removed", &[("item", PartId)]),
    ("list.checked_cleared", &[("items.*", PartId)]),
    ("list.budget_set", &[]),
    ("list.archived", &[]),
    ("list.revived", &[]),
    ("list.checked_out", &[("order", Id(Order)), ("items.*", PartId)]),
    (
        "product.registered",
        &[
            ("name", Text),
            ("brand", Text),
            ("category", Text),
            ("ingredients", Text),
            ("codes.*.store_made.store", Id(Store)),
            ("codes.*.store_made.code", Code),
            ("codes.*.source.source", Keep),
            ("codes.*.source.id", Code),
        ],
    ),
    ("product.details_changed", &[("name", Text), ("brand", Text), ("category", Text)]),
    (
        "product.code_linked",
        &[("code.store_made.store", Id(Store)), ("code.store_made.code", Code), ("code.source.source", Keep), ("code.source.id", Code)],
    ),
    ("product.price_observed", &[("seen.store", Id(Store)), ("seen.source", Text), ("seen.evidence", Text)]),
    ("product.price_withdrawn", &[("store", Id(Store))]),
    ("product.offer_announced", &[("offer", PartId), ("store", Id(Store)), ("source", Text)]),
    ("product.offer_ended", &[("offer", PartId)]),
    ("product.stock_reported", &[("store", Id(Store))]),
    ("product.discontinued", &[]),
    ("product.merged", &[("into", Id(Product))]),
    (
        "order.placed",
        &[
            ("placement.household", Id(Household)),
            ("placement.store", Id(Store)),
            ("placement.list", Id(List)),
            ("placement.source", Text),
            ("placement.extras.*.kind", Text),
            ("placement.lines.*.product", Id(Product)),
            ("placement.lines.*.name", Text),
        ],
    ),
    ("order.line_substituted", &[("product", Id(Product)), ("name", Text)]),
    ("order.line_shorted", &[]),
    ("order.line_refunded", &[("reason", Text)]),
    ("order.amended", &[("lines.*.product", Id(Product)), ("lines.*.name", Text)]),
    ("order.fulfilled", &[]),
    ("order.cancelled", &[("reason", Text)]),
    ("household.created", &[("name", Text)]),
    ("household.member_joined", &[("member", Person)]),
    ("household.member_role_changed", &[("member", Person)]),
    ("household.member_left", &[("member", Person)]),
    ("household.budget_set", &[]),
    ("household.stores_chosen", &[("stores.*", Id(Store))]),
    ("store.registered", &[("name", Text), ("chain", Text)]),
    ("store.details_changed", &[("name", Text), ("chain", Text)]),
    ("store.aisle_order_learned", &[("categories.*", Text)]),
    ("system.snapshot_created", &[("snapshot", Keep)]),
    ("system.snapshot_deleted", &[("snapshot", Keep)]),
    ("system.snapshot_verified", &[("snapshot", Keep)]),
    ("system.self_restored", &[("snapshot", Keep)]),
    ("system.restore_begun", &[("snapshot", Keep)]),
    ("system.restored", &[("snapshot", Keep), ("left_epoch", Keep)]),
    ("system.restore_undone", &[("left_epoch", Keep)]),
    ("system.stream_restored", &[("stream", Text), ("snapshot", Keep)]),
    ("system.views_rebuilt", &[("differed.*", Keep)]),
];

/// Lists that are sets: they are written in the order of their entries, pseudonyms too.
pub const SETS: &[(&str, &str)] = &[("household.stores_chosen", "stores")];

/// The rule of a text in the `data` of an event; `None` if it is missing.
#[must_use]
pub fn rule_of(event_type: &str, path: &str) -> Option<Rule> {
    let (_, own) = RULES.iter().find(|(name, _)| *name == event_type)?;
    let find = |rules: &[(&str, Rule)], path: &str| rules.iter().find(|(known, _)| *known == path).map(|(_, rule)| *rule);
    find(own, path).or_else(|| find(COMMON, path.rsplit('.').next().unwrap_or(path)))
}
