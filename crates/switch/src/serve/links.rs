//! What every worker makes of a link that came up or went down, whoever owns its socket.
//! Never sends again on one connection what was under way on another. Guards: what is lost with a link is told to the engine
//! before what may go over it now.

use super::worker::Worker;
use engine::{Event, TxnId};
use terms::LinkIx;

impl Worker {
    /// A link came up or went down: what was under way on it is lost, what is owed may go.
    pub fn link_changed(&mut self, link: LinkIx, up: bool) {
        if self.up[link.at()] == up {
            return;
        }
        self.up[link.at()] = up;
        self.shared.link_known(link, up);
        self.count_links(self.shared.config.links[link.at()].issuer);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ResendAfterFlap) {
            return self.resend(link, up);
        }
        if !up {
            let mut lost = std::mem::take(&mut self.due);
            self.desks[link.at()].lost(&mut lost);
            for (ticket, reversal) in lost.drain(..) {
                self.handle(Event::LinkLost { txn: TxnId::from_ticket(ticket), reversal }, None);
            }
            self.due = lost;
        }
        self.handle(Event::LinkChanged { link, up }, None);
    }

    /// A planted bug: what was under way is not lost with its link, it goes out again on the next connection.
    #[cfg(pointsman_zoo)]
    fn resend(&mut self, link: LinkIx, up: bool) {
        if up {
            let mut lost = Vec::new();
            self.desks[link.at()].lost(&mut lost);
            for (ticket, reversal) in lost {
                let txn = TxnId::from_ticket(ticket);
                if reversal {
                    self.handle(Event::LinkLost { txn, reversal }, None);
                } else {
                    self.forward(txn, self.now.tick.plus_ms(3_000));
                }
            }
            self.effects.clear();
        }
        self.handle(Event::LinkChanged { link, up }, None);
    }
}
