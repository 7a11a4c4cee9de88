//! What a notice of script results carries beyond its canonical form: chip data that its issuer is to have, as the shell kept it.
//!
//! Sealed in the INTENT with the card number, and read back from there when its advice goes out later than at once.
//! Never looked into here. Guards: at most [`CONTENT_MAX`] bytes for a slab position, given up with it.

use crate::engine::Engine;
use crate::event::TxnId;
use crate::record::SECRET_BYTES;
use journal::SECRET_MAX;
use terms::Kind;

/// Most that a notice can carry: what a record's secret has room for beside the card number.
pub const CONTENT_MAX: usize = SECRET_MAX - SECRET_BYTES;

impl Engine {
    /// What the advice of `id` tells beside what its transaction says; empty for all but notices of script results.
    pub fn content(&self, id: TxnId) -> &[u8] {
        self.contents.get(&id.index).map_or(&[], |content| content)
    }

    pub(crate) fn carry(&mut self, id: TxnId, content: &[u8]) {
        let carries = self.slab.get(id).is_some_and(|notice| notice.request.kind == Kind::ScriptResult);
        if carries && content.len() <= CONTENT_MAX {
            self.contents.insert(id.index, content.into());
        }
    }

    /// Whether it can be sent from the slab; if not, the journal has what is missing.
    pub(crate) fn is_at_hand(&mut self, id: TxnId) -> bool {
        self.slab.at(id.index).request.kind != Kind::ScriptResult || self.contents.contains_key(&id.index)
    }
}
