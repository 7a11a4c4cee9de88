//! The closed sets of label values, and the names that come from the configuration.
//! Never a terminal, merchant, STAN or card number. Guards: a value that is not in a set cannot be counted.

macro_rules! label {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// Every value, in order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The label value.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            pub(crate) const fn at(self) -> usize { self as usize }
        }
    };
}

/// Names known when the families are made. A reload with other names makes new families; counters then begin at 0 again,
/// which scrapers take for a restart.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Issuers in the order of `IssuerIx`.
    pub issuers: Vec<String>,
    /// Links in the order of `LinkIx`: place of the issuer in `issuers`, name of the link.
    pub links: Vec<(usize, String)>,
    /// Response codes that are counted by themselves, in the order of the catalogue's `index_of`; others count as `other`.
    pub codes: Vec<String>,
    /// Version of the build.
    pub version: String,
    /// Commit of the build.
    pub commit: String,
}

/// The configuration has more issuers and links than the families have room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{issuers} issuers with {links} links make {series} metric series, expected at most {most}", most = crate::SERIES_MAX)]
pub struct TooManySeries {
    /// Issuers configured.
    pub issuers: usize,
    /// Links configured.
    pub links: usize,
    /// Series they would make.
    pub series: usize,
}

label! {
    /// How a transaction ended: label `outcome`.
    Outcome {
        /// The terminal is told yes.
        Approved = "approved",
        /// The terminal is told no.
        Declined = "declined",
    }
}

label! {
    /// Part of a request's way: label `stage` of `pointsman_request_duration_seconds`.
    Stage {
        /// From the last byte of the request to the first of the reply.
        Total = "total",
        /// From the request to the issuer to its answer.
        Issuer = "issuer",
        /// From a record handed to the journal to its being durable.
        Journal = "journal",
    }
}

label! {
    /// Who is at the other end of a connection: label `side`.
    Side {
        /// Terminals and acquirers.
        Terminal = "terminal",
        /// Issuers.
        Issuer = "issuer",
    }
}

label! {
    /// Why a reversal is owed: label `reason` of `pointsman_reversals_total`.
    ReversalReason {
        /// The terminal asked for it.
        Terminal = "terminal",
        /// The issuer did not answer in time.
        Timeout = "timeout",
        /// The link was lost.
        LinkLost = "link_lost",
        /// The approval could not be delivered.
        Undelivered = "undelivered",
        /// The answer did not match, or its code was unknown.
        BadAnswer = "bad_answer",
        /// A restart found the transaction in doubt.
        Restart = "restart",
        /// The issuer approved what had been declined or reversed.
        Contradiction = "contradiction",
        /// The issuer reversed it by itself.
        Issuer = "issuer",
    }
}

label! {
    /// What went wrong on a terminal's side: label `reason` of `pointsman_terminal_failures_total`.
    TerminalFailure {
        /// A 0400 with reason 98: the terminal got no answer in time.
        NoAnswer = "no_answer",
        /// A 0400 with reason 96: approved, but the terminal failed.
        TerminalFailed = "terminal_failed",
        /// A 0400 with reason A0: our answer's MAC did not hold there.
        MacWrong = "mac_wrong",
        /// A 0400 with reason 06: something else.
        Other = "other",
        /// A 0400 without a reason, or with one that nobody knows.
        Unstated = "unstated",
        /// The connection was gone before a byte of the reply was taken.
        Undelivered = "undelivered",
        /// The connection ended inside a frame.
        CutFrame = "cut_frame",
        /// A terminal was heard again over another connection while its request was still in hand.
        Reconnect = "reconnect",
    }
}

impl TerminalFailure {
    /// From DE 39 of a 0400.
    pub fn of_reversal(reason: &[u8]) -> Self {
        match reason {
            b"98" => Self::NoAnswer,
            b"96" => Self::TerminalFailed,
            b"A0" => Self::MacWrong,
            b"06" => Self::Other,
            _ => Self::Unstated,
        }
    }
}

label! {
    /// What stand-in said: label `outcome` of `pointsman_stand_in_total`.
    StandIn {
        /// Approved in the issuer's stead.
        Approved = "approved",
        /// Not allowed to.
        Declined = "declined",
        /// The issuer refused an advice, of stand-in or of a terminal: a loss.
        Refused = "refused",
    }
}

label! {
    /// How a TLS handshake went: label `result`.
    Handshake {
        /// Done.
        Ok = "ok",
        /// Refused, broken off or too slow.
        Failed = "failed",
    }
}
