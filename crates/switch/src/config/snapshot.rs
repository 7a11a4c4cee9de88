//! A configuration as the engine sees it.
//! Never decides anything: names become numbers, lists become maps. Guards: indexes inside the snapshot fit each other.

use super::types::{Config, IssuerConfig, LinkConfig, MerchantConfig, terminal_key};
use engine::snapshot::merchant_key;
use engine::{IssuerTerms, LinkTerms, MerchantTerms, Snapshot, TerminalTerms};
use routing::Table;

impl Config {
    /// The engine's picture of this configuration; `version` counts reloads.
    pub fn snapshot(&self, version: u32) -> Snapshot {
        let routes = Table::build(self.routes.clone());
        let mut snapshot = Snapshot {
            version,
            routes: routes.unwrap_or_else(|fault| unreachable!("checked ranges clash: {fault}")),
            issuers: self.issuers.iter().map(|config| issuer(config, self.saf_window(config))).collect(),
            links: self.links.iter().map(link_terms).collect(),
            card_ceilings: self.card_limits.clone(),
            merchants: Default::default(),
            terminals: Default::default(),
            calendars: self.calendars.iter().map(|calendar| calendar.id).collect(),
        };
        self.merchants.iter().for_each(|merchant| register(&mut snapshot, merchant));
        snapshot
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
