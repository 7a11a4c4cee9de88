//! The life of a connection to an issuer: opened, watched, signed off, closed.
//! Never opens a socket by itself; guards: those who forward know of a lost link before anything else is sent on it.

use super::*;

impl Worker {
    /// A link's connection is being made.
    pub fn connecting(&mut self, link: LinkIx) {
        let now = self.clock.now();
        if let Some(port) = self.ports[link.at()].as_mut() {
            port.session.on_connecting(&now);
        }
    }

    /// It is made; the session says what comes first.
    pub fn connected(&mut self, link: LinkIx, socket: Socket) {
        let plain = socket.established();
        self.meter.connections(Side::Issuer, 1);
        if let Some(port) = self.ports[link.at()].as_mut() {
            port.socket = Some(socket);
        }
        if plain {
            self.parse_port(link, &[], true);
        }
    }

    /// The connection is over; says when to try again.
    pub fn close_port(&mut self, link: LinkIx) -> terms::Tick {
        let now = self.clock.now();
        let Some(port) = self.ports[link.at()].as_mut() else { return now.tick };
        if let Some(mut socket) = port.socket.take() {
            if !port.greeted && !socket.is_plain() {
                self.meter.handshake(Handshake::Failed, false);
            }
            socket.goodbye();
            self.meter.connections(Side::Issuer, -1);
        }
        let again = port.session.on_disconnected(&now);
        port.asked.clear();
        (port.greeted, port.closing, port.waker) = (false, false, None);
        // Those who forward must know before anything else is sent: nothing is resent on the next connection.
        if self.shared.links_up[link.at()].load(Ordering::Acquire) {
            self.take_port_news(link, Some(false));
        }
        again
    }

    /// Deadlines of sign-ons, echoes and frames.
    pub(in crate::serve) fn sweep_ports(&mut self) {
        for at in 0..self.ports.len() {
            let link = LinkIx(at as u16);
            let shared = Arc::clone(&self.shared);
            let dialect = &shared.config.issuers[shared.config.links[at].issuer.at()].dialect;
            let now = self.now;
            let Some(port) = self.ports[at].as_mut().filter(|port| port.socket.is_some()) else { continue };
            let mut reading = Reading {
                link,
                name: &shared.config.links[at].full_name,
                pace: &mut self.complaints.links[at].messages,
                now: now.tick,
                dialect,
                answered: &mut self.answered,
                arena: &mut self.answer_arena,
                odd: Vec::new(),
                requests: Vec::new(),
                news: None,
                echoed: false,
                unreadable: 0,
            };
            let alive = port.session.on_time(&now, &mut reading);
            let news = reading.news;
            if let Err(violation) = alive {
                if let Some(before) = self.complaints.links[at].drops.tell(now.tick) {
                    let (link, error) = (&shared.config.links[at].full_name, Chain(&violation));
                    tracing::warn!(%link, %error, before, "a link is given up");
                }
                port.closing = true;
                if let Some(waker) = &port.waker {
                    waker.wake_by_ref();
                }
            }
            self.take_port_news(link, news);
            self.mark_port(link);
        }
    }

    /// Asks the issuer whether it is there.
    pub(in crate::serve) fn probe_port(&mut self, link: LinkIx) {
        if let Some(port) = self.ports[link.at()].as_mut() {
            port.session.probe(&self.now);
            self.mark_port(link);
        }
    }

    /// Says goodbye on every link of ours.
    pub fn sign_off(&mut self) {
        let now = self.clock.now();
        for at in 0..self.ports.len() {
            if let Some(port) = self.ports[at].as_mut() {
                port.session.sign_off(&now);
                self.mark_port(LinkIx(at as u16));
            }
        }
        self.flush_ports();
    }

    /// Whether every link of ours has signed off.
    pub fn is_signed_off(&self) -> bool {
        self.ports.iter().flatten().all(Port::is_quiet)
    }
}
