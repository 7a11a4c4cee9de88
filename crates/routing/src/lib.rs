//! Whose card is it, may it do this, and by which link: the BIN table, its conditions, the choice among an issuer's links.
//!
//! Never opens a connection, never reads a clock or a file: configuration brings checked rows, the shell says which links
//! are up. Guards: the narrowest range wins; a table with ranges that half overlap is never built; the choice among links
//! stays fair when one is down.

pub mod breaker;
pub mod chooser;
pub mod condition;
mod flatten;
mod lines;
pub mod range;
pub mod span;
pub mod table;

pub use breaker::{Breaker, BreakerRule, Opened, Position};
pub use chooser::{Chooser, ChooserFault, LinkChoice, NoLink, Policy};
pub use condition::{Condition, Excluded, Kinds, Readings, RouteQuery, Verdict};
pub use range::{CardType, Range, RangeRow, Scheme};
pub use span::{Span, SpanFault};
pub use table::{Overlap, Table, TableFault};
