//! Lists of networks, as the files write them: `["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]`.

use super::complaint::Complaint;
use super::reader::{Item, Reader};
use super::shape::Shape;
use crate::clients::Networks;
use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::Range;

/// The most networks of a list.
const MOST: usize = 10_000;
/// What a list looks like, for whoever wrote something else.
pub(super) const EXPECTED: &str = "[\"10.0.0.0/8\"]";

/// What a list may be.
pub(super) const SHAPE: Shape = Shape::List(&Shape::Text, 1..=MOST);

/// Reads a list.
pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Networks> {
    let before = reader.found.len();
    let listed = reader.texts(item, EXPECTED, network)?;
    if listed.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new(format!("`{}` is empty", item.key), "expected at least one network");
        return reader.complain(item, complaint);
    }
    compile(reader, item, listed)
}

/// Makes a set of what was read, each with its place.
pub(super) fn compile(
    reader: &mut Reader<'_>,
    item: &Item<'_>,
    listed: Vec<(IpNet, Range<usize>)>,
) -> Option<Networks> {
    if listed.len() > MOST {
        let label = format!("{} are too many", listed.len());
        return reader.complain(item, Complaint::new(format!("more than {MOST} networks"), label));
    }
    reader.twice("network", listed.iter().map(|(network, span)| (network, span)));
    Some(Networks::new(listed.into_iter().map(|(network, _)| network).collect()))
}

/// Reads a network, or an address, which is one of its own.
pub(super) fn network(text: &str) -> Result<IpNet, Complaint> {
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else { return Err(not_a_network(text)) };
    let whole = IpNet::from(address);
    let Some(length) = length else { return no_other_form(text, whole) };
    let most = whole.max_prefix_len();
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let network =
        length.parse().ok().filter(|_| is_number).and_then(|length| IpNet::new(address, length).ok());
    let Some(network) = network else {
        let complaint = Complaint::new(
            format!("`/{length}` is no prefix of an address"),
            format!("expected `/0` to `/{most}`"),
        );
        return Err(complaint.within(text.len() - length.len() - 1..text.len()));
    };
    if network != network.trunc() {
        let complaint = Complaint::new(
            format!("`{text}` is an address within a network"),
            format!("bits are set behind the first {}", network.prefix_len()),
        );
        let right = network.trunc();
        return Err(
            complaint.help(format!("write \"{right}\" for the network, or \"{address}\" for the address"))
        );
    }
    no_other_form(text, network)
}

/// Clients of IPv4 are known by their IPv4 addresses, whatever socket they come by: in the other form none would be found.
fn no_other_form(text: &str, network: IpNet) -> Result<IpNet, Complaint> {
    let mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped().zip(network.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let Some((address, length)) = mapped else { return Ok(network) };
    let right = if length == 32 { address.to_string() } else { format!("{address}/{length}") };
    let complaint = Complaint::new(
        format!("`{text}` is IPv4 written as IPv6"),
        "clients of IPv4 have IPv4 addresses here",
    );
    Err(complaint.help(format!("write \"{right}\"")))
}

fn not_a_network(text: &str) -> Complaint {
    let complaint = Complaint::new(
        format!("`{text}` is not a network"),
        "expected an address, or a network such as \"10.0.0.0/8\"",
    );
    if text == "localhost" { complaint.help("write \"127.0.0.0/8\" and \"::1\"") } else { complaint }
}
