//! The one door to an entity: every command of HTTP, the socket, bulk lines, undo and bringing back goes through [`execute`], so a rule about
//! other entities holds everywhere. Answers are what the actors give: what was done, or a `Failure`; how that looks on the wire is for `http`.

mod bring_back;
mod caller;
mod codes;
mod execute;
pub mod keys;
pub mod references;
pub mod stream;
pub mod undo;

pub use bring_back::{BroughtBack, Origin, Referring, bring_back};
pub use caller::Caller;
pub use execute::execute;
