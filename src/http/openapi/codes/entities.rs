//! What the entities refuse.

use super::{Code, Group};
use crate::http::openapi::walk::Row;

fn under(row: Row, path: &str) -> bool {
    row.path.starts_with(path)
}

fn writes(row: Row, path: &str) -> bool {
    row.method != "GET" && under(row, path)
}

/// Undo and bringing back decide as the entities do.
fn undoes(row: Row) -> bool {
    row.operation == "undoCommands" || row.operation.starts_with("bringBack")
}

pub const GROUPS: &[Group] = &[
    Group {
        title: "What a request refers to",
        whose: "operations of lists, products, stores, orders, households and baskets",
        applies: |row| {
            let paths = ["/api/v1/lists", "/api/v1/products", "/api/v1/stores", "/api/v1/orders", "/api/v1/households", "/api/v1/prices"];
            paths.iter().any(|path| under(row, path))
                || undoes(row)
                || under(row, "/api/v1/baskets")
                || under(row, "/api/v1/invitations")
                || under(row, "/api/v1/deals")
        },
        codes: &[
            Code(404, "list_not_found", "There is no such list, or none that you may see."),
            Code(404, "item_not_found", "The list has no such item."),
            Code(404, "product_not_found", "There is no such product."),
            Code(404, "store_not_found", "There is no such store."),
            Code(404, "order_not_found", "There is no such order, or none that you may see."),
            Code(404, "household_not_found", "There is no such household, or none that you may see."),
        ],
    },
    Group {
        title: "What a body refers to",
        whose: "writes whose body names another entity",
        applies: |row| {
            let paths = ["/api/v1/lists", "/api/v1/products", "/api/v1/stores", "/api/v1/orders", "/api/v1/households", "/api/v1/prices"];
            paths.iter().any(|path| writes(row, path)) || undoes(row) || under(row, "/api/v1/baskets")
        },
        codes: &[
            Code(422, "list_not_found", "The body names a list that does not exist, or that you may not see."),
            Code(422, "product_not_found", "The body names a product that does not exist."),
            Code(422, "store_not_found", "The body names a store that does not exist."),
            Code(422, "household_not_found", "The body names a household that does not exist, or that you may not see."),
        ],
    },
    Group {
        title: "Lists",
        whose: "commands of lists",
        applies: |row| writes(row, "/api/v1/lists") || undoes(row),
        codes: &[
            Code(409, "list_exists", "A list with this id exists."),
            Code(409, "list_archived", "The list is archived: revive it first."),
            Code(409, "list_full", "The list has as many items as a list can have."),
            Code(409, "item_exists", "An item with this id exists."),
            Code(409, "item_removed", "The item was removed."),
            Code(409, "members_full", "The list has as many members as a list can have."),
            Code(409, "last_owner", "A list keeps at least one owner."),
            Code(409, "nothing_checked", "No item is ticked."),
            Code(409, "already_checked_out", "The list was checked out to this order."),
            Code(422, "move_behind_itself", "An item cannot be moved after itself."),
            Code(422, "quantity_not_positive", "A quantity must be more than nothing."),
            Code(422, "amount_not_positive", "An amount must be more than nothing."),
            Code(422, "nothing_to_change", "The body changes nothing."),
            Code(422, "one_intent_only", "The body asks for several changes that only go one at a time."),
            Code(422, "unit_mismatch", "Two quantities have units that do not convert."),
            Code(422, "quantity_inexact", "A quantity has no exact value in the other's unit."),
            Code(422, "household_required", "Say whose it is: name one of your households."),
            Code(422, "currency_differs", "A currency differs from that of the store, product or order."),
        ],
    },
    Group {
        title: "Products and prices",
        whose: "commands of products, prices in bulk, and reads of prices",
        applies: |row| under(row, "/api/v1/products") || under(row, "/api/v1/prices") || undoes(row),
        codes: &[
            Code(400, "invalid_gtin", "`gtin` is not a GTIN."),
            Code(404, "price_unknown", "No price is known there."),
            Code(404, "offer_not_found", "The product has no such offer."),
            Code(409, "code_taken", "Another product has this code: the detail names it. Merge the two, or leave the code out."),
            Code(409, "product_exists", "A product with this id exists."),
            Code(409, "product_merged", "The product was merged into another."),
            Code(409, "offer_exists", "An offer with this id exists."),
            Code(409, "too_many_offers", "The product has as many offers as it can have."),
            Code(422, "merge_into_itself", "A product cannot be merged into itself."),
            Code(422, "gtin_malformed", "A GTIN has 8, 12, 13 or 14 digits."),
            Code(422, "gtin_check_digit_wrong", "The last digit of a GTIN does not fit the others."),
            Code(422, "gtin_store_made", "The number is a store's own: send it as `store_made`."),
            Code(422, "plu_malformed", "A PLU has 4 digits, or 5 that begin with 9."),
            Code(422, "code_malformed", "A code has odd characters."),
            Code(422, "code_repeated", "A code is given twice."),
            Code(422, "too_many_codes", "The product has more codes than a product can have."),
            Code(422, "too_many_nutrients", "The product has more nutrients than a product can have."),
            Code(422, "nutrition_impossible", "A nutrient is more than 100 g of 100 g."),
            Code(422, "observed_in_future", "A price cannot be seen in the future."),
            Code(422, "observed_too_early", "A price is older than any that counts."),
            Code(422, "price_not_positive", "A price must be more than nothing."),
            Code(422, "price_too_large", "A price is too large."),
            Code(422, "validity_reversed", "A validity ends before it begins."),
            Code(422, "count_too_small", "Several for one total are at least two."),
            Code(422, "percent_out_of_range", "A percentage is from 1 to 99."),
            Code(422, "quantity_not_positive", "A quantity must be more than nothing."),
            Code(422, "amount_not_positive", "An amount must be more than nothing."),
            Code(422, "currency_differs", "A currency differs from that of the store or product."),
            Code(422, "nothing_to_change", "The body changes nothing."),
            Code(422, "one_intent_only", "The body asks for several changes that only go one at a time."),
        ],
    },
    Group {
        title: "Prices in bulk",
        whose: "lines of `POST /api/v1/prices`",
        applies: |row| row.operation == "observePrices",
        codes: &[Code(413, "line_too_long", "A line has more bytes than allowed; the others count.")],
    },
    Group {
        title: "Stores",
        whose: "commands of stores",
        applies: |row| writes(row, "/api/v1/stores") || undoes(row),
        codes: &[
            Code(409, "store_exists", "A store with this id exists."),
            Code(422, "too_many_categories", "The aisle order has too many categories."),
            Code(422, "category_repeated", "A category is given twice."),
            Code(422, "country_malformed", "A country is two capital letters of ISO 3166."),
            Code(422, "time_zone_malformed", "A time zone is an IANA name."),
            Code(422, "nothing_to_change", "The body changes nothing."),
            Code(422, "one_intent_only", "The body asks for several changes that only go one at a time."),
        ],
    },
    Group {
        title: "Orders",
        whose: "commands of orders, and checking out",
        applies: |row| writes(row, "/api/v1/orders") || row.operation == "checkOut" || row.operation == "commandList" || undoes(row),
        codes: &[
            Code(404, "line_not_found", "The order has no such line."),
            Code(409, "order_exists", "An order with this id exists."),
            Code(409, "order_fulfilled", "The order is fulfilled."),
            Code(409, "order_cancelled", "The order is cancelled."),
            Code(409, "line_exists", "A line with this number exists."),
            Code(409, "refund_exceeds_charge", "A refund is more than what was charged."),
            Code(409, "refund_exceeds_quantity", "A refund is for more than what was charged for."),
            Code(409, "too_many_refunds", "The order has as many refunds as an order can have."),
            Code(422, "household_required", "Say whose order it is: name one of your households."),
            Code(422, "no_lines", "An order has at least one line."),
            Code(422, "too_many_lines", "The order has more lines than an order can have."),
            Code(422, "too_many_extras", "The order has more extras than an order can have."),
            Code(422, "line_number_zero", "Lines are numbered from 1."),
            Code(422, "line_repeated", "A line number is given twice."),
            Code(422, "picked_too_much", "More was picked than ordered."),
            Code(422, "amount_negative", "An amount must not be negative."),
            Code(422, "amount_not_positive", "An amount must be more than nothing."),
            Code(422, "charged_negative", "What a line charges must not be negative."),
            Code(422, "quantity_negative", "A quantity must not be negative."),
            Code(422, "quantity_not_positive", "A quantity must be more than nothing."),
            Code(422, "currency_differs", "A currency differs from that of the order."),
            Code(422, "moment_in_future", "A moment is in the future."),
            Code(422, "moment_too_early", "A moment is earlier than any that counts."),
        ],
    },
    Group {
        title: "Households",
        whose: "commands of households",
        applies: |row| writes(row, "/api/v1/households") || super::request::joins(row) || undoes(row),
        codes: &[
            Code(404, "member_not_found", "That person is no member of the household."),
            Code(409, "household_exists", "A household with this id exists."),
            Code(409, "member_exists", "That person is a member already."),
            Code(409, "members_full", "The household has as many members as a household can have."),
            Code(409, "last_owner", "A household keeps at least one owner."),
            Code(422, "too_many_stores", "A household compares fewer stores."),
            Code(422, "amount_not_positive", "An amount must be more than nothing."),
        ],
    },
    Group {
        title: "Baskets",
        whose: "`POST /api/v1/baskets/price`",
        applies: |row| row.operation == "priceBasket",
        codes: &[
            Code(422, "items_out_of_range", "A basket has too few or too many items."),
            Code(422, "stores_out_of_range", "Name one store, or several, within the limit."),
            Code(422, "quantity_not_positive", "A quantity must be more than nothing."),
            Code(422, "total_too_large", "The total does not fit."),
        ],
    },
    Group {
        title: "Undo and bringing back",
        whose: "`POST /api/v1/undo` and the routes that bring something back",
        applies: undoes,
        codes: &[
            Code(400, "position_unknown", "The log has no event at this position."),
            Code(404, "before_first_event", "Nothing was recorded yet at that moment."),
            Code(404, "empty_log", "Nothing is recorded yet."),
            Code(404, "event_not_found", "The stream has no event at this position."),
            Code(404, "command_not_found", "No command of this id is known."),
            Code(409, "already_undone", "The command was undone already."),
            Code(409, "changed_since", "What it changed was changed again since."),
            Code(409, "nothing_to_undo", "Everything it changed is as it was before."),
            Code(409, "admin_action", "What an admin did to the server is not undone here."),
            Code(409, "creation_stays", "What was created stays."),
            Code(409, "registration_stays", "What was registered stays."),
            Code(409, "content_stays", "What one pack holds cannot be taken back."),
            Code(409, "code_stays", "A code cannot be taken back."),
            Code(409, "discontinued_stays", "A discontinued product stays so."),
            Code(409, "merger_stays", "A merger of products stays."),
            Code(409, "member_stays", "A member stays: change the role instead."),
            Code(409, "offer_over", "The offer is over by now anyway."),
            Code(409, "stock_unknown_before", "The stock was not known before."),
            Code(409, "checked_out", "What was checked out stays in its order."),
            Code(409, "order_stays", "An order stays: cancel it instead."),
            Code(409, "lines_stay", "Lines of an order stay."),
            Code(409, "handed_over", "The order was handed over."),
            Code(409, "cancellation_stays", "A cancellation stays."),
            Code(409, "substitution_stays", "A substitution stays."),
            Code(409, "refund_stays", "A refund stays."),
            Code(422, "one_target_only", "Name one thing to undo."),
            Code(422, "who_missing", "Say whose commands."),
            Code(422, "since_missing", "Say from which time on."),
            Code(422, "time_reversed", "The span ends before it begins."),
            Code(422, "time_too_long", "The span is too long."),
            Code(422, "too_many_commands", "The span has too many commands."),
            Code(422, "command_ambiguous", "Several entities know the command id: name the position."),
            Code(503, "past_busy", "Too many look at the past at once: try again."),
        ],
    },
];
