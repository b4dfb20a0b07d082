//! Every rule of an order. Sources repeat themselves and may move backwards: a fact that is already recorded changes
//! nothing in any phase; only then is it checked whether the phase still allows a new one.
//!
//! An order that was handed over is fulfilled: what came and what it was charged is settled, so lines are no longer
//! substituted or shorted, and it cannot be cancelled. Its receipt may still turn out to hold further lines (amend),
//! be corrected (fulfil again), and be paid back (refund). A cancelled order accepts no new facts.

use super::{
    LineState, Order, OrderCommand, OrderEvent, OrderLine, OrderPlacement, OrderState, Receipt, Refund, Substitute,
    checks::{
        check_amount, check_line_count, check_lines, check_moment, check_not_negative, check_placement, check_quantity, check_reason,
        invalid, sum, variance,
    },
    tidy::tidy_reason,
    update::update,
};
use crate::domain::{
    Context, Decision, Moment, Money, Quantity, Refusal, RefusalKind,
    limits::{NAME_CHARS_MAX, REFUNDS_PER_LINE_MAX},
    references::named_household,
    rights::Action,
    text::check_text,
};

pub(super) type Answer = Result<Decision<OrderEvent>, Refusal>;

/// What the phase of an order lets happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Placed,
    Fulfilled,
    Cancelled,
}

pub(super) fn decide(state: &OrderState, command: &OrderCommand, context: &Context) -> Answer {
    check_right(state, command, context)?;
    let (order, phase) = match state {
        OrderState::Absent => return decide_absent(command, context),
        OrderState::Placed(order) => (order, Phase::Placed),
        OrderState::Fulfilled(order) => (order, Phase::Fulfilled),
        OrderState::Cancelled(order) => (order, Phase::Cancelled),
    };
    match command {
        // What was recorded before texts were tidied is a repetition too.
        OrderCommand::Place(placement) if order.was_placed_as(placement) || order.was_placed_as(&placement.tidied()) => {
            Ok(Decision::unchanged())
        }
        OrderCommand::Update(placement) if order.was_placed_as(placement) => Ok(Decision::unchanged()),
        OrderCommand::Update(placement) => update(order, phase, &placement.tidied(), context.at),
        OrderCommand::Place(_) => {
            Err(conflict("order_exists", "this order was placed with different content: amend it, or place another one under a new id"))
        }
        OrderCommand::SubstituteLine { line, .. } => substitute(order, phase, order.line(*line)?, command),
        OrderCommand::ShortLine { line, picked, charged } => short(order, phase, order.line(*line)?, picked, *charged),
        OrderCommand::RefundLine { line, quantity, amount, reason } => {
            let refund = Refund { quantity: quantity.clone(), amount: *amount, reason: tidy_reason(reason.as_ref()) };
            decide_refund(order, phase, order.line(*line)?, refund)
        }
        OrderCommand::Amend { lines } => amend(order, phase, lines),
        OrderCommand::Fulfil { at, receipt_total } => fulfil(order, phase, *at, *receipt_total, context.at),
        OrderCommand::Cancel { reason } => cancel(phase, reason.as_ref()),
    }
}

pub(super) fn check_right(state: &OrderState, command: &OrderCommand, context: &Context) -> Result<(), Refusal> {
    match (state, command) {
        (OrderState::Absent, OrderCommand::Place(placement) | OrderCommand::Update(placement)) => may_place(placement, context),
        (OrderState::Absent, _) => Err(unknown()),
        (OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order), command) => {
            let hidden = || if matches!(command, OrderCommand::Place(_) | OrderCommand::Update(_)) { id_taken() } else { unknown() };
            context.rights.on_order(order.household.as_ref()).check(Action::EditOrder, hidden)
        }
    }
}

/// The same for an order that is not there and for one that the sender must not know of.
fn unknown() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "order_not_found", "there is no such order: place it first")
}

fn id_taken() -> Refusal {
    conflict("order_exists", "an order with this id already exists: choose another id")
}

/// Only admins, whose imports know no household, place orders without one.
fn may_place(placement: &OrderPlacement, context: &Context) -> Result<(), Refusal> {
    match &placement.household {
        Some(household) => context.rights.through(household).check(Action::EditHousehold, || named_household(household).unknown()),
        None => context.rights.on_order(None).check(Action::EditOrder, || {
            Refusal::new(RefusalKind::Invalid, "household_required", "say whose order this is: name one of your households")
                .at("/household")
        }),
    }
}

fn decide_absent(command: &OrderCommand, context: &Context) -> Answer {
    let (OrderCommand::Place(placement) | OrderCommand::Update(placement)) = command else { return Err(unknown()) };
    let placement = placement.tidied();
    let currency = check_placement(&placement, context.at)?;
    let amounts = placement.lines.iter().map(|line| line.charged).chain(placement.extras.iter().map(|extra| extra.amount));
    let total = sum(amounts, currency)?;
    let variance = variance(placement.printed_total, total)?;
    Ok(Decision::applied(OrderEvent::Placed { placement, total, variance }))
}

impl Phase {
    /// Refuses what is allowed only before the order is handed over.
    fn expect_open(self) -> Result<(), Refusal> {
        self.expect_not_cancelled()?;
        match self {
            Self::Fulfilled => Err(conflict("order_fulfilled", "this order was fulfilled: refund or amend it instead")),
            Self::Placed | Self::Cancelled => Ok(()),
        }
    }

    pub(super) fn expect_not_cancelled(self) -> Result<(), Refusal> {
        match self {
            Self::Cancelled => Err(conflict("order_cancelled", "this order was cancelled and can no longer change")),
            Self::Placed | Self::Fulfilled => Ok(()),
        }
    }
}

/// Replaces what a line brings. A line may be substituted again: the last one counts. The same substitute again is a
/// repetition, even if less of it came since.
fn substitute(order: &Order, phase: Phase, known: &LineState, command: &OrderCommand) -> Answer {
    let OrderCommand::SubstituteLine { line, product, name, quantity, charged } = command.clone() else {
        return Ok(Decision::unchanged());
    };
    let new = Substitute { product, name: name.trim().to_owned(), quantity, charged };
    if known.substitute.as_ref() == Some(&new) {
        return Ok(Decision::unchanged());
    }
    phase.expect_open()?;
    check_text(&new.name, NAME_CHARS_MAX, "/name")?;
    check_quantity(&new.quantity, || "/quantity".into())?;
    check_new_charge(order, known, charged)?;
    let Substitute { product, name, quantity, charged } = new;
    Ok(Decision::applied(OrderEvent::LineSubstituted { line, product, name, quantity, charged }))
}

/// Reports how much came: at most what was to come, which is the substitute, if any, else what was ordered.
/// All of it is fine too, so that a wrong report can be corrected; the last report counts.
fn short(order: &Order, phase: Phase, known: &LineState, picked: &Quantity, charged: Money) -> Answer {
    if known.picked == *picked && known.charged == charged {
        return Ok(Decision::unchanged());
    }
    phase.expect_open()?;
    check_quantity(picked, || "/picked".into())?;
    if missing(known.expected(), picked, "/picked")?.millionths() < 0 {
        let detail = format!("{picked} is more than the {} that was to come", known.expected());
        return Err(invalid("picked_too_much", detail, "/picked"));
    }
    check_new_charge(order, known, charged)?;
    Ok(Decision::applied(OrderEvent::LineShorted { line: known.ordered.line, picked: picked.clone(), charged }))
}

/// What was paid back already stays below what is charged.
fn check_new_charge(order: &Order, known: &LineState, charged: Money) -> Result<(), Refusal> {
    check_not_negative(charged, order.total.currency(), || "/charged".into())?;
    if known.refunded.minor() > charged.minor() {
        let detail = format!("{} of this line was refunded already, more than {charged}", known.refunded);
        return Err(conflict("refund_exceeds_charge", detail).at("/charged"));
    }
    Ok(())
}

fn decide_refund(order: &Order, phase: Phase, known: &LineState, refund: Refund) -> Answer {
    if known.refunds.contains(&refund) {
        return Ok(Decision::unchanged());
    }
    phase.expect_not_cancelled()?;
    check_reason(refund.reason.as_deref())?;
    check_quantity(&refund.quantity, || "/quantity".into())?;
    check_refund_amount(order, known, refund.amount)?;
    check_refund_quantity(known, &refund.quantity)?;
    if known.refunds.len() >= REFUNDS_PER_LINE_MAX {
        return Err(conflict("too_many_refunds", format!("this line has already been refunded {REFUNDS_PER_LINE_MAX} times")));
    }
    let Refund { quantity, amount, reason } = refund;
    Ok(Decision::applied(OrderEvent::LineRefunded { line: known.ordered.line, quantity, amount, reason }))
}

fn check_refund_amount(order: &Order, known: &LineState, amount: Money) -> Result<(), Refusal> {
    check_amount(amount, order.total.currency(), || "/amount".into())?;
    if amount.minor() <= 0 {
        return Err(invalid("amount_not_positive", "a refund must be greater than zero", "/amount/amount"));
    }
    let after = known.refunded.checked_add(amount).map_err(|error| invalid(error.code(), error.to_string(), "/amount"))?;
    if after.minor() > known.charged.minor() {
        let detail = format!("refunds would total {after}, more than the {} charged", known.charged);
        return Err(conflict("refund_exceeds_charge", detail).at("/amount"));
    }
    Ok(())
}

/// No more is returned than came; a refund without a return (a complaint) has quantity zero.
fn check_refund_quantity(known: &LineState, quantity: &Quantity) -> Result<(), Refusal> {
    let after = match &known.refunded_quantity {
        Some(before) => before.checked_add(quantity).map_err(|error| invalid(error.code(), error.to_string(), "/quantity"))?,
        None => quantity.clone(),
    };
    if missing(&known.picked, &after, "/quantity")?.millionths() < 0 {
        let detail = format!("refunds would total {after}, more than the {} delivered", known.picked);
        return Err(conflict("refund_exceeds_quantity", detail).at("/quantity"));
    }
    Ok(())
}

/// How much of `whole` is left without `part`, in the unit of `whole`; may be negative.
fn missing(whole: &Quantity, part: &Quantity, pointer: &'static str) -> Result<Quantity, Refusal> {
    whole.checked_add(&part.negated()).map_err(|error| invalid(error.code(), error.to_string(), pointer))
}

/// Records the lines that are new; those already there as given are a repetition.
fn amend(order: &Order, phase: Phase, lines: &[OrderLine]) -> Answer {
    let tidied: Vec<_> = lines.iter().map(OrderLine::tidied).collect();
    check_lines(&tidied, Some(order.total.currency()))?;
    let mut new = Vec::new();
    for (index, (line, as_given)) in tidied.into_iter().zip(lines).enumerate() {
        match order.lines.get(&line.line) {
            None => new.push(line),
            Some(known) if known.ordered == line || known.ordered == *as_given => {}
            Some(_) => {
                let detail = format!("line {} already exists with different content", line.line);
                return Err(conflict("line_exists", detail).at(format!("/lines/{index}/line")));
            }
        }
    }
    if new.is_empty() {
        return Ok(Decision::unchanged());
    }
    phase.expect_not_cancelled()?;
    check_line_count(order.lines.len() + new.len())?;
    Ok(Decision::applied(OrderEvent::Amended { lines: new }))
}

/// The same receipt again changes nothing, unless lines were added since: then its variance differs.
fn fulfil(order: &Order, phase: Phase, at: Moment, total: Option<Money>, now: Moment) -> Answer {
    if let Some(total) = total {
        check_amount(total, order.total.currency(), || "/receipt_total".into())?;
    }
    let receipt = Receipt { at, total, variance: variance(total, order.total)? };
    if order.receipt.as_ref() == Some(&receipt) {
        return Ok(Decision::unchanged());
    }
    phase.expect_not_cancelled()?;
    check_moment(at, now, "/at")?;
    Ok(Decision::applied(OrderEvent::Fulfilled { at, receipt_total: total, variance: receipt.variance }))
}

fn cancel(phase: Phase, reason: Option<&String>) -> Answer {
    if phase == Phase::Cancelled {
        return Ok(Decision::unchanged());
    }
    phase.expect_open()?;
    let reason = tidy_reason(reason);
    check_reason(reason.as_deref())?;
    Ok(Decision::applied(OrderEvent::Cancelled { reason }))
}

impl Order {
    fn line(&self, number: u32) -> Result<&LineState, Refusal> {
        self.lines.get(&number).ok_or_else(|| {
            let detail = format!("this order has no line {number}");
            Refusal::new(RefusalKind::NotFound, "line_not_found", detail).at("/line")
        })
    }

    /// Whether it was placed with exactly this content, whatever happened to it since.
    fn was_placed_as(&self, placement: &OrderPlacement) -> bool {
        let OrderPlacement { household, store, list, placed_at, lines, extras, printed_total, source } = placement;
        let same_line = |line: &OrderLine| self.lines.get(&line.line).is_some_and(|known| !known.amended && known.ordered == *line);
        self.household == *household
            && self.store == *store
            && self.list == *list
            && self.placed_at == *placed_at
            && self.extras == *extras
            && self.printed_total == *printed_total
            && self.source == *source
            && self.lines.values().filter(|known| !known.amended).count() == lines.len()
            && lines.iter().all(same_line)
    }
}

impl LineState {
    /// How much was to come.
    fn expected(&self) -> &Quantity {
        self.substitute.as_ref().map_or(&self.ordered.quantity, |substitute| &substitute.quantity)
    }
}

pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Conflict, code, detail)
}
