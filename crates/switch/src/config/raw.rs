//! The raw form: what a configuration file may say, before anybody asked whether it makes sense.
//! Never has a default and never interprets; every value keeps its place in the file. Guards: unknown keys are refused.
//! Keys are explained where they are checked (`check`) and in `deploy/pointsman.toml`.

use serde::Deserialize;
use toml::Spanned;

/// A value that may be missing, with its place.
pub type Field<T> = Option<Spanned<T>>;

/// A list of texts, each with its place.
pub type Texts = Option<Vec<Spanned<String>>>;

/// The whole file, section by section.
#[derive(Debug, Default)]
pub struct File {
    /// `[switch]`
    pub switch: Field<Switch>,
    /// `[admin]`
    pub admin: Field<Admin>,
    /// `[journal]`
    pub journal: Field<Journal>,
    /// `[archive]`
    pub archive: Field<Archive>,
    /// `[contacts]`
    pub contacts: Field<Contacts>,
    /// `[[calendar]]`
    pub calendars: Vec<Spanned<Calendar>>,
    /// `[[limits]]`
    pub limits: Vec<Spanned<Limits>>,
    /// `[[listener]]`
    pub listeners: Vec<Spanned<Listener>>,
    /// `[[issuer]]`
    pub issuers: Vec<Spanned<Issuer>>,
    /// `[[route]]`
    pub routes: Vec<Spanned<Route>>,
    /// `[[merchant]]`
    pub merchants: Vec<Spanned<Merchant>>,
}

macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $(pub $field: $kind,)* }
    };
}

section! {
    /// The process.
    Switch {
        node: Field<i64>,
        workers: Field<i64>,
        drain_timeout_ms: Field<i64>,
        answer_margin_ms: Field<i64>,
        max_live: Field<i64>,
        limit_counters: Field<i64>,
    }
}

section! {
    /// The loopback port for metrics and health.
    Admin { listen: Field<String>, }
}

section! {
    /// Where transactions are kept.
    Journal {
        dir: Field<String>,
        mirror: Field<String>,
        key_file: Field<String>,
        sync: Field<String>,
        segment_bytes: Field<i64>,
        reserve_bytes: Field<i64>,
        checkpoint_bytes: Field<i64>,
        keep_days: Field<i64>,
        index_entries: Field<i64>,
        index_window_ms: Field<i64>,
        tombstones_per_terminal: Field<i64>,
    }
}

section! {
    /// Where transactions are found again.
    Archive {
        dir: Field<String>,
        cpu_percent: Field<i64>,
        paused: Field<bool>,
        messages_bytes: Field<i64>,
        message_sample: Field<i64>,
        messages_per_second: Field<i64>,
        keep_days: Field<i64>,
    }
}

section! {
    /// How parties are reached.
    Contacts {
        cardholder: Field<String>,
        issuer: Field<String>,
        merchant: Field<String>,
        acquirer: Field<String>,
        network: Field<String>,
    }
}

section! {
    /// Business days of an institution.
    Calendar { name: Field<String>, zone: Field<String>, cutover: Field<String>, }
}

section! {
    /// Named ceilings.
    Limits {
        name: Field<String>,
        currency: Field<String>,
        single: Field<String>,
        daily: Field<String>,
        count: Field<i64>,
        other_currency: Field<String>,
        other: Option<Vec<Spanned<OtherLimits>>>,
    }
}

section! {
    /// Ceilings in one more currency.
    OtherLimits { currency: Field<String>, single: Field<String>, daily: Field<String>, count: Field<i64>, }
}

section! {
    /// A port for terminals or acquirers.
    Listener {
        name: Field<String>,
        listen: Field<String>,
        dialect: Field<String>,
        framing: Field<String>,
        max_frame_bytes: Field<i64>,
        acquirer: Field<String>,
        calendar: Field<String>,
        answer_within_ms: Field<i64>,
        terminals: Field<String>,
        mac: Field<String>,
        pin: Field<String>,
        partial_approvals: Field<bool>,
        idle_ms: Field<i64>,
        max_connections: Field<i64>,
        in_flight_per_connection: Field<i64>,
        output_max_bytes: Field<i64>,
        explanation: Field<Explanation>,
        tls: Field<ServerTls>,
        allow_unauthenticated: Field<bool>,
    }
}

section! {
    /// The text beside the code of a decline.
    Explanation { field: Field<String>, language: Field<String>, charset: Field<String>, }
}

section! {
    /// Our certificate, and whose certificates we take.
    ServerTls { cert: Field<String>, key: Field<String>, client_ca: Field<String>, }
}

section! {
    /// An issuer and what it is held to.
    Issuer {
        name: Field<String>,
        dialect: Field<String>,
        framing: Field<String>,
        max_frame_bytes: Field<i64>,
        calendar: Field<String>,
        limits: Field<String>,
        timeout_ms: Field<i64>,
        reversal_timeout_ms: Field<i64>,
        retry_first_ms: Field<i64>,
        retry_max_ms: Field<i64>,
        quarantine_after: Field<i64>,
        grace_ms: Field<i64>,
        require_approval_code: Field<bool>,
        completion_percent: Field<i64>,
        stand_in: Field<StandIn>,
        balance: Field<String>,
        sign_on: Field<bool>,
        echo_ms: Field<i64>,
        echo_timeout_ms: Field<i64>,
        steady_echoes: Field<i64>,
        breaker_timeouts: Field<i64>,
        breaker_probes: Field<i64>,
        breaker_probe_ms: Field<i64>,
        reconnect_first_ms: Field<i64>,
        reconnect_max_ms: Field<i64>,
        output_max_bytes: Field<i64>,
        saf_max: Field<i64>,
        saf_high_water: Field<i64>,
        saf_window: Field<i64>,
        sign_on_timeout_ms: Field<i64>,
        tpdu: Field<String>,
        header: Field<String>,
        acquirer: Field<String>,
        forwarder: Field<String>,
        terminal: Field<String>,
        merchant: Field<String>,
        contact: Field<String>,
        link: Option<Vec<Spanned<Link>>>,
    }
}

section! {
    /// What may be approved in its stead.
    StandIn { limits: Field<String>, kinds: Texts, merchants: Texts, never_categories: Texts, }
}

section! {
    /// A connection to an issuer.
    Link {
        name: Field<String>,
        address: Field<String>,
        tls: Field<ClientTls>,
        weight: Field<i64>,
        backup: Field<bool>,
        window: Field<i64>,
        pin: Field<String>,
        allow_unauthenticated: Field<bool>,
    }
}

section! {
    /// Whom we trust, and our certificate.
    ClientTls { ca: Field<String>, cert: Field<String>, key: Field<String>, server_name: Field<String>, }
}

section! {
    /// Which cards go to which issuer.
    Route {
        prefix: Field<String>,
        range: Field<String>,
        issuer: Field<String>,
        scheme: Field<String>,
        card_type: Field<String>,
        check_digit: Field<bool>,
        expiry: Field<bool>,
        limits: Field<String>,
        condition: Option<Vec<Spanned<Condition>>>,
    }
}

section! {
    /// What a range of cards may do.
    Condition {
        kinds: Texts,
        processing_codes: Texts,
        currencies: Texts,
        entry_modes: Texts,
        min: Field<String>,
        max: Field<String>,
        effect: Field<String>,
    }
}

section! {
    /// A merchant and its terminals.
    Merchant {
        id: Field<String>,
        acquirer: Field<String>,
        status: Field<String>,
        limits: Field<String>,
        terminals: Texts,
        suspended: Texts,
        terminal_limits: Field<String>,
        refund_days: Field<i64>,
        refund_percent: Field<i64>,
        refund_same_card: Field<bool>,
    }
}
