//! The longest chain through a pool of blocks, from the first position on.

use super::pool::{Found, Pool};
use crate::events::{
    Position,
    sled_log::block::{self, CHAIN_START, Chain},
};

/// A walk along the chain: each block follows from the one before it.
pub struct Walk<'a> {
    pool: &'a Pool,
    last: Position,
    chain: Chain,
}

impl<'a> Walk<'a> {
    /// Begins before the first block.
    pub fn new(pool: &'a Pool) -> Self {
        Self { pool, last: Position::START, chain: CHAIN_START }
    }

    /// How far it has come.
    pub fn reached(&self) -> (Position, Chain) {
        (self.last, self.chain)
    }

    /// The next block. Where several follow (all but one of them were never acknowledged), the one that most was written behind.
    pub fn step(&mut self) -> Result<Option<(Position, Vec<u8>)>, String> {
        let mut linked = linked(self.pool, self.last, &self.chain)?;
        if linked.len() > 1 {
            let mut reaches = Vec::with_capacity(linked.len());
            for (found, _) in &linked {
                reaches.push(reach(self.pool, found)?);
            }
            let furthest = (0..linked.len()).rev().max_by_key(|at| reaches[*at]).unwrap_or(0);
            linked.swap(0, furthest);
        }
        let Some((found, bytes)) = linked.into_iter().next() else { return Ok(None) };
        (self.last, self.chain) = (found.header.last(), found.header.chain);
        Ok(Some((found.header.first, bytes)))
    }
}

/// The blocks that follow from one.
fn linked<'a>(pool: &'a Pool, last: Position, chain: &Chain) -> Result<Vec<(&'a Found, Vec<u8>)>, String> {
    let mut linked = Vec::new();
    for found in pool.at(last.next()) {
        let bytes = pool.read(found)?;
        if block::chain_of(chain, &bytes) == found.header.chain {
            linked.push((found, bytes));
        }
    }
    Ok(linked)
}

/// The last position that the chain through a block comes to.
fn reach(pool: &Pool, start: &Found) -> Result<Position, String> {
    let (mut furthest, mut open) = (start.header.last(), vec![start]);
    while let Some(found) = open.pop() {
        furthest = furthest.max(found.header.last());
        open.extend(linked(pool, found.header.last(), &found.header.chain)?.into_iter().map(|(next, _)| next));
    }
    Ok(furthest)
}
