//! Which of an issuer's links carries the next request: pure state, the same calls give the same choices.
//!
//! Never opens or watches a link: the caller says which are up and takes the permit. Guards: primaries come before
//! backups; each link's share is its weight among those that are up, so a neighbour of a dead link gets no double load.
//!
//! Smooth weighted turns: every link that could carry it earns its weight, the richest carries it and pays what was
//! earned. So 5:1:1 gives a a b a c a a and not a a a a a b c. A link that is down or full neither earns nor pays: when
//! it is back it goes on where it was, without a burst.

use terms::LinkIx;

/// One of an issuer's links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkChoice {
    /// Which.
    pub link: LinkIx,
    /// Its share among its equals, from 1. Ignored by [`Policy::RoundRobin`].
    pub weight: u16,
    /// Used only while no primary can carry the request.
    pub backup: bool,
}

/// How shares are set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Policy {
    /// Equal shares.
    #[default]
    RoundRobin,
    /// By weight.
    Weighted,
}

/// Links that are no choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChooserFault {
    /// An issuer without a link.
    #[error("no link, expected at least one")]
    None,
    /// More than a set of 64 bits can tell apart.
    #[error("{0} links, expected at most {LINKS_MAX}")]
    TooMany(usize),
    /// A weight of 0: such a link would never be used.
    #[error("link {0} has weight 0, expected 1 or more")]
    Weight(LinkIx),
    /// A link listed twice.
    #[error("link {0} stands twice")]
    Twice(LinkIx),
}

/// Why no link carries it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum NoLink {
    /// No link is up.
    #[error("no link is up")]
    Down,
    /// Those that are up refused their permit.
    #[error("every link that is up is full")]
    Full,
}

impl NoLink {
    /// The engine's word for it.
    pub const fn cause(self) -> terms::InternalCause {
        match self {
            Self::Down => terms::InternalCause::IssuerDown,
            Self::Full => terms::InternalCause::WindowFull,
        }
    }
}

/// The turns of one issuer's links, primaries first. One per shard: each is fair by itself, so all are.
#[derive(Clone, Debug)]
pub struct Chooser {
    turns: Box<[Turn]>,
    primaries: usize,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    link: LinkIx,
    weight: i64,
    /// What it has earned and not spent. All together are 0 at rest.
    credit: i64,
}

impl Chooser {
    /// The turns among `links`.
    /// # Errors
    /// [`ChooserFault`]: none, too many, twice the same, weight 0.
    pub fn new(links: &[LinkChoice], policy: Policy) -> Result<Self, ChooserFault> {
        check(links)?;
        let turn = |choice: &LinkChoice| {
            let weight = if policy == Policy::Weighted { i64::from(choice.weight) } else { 1 };
            Turn { link: choice.link, weight, credit: 0 }
        };
        let of = |backup: bool| links.iter().filter(move |choice| choice.backup == backup).map(turn);
        let primaries = links.iter().filter(|choice| !choice.backup).count();
        Ok(Self { turns: of(false).chain(of(true)).collect(), primaries })
    }

    /// The next link, of those for which `up` holds, that `take` gets a permit on. A link whose window is full is passed
    /// over for the next in turn; backups come when no primary is up or all that are, are full.
    /// # Errors
    /// [`NoLink`]; then no turn was used.
    pub fn choose(
        &mut self,
        up: impl Fn(LinkIx) -> bool,
        mut take: impl FnMut(LinkIx) -> bool,
    ) -> Result<LinkIx, NoLink> {
        let (primaries, backups) = self.turns.split_at_mut(self.primaries);
        let mut refusal = NoLink::Down;
        for group in [primaries, backups] {
            match choose_in(group, &up, &mut take) {
                Err(NoLink::Full) => refusal = NoLink::Full,
                Err(NoLink::Down) => {}
                Ok(link) => return Ok(link),
            }
        }
        Err(refusal)
    }

    /// The next link that is up, where no permit is asked for.
    pub fn pick(&mut self, up: impl Fn(LinkIx) -> bool) -> Option<LinkIx> {
        self.choose(up, |_| true).ok()
    }

    /// The next link that is up after those in `tried` failed.
    pub fn next_after(&mut self, tried: &[LinkIx], up: impl Fn(LinkIx) -> bool) -> Option<LinkIx> {
        self.pick(|link| up(link) && !tried.contains(&link))
    }

    /// All links, primaries first.
    pub fn links(&self) -> impl Iterator<Item = LinkIx> {
        self.turns.iter().map(|turn| turn.link)
    }
}

fn choose_in(
    group: &mut [Turn],
    up: &impl Fn(LinkIx) -> bool,
    take: &mut impl FnMut(LinkIx) -> bool,
) -> Result<LinkIx, NoLink> {
    let mut open = Set::of(group, up);
    let mut refusal = NoLink::Down;
    while let Some(richest) = open.richest(group) {
        if take(group[richest].link) {
            open.charge(group, richest);
            return Ok(group[richest].link);
        }
        open.drop(richest);
        refusal = NoLink::Full;
    }
    Err(refusal)
}

/// Positions of a group that could still carry the request, as bits.
struct Set(u64);

impl Set {
    fn of(group: &[Turn], up: &impl Fn(LinkIx) -> bool) -> Self {
        Self(
            (0..)
                .zip(group)
                .filter(|(_, turn)| up(turn.link))
                .fold(0, |set, (at, _): (u32, _)| set | 1 << at),
        )
    }

    fn has(&self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }

    fn drop(&mut self, at: usize) {
        self.0 &= !(1 << at);
    }

    /// The one with most credit once all have earned; the first of equals.
    fn richest(&self, group: &[Turn]) -> Option<usize> {
        let worth = |at: &usize| group[*at].credit + group[*at].weight;
        (0..group.len()).rev().filter(|at| self.has(*at)).max_by_key(worth)
    }

    fn charge(&self, group: &mut [Turn], chosen: usize) {
        let mut earned = 0;
        for (_, turn) in group.iter_mut().enumerate().filter(|(at, _)| self.has(*at)) {
            turn.credit += turn.weight;
            earned += turn.weight;
        }
        group[chosen].credit -= earned;
    }
}

fn check(links: &[LinkChoice]) -> Result<(), ChooserFault> {
    match links.len() {
        0 => return Err(ChooserFault::None),
        1..=LINKS_MAX => {}
        many => return Err(ChooserFault::TooMany(many)),
    }
    for (position, choice) in links.iter().enumerate() {
        if choice.weight == 0 {
            return Err(ChooserFault::Weight(choice.link));
        }
        if links[..position].iter().any(|earlier| earlier.link == choice.link) {
            return Err(ChooserFault::Twice(choice.link));
        }
    }
    Ok(())
}

/// A set of links is one word.
const LINKS_MAX: usize = 64;

#[cfg(test)]
mod tests;
