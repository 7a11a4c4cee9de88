//! The first stations: is this something we do, for somebody we know, with a card that has a way?
//! Never changes anything, never looks at other transactions. Guards: what passes here is checked once and for all.

use crate::event::{Context, Verdict};
use crate::record::ChargedIn;
use crate::snapshot::{ListenerTerms, MerchantTerms, Standing, TerminalTerms, merchant_key};
use crate::table::Stimulus;
use crate::transaction::{CHARGES_MAX, Transaction};
use limits::{Demand, LimitKey, Rule, Scope};
use routing::{Range, RouteQuery};
use terms::{
    Answer, BusinessDay, Currency, Flags, InternalCause, IssuerIx, Kind, Money, Pan, Request,
    money::AMOUNT_MAX,
};

/// A payment whose message, terminal and merchant are in order.
pub(crate) struct Checked<'a, 'b> {
    pub(crate) request: &'a Request,
    pub(crate) pan: Pan,
    known: Known<'b>,
}

/// What the configuration says of terminal and merchant, if anything.
#[derive(Clone, Copy)]
pub(crate) struct Known<'b> {
    /// `Request::owner`: computed once.
    pub(crate) owner: u64,
    terminal: Option<&'b TerminalTerms>,
    merchant: Option<&'b MerchantTerms>,
}

/// Station 3: field missing 30, unsupported 12, amount zero 13, who may trade, PIN.
pub(crate) fn check<'a, 'b>(
    cx: &Context<'b>,
    request: &'a Request,
    listener: &ListenerTerms,
) -> Result<Checked<'a, 'b>, InternalCause> {
    well_formed(request)?;
    let (kind, advice) = (request.kind, request.kind.is_advice());
    if !matches!(kind, Kind::Purchase | Kind::PreAuth | Kind::Balance) && !kind.is_linked() && !advice {
        return Err(InternalCause::UnsupportedTransaction);
    }
    if kind.is_linked() && !advice && request.original.is_none() {
        return Err(InternalCause::FormatError);
    }
    let pan = request.pan.ok_or(InternalCause::FormatError)?;
    if request.kind.moves_money() && request.amount == 0 {
        return Err(InternalCause::ZeroAmount);
    }
    let known = known(cx, request, listener)?;
    if request.flags.has(Flags::PIN) && !listener.pin_passthrough {
        return Err(InternalCause::PinNotAllowed);
    }
    Ok(Checked { request, pan, known })
}

/// What records can carry: amounts of twelve digits, batch numbers of 24 bits.
pub(crate) fn well_formed(request: &Request) -> Result<(), InternalCause> {
    let amounts = [request.amount, request.billing_amount, request.replacement_amount];
    let fits = amounts.iter().all(|amount| (0..=AMOUNT_MAX).contains(amount)) && request.batch < 1 << 24;
    if fits { Ok(()) } else { Err(InternalCause::FormatError) }
}

/// Whether terminal and merchant may trade.
pub(crate) fn known<'b>(
    cx: &Context<'b>,
    request: &Request,
    listener: &ListenerTerms,
) -> Result<Known<'b>, InternalCause> {
    let owner = request.owner();
    let terminal = cx.snapshot.terminals.get(&owner);
    match terminal.map(|terms| terms.standing) {
        None if listener.registered_only => return Err(InternalCause::UnknownTerminal),
        Some(Standing::Suspended) => return Err(InternalCause::SuspendedTerminal),
        None | Some(Standing::Active) => {}
    }
    let merchant = cx.snapshot.merchants.get(&merchant_key(&request.acquirer, &request.merchant));
    match merchant.map(|terms| terms.standing) {
        None if listener.registered_only => Err(InternalCause::UnknownMerchant),
        Some(Standing::Suspended) => Err(InternalCause::SuspendedMerchant),
        None | Some(Standing::Active) => Ok(Known { owner, terminal, merchant }),
    }
}

/// A payment with its way to an issuer.
pub(crate) struct Routed<'a, 'b> {
    pub(crate) request: &'a Request,
    pub(crate) range: &'b Range,
    pub(crate) known: Known<'b>,
}

/// Station 5: no such issuer 15, conditions 57 and 58, check digit 14 and expiry 54 where the range asks.
pub(crate) fn route<'a, 'b>(
    cx: &Context<'b>,
    checked: &Checked<'a, 'b>,
) -> Result<Routed<'a, 'b>, InternalCause> {
    let Checked { request, pan, known } = *checked;
    let range = cx.snapshot.routes.find(pan).ok_or(InternalCause::NoSuchIssuer)?;
    range.permits(&RouteQuery::from(request)).map_err(routing::Excluded::cause)?;
    if request.flags.has(Flags::PIN) && !takes_pin(cx, range.issuer) {
        return Err(InternalCause::PinNotAllowed);
    }
    // What has happened is not undone by what is wrong with the card.
    let asked = !request.kind.is_advice();
    if asked && range.check_digit && !pan.luhn_holds() {
        return Err(InternalCause::CheckDigit);
    }
    if asked && range.expiry && request.expiry.is_some_and(|expiry| expiry.is_past(cx.now.yymm)) {
        return Err(InternalCause::ExpiredCard);
    }
    Ok(Routed { request, range, known })
}

/// Whether any link of the issuer may carry DE 52; the shell takes no other for it.
fn takes_pin(cx: &Context, issuer: IssuerIx) -> bool {
    let links = &cx.snapshot.issuers[issuer.at()].links;
    links.iter().any(|link| cx.snapshot.links[link.at()].pin_passthrough)
}

/// What will be charged: at most one demand per scope.
pub(crate) struct Demands {
    items: [Demand; CHARGES_MAX],
    count: u8,
}

impl Demands {
    pub(crate) const NONE: Self = Self { items: [NO_DEMAND; CHARGES_MAX], count: 0 };

    pub(crate) fn as_slice(&self) -> &[Demand] {
        &self.items[..usize::from(self.count)]
    }

    fn push(&mut self, demand: Demand) {
        self.items[usize::from(self.count)] = demand;
        self.count += 1;
    }
}

/// Station 6, first half: which counters, on which days. What the INTENT keeps of it goes into `transaction`.
pub(crate) fn demand(
    cx: &Context,
    routed: &Routed,
    listener: &ListenerTerms,
    transaction: &mut Transaction,
    demands: &mut Demands,
) -> Result<(), InternalCause> {
    let (request, snapshot) = (routed.request, cx.snapshot);
    let issuer = &snapshot.issuers[routed.range.issuer.at()];
    let calendar = |index: terms::CalendarIx| (snapshot.calendars[index.at()], cx.days[index.at()]);
    let (issuer_calendar, issuer_day) = calendar(issuer.calendar);
    let (acquirer_calendar, acquirer_day) = calendar(listener.calendar);
    (transaction.issuer_calendar, transaction.issuer_day) = (issuer_calendar, issuer_day);
    (transaction.acquirer_calendar, transaction.acquirer_day) = (acquirer_calendar, acquirer_day);
    demands.count = 0;
    if !request.kind.spends() {
        return Ok(());
    }
    let (acquirer, merchant) = (request.acquirer.as_bytes(), request.merchant.as_bytes());
    let card = routed.range.limits.and_then(|position| snapshot.card_ceilings.get(usize::from(position)));
    let Known { terminal: terminals, merchant: merchants, .. } = routed.known;
    let mut ask = |rule: Option<&Rule>, scope, key: &dyn Fn() -> LimitKey, day| {
        charge(rule, scope, key, day, request, transaction, demands)
    };
    ask(card, Scope::Card, &|| LimitKey::card(&request.token, issuer_calendar), issuer_day)?;
    let rule = merchants.and_then(|terms| terms.ceilings.as_ref());
    ask(rule, Scope::Merchant, &|| LimitKey::merchant(acquirer, merchant, acquirer_calendar), acquirer_day)?;
    let rule = terminals.and_then(|terms| terms.ceilings.as_ref());
    let terminal = request.terminal.as_bytes();
    let key = || LimitKey::terminal(acquirer, merchant, terminal, acquirer_calendar);
    ask(rule, Scope::Terminal, &key, acquirer_day)?;
    ask(issuer.ceilings.as_ref(), Scope::Issuer, &|| LimitKey::issuer(issuer.id, issuer_calendar), issuer_day)
}

fn charge(
    rule: Option<&Rule>,
    scope: Scope,
    key: &dyn Fn() -> LimitKey,
    day: BusinessDay,
    request: &Request,
    transaction: &mut Transaction,
    demands: &mut Demands,
) -> Result<(), InternalCause> {
    let Some(rule) = rule else { return Ok(()) };
    let amount = Money { minor: request.amount, currency: request.currency };
    let billing = Money { minor: request.billing_amount, currency: request.billing_currency };
    let demand = match rule.demand(scope, key(), day, amount, billing) {
        // An advice is counted where it can be, and never refused.
        Err(exceeded) if !request.kind.is_advice() => return Err(exceeded.cause()),
        demand => demand.ok().flatten(),
    };
    let Some(demand) = demand else { return Ok(()) };
    let charged_in = ChargedIn::under(rule, amount.currency, billing.currency);
    transaction.charged = transaction.charged.with(scope, charged_in);
    if !request.kind.posts_on_approval() {
        transaction.charge(demand.charge());
    }
    demands.push(demand);
    Ok(())
}

/// What an issuer's answer is to a transaction. An approval is only one if everything that we sent and the issuer echoed
/// is the same, and carries an approval code where the issuer must give one; absent is not different.
pub(crate) fn stimulus(
    transaction: &Transaction,
    answer: &Answer,
    verdict: Verdict,
    require_approval_code: bool,
) -> Stimulus {
    let coded = !require_approval_code || answer.approval_code.is_some();
    match verdict {
        Verdict::Approves if coded && echoes(transaction, answer) => approves(&transaction.request, answer),
        Verdict::Approves => Stimulus::Mismatches,
        Verdict::Declines => Stimulus::Declines,
        #[cfg(pointsman_zoo)]
        Verdict::InDoubt if zoo::has(zoo::Bug::DoubtDeclines) => Stimulus::Declines,
        Verdict::InDoubt | Verdict::Neither => Stimulus::Doubtful,
    }
}

/// The amount decides how much of it: a part must be said to be one (10), and the terminal must be able to take it.
fn approves(request: &Request, answer: &Answer) -> Stimulus {
    let amount_sent = request.amount != 0 || request.flags.has(Flags::AMOUNT);
    let part = answer.code.as_bytes() == PART;
    #[cfg(pointsman_zoo)]
    let amount_sent = amount_sent && !zoo::has(zoo::Bug::AcceptOtherAmount);
    match answer.amount.filter(|_| amount_sent) {
        Some(amount) if amount == request.amount => Stimulus::Approves,
        Some(amount) if part && (1..request.amount).contains(&amount) && takes_part(request) => {
            Stimulus::ApprovesPart
        }
        None if !part => Stimulus::Approves,
        _ => Stimulus::Mismatches,
    }
}

fn takes_part(request: &Request) -> bool {
    request.flags.has(Flags::PARTIAL_CAPABLE) && matches!(request.kind, Kind::Purchase | Kind::PreAuth)
}

fn echoes(transaction: &Transaction, answer: &Answer) -> bool {
    #[cfg(pointsman_zoo)]
    if zoo::has(zoo::Bug::AcceptAnyEcho) {
        return true;
    }
    let request = &transaction.request;
    same(request.pan, answer.pan)
        && same(Some(transaction.rrn), answer.rrn)
        && same(Some(request.processing_code), answer.processing_code)
        && same((request.currency != Currency::NONE).then_some(request.currency), answer.currency)
        && same(
            text(request.terminal.trimmed()),
            answer.terminal.as_ref().and_then(|echo| text(echo.trimmed())),
        )
        && same(
            text(request.merchant.trimmed()),
            answer.merchant.as_ref().and_then(|echo| text(echo.trimmed())),
        )
}

fn same<T: PartialEq>(sent: Option<T>, echoed: Option<T>) -> bool {
    match (sent, echoed) {
        (Some(sent), Some(echoed)) => sent == echoed,
        _ => true,
    }
}

fn text(trimmed: &[u8]) -> Option<&[u8]> {
    (!trimmed.is_empty()).then_some(trimmed)
}

/// DE 39 of an approval of less than was asked for.
const PART: &[u8] = b"10";

const NO_DEMAND: Demand = Demand {
    scope: Scope::Card,
    key: LimitKey(0),
    day: BusinessDay::NEVER,
    amount: 0,
    ceilings: limits::Ceilings { currency: Currency::NONE, single: None, daily: None, count: None },
};
