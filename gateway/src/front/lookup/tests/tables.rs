//! Random tables: routes of several files that ask different things of their callers.

use crate::config::testing::Folder;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{select, subsequence};
use std::collections::BTreeSet;

/// A segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    Literal(&'static str),
    /// Any text, and then that one.
    Parameter(&'static str),
    /// All that is left.
    Tail,
}

/// The authenticators that each table declares: API keys in `x-api-key`, in `x-other-key`, and as bearer tokens; tokens of two issuers; the
/// user 1001.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authenticator {
    Keys,
    OtherKeys,
    BearerKeys,
    Tokens,
    OtherTokens,
    Users,
}

const AUTHENTICATORS: [Authenticator; 6] = [
    Authenticator::Keys,
    Authenticator::OtherKeys,
    Authenticator::BearerKeys,
    Authenticator::Tokens,
    Authenticator::OtherTokens,
    Authenticator::Users,
];

/// Who may call; the last says whether whoever shows nothing may.
pub(super) type Auth = (Vec<Authenticator>, bool);

/// A route, with what its file says of it.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: Vec<Segment>,
    /// It leads to that one, if that is one of the same method that calls.
    rewrites: Option<usize>,
    pub(super) auth: Auth,
    /// What is required: scopes of the route and of its file, and the tenant `acme`.
    scopes: [Option<&'static str>; 2],
    pub(super) needs_tenant: bool,
    file: usize,
    /// It says itself who may call.
    own: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Random {
    pub(super) routes: Vec<Route>,
    files: Vec<File>,
}

/// What holds for the routes of a file that do not say it, and whether its paths are below `/v1`.
#[derive(Clone, Debug)]
struct File {
    prefix: bool,
    auth: Auth,
    scope: Option<&'static str>,
    slash: &'static str,
}

impl Route {
    /// The scopes that are required.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.scopes.into_iter().flatten()
    }
}

impl Random {
    /// Where a request of a route that rewrites leads to, with what its parameters caught.
    pub(super) fn leads_to(&self, at: usize, caught: &[String]) -> Option<String> {
        let to = self.target(at)?;
        let mut caught = caught.iter();
        let mut of = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Parameter("") | Segment::Tail => {
                format!("/{}", caught.next().map_or("z", String::as_str))
            }
            Segment::Parameter(suffix) => format!("/z{suffix}"),
        };
        Some(self.routes[to].path.iter().map(&mut of).collect())
    }

    /// Whether the route leads to another one.
    pub(super) fn rewrites(&self, at: usize) -> bool {
        self.target(at).is_some()
    }

    /// Whether a path of the table is another one to somebody who does not mind capitals.
    pub(super) fn has_capitals(&self) -> bool {
        self.routes.iter().any(|route| route.path.contains(&Segment::Literal("Admin")))
    }

    /// The route that a rewrite was made for.
    fn target(&self, at: usize) -> Option<usize> {
        let to = self.routes[at].rewrites? % self.routes.len();
        let fits = to != at && self.routes[to].rewrites.is_none();
        (fits && self.routes[to].method == self.routes[at].method).then_some(to)
    }

    /// The files.
    pub(super) fn texts(&self, folder: &Folder) -> Vec<(String, String)> {
        let file = |name: &str| folder.path(name).display().to_string();
        let keys = |name: &str, header: &str| {
            format!("[auth.{name}]\ntype = 'api_key'\nfile = '{}'\nheader = '{header}'\n", file("keys.toml"))
        };
        let tokens = |name: &str, issuer: &str, secret: &str| {
            let secret = format!("secret = {{ file = '{}' }}\nalgorithms = ['HS256']\n", file(secret));
            format!("[auth.{name}]\ntype = 'jwt'\n{secret}issuer = '{issuer}'\naudience = 'a'\n")
        };
        let declared = [
            keys("keys", "x-api-key"),
            keys("otherkeys", "x-other-key"),
            keys("bearerkeys", "authorization"),
            tokens("tokens", "one", "secret"),
            tokens("othertokens", "two", "other"),
            "[auth.users]\ntype = 'unix'\nusers = [1001]\n".to_owned(),
            "[backends.b]\nendpoints = ['127.0.0.1:1']\n".to_owned(),
        ];
        let mut all = vec![("auth.toml".to_owned(), declared.concat())];
        all.extend((0..self.files.len()).map(|at| (format!("f{at}.toml"), self.file(at))));
        all
    }

    fn file(&self, at: usize) -> String {
        let File { prefix, auth, scope, slash } = &self.files[at];
        let mut text = format!("auth = {}\ntrailing_slash = '{slash}'\n", shown(auth));
        if *prefix {
            text += "prefix = '/v1'\n";
        }
        text += &require(*scope, false);
        for (number, route) in self.routes.iter().enumerate().filter(|(_, route)| route.file == at) {
            let path = written(&route.path, usize::from(*prefix));
            text += &format!("[[routes]]\nmatch = '{} {path}'\n", route.method);
            text += &match self.leads_to(number, &names(&route.path)) {
                None => format!("backend = 'b'\ncall = 's.m{number}'\n"),
                Some(to) => format!("rewrite = '{to}'\n"),
            };
            if route.own {
                text += &format!("auth = {}\n", shown(&route.auth));
            }
            text += &require(route.scopes[0], route.needs_tenant);
        }
        text
    }
}

/// What a rewrite has in the place of what the parameters catch. A tail leads nowhere.
fn names(path: &[Segment]) -> Vec<String> {
    let all = path.iter().enumerate();
    let parameters = all.filter(|(_, segment)| matches!(segment, Segment::Parameter(_)));
    parameters.map(|(at, _)| format!("{{p{at}}}")).collect()
}

/// A path as a file has it that puts the first segments before it.
fn written(path: &[Segment], first: usize) -> String {
    let of = |(at, segment): (usize, &Segment)| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Parameter(suffix) => format!("/{{p{at}}}{suffix}"),
        Segment::Tail => "/{*t}".to_owned(),
    };
    path.iter().enumerate().skip(first).map(of).collect()
}

fn shown((authenticators, anonymous): &Auth) -> String {
    let named = authenticators.iter().map(|one| format!("{one:?}").to_lowercase());
    let all: Vec<String> = named.chain(anonymous.then(|| "anonymous".to_owned())).collect();
    format!("{all:?}")
}

fn require(scope: Option<&str>, tenant: bool) -> String {
    let scopes = scope.map(|scope| format!("scopes = ['{scope}']"));
    let tenant = tenant.then(|| "claims = { tenant = 'acme' }".to_owned());
    let all: Vec<String> = scopes.into_iter().chain(tenant).collect();
    if all.is_empty() { String::new() } else { format!("require = {{ {} }}\n", all.join(", ")) }
}

/// Up to three authenticators, and now and then anybody.
fn auth() -> impl Strategy<Value = Auth> {
    let some = subsequence(AUTHENTICATORS.to_vec(), 0..=3).prop_shuffle();
    (some, proptest::bool::weighted(0.25)).prop_map(|(some, anybody)| {
        let anonymous = anybody || some.is_empty();
        (some, anonymous)
    })
}

fn path() -> impl Strategy<Value = Vec<Segment>> {
    let literal = || select(vec!["users", "admin", "Admin", "secret", "files"]).prop_map(Segment::Literal);
    let segment = prop_oneof![
        3 => literal(),
        1 => Just(Segment::Parameter("")),
    ];
    let last = prop_oneof![
        4 => literal(),
        2 => Just(Segment::Tail),
        1 => Just(Segment::Parameter("")),
        1 => Just(Segment::Parameter(":cancel")),
    ];
    (vec(segment, 0..=2), last).prop_map(|(mut path, last)| {
        path.push(last);
        path
    })
}

/// Where something is required, somebody may have it.
fn may_fit((authenticators, _): &mut Auth) {
    if authenticators.iter().all(|one| *one == Authenticator::Users) {
        authenticators.push(Authenticator::Keys);
    }
}

/// Whether no table has the path beside these: it is one of them, or has a parameter where that has a tail.
fn conflicts(taken: &BTreeSet<(&'static str, Vec<Segment>)>, method: &'static str, path: &[Segment]) -> bool {
    taken.iter().filter(|(other, _)| *other == method).any(|(_, other)| {
        let same = path.iter().zip(other).take_while(|(one, other)| one == other).count();
        let is_open = |path: &[Segment]| !matches!(path.get(same), Some(Segment::Literal(_)) | None);
        (same == path.len() && same == other.len()) || (is_open(path) && is_open(other))
    })
}

/// Any table.
pub(super) fn random() -> impl Strategy<Value = Random> {
    let scope = || option::weighted(0.25, select(vec!["a", "b"]));
    let slash = select(vec!["strict", "ignore", "redirect"]);
    let file = (any::<bool>(), auth(), scope(), slash);
    let file = file.prop_map(|(prefix, mut auth, scope, slash)| {
        if scope.is_some() {
            may_fit(&mut auth);
        }
        File { prefix, auth, scope, slash }
    });
    let what = (select(vec!["GET", "GET", "POST"]), path(), option::weighted(0.25, 0..8usize), 0..3usize);
    let who = (option::weighted(0.6, auth()), scope(), proptest::bool::weighted(0.15));
    (vec(file, 3), vec((what, who), 3..=9)).prop_map(|(files, all)| {
        let (mut taken, mut routes) = (BTreeSet::new(), Vec::new());
        for ((method, path, rewrites, file), (auth, scope, needs_tenant)) in all {
            let of: &File = &files[file];
            let path: Vec<Segment> =
                of.prefix.then_some(Segment::Literal("v1")).into_iter().chain(path).collect();
            if conflicts(&taken, method, &path) {
                continue;
            }
            taken.insert((method, path.clone()));
            let scopes = [scope, of.scope];
            let mut auth = auth.unwrap_or_else(|| of.auth.clone());
            if needs_tenant || scopes != [None; 2] {
                may_fit(&mut auth);
            }
            let own = auth != of.auth;
            routes.push(Route { method, path, rewrites, auth, scopes, needs_tenant, file, own });
        }
        Random { routes, files }
    })
}
