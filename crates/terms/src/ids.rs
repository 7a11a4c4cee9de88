//! Who is who inside one configuration: small indexes for the hot path, stable numbers for records.
//! Never a name in a record or on the hot path; guards: an index is only good with the snapshot that made it.

use core::fmt;

macro_rules! index {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
        pub struct $name(pub u16);

        impl $name {
            /// As an array index.
            pub const fn at(self) -> usize { self.0 as usize }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
    };
}

index! {
    /// Issuer in the order of the configuration.
    IssuerIx
}
index! {
    /// Link in the order of the configuration, counted over all issuers.
    LinkIx
}
index! {
    /// Calendar (zone and cutover) in the order of the configuration.
    CalendarIx
}
index! {
    /// Listener in the order of the configuration.
    ListenerIx
}
index! {
    /// Worker (shard) of the process.
    WorkerIx
}

/// A name's stable number: what records carry instead of a name or an index. Configuration refuses two names with one.
pub fn stable_id(name: &str) -> u32 {
    (xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), 0x1D) as u32).max(1)
}
