//! Which message asks for what: the first rule of the dialect that fits names the type.
//! Never guesses: no rule, no type.

use terms::{Kind, Mti};

/// One rule. Sets are bits; all bits set means "whatever it is".
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindRule {
    pub mti: u16,
    pub mti_mask: u16,
    /// First two digits of DE 3.
    pub codes: u128,
    /// DE 25; bit 127 stands for "absent".
    pub conditions: u128,
    /// DE 60.1; 0 also where it is absent.
    pub functions: u128,
    /// Network management codes; `count` of them, none means any.
    pub networks: [u16; 16],
    pub count: u8,
    pub kind: Kind,
}

/// What a message says.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub mti: Mti,
    pub code: u8,
    pub condition: u8,
    pub function: u8,
    pub network: u16,
}

impl KindRule {
    #[inline]
    pub(crate) fn matches(&self, asked: &Asked) -> bool {
        let within = |set: u128, value: u8| set >> value.min(127) & 1 == 1;
        asked.mti.bcd() & self.mti_mask == self.mti
            && within(self.codes, asked.code)
            && within(self.conditions, asked.condition)
            && within(self.functions, asked.function)
            && (self.count == 0 || self.networks[..usize::from(self.count)].contains(&asked.network))
    }
}
