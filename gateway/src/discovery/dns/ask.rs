//! The questions: what DNS servers say of a name, asked by hickory, which knows datagrams and streams, several servers, and
//! aliases. Only it is named here.

use super::MAX_LISTED;
use super::host::{Answer, Answers};
use super::service::Record;
use crate::config::DnsSettings;
use crate::discovery::names::lock;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver, system_conf};
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Hosts of one service that are asked for at the same time.
const HOSTS_AT_ONCE: usize = 16;

/// Asks the servers of the settings.
pub(in crate::discovery) struct Asker {
    settings: DnsSettings,
    /// Made when it is first needed, and again if that fails.
    servers: Mutex<Option<Arc<Servers>>>,
}

/// Whom to ask, and for what where a name is not whole.
struct Servers {
    resolver: TokioResolver,
    search: Vec<Name>,
    /// So many full stops make a name be tried as it stands first.
    ndots: usize,
}

impl Asker {
    pub(in crate::discovery) fn new(settings: &DnsSettings) -> Asker {
        Asker { settings: settings.clone(), servers: Mutex::default() }
    }

    /// Asks for the addresses of both families, within the settings' timeout.
    pub(super) async fn addresses(&self, host: &str) -> Answers {
        let deadline = Instant::now() + self.settings.timeout;
        match self.asking(host) {
            Ok((servers, names)) => servers.addresses(names, deadline).await,
            Err(error) => [Answer::Failed(error.clone()), Answer::Failed(error)],
        }
    }

    /// Asks for the records of a service, and for the addresses of the hosts that they name, all within the settings' timeout.
    pub(super) async fn service(&self, name: &str) -> (Answer<Record>, Vec<(String, Answers)>) {
        let deadline = Instant::now() + self.settings.timeout;
        let (servers, names) = match self.asking(name) {
            Ok(asking) => asking,
            Err(error) => return (Answer::Failed(error), Vec::new()),
        };
        let records = servers.records(names, deadline).await;
        let hosts = match &records {
            Answer::Found(records, _) => servers.hosts(records, deadline).await,
            _ => Vec::new(),
        };
        (records, hosts)
    }

    /// Whom to ask, and for which whole names.
    fn asking(&self, name: &str) -> Result<(Arc<Servers>, Vec<Name>), String> {
        let servers = self.servers()?;
        let names = servers.names(name).map_err(|error| error.to_string())?;
        Ok((servers, names))
    }

    fn servers(&self) -> Result<Arc<Servers>, String> {
        let mut servers = lock(&self.servers);
        if let Some(servers) = &*servers {
            return Ok(servers.clone());
        }
        let made = Servers::new(&self.settings).map_err(|error| error.to_string())?;
        Ok(servers.insert(Arc::new(made)).clone())
    }
}

impl Servers {
    fn new(settings: &DnsSettings) -> Result<Servers, NetError> {
        let (config, mut options) = if settings.servers.is_empty() {
            system_conf::read_system_conf()?
        } else {
            let servers = settings.servers.iter().map(|server| name_server(*server)).collect();
            (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
        };
        // A server that is silent leaves time for another one, or for a second attempt.
        options.timeout = settings.timeout / 2;
        options.attempts = 1;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.edns0 = true;
        let (search, ndots) = (config.search().to_vec(), options.ndots);
        let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .build()?;
        Ok(Servers { resolver, search, ndots })
    }

    /// The whole names that a host may stand for, in the order in which they are tried.
    fn names(&self, host: &str) -> Result<Vec<Name>, NetError> {
        let name = Name::from_ascii(host)?;
        if name.is_fqdn() {
            return Ok(vec![name]);
        }
        let mut whole = name.clone();
        whole.set_fqdn(true);
        // What becomes too long with a domain of the list is none of its names.
        let mut all: Vec<Name> =
            self.search.iter().filter_map(|domain| name.clone().append_domain(domain).ok()).collect();
        let as_it_stands = if host.matches('.').count() >= self.ndots { 0 } else { all.len() };
        all.insert(as_it_stands, whole);
        Ok(all)
    }

    /// Asks for the addresses of the first of these names that is known.
    async fn addresses(&self, names: Vec<Name>, deadline: Instant) -> Answers {
        let mut missing = None;
        for name in names {
            let question = |kind| self.question(&name, kind, deadline, address);
            let answers: Answers = tokio::join!(question(RecordType::A), question(RecordType::AAAA)).into();
            // After a failure the next name could be another one's.
            if answers.iter().any(|answer| !matches!(answer, Answer::Missing(_))) {
                return answers;
            }
            missing = answers.iter().filter_map(Answer::missing_for).chain(missing).min();
        }
        [Answer::Missing(missing), Answer::Missing(missing)]
    }

    /// The same of SRV records.
    async fn records(&self, names: Vec<Name>, deadline: Instant) -> Answer<Record> {
        let mut missing = None;
        for name in names {
            let answer = self.question(&name, RecordType::SRV, deadline, record).await;
            let Answer::Missing(ttl) = answer else { return answer };
            missing = missing.into_iter().chain(ttl).min();
        }
        Answer::Missing(missing)
    }

    /// Asks for the hosts of these records; of too many for those of the lowest priorities.
    async fn hosts(self: &Arc<Self>, records: &[Record], deadline: Instant) -> Vec<(String, Answers)> {
        let mut by_priority: Vec<&Record> = records.iter().collect();
        by_priority.sort_by_key(|record| record.priority);
        let mut known = HashSet::new();
        let hosts = by_priority.into_iter().map(|record| &record.target).filter(|host| known.insert(*host));
        let (mut asked, mut answers) = (JoinSet::new(), Vec::new());
        for host in hosts.take(MAX_LISTED) {
            if asked.len() == HOSTS_AT_ONCE {
                answers.extend(asked.join_next().await.into_iter().flatten());
            }
            let (servers, host) = (self.clone(), host.clone());
            asked.spawn(async move {
                let answers = match Name::from_ascii(&host) {
                    Ok(name) => servers.addresses(vec![name], deadline).await,
                    Err(error) => [Answer::Failed(error.to_string()), Answer::Failed(error.to_string())],
                };
                (host, answers)
            });
        }
        while let Some(answered) = asked.join_next().await {
            answers.extend(answered);
        }
        answers
    }

    async fn question<T>(
        &self,
        name: &Name,
        kind: RecordType,
        deadline: Instant,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Answer<T> {
        match timeout_at(deadline, self.resolver.lookup(name.clone(), kind)).await {
            Ok(Ok(lookup)) => {
                let records = lookup.answers();
                let found: Vec<T> = records.iter().filter_map(|record| read(&record.data)).collect();
                let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
                if found.is_empty() {
                    return Answer::Missing(None);
                }
                Answer::Found(found, Duration::from_secs(ttl.into()))
            }
            Ok(Err(error)) => failure(error),
            Err(_) => Answer::Failed("no answer in time".to_owned()),
        }
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    server.connections.iter_mut().for_each(|connection| connection.port = address.port());
    server
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
        _ => None,
    }
}

/// A record of a service. One whose target is the root says that the service is not there (RFC 2782); one of port 0 says nothing.
fn record(data: &RData) -> Option<Record> {
    let RData::SRV(srv) = data else { return None };
    let target = srv.target.to_ascii().to_ascii_lowercase();
    let sound = !srv.target.is_root() && srv.port != 0;
    sound.then_some(Record { priority: srv.priority, weight: srv.weight, port: srv.port, target })
}

fn failure<T>(error: NetError) -> Answer<T> {
    match &error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            Answer::Missing(none.negative_ttl.map(|ttl| Duration::from_secs(ttl.into())))
        }
        NetError::Timeout => Answer::Failed("no answer".to_owned()),
        _ => Answer::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::net::NoRecords;
    use hickory_resolver::proto::op::Query;

    fn servers(search: &[&str], ndots: usize) -> Servers {
        let settings = DnsSettings { servers: vec![([127, 0, 0, 1], 53).into()], ..DnsSettings::default() };
        let search = search.iter().map(|domain| Name::from_ascii(domain).expect("a name")).collect();
        Servers { search, ndots, ..Servers::new(&settings).expect("nothing is asked yet") }
    }

    #[test]
    fn a_name_that_is_not_whole_is_tried_with_the_search_list_as_the_system_does() {
        let cluster = ["ns.svc.cluster.local.", "svc.cluster.local.", "cluster.local"];
        for (search, ndots, host, expected) in [
            (&cluster[..], 5, "shop.", "shop."),
            (
                &cluster,
                5,
                "shop",
                "shop.ns.svc.cluster.local. shop.svc.cluster.local. shop.cluster.local. shop.",
            ),
            (&cluster[1..2], 1, "shop.ns", "shop.ns. shop.ns.svc.cluster.local."),
            (&cluster[1..2], 2, "shop.ns", "shop.ns.svc.cluster.local. shop.ns."),
            (&[], 1, "shop", "shop."),
        ] {
            let names = servers(search, ndots).names(host).expect("a checked name");
            assert!(names.iter().all(Name::is_fqdn), "so that nobody adds to them: {names:?}");
            let shown: Vec<String> = names.iter().map(Name::to_ascii).collect();
            assert_eq!(shown.join(" "), expected, "{host}");
        }
        let long = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)].join(".");
        assert_eq!(
            servers(&cluster, 9).names(&long).expect("a checked name").len(),
            1,
            "too long with any domain"
        );
    }

    #[test]
    fn only_a_server_that_says_so_makes_a_name_missing() {
        let none = |code, ttl| -> Answer<IpAddr> {
            let mut none = NoRecords::new(Box::new(Query::default()), code);
            none.negative_ttl = ttl;
            failure(none.into())
        };
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(none(ResponseCode::NXDomain, Some(7)), Answer::Missing(seconds(7)));
        assert_eq!(none(ResponseCode::NoError, None), Answer::Missing(None));
        for failed in [
            none(ResponseCode::ServFail, Some(7)),
            none(ResponseCode::Refused, None),
            failure(NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail))),
            failure(NetError::Timeout),
            failure(NetError::NoConnections),
        ] {
            assert!(matches!(failed, Answer::Failed(_)), "{failed:?}");
        }
    }
}
