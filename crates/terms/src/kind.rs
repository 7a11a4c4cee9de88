//! The types of transaction the trade knows, and what each asks of us when its answer stays away.
//! Never decides how a message is recognised: dialects map MTI, DE 3, DE 25 and DE 60.1 to a kind.

use crate::cause::closed_set;
use core::fmt;

closed_set! {
    /// Type of transaction. New ones go to the end: records carry the number.
    Kind {
        /// 消费 0200 00 (or 0100 without a later completion).
        Purchase = "purchase",
        /// 消费撤销 0200 20: same day, same batch, same terminal, full amount.
        PurchaseVoid = "purchase-void",
        /// 预授权 0100.
        PreAuth = "pre-auth",
        /// 预授权撤销 0100 20.
        PreAuthCancel = "pre-auth-cancel",
        /// 预授权完成 as a request, 0200.
        Completion = "completion",
        /// 预授权完成撤销 0200.
        CompletionVoid = "completion-void",
        /// 预授权完成通知 0220.
        CompletionAdvice = "completion-advice",
        /// 退货 0220 20: may be declined.
        Refund = "refund",
        /// 余额查询 0200 31.
        Balance = "balance",
        /// 离线结算 0220.
        OfflineSale = "offline-sale",
        /// 结算调整 0220.
        Adjustment = "adjustment",
        /// 冲正 0400, 0401, 0420, 0421.
        Reversal = "reversal",
        /// 0620 script result notice.
        ScriptResult = "script-result",
        /// 批结算 0500.
        Settlement = "settlement",
        /// 批上送 0320.
        BatchUpload = "batch-upload",
        /// 签到 0800.
        SignOn = "sign-on",
        /// 签退 0820.
        SignOff = "sign-off",
        /// 0800/0820 echo test.
        Echo = "echo",
        /// Any other network management message (parameters, keys).
        NetworkOther = "network-other",
        /// Nothing we know.
        Unknown = "unknown",
        /// 日切 0800: the sender's business day begins.
        Cutover = "cutover",
    }
}

/// What is owed when a deadline passes, a link is lost or a restart finds no outcome (a property of the kind).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum InDoubt {
    /// Owe a 0420 until it is acknowledged.
    Reverse,
    /// Repeat the advice (0121, 0221) until it is acknowledged.
    Repeat,
    /// Owe nothing.
    Forget,
}

impl Kind {
    /// See [`InDoubt`].
    pub const fn in_doubt(self) -> InDoubt {
        match self {
            Self::Purchase | Self::PurchaseVoid | Self::PreAuth | Self::PreAuthCancel => InDoubt::Reverse,
            Self::Completion | Self::CompletionVoid => InDoubt::Reverse,
            Self::CompletionAdvice | Self::Refund | Self::OfflineSale | Self::Adjustment => InDoubt::Repeat,
            Self::ScriptResult => InDoubt::Repeat,
            Self::Balance | Self::Reversal | Self::Settlement | Self::BatchUpload => InDoubt::Forget,
            Self::SignOn | Self::SignOff | Self::Echo | Self::NetworkOther | Self::Cutover => InDoubt::Forget,
            Self::Unknown => InDoubt::Forget,
        }
    }

    /// Whether it moves or holds money, so that an amount of zero is refused (13).
    pub const fn moves_money(self) -> bool {
        matches!(
            self,
            Self::Purchase
                | Self::PurchaseVoid
                | Self::PreAuth
                | Self::PreAuthCancel
                | Self::Completion
                | Self::CompletionVoid
                | Self::CompletionAdvice
                | Self::Refund
                | Self::OfflineSale
                | Self::Adjustment
        )
    }

    /// Whether it takes from the cardholder's side and so counts against ceilings.
    pub const fn spends(self) -> bool {
        matches!(
            self,
            Self::Purchase | Self::PreAuth | Self::Completion | Self::OfflineSale | Self::CompletionAdvice
        )
    }

    /// Whether it does something to an earlier transaction. That one must be known here, but for what [`Kind::is_advice`].
    pub const fn is_linked(self) -> bool {
        matches!(
            self,
            Self::PurchaseVoid
                | Self::PreAuthCancel
                | Self::Completion
                | Self::CompletionVoid
                | Self::CompletionAdvice
                | Self::Refund
        )
    }

    /// Whether its charges are posted when it is approved, in the place of its original's, instead of being reserved.
    pub const fn posts_on_approval(self) -> bool {
        matches!(self, Self::Completion | Self::CompletionAdvice | Self::OfflineSale)
    }

    /// Whether it tells what has happened already: taken, never asked about, and passed on to the issuer until that takes it.
    pub const fn is_advice(self) -> bool {
        matches!(self, Self::CompletionAdvice | Self::OfflineSale | Self::Adjustment | Self::ScriptResult)
    }

    /// 0800 and its kin: answered by the switch itself.
    pub const fn is_network(self) -> bool {
        matches!(self, Self::SignOn | Self::SignOff | Self::Echo | Self::NetworkOther | Self::Cutover)
    }
}
