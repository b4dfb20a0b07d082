//! What each event of an order changed, and how it is undone: little can be, because goods and money moved.

use super::{LineState, Order, OrderCommand, OrderEvent, OrderState, Orders};
use crate::domain::{
    Refusal,
    RefusalKind::Conflict,
    changes::{Fields, Touched, Traced, fields, of_itself, shown},
    undo::{Undo, Undoing, changed_since},
};

type Inverse = Result<Vec<OrderCommand>, Refusal>;

/// The reason for cancelling an undone order.
const REASON: &str = "undone";

impl Traced for Orders {
    fn touched(event: &OrderEvent, state: &OrderState) -> Touched {
        of_itself(fields_and_lines(state, &lines_of(event)))
    }
}

fn lines_of(event: &OrderEvent) -> Vec<u32> {
    match event {
        OrderEvent::LineSubstituted { line, .. } | OrderEvent::LineShorted { line, .. } | OrderEvent::LineRefunded { line, .. } => {
            vec![*line]
        }
        OrderEvent::Amended { lines } => lines.iter().map(|line| line.line).collect(),
        OrderEvent::Placed { .. } | OrderEvent::Fulfilled { .. } | OrderEvent::Cancelled { .. } => Vec::new(),
    }
}

fn fields_and_lines(state: &OrderState, lines: &[u32]) -> Fields {
    let (order, phase) = match state {
        OrderState::Absent => return Fields::new(),
        OrderState::Placed(order) => (order, "placed"),
        OrderState::Fulfilled(order) => (order, "fulfilled"),
        OrderState::Cancelled(order) => (order, "cancelled"),
    };
    let mut all = fields([
        ("phase", phase.into()),
        ("total", shown(&order.total)),
        ("receipt", shown(&order.receipt)),
        ("refunded", shown(&order.refunded)),
    ]);
    for line in lines {
        let Some(LineState { picked, charged, substitute, refunded, .. }) = order.lines.get(line) else { continue };
        let parts =
            [("picked", shown(picked)), ("charged", shown(charged)), ("substitute", shown(substitute)), ("refunded", shown(refunded))];
        all.extend(fields(parts).into_iter().map(|(name, value)| (format!("lines/{line}/{name}"), value)));
    }
    all
}

impl Undo for Orders {
    fn inverse(of: &Undoing<'_, Self>) -> Inverse {
        match (of.event, order_of(of.before), order_of(of.now)) {
            (OrderEvent::Placed { .. }, ..) => Ok(vec![OrderCommand::Cancel { reason: Some(REASON.into()) }]),
            (event, Some(before), Some(now)) => inverse(event, before, now),
            _ => Err(stays("order_stays", "the order of that time no longer exists")),
        }
    }

    fn overwrites(later: &OrderEvent, event: &OrderEvent) -> bool {
        match event {
            OrderEvent::LineSubstituted { .. } | OrderEvent::LineShorted { .. } | OrderEvent::LineRefunded { .. } => {
                lines_of(later) == lines_of(event)
            }
            OrderEvent::Fulfilled { .. } => matches!(later, OrderEvent::Fulfilled { .. }),
            OrderEvent::Placed { .. } | OrderEvent::Amended { .. } | OrderEvent::Cancelled { .. } => false,
        }
    }
}

fn order_of(state: &OrderState) -> Option<&Order> {
    match state {
        OrderState::Absent => None,
        OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order) => Some(order),
    }
}

fn inverse(event: &OrderEvent, before: &Order, now: &Order) -> Inverse {
    match event {
        OrderEvent::Placed { .. } => Err(stays("order_exists", "the order existed before")),
        OrderEvent::LineSubstituted { line, product, name, .. } => {
            let (was, is) = line_of(before, now, *line)?;
            if is.substitute.as_ref().is_none_or(|is| (&is.product, &is.name) != (product, name)) {
                return Err(changed_since(format!("line {line} was substituted again")));
            }
            unsubstitute(*line, was)
        }
        OrderEvent::LineShorted { line, picked, charged } => {
            let (was, is) = line_of(before, now, *line)?;
            if (&is.picked, &is.charged) != (picked, charged) {
                return Err(changed_since(format!("the delivery of line {line} was reported again")));
            }
            Ok(vec![OrderCommand::ShortLine { line: *line, picked: was.picked.clone(), charged: was.charged }])
        }
        OrderEvent::LineRefunded { line, amount, .. } => {
            Err(stays("refund_stays", format!("{amount} of line {line} were paid back; a refund is never unmade")))
        }
        OrderEvent::Amended { .. } => Err(stays("lines_stay", "added lines stay; report that none of them was delivered instead")),
        OrderEvent::Fulfilled { at, receipt_total, .. } => {
            if now.receipt.as_ref().is_none_or(|is| (is.at, is.total) != (*at, *receipt_total)) {
                return Err(changed_since("there is another receipt now"));
            }
            match &before.receipt {
                Some(was) => Ok(vec![OrderCommand::Fulfil { at: was.at, receipt_total: was.total }]),
                None => Err(stays("handed_over", "the order was fulfilled; refund what was wrong with it instead")),
            }
        }
        OrderEvent::Cancelled { .. } => {
            Err(stays("cancellation_stays", "a cancelled order stays cancelled; place it again under another id"))
        }
    }
}

/// Back to the earlier substitute, as far as it came; what was ordered first cannot be named again.
fn unsubstitute(line: u32, was: &LineState) -> Inverse {
    let Some(substitute) = was.substitute.clone() else {
        let detail = format!("line {line} cannot go back to what was ordered: a substitute can only be replaced by another one");
        return Err(stays("substitution_stays", detail));
    };
    let back = OrderCommand::SubstituteLine {
        line,
        product: substitute.product,
        name: substitute.name,
        quantity: substitute.quantity,
        charged: substitute.charged,
    };
    Ok(vec![back, OrderCommand::ShortLine { line, picked: was.picked.clone(), charged: was.charged }])
}

fn line_of<'a>(before: &'a Order, now: &'a Order, line: u32) -> Result<(&'a LineState, &'a LineState), Refusal> {
    let lines = before.lines.get(&line).zip(now.lines.get(&line));
    lines.ok_or_else(|| stays("line_not_found", format!("this order has no line {line}")))
}

fn stays(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::new(Conflict, code, detail)
}
