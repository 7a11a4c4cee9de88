//! What stands between length and message: the TPDU and the UnionPay header.
//! Never checks what it carries: a wrong address is for the owner of the link to judge, and codes that
//! are not ours stay open. Guards: a reply goes back where the request came from.

/// The header after the TPDU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Header {
    /// No header.
    #[default]
    None,
    /// Six bytes of BCD: application class (2 digits), software version (2), terminal state (1),
    /// processing demand (1), sub-version (6).
    UnionPay6,
}

impl Header {
    /// Bytes the header takes.
    pub const fn size(self) -> usize {
        match self {
            Self::None => 0,
            Self::UnionPay6 => HEADER_SIZE,
        }
    }
}

/// What the host asks the terminal to do after this answer (UnionPay header, sixth digit).
/// Open: a digit that is not named here survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Demand(u8);

impl Demand {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Sign in again.
    pub const SIGN_IN: Self = Self(1);
    /// Fetch new public keys of the chip scheme.
    pub const PUBLIC_KEYS: Self = Self(2);
    /// Fetch new chip parameters.
    pub const CHIP_PARAMETERS: Self = Self(3);
    /// Fetch new contactless parameters.
    pub const CONTACTLESS_PARAMETERS: Self = Self(4);

    /// The demand with this digit; `None` above 9, which the header cannot carry.
    pub const fn from_digit(digit: u8) -> Option<Self> {
        if digit < 10 { Some(Self(digit)) } else { None }
    }

    /// The digit on the wire. 0..=15: an arriving nibble is kept even when it is no digit.
    pub const fn digit(self) -> u8 {
        self.0
    }
}

/// TPDU and header of one frame. A framing writes only the parts it has; parts it has not read are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// `60`, destination (2 bytes), origin (2 bytes), all BCD.
    pub tpdu: [u8; TPDU_SIZE],
    /// The UnionPay header, see [`Header::UnionPay6`].
    pub header: [u8; HEADER_SIZE],
}

impl Envelope {
    /// The envelope of a terminal's request to the host `destination` from `origin` (BCD, as on the wire),
    /// with a header of class 60, version 31 and no demand.
    pub const fn request(destination: [u8; 2], origin: [u8; 2]) -> Self {
        let ([to_high, to_low], [from_high, from_low]) = (destination, origin);
        Self { tpdu: [TPDU_TRANSACTION, to_high, to_low, from_high, from_low], header: REQUEST_HEADER }
    }

    /// The same TPDU with another header.
    #[must_use]
    pub const fn with_header(self, header: [u8; HEADER_SIZE]) -> Self {
        Self { header, ..self }
    }

    /// The same envelope with another processing demand in its header.
    #[must_use]
    pub const fn with_demand(mut self, demand: Demand) -> Self {
        self.header[DEMAND_BYTE] = (self.header[DEMAND_BYTE] & 0xF0) | (demand.0 & 0x0F);
        self
    }

    /// The envelope of the answer: destination and origin of the TPDU change places; the header keeps
    /// class, versions and terminal state and demands nothing. Ask for more with [`Envelope::with_demand`].
    #[must_use]
    pub const fn reply(&self) -> Self {
        let [id, to_high, to_low, from_high, from_low] = self.tpdu;
        Self { tpdu: [id, from_high, from_low, to_high, to_low], header: self.header }
            .with_demand(Demand::NONE)
    }

    /// Destination address of the TPDU (BCD): whose door the sender knocked at.
    pub const fn destination(&self) -> [u8; 2] {
        [self.tpdu[1], self.tpdu[2]]
    }

    /// Origin address of the TPDU (BCD).
    pub const fn origin(&self) -> [u8; 2] {
        [self.tpdu[3], self.tpdu[4]]
    }

    /// Application class of the header (BCD): 60 or 61 for payments.
    pub const fn application_class(&self) -> u8 {
        self.header[0]
    }

    /// Processing demand of the header; a terminal looks at it in every answer.
    pub const fn demand(&self) -> Demand {
        Demand(self.header[DEMAND_BYTE] & 0x0F)
    }
}

/// Bytes of a TPDU.
pub(crate) const TPDU_SIZE: usize = 5;
/// Bytes of the UnionPay header.
pub(crate) const HEADER_SIZE: usize = 6;
/// First byte of a TPDU that carries a transaction.
pub(crate) const TPDU_TRANSACTION: u8 = 0x60;
const DEMAND_BYTE: usize = 2;
const REQUEST_HEADER: [u8; HEADER_SIZE] = [0x60, 0x31, 0x00, 0x31, 0x00, 0x00];
