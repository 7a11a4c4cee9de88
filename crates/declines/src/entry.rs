//! One line of the catalogue. Never a rule: `class` and the Visa category are data that others may read.

use core::fmt;
use terms::{Cause, ResponseCode};

/// What a code means under one scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As on the wire.
    pub code: ResponseCode,
    /// Short English name, lower case.
    pub name_en: String,
    /// Short Chinese name.
    pub name_zh: String,
    /// Why it declines; for an approving code, what it counts as where the dialect does not list it as approving.
    pub cause: Cause,
    /// Who can do something about it; never empty, the first one first.
    pub who: Vec<Who>,
    /// UnionPay's class, under that scheme only.
    pub class: Option<Class>,
    /// Category 1 to 4 of Visa's reattempt rule, under that scheme and where known.
    pub visa_category: Option<u8>,
    /// Whether the scheme means an approval by it.
    pub approves: bool,
}

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
        /// 收单行, or whoever operates the switch.
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
