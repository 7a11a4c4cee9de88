//! A configuration as the engine sees it.
//! Never decides anything: names become numbers, lists become maps. Guards: indexes inside the snapshot fit each other.

use super::types::{Config, IssuerConfig, LinkConfig, MerchantConfig, terminal_key};
use engine::snapshot::merchant_key;
use engine::{IssuerTerms, LinkTerms, MerchantTerms, Snapshot, TerminalTerms};
use routing::Table;
use terms::{CalendarIx, IssuerIx};

impl Config {
    /// The engine's picture of this configuration; `version` counts reloads.
    pub fn snapshot(&self, version: u32) -> Snapshot {
        let routes = Table::build(self.routes.clone());
        let mut snapshot = Snapshot {
            version,
            routes: routes.unwrap_or_else(|fault| unreachable!("checked ranges clash: {fault}")),
            issuers: self.issuers.iter().enumerate().map(|(at, config)| self.issuer(at, config)).collect(),
            links: self.links.iter().map(link_terms).collect(),
            card_ceilings: self.card_limits.clone(),
            merchants: Default::default(),
            terminals: Default::default(),
            calendars: self.institutions().map(|calendar| self.calendars[calendar].id).collect(),
        };
        self.merchants.iter().for_each(|merchant| register(&mut snapshot, merchant));
        snapshot
    }

    /// The calendar of every institution: first the calendars themselves, then the issuers. Each issuer has its own business
    /// day, and counters under the name of its calendar.
    pub fn institutions(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.calendars.len()).chain(self.issuers.iter().map(|issuer| issuer.calendar.at()))
    }

    /// Where [`Config::institutions`] has an issuer.
    pub fn institution(&self, issuer: IssuerIx) -> usize {
        self.calendars.len() + issuer.at()
    }

    fn issuer(&self, at: usize, config: &IssuerConfig) -> IssuerTerms {
        let calendar = CalendarIx(self.institution(IssuerIx(at as u16)) as u16);
        IssuerTerms { calendar, ..issuer(config, self.saf_window(config)) }
    }

    /// One worker's share; no more than the least of the issuer's links has room for beside its requests (a quarter of
    /// their window).
    fn saf_window(&self, issuer: &IssuerConfig) -> u32 {
        let workers = self.workers as u32;
        let room = issuer.links.iter().map(|link| self.links[link.at()].window.div_ceil(workers) / 4).min();
        issuer.saf_window.div_ceil(workers).min(room.unwrap_or(1)).max(1)
    }
}

fn link_terms(config: &LinkConfig) -> LinkTerms {
    LinkTerms { id: config.id, issuer: config.issuer, pin_passthrough: config.pin_passthrough }
}

fn issuer(config: &IssuerConfig, saf_window: u32) -> IssuerTerms {
    IssuerTerms {
        id: config.id,
        timeout_ms: config.timeout_ms,
        reversal_timeout_ms: config.reversal_timeout_ms,
        retry_first_ms: config.retry_first_ms,
        retry_max_ms: config.retry_max_ms,
        saf_window,
        quarantine_after: config.quarantine_after,
        grace_ms: config.grace_ms,
        require_approval_code: config.require_approval_code,
        calendar: config.calendar,
        ceilings: config.limits.clone(),
        completion_percent: config.completion_percent,
        stand_in: config.stand_in.clone(),
        links: config.links.clone(),
    }
}

fn register(snapshot: &mut Snapshot, merchant: &MerchantConfig) {
    let MerchantConfig { standing, refund, .. } = *merchant;
    let terms = MerchantTerms { standing, ceilings: merchant.limits.clone(), refund };
    snapshot.merchants.insert(merchant_key(&merchant.acquirer, &merchant.id), terms);
    snapshot.terminals.reserve(merchant.terminals.len());
    for (id, standing) in &merchant.terminals {
        let terms = TerminalTerms { standing: *standing, ceilings: merchant.terminal_limits.clone() };
        snapshot.terminals.insert(terminal_key(&merchant.acquirer, &merchant.id, id), terms);
    }
}
