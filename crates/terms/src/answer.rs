//! An issuer's answer in canonical form. Absent is not different: what the issuer did not echo is `None`.
//! Never holds chip data or balances: those stay in the wire bytes and travel by patching.

use crate::{
    ApprovalCode, Arpc, Currency, Minor, Mti, Pan, ProcessingCode, ResponseCode, Rrn, Stan, Text,
    TransmissionTime,
};

/// One answer (0110, 0210, 0230, 0410, 0430, 0810) from an issuer, or from the switch to a test terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// As it came.
    pub mti: Mti,
    /// DE 11: ours, on an issuer link.
    pub stan: Stan,
    /// DE 7, if the dialect has it.
    pub transmission: TransmissionTime,
    /// DE 39; empty if absent.
    pub code: ResponseCode,
    /// DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// Tag 91 of DE 55.
    pub arpc: Option<Arpc>,
    /// DE 2.
    pub pan: Option<Pan>,
    /// DE 3.
    pub processing_code: Option<ProcessingCode>,
    /// DE 4.
    pub amount: Option<Minor>,
    /// DE 49.
    pub currency: Option<Currency>,
    /// DE 37.
    pub rrn: Option<Rrn>,
    /// DE 41.
    pub terminal: Option<Text<16>>,
    /// DE 42.
    pub merchant: Option<Text<15>>,
    /// DE 60.2 (UnionPay batch number).
    pub batch: Option<u32>,
    /// DE 70 or 60.3.
    pub network_code: Option<u16>,
}

impl Answer {
    /// The least an answer can be.
    pub fn new(mti: Mti, stan: Stan, code: ResponseCode) -> Self {
        Self {
            mti,
            stan,
            transmission: TransmissionTime::NONE,
            code,
            approval_code: None,
            arpc: None,
            pan: None,
            processing_code: None,
            amount: None,
            currency: None,
            rrn: None,
            terminal: None,
            merchant: None,
            batch: None,
            network_code: None,
        }
    }
}
