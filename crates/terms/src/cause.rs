//! Why a transaction was declined: the nine causes a merchant knows, and the finer ones the engine speaks.
//! Never holds a wire code (dialects render those); guards: every internal cause belongs to one cause and one source.

use core::fmt;

macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// Every value, in order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in configuration, metrics and records shown to people.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }

            /// The value of that number, as records carry it.
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }

            /// Its number: stable within one format version.
            pub const fn number(self) -> u8 { self as u8 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.name()) }
        }
    };
}
pub(crate) use closed_set;

closed_set! {
    /// The answer to "why was it declined?", each with its own remedy.
    Cause {
        /// The way to the issuer is broken or too slow.
        Network = "network",
        /// Not enough money.
        Funds = "funds",
        /// The card itself: unknown, expired, restricted.
        Card = "card",
        /// A ceiling was reached.
        Limit = "limit",
        /// PIN or cryptogram.
        Authentication = "authentication",
        /// The merchant or terminal may not do this.
        Merchant = "merchant",
        /// The cashier or the terminal's message is at fault.
        Operator = "operator",
        /// We or the issuer's system failed.
        System = "system",
        /// Suspected fraud.
        Risk = "risk",
        /// The issuer did not say (01, 05 and the like).
        Unstated = "unstated",
    }
}

closed_set! {
    /// Who found the reason: the `source` label of `pointsman_declines_total`.
    Source {
        /// The issuer's answer.
        Issuer = "issuer",
        /// A ceiling here.
        Limit = "limit",
        /// A risk rule here.
        Risk = "risk",
        /// What we know of merchants and terminals.
        Registry = "registry",
        /// The message itself.
        Format = "format",
        /// The BIN table, its conditions, the links.
        Route = "route",
        /// Stand-in rules.
        StandIn = "stand_in",
        /// Our own failure.
        System = "system",
    }
}

closed_set! {
    /// The engine's own reasons, finer than any wire code. New ones go to the end: records carry the number.
    InternalCause {
        /// A mandatory field is missing or cannot be read.
        FormatError = "format-error",
        /// MTI, processing code and condition name no transaction that we do.
        UnsupportedTransaction = "unsupported-transaction",
        /// A type that moves money came without an amount.
        ZeroAmount = "zero-amount",
        /// The expiry lies before the month of the transaction.
        ExpiredCard = "expired-card",
        /// The card number's check digit is wrong.
        CheckDigit = "check-digit",
        /// Same key, other content.
        ContradictoryRepeat = "contradictory-repeat",
        /// The transaction was reversed before it arrived, or since.
        Reversed = "reversed",
        /// The BIN is in no range.
        NoSuchIssuer = "no-such-issuer",
        /// A condition of the range excludes this transaction for the card.
        RouteExcludesCard = "route-excludes-card",
        /// A condition of the range excludes this transaction for the terminal.
        RouteExcludesTerminal = "route-excludes-terminal",
        /// No link to the issuer is up.
        IssuerDown = "issuer-down",
        /// Every link's window is full.
        WindowFull = "window-full",
        /// No room for one more owed reversal to this issuer.
        StoreAndForwardFull = "store-and-forward-full",
        /// The issuer did not answer in time.
        IssuerTimeout = "issuer-timeout",
        /// The link was lost after the request had been written.
        LinkLost = "link-lost",
        /// The link was lost before a byte was written.
        NotSent = "not-sent",
        /// Above the ceiling for one transaction.
        OverSingleAmount = "over-single-amount",
        /// Above the ceiling for one business day.
        OverDailyAmount = "over-daily-amount",
        /// More transactions than one business day may have.
        OverDailyCount = "over-daily-count",
        /// The amount's currency has no rule.
        CurrencyNotAllowed = "currency-not-allowed",
        /// The terminal is not registered.
        UnknownTerminal = "unknown-terminal",
        /// The merchant is not registered.
        UnknownMerchant = "unknown-merchant",
        /// The terminal is suspended.
        SuspendedTerminal = "suspended-terminal",
        /// The merchant is suspended.
        SuspendedMerchant = "suspended-merchant",
        /// The link to the issuer may not carry a PIN.
        PinNotAllowed = "pin-not-allowed",
        /// The message's MAC is wrong.
        MacWrong = "mac-wrong",
        /// The journal could not make the intent durable.
        JournalFailed = "journal-failed",
        /// The journal's disk is full.
        DiskFull = "disk-full",
        /// The duplicate index or the pending table has no room.
        Overloaded = "overloaded",
        /// The switch is shutting down.
        Draining = "draining",
        /// The issuer's answer does not match what was asked.
        AnswerMismatch = "answer-mismatch",
        /// The issuer answered with a code in neither list of its dialect.
        UnknownAnswerCode = "unknown-answer-code",
        /// The issuer answered that it is still working on it (09) or that it was too slow (68).
        AnswerInDoubt = "answer-in-doubt",
        /// A restart found the transaction in doubt.
        Restarted = "restarted",
        /// The terminal reversed it while it was in flight.
        ReversedInFlight = "reversed-in-flight",
        /// The issuer declined, for a reason its code tells.
        IssuerDeclined = "issuer-declined",
        /// The original of a reversal or void is not known.
        OriginalNotFound = "original-not-found",
        /// The terminal must sign in first.
        SignInRequired = "sign-in-required",
        /// The card is on the hot list.
        HotCard = "hot-card",
        /// A partial reversal that no rule allows.
        PartialNotAllowed = "partial-not-allowed",
        /// The original was declined, reversed, voided or used up, or is still in flight; or it is of another type or batch.
        OriginalNotOpen = "original-not-open",
        /// A void or cancellation names another amount than its original's.
        NotWholeOriginal = "not-whole-original",
        /// More than is left of the original.
        OverOriginal = "over-original",
        /// A refund came after the days the merchant's policy allows.
        RefundTooLate = "refund-too-late",
        /// A refund to another card than the one that paid.
        RefundOtherCard = "refund-other-card",
        /// The issuer left several requests in a row unanswered: it is not asked until it answers probes.
        BreakerOpen = "breaker-open",
        /// The issuer reversed it by itself while it was in flight.
        IssuerReversed = "issuer-reversed",
        /// An issuer tells of a cutover that its calendar has not near.
        CutoverNotDue = "cutover-not-due",
    }
}

impl InternalCause {
    /// The cause it belongs to. For [`InternalCause::IssuerDeclined`] the catalogue knows better, by code.
    pub const fn cause(self) -> Cause {
        use InternalCause as I;
        match self {
            I::FormatError | I::UnsupportedTransaction | I::ZeroAmount | I::ContradictoryRepeat => {
                Cause::Operator
            }
            I::Reversed | I::ReversedInFlight | I::OriginalNotFound | I::SignInRequired => Cause::Operator,
            I::PartialNotAllowed | I::OriginalNotOpen | I::NotWholeOriginal | I::OverOriginal => {
                Cause::Operator
            }
            I::RefundTooLate | I::RefundOtherCard => Cause::Merchant,
            I::ExpiredCard | I::CheckDigit | I::NoSuchIssuer | I::RouteExcludesCard => Cause::Card,
            I::RouteExcludesTerminal | I::UnknownTerminal | I::UnknownMerchant => Cause::Merchant,
            I::SuspendedTerminal | I::SuspendedMerchant | I::CurrencyNotAllowed => Cause::Merchant,
            I::IssuerDown | I::BreakerOpen | I::IssuerTimeout => Cause::Network,
            I::LinkLost | I::NotSent | I::AnswerInDoubt => Cause::Network,
            I::OverSingleAmount | I::OverDailyAmount | I::OverDailyCount => Cause::Limit,
            I::PinNotAllowed => Cause::Authentication,
            I::HotCard => Cause::Risk,
            I::WindowFull | I::StoreAndForwardFull | I::MacWrong | I::JournalFailed | I::DiskFull => {
                Cause::System
            }
            I::Overloaded | I::Draining | I::AnswerMismatch | I::Restarted => Cause::System,
            I::CutoverNotDue => Cause::System,
            I::UnknownAnswerCode | I::IssuerDeclined | I::IssuerReversed => Cause::Unstated,
        }
    }

    /// Who found it.
    pub const fn source(self) -> Source {
        use InternalCause as I;
        match self {
            I::FormatError | I::UnsupportedTransaction | I::ZeroAmount | I::ContradictoryRepeat => {
                Source::Format
            }
            I::ExpiredCard | I::CheckDigit | I::Reversed | I::ReversedInFlight | I::OriginalNotFound => {
                Source::Format
            }
            I::PartialNotAllowed | I::SignInRequired | I::MacWrong | I::CutoverNotDue => Source::Format,
            I::OriginalNotOpen | I::NotWholeOriginal | I::OverOriginal => Source::Format,
            I::RefundTooLate | I::RefundOtherCard => Source::Registry,
            I::NoSuchIssuer | I::RouteExcludesCard | I::RouteExcludesTerminal | I::PinNotAllowed => {
                Source::Route
            }
            I::IssuerDown | I::BreakerOpen | I::WindowFull => Source::Route,
            I::StoreAndForwardFull | I::NotSent => Source::Route,
            I::IssuerTimeout | I::LinkLost | I::AnswerMismatch | I::UnknownAnswerCode => Source::Issuer,
            I::AnswerInDoubt | I::IssuerDeclined | I::IssuerReversed => Source::Issuer,
            I::OverSingleAmount | I::OverDailyAmount | I::OverDailyCount | I::CurrencyNotAllowed => {
                Source::Limit
            }
            I::UnknownTerminal | I::UnknownMerchant | I::SuspendedTerminal | I::SuspendedMerchant => {
                Source::Registry
            }
            I::HotCard => Source::Risk,
            I::JournalFailed | I::DiskFull | I::Overloaded | I::Draining | I::Restarted => Source::System,
        }
    }

    /// The ISO 8583:1987 code a dialect shows unless its own table says otherwise.
    pub const fn iso_code(self) -> &'static str {
        use InternalCause as I;
        match self {
            I::FormatError => "30",
            I::UnsupportedTransaction | I::OriginalNotOpen | I::RefundTooLate | I::CutoverNotDue => "12",
            I::ZeroAmount | I::PartialNotAllowed => "13",
            I::ExpiredCard => "54",
            I::CheckDigit => "14",
            I::ContradictoryRepeat | I::Reversed | I::ReversedInFlight => "94",
            I::NoSuchIssuer => "15",
            I::RouteExcludesCard | I::PinNotAllowed => "57",
            I::RouteExcludesTerminal | I::UnknownTerminal | I::SuspendedTerminal | I::CurrencyNotAllowed => {
                "58"
            }
            I::UnknownMerchant | I::SuspendedMerchant => "03",
            I::IssuerDown | I::BreakerOpen | I::WindowFull => "91",
            I::StoreAndForwardFull | I::IssuerTimeout => "91",
            I::LinkLost | I::NotSent | I::AnswerInDoubt | I::Draining | I::Restarted => "91",
            I::OverSingleAmount | I::OverDailyAmount => "61",
            I::OverDailyCount => "65",
            I::MacWrong | I::JournalFailed | I::DiskFull | I::Overloaded | I::AnswerMismatch => "96",
            I::UnknownAnswerCode | I::IssuerDeclined | I::IssuerReversed => "05",
            I::OriginalNotFound | I::RefundOtherCard => "25",
            I::NotWholeOriginal | I::OverOriginal => "64",
            I::SignInRequired => "77",
            I::HotCard => "59",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_internal_cause_has_a_name_a_number_and_a_two_digit_code() {
        for (number, cause) in InternalCause::ALL.iter().enumerate() {
            assert_eq!(InternalCause::from_number(number as u8), Some(*cause));
            assert_eq!(InternalCause::from_name(cause.name()), Some(*cause));
            assert_eq!(cause.iso_code().len(), 2);
            let _ = (cause.cause(), cause.source());
        }
    }
}
