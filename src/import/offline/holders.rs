//! Who has which product code: one code, one product, as on a running server.

use ahash::AHashMap;

use crate::domain::{
    Event, Refusal,
    codes::{CodeIdentity, ProductCode},
    product::ProductEvent,
    references::{Refers, code_taken},
};
use crate::{domain::ProductId, events::Recorded};

/// The products of codes, by what is in the log and what was decided since.
#[derive(Debug, Default)]
pub(super) struct Holders {
    of_code: AHashMap<CodeIdentity, ProductId>,
    merged: AHashMap<ProductId, ProductId>,
}

impl Holders {
    /// Learns from a past event of any product.
    pub(super) fn fold(&mut self, recorded: &Recorded) {
        let (Event::Product(event), Ok(product)) = (&recorded.event, ProductId::new(recorded.stream.id())) else { return };
        match event {
            ProductEvent::Registered(details) => self.give(&product, &details.codes),
            ProductEvent::CodeLinked { code } => self.give(&product, std::slice::from_ref(code)),
            ProductEvent::Merged { into } => drop(self.merged.insert(product, into.clone())),
            ProductEvent::DetailsChanged(_)
            | ProductEvent::PriceObserved { .. }
            | ProductEvent::PriceWithdrawn { .. }
            | ProductEvent::OfferAnnounced { .. }
            | ProductEvent::OfferEnded { .. }
            | ProductEvent::StockReported { .. }
            | ProductEvent::Discontinued {} => {}
        }
    }

    /// Refuses a command that gives a product what another one has.
    pub(super) fn check(&self, product: &ProductId, command: &impl Refers) -> Result<(), Refusal> {
        let taken = |code: &ProductCode| {
            let holder = self.heir(self.of_code.get(&code.identity())?);
            (holder != product).then(|| code_taken(code, holder))
        };
        command.codes().iter().find_map(taken).map_or(Ok(()), Err)
    }

    /// Records what was decided.
    pub(super) fn give(&mut self, product: &ProductId, codes: &[ProductCode]) {
        self.of_code.extend(codes.iter().map(|code| (code.identity(), product.clone())));
    }

    /// What a product was merged into; as many steps as there are merges, because two may lead to each other.
    fn heir<'a>(&'a self, product: &'a ProductId) -> &'a ProductId {
        std::iter::successors(Some(product), |product| self.merged.get(*product)).take(1 + self.merged.len()).last().unwrap_or(product)
    }
}
