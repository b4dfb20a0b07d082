//! Every limit of the domain in one place: absurd values are refused by name, so that no sum can overflow later.

/// The highest price accepted: one million major units, in ten-thousandths.
pub const UNIT_PRICE_TEN_THOUSANDTHS_MAX: i64 = 1_000_000 * 10_000;
/// The largest amount of money accepted in a command: one hundred million major units of a currency with three decimals.
pub const MONEY_MINOR_MAX: i64 = 100_000_000 * 1_000;
/// The largest quantity accepted: one million of its unit, in millionths.
pub const QUANTITY_MILLIONTHS_MAX: i64 = 1_000_000 * 1_000_000;
/// The longest name of a list, item, product, store or person, in characters.
pub const NAME_CHARS_MAX: usize = 300;
/// The longest note or specification, in characters.
pub const NOTE_CHARS_MAX: usize = 1_000;
/// The longest name of a source (`heissepreise`, `receipt`), in characters.
pub const SOURCE_CHARS_MAX: usize = 100;
/// The longest list of ingredients, in characters.
pub const INGREDIENTS_CHARS_MAX: usize = 20_000;
/// Nutrients stated for one product.
pub const NUTRIENTS_PER_PRODUCT_MAX: usize = 200;
/// The most of one nutrient in 100 g, in micrograms: 100 g.
pub const NUTRIENT_MICROGRAMS_MAX: i64 = 100_000_000;
/// Items on one list, ticked ones included; more are refused with `list_full`.
pub const ITEMS_PER_LIST_MAX: usize = 2_000;
/// Removed items a list remembers to answer who removed them; the oldest are forgotten first.
pub const REMOVED_PER_LIST_MAX: usize = 1_000;
/// Members of one list or household.
pub const MEMBERS_MAX: usize = 100;
/// Lines of one order.
pub const LINES_PER_ORDER_MAX: usize = 1_000;
/// Amounts of one order that are not lines.
pub const EXTRAS_PER_ORDER_MAX: usize = 100;
/// Refunds of one line of an order; more are refused with `too_many_refunds`.
pub const REFUNDS_PER_LINE_MAX: usize = 100;
/// Codes linked to one product.
pub const CODES_PER_PRODUCT_MAX: usize = 50;
/// Offers that run at the same time for one product.
pub const OFFERS_PER_PRODUCT_MAX: usize = 100;
/// Ended or expired offers a product remembers next to the running ones, so that a repeated announcement is recognised.
/// Beyond it the one that began first is forgotten: announcing that again starts a new one.
pub const OFFERS_ENDED_PER_PRODUCT_MAX: usize = 100;
/// Prices a product's decider remembers. Beyond it the one observed longest ago is forgotten: the log and the history
/// still hold it, but repeating it is recorded again, and it no longer counts for the median of outliers.
pub const OBSERVATIONS_PER_PRODUCT_MAX: usize = 4_096;
/// Stores a household compares.
pub const STORES_PER_HOUSEHOLD_MAX: usize = 32;
/// How far in the future an observation may lie, in microseconds: clocks of phones are wrong by minutes, not days.
pub const FUTURE_MICROS_MAX: i64 = 86_400_000_000;
/// How long a deal, or a promotion whose end nobody stated, counts after its price was last seen, in days: what nobody has seen
/// for a month is no price of today. A stated end counts instead.
pub const LAST_SEEN_DAYS: i64 = 30;
/// Fewest observations before an outlier is called one.
pub const OUTLIER_OBSERVATIONS_MIN: usize = 3;
/// Categories in the aisle order of one store.
pub const AISLES_PER_STORE_MAX: usize = 1_000;
