//! Codes that products are about to get: two products that ask for one code at the same time cannot both have it. The views know who has a code
//! already; here is only what they may not show yet.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::{
    domain::{ProductId, codes::CodeIdentity},
    events::Position,
};

/// The codes asked for and not yet in the views.
#[derive(Debug, Default)]
pub struct CodeClaims(Mutex<Claims>);

#[derive(Debug, Default)]
struct Claims {
    by_code: HashMap<CodeIdentity, Claim>,
    /// Those that are in the log at a position, the oldest first.
    recorded: VecDeque<(Position, CodeIdentity)>,
}

#[derive(Debug)]
struct Claim {
    product: ProductId,
    /// A repeated command claims what the first one did.
    times: usize,
}

/// Codes that one command claims. Dropped, it gives them back.
#[derive(Debug)]
pub struct Claimed<'a> {
    claims: &'a CodeClaims,
    codes: Vec<CodeIdentity>,
}

impl CodeClaims {
    /// Claims codes for a product; `applied` is what the views show.
    ///
    /// # Errors
    /// The place of a code that another product claims, and that product.
    pub fn claim(&self, product: &ProductId, codes: Vec<CodeIdentity>, applied: Position) -> Result<Claimed<'_>, (usize, ProductId)> {
        let mut claims = self.0.lock();
        claims.forget_applied(applied);
        let other = |code: &CodeIdentity| claims.by_code.get(code).filter(|claim| claim.product != *product);
        if let Some((place, holder)) = codes.iter().enumerate().find_map(|(place, code)| Some((place, other(code)?.product.clone()))) {
            return Err((place, holder));
        }
        for code in &codes {
            claims.by_code.entry(*code).or_insert_with(|| Claim { product: product.clone(), times: 0 }).times += 1;
        }
        Ok(Claimed { claims: self, codes })
    }
}

impl Claimed<'_> {
    /// Keeps the claim until the views show this position.
    pub fn keep_until(mut self, position: Position) {
        let codes = std::mem::take(&mut self.codes);
        self.claims.0.lock().recorded.extend(codes.into_iter().map(|code| (position, code)));
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let mut claims = self.claims.0.lock();
        self.codes.iter().for_each(|code| claims.give_back(*code));
    }
}

impl Claims {
    fn forget_applied(&mut self, applied: Position) {
        // Answers come nearly in the order of the log; one that waits after a later one waits a little longer.
        while let Some((_, code)) = self.recorded.pop_front_if(|(position, _)| *position <= applied) {
            self.give_back(code);
        }
    }

    fn give_back(&mut self, code: CodeIdentity) {
        if let Some(claim) = self.by_code.get_mut(&code) {
            claim.times -= 1;
            if claim.times == 0 {
                self.by_code.remove(&code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::codes::ProductCode;

    fn code(id: &str) -> CodeIdentity {
        ProductCode::source("test", id).expect("a code").identity()
    }

    fn product(id: &str) -> ProductId {
        ProductId::new(id).expect("an id")
    }

    #[test]
    fn a_code_is_claimed_by_one_product_until_the_views_show_it_or_it_is_given_back() {
        let claims = CodeClaims::default();
        let first = claims.claim(&product("a"), vec![code("1"), code("2")], Position(0)).expect("free");
        let again = claims.claim(&product("a"), vec![code("1")], Position(0)).expect("its own");
        assert_eq!(claims.claim(&product("b"), vec![code("3"), code("2")], Position(0)).map(drop), Err((1, product("a"))));
        drop(again);
        first.keep_until(Position(7));
        assert!(claims.claim(&product("b"), vec![code("1")], Position(6)).is_err());
        drop(claims.claim(&product("b"), vec![code("1")], Position(7)).expect("the views answer for it now"));
        drop(claims.claim(&product("c"), vec![code("1")], Position(7)).expect("given back"));
        assert!(claims.0.lock().by_code.is_empty());
    }
}
