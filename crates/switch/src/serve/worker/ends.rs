//! What changes over a worker's life: links that come and go, phases, its end.
//! Never drops what is in flight; guards: nothing that was under way on a lost link goes out again on the next.

use super::*;

impl Worker {
    pub(super) fn change_phase(&mut self) {
        let phase = self.shared.phase();
        if phase == self.phase {
            return;
        }
        self.phase = phase;
        match phase {
            Phase::Running => {}
            Phase::Draining => {
                self.handle(Event::Drain, None);
            }
            Phase::Over => {
                self.handle(Event::DrainOver, None);
            }
        }
    }

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
    pub(super) fn resend(&mut self, link: LinkIx, up: bool) {
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

    /// Whether this worker has nothing left to do in a process that is over. Signs its links off on the way.
    pub fn is_over(&mut self) -> bool {
        if self.phase == Phase::Running {
            return false;
        }
        self.shared.busy[self.ix.at()].store(self.engine.in_flight() as u32, Ordering::Release);
        if self.dead {
            self.say_quiet();
            return true;
        }
        if self.phase != Phase::Over || self.lane.in_flight() > 0 || !self.frames.is_empty() {
            return false;
        }
        match self.signed_off {
            None => {
                self.signed_off = Some(self.now.tick);
                self.sign_off();
                false
            }
            Some(since) => {
                if self.is_signed_off() || self.now.tick > since.plus_ms(SIGN_OFF_MS) {
                    self.say_quiet();
                }
                // Others may still have replies for our connections.
                self.shared.all_quiet() || self.now.tick > since.plus_ms(5 * SIGN_OFF_MS)
            }
        }
    }

    pub(super) fn say_quiet(&mut self) {
        if !self.quiet {
            self.quiet = true;
            self.shared.add_quiet();
        }
    }
}
