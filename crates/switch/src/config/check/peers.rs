//! What listeners and links share: dialect, framing, addresses, and who may go without proving who he is.
//! Never looks a host name up. Guards: nothing off loopback is open to strangers unless somebody wrote that down.

use super::Known;
use crate::config::raw::Field;
use crate::config::section::Section;
use crate::config::source::Span;
use crate::config::suggest;
use crate::config::types::Address;
use framing::Framing;
use iso8583::Dialect;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use terms::Text;
use toml::Spanned;

/// A built-in dialect by name, or one from a file ending in `.toml`.
pub(super) fn dialect(
    section: &mut Section<'_>,
    field: &Field<String>,
    known: &Known<'_>,
) -> Option<Arc<Dialect>> {
    let name = section.required("dialect", field, "the name of a dialect or a .toml file")?;
    let (text, span) = (name.get_ref(), name.span());
    if text.ends_with(".toml") {
        return dialect_file(section, text, span, known);
    }
    let found = Dialect::builtin(text);
    if found.is_none() {
        let expected = suggest::expected(text, Dialect::builtin_names());
        section.problem(span, format!("dialect = \"{text}\", {expected} (or a .toml file)"));
    }
    found
}

fn dialect_file(
    section: &mut Section<'_>,
    name: &str,
    span: Span,
    known: &Known<'_>,
) -> Option<Arc<Dialect>> {
    let path = section.source.resolve(name);
    if let Some(read) = known.dialects.borrow().get(&path) {
        return read.clone();
    }
    let read = std::fs::read_to_string(&path)
        .map_err(|fault| format!("dialect = \"{name}\": cannot read {}: {fault}", path.display()))
        .and_then(|text| {
            Dialect::parse(&text, name).map_err(|errors| format!("dialect = \"{name}\": {errors}"))
        });
    let read = read.map(Arc::new).map_err(|text| section.problem(span, text)).ok();
    known.dialects.borrow_mut().insert(path, read.clone());
    read
}

/// A framing by name, with its bound.
pub(super) fn framing(
    section: &mut Section<'_>,
    field: &Field<String>,
    max_frame: &Field<i64>,
) -> Option<Framing> {
    let name = section.required("framing", field, "the name of a framing")?;
    let found = Framing::by_name(name.get_ref());
    if found.is_none() {
        let expected = suggest::expected(name.get_ref(), Framing::names());
        section.problem(name.span(), format!("framing = \"{}\", {expected}", name.get_ref()));
    }
    let framing = found?;
    let most = framing.length.greatest().min(u64::from(FRAME_MAX)) as u32;
    let max_frame =
        section.number("max_frame_bytes", max_frame, 64..=most, framing::MAX_FRAME_DEFAULT.min(most));
    Some(Framing { max_frame, ..framing })
}

/// An address and port to listen on.
pub(super) fn address(section: &mut Section<'_>, key: &str, value: &Spanned<String>) -> Option<SocketAddr> {
    let found = value.get_ref().parse().ok();
    if found.is_none() {
        let expected = "expected an address and port such as \"127.0.0.1:7001\" or \"[::]:7001\"";
        section.problem(value.span(), format!("{key} = \"{}\", {expected}", value.get_ref()));
    }
    found
}

/// A host and port to connect to.
pub(super) fn host(section: &mut Section<'_>, field: &Field<String>) -> Option<Address> {
    let value = section.required("address", field, "a host and port such as \"issuer.example:8583\"")?;
    let found = split(value.get_ref());
    if found.is_none() {
        let expected = "expected a host and port such as \"issuer.example:8583\" or \"[::1]:8583\"";
        section.problem(value.span(), format!("address = \"{}\", {expected}", value.get_ref()));
    }
    found
}

fn split(text: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let bare = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    let is_address = bare.parse::<IpAddr>().is_ok();
    // A colon is part of an address only inside brackets: "::1:8583" could be read two ways.
    let is_name =
        !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_name || is_address && host != bare).then(|| Address { host: bare.to_owned(), port })
}

/// DE 32 or 33 as digits.
pub(super) fn institution(section: &mut Section<'_>, key: &str, value: &Spanned<String>) -> Option<Text<11>> {
    let text = value.get_ref();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let found = Text::new(text.as_bytes()).filter(|_| digits);
    if found.is_none() {
        section.problem(value.span(), format!("{key} = \"{text}\", expected 1 to 11 digits"));
    }
    found
}

/// DE 41 or 42 of up to `N` characters, without the padding it has on the wire.
pub(super) fn identity<const N: usize>(
    section: &mut Section<'_>,
    key: &str,
    value: &Spanned<String>,
) -> Option<Text<N>> {
    let text = value.get_ref();
    let graphic = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let found = Text::new(text.as_bytes()).filter(|_| graphic);
    if found.is_none() {
        let expected = format!("expected 1 to {N} printable ASCII characters without spaces");
        section.problem(value.span(), format!("{key} = \"{text}\", {expected}"));
    }
    found
}

/// Whether only this machine can be at the other end.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses what is open to strangers, or warns where that was asked for.
pub(super) fn authenticated(
    section: &mut Section<'_>,
    at: Span,
    proven: bool,
    wanted: &str,
    allow: &Field<bool>,
) {
    if proven {
        return;
    }
    let open = format!("is reached from other machines without {wanted}");
    match allow.as_ref().is_some_and(|allow| *allow.get_ref()) {
        true => {
            section.notes.warn(Some(at), &section.place, format!("{open}: whoever reaches it is believed"))
        }
        false => section.problem(at, format!("{open}, expected them, or allow_unauthenticated = true")),
    }
}

/// What becomes of DE 52: goes no further, or goes on as it came.
pub(super) const PIN: [(&str, bool); 2] = [("none", false), ("passthrough", true)];

/// Larger messages than any card scheme has.
const FRAME_MAX: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        let good = |text: &str| split(text).map(|address| (address.host, address.port)).unwrap();
        assert_eq!(good("issuer.example:8583"), ("issuer.example".into(), 8583));
        assert_eq!(good("127.0.0.1:1"), ("127.0.0.1".into(), 1));
        assert_eq!(good("[::1]:8583"), ("::1".into(), 8583));
        for wrong in ["", "host", "host:", ":1", "host:0", "host:65536", "::1:8583", "[::1:8583", "a b:1"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
        assert!(is_loopback("::1") && is_loopback("localhost") && !is_loopback("10.0.0.1"));
    }
}
