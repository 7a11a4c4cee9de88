//! The closed sets of the data file: parties, classes, durations, languages. Guards: a name that is not in a set is a mistake.

use core::fmt;

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the data file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.name()) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }
    };
}

named! {
    /// Whose move it is.
    Who {
        /// 持卡人: another card, more money, the right PIN.
        Cardholder = "cardholder",
        /// 发卡行.
        Issuer = "issuer",
        /// 商户, its cashier or terminal.
        Merchant = "merchant",
        /// 收单机构, or whoever operates the switch.
        Acquirer = "acquirer",
        /// The network or system between; wait.
        Network = "network",
    }
}

named! {
    /// UnionPay POS: what a terminal does on the code. Says nothing about retries by anyone else.
    Class {
        /// 交易成功.
        A = "A",
        /// 交易失败，可重试.
        B = "B",
        /// 交易失败，不需要重试.
        C = "C",
        /// 交易失败，终端操作员处理.
        D = "D",
        /// 交易失败，系统故障，不需要重试.
        E = "E",
    }
}

named! {
    /// Whether waiting alone may help.
    Lasts {
        /// It may.
        Temporary = "temporary",
        /// It does not: somebody has to do something.
        Permanent = "permanent",
    }
}

named! {
    /// May the same card be tried again for the same purchase?
    May {
        /// No.
        No = "no",
        /// The same again, after a while.
        Yes = "yes",
        /// Once something has been changed.
        Changed = "changed",
    }
}

named! {
    /// What people read.
    Language {
        /// English.
        En = "en",
        /// Simplified Chinese.
        Zh = "zh",
    }
}
