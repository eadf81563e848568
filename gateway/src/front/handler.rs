//! What is done with a request, from top to bottom: its route, the route's steps, its body, the route's action, the reply.

use super::accept;
use super::actions;
use super::ask;
use super::ask_http;
use super::cors;
use super::deadline::{Clocks, deadline};
use super::exchange::Exchange;
use super::forms::{self, Form};
use super::hash_key::hash_key;
use super::https;
use super::idempotency_key;
use super::identity;
use super::lookup::{Lookup, Met, Room, look_up};
use super::metadata::{self, Origin};
use super::miss::options;
use super::notify;
use super::outside;
use super::reply::{self, Reply};
use super::tools;
use super::traffic;
use super::websocket;
use crate::auth::Pending;
use crate::call;
use crate::config::{AuthKind, CallMode};
use crate::failure::Failure;
use crate::overload::is_bounded;
use crate::routes::{Action, CallAction, PathParams, query_pairs};
use crate::steps::Arrival;
use crate::transport::Times;
use crate::worker::{LocalTable, RouteRef, Worker};
use callgate_protocol::MetadataBuf;
use std::rc::Rc;
use tokio::time::Instant;

/// Handles an exchange's request, and gives its reply.
pub(super) async fn handle(exchange: &mut Exchange) -> Reply {
    let result = match decide(exchange).await {
        // On the heap, as all that is rare.
        Ok(reply) if reply.form.is_some() || reply.has_begun() || exchange.tally.compresses() => {
            Box::pin(reply::in_form(asked(exchange), reply)).await
        }
        Ok(mut reply) => {
            exchange.settle_reply(&mut reply);
            return reply;
        }
        failed => failed,
    };
    let compresses = result.is_err() && exchange.tally.compresses();
    let reply = exchange.settle(result);
    if compresses { Box::pin(reply::compressed(asked(exchange), reply)).await } else { reply }
}

/// The reply to an exchange's request before it has its form, or why there is none.
pub(super) async fn decide(exchange: &mut Exchange) -> Result<Reply, Failure> {
    if let Some(reply) = https::admit(exchange.connection(), &exchange.head)? {
        return Ok(reply);
    }
    let list = exchange.connection().listener.clients.list.as_ref();
    if list.is_some_and(|list| !list.admits(exchange.context.client)) {
        return Err(Failure::ClientNotAllowed);
    }
    loop {
        let table = exchange.worker.table();
        let failure = match reply_by(&table, exchange).await {
            Ok(reply) => return Ok(reply),
            Err(Ended::Failed(failure)) => failure,
            Err(Ended::Waits(_)) if exchange.told().is_some() => {
                let told = exchange.told().into_iter();
                told.for_each(|told| {
                    told.is_open("authenticate", "whether it may go on, the authenticator would say")
                });
                return Ok(Reply::empty(0));
            }
            Err(Ended::Calls) => continue,
            Err(Ended::Waits(route)) => {
                // On the heap, as all that is rare.
                Box::pin(verify(exchange, &route)).await?;
                exchange.tally.counts_for(None);
                exchange.guards.passed.leave();
                continue;
            }
        };
        // A table may be swapped while the body arrives or the call waits. A call that then finds its instances gone has
        // not run, or may run again: it is looked up again.
        if !failure.is_absence() || exchange.worker.table().generation == table.generation {
            return Err(failure);
        }
        exchange.tally.counts_for(None);
        exchange.guards.passed.leave();
    }
}

/// What says in which form the client gets its reply.
fn asked(exchange: &Exchange) -> reply::Asked<'_> {
    let (compresses, answers) = (exchange.tally.compresses(), &exchange.worker.shared.answers);
    let call = exchange.tally.call();
    reply::Asked { head: &exchange.head, call, compresses, answers }
}

/// Why there is no reply by a table.
enum Ended {
    /// The request has failed.
    Failed(Failure),
    /// It is to be verified who calls that route, and then looked up again.
    Waits(RouteRef),
    /// A request of the tool's route stands in the place of the agent's, and is looked up now.
    Calls,
}

impl<F: Into<Failure>> From<F> for Ended {
    fn from(failure: F) -> Ended {
        Ended::Failed(failure.into())
    }
}

/// Has it verified who calls a route, by whomever its authenticator names.
async fn verify(exchange: &mut Exchange, route: &RouteRef) -> Result<(), Failure> {
    let Some((authenticator, pending)) = exchange.guards.passed.take_pending() else { return Ok(()) };
    let (worker, client) = (&exchange.worker, exchange.context.client);
    let verdict = match pending {
        Pending::Login(login) => {
            let known = (worker.id, &worker.verified);
            worker.logins.verify(&authenticator, *login, client, known).await?
        }
        Pending::Question => match &authenticator.spec.kind {
            AuthKind::Http(spec) => {
                let (verdict, challenge) = ask_http::ask(exchange, &authenticator, spec).await?;
                exchange.guards.passed.is_challenged(challenge);
                Some(verdict)
            }
            _ => ask::ask(exchange, route, &authenticator).await?,
        },
    };
    if let Some(verdict) = verdict {
        exchange.guards.passed.hears(&authenticator, verdict);
    }
    Ok(())
}

/// The reply by a table.
async fn reply_by(table: &Rc<LocalTable>, exchange: &mut Exchange) -> Result<Reply, Ended> {
    if exchange.head.method() == "OPTIONS" {
        let mut reply = options(&exchange.head, table)?;
        cors::put_preflight(table, &exchange.head, &mut reply);
        return Ok(reply);
    }
    let (head, began) = (&exchange.head, exchange.context.began);
    let arrival = Arrival {
        worker: exchange.worker.id,
        client: exchange.context.client,
        peer: exchange.on_connection.connection().peer(),
        verified: &exchange.worker.verified,
        fields: head.fields(),
        now: began,
    };
    let mut room = Room::default();
    let passed = &mut exchange.guards.passed;
    let Met { route, captured, params } =
        match look_up(table, head, &arrival, passed, &mut exchange.tally, &mut room)? {
            Lookup::Met(met) => met,
            Lookup::Elsewhere(reply) => return Ok(reply),
            Lookup::Waits(route) => return Err(Ended::Waits(route)),
        };
    if exchange.guards.called.as_ref().is_some_and(|called| !called.is(&route)) {
        return Err(Failure::AmbiguousPath.into());
    }
    match &route.action {
        Action::Call(action) => {
            if action.spec.websocket.is_some() && exchange.told().is_some() {
                websocket::admit(exchange, action)?;
            } else if action.spec.websocket.is_some() {
                let along = along(exchange, action)?;
                // On the heap, as all that is rare.
                return Ok(Box::pin(websocket::open(exchange, (&route, action), params, along)).await?);
            }
            if action.spec.mode == CallMode::Answer {
                accept::check(head.fields(), action)?;
            }
            let (metadata, has_key) = along(exchange, action)?;
            let turned_away = |failure: &Failure| exchange.tally.turned_away(failure);
            early(&exchange.worker, action, exchange.body.is_there(head), began).inspect_err(turned_away)?;
            let read = exchange
                .body
                .read(head, &exchange.worker.shared, (&action.spec.body, &action.spec.stream))
                .await;
            read.inspect_err(turned_away)?;
            let again = exchange.context.came.is_some() || exchange.guards.passed.has_waited();
            let now = if exchange.body.waited() || again { Instant::now() } else { began };
            let clocks = Clocks { began, came: *exchange.context.came.get_or_insert(now), now };
            let bytes = exchange.body.bytes(head);
            let form = forms::read(exchange.body.media(), bytes)?;
            let metadata = (&metadata, has_key);
            let request = request(exchange, (&route, action), params, metadata, clocks, form.as_ref())?;
            Ok(if exchange.body.is_streaming() {
                Box::pin(exchange.body.beside(head, answered(exchange, request))).await?
            } else if is_plain(action) {
                Reply::of_call(&action.spec, call::run(&exchange.worker, &request).await?)
            } else {
                // On the heap, so that what few routes take costs the others nothing.
                Box::pin(answered(exchange, request)).await?
            })
        }
        Action::Local(reply) => Ok(actions::local(&route, reply, &captured, head.query())?),
        Action::Document(document) => Ok(actions::document(document)?),
        // On the heap, as all that is rare.
        Action::Tools(tools) => match Box::pin(tools::answer(exchange, &route, tools)).await? {
            Some(reply) => Ok(reply),
            None => Err(Ended::Calls),
        },
        Action::Rewrite(_) => Err(Failure::RewriteLoop(head.path().to_owned()).into()),
    }
}

/// What goes along with a request's call, and whether a key does by which its method knows it.
fn along(exchange: &Exchange, action: &CallAction) -> Result<(MetadataBuf, bool), Failure> {
    let fields = exchange.head.fields();
    let listed = action.spec.policy.metadata.names();
    let mut metadata = metadata::of(listed, fields, &Origin::of(exchange))?;
    if let Some(certificate) = exchange.connection().shown_certificate() {
        certificate.tell(&mut metadata);
    }
    if let Some(caller) = exchange.guards.passed.identified() {
        identity::tell(caller, &action.spec.policy.forward_claims, &mut metadata)?;
    }
    let has_key = action.spec.idempotency_key && idempotency_key::put(fields, listed, &mut metadata)?;
    Ok((metadata, has_key))
}

/// Turns a request away before its body is read, if it would be in any case; one that is there already is no reason to hurry.
fn early(worker: &Worker, action: &CallAction, is_there: bool, now: Instant) -> Result<(), Failure> {
    let CallAction { backend, traffic, spec, .. } = action;
    // Which backend a split takes is not known yet.
    if !is_bounded(&backend.spec.overload, &backend.gauge) || is_there || traffic.is_some() {
        return Ok(());
    }
    let Some(local) = worker.pool.backend(backend) else {
        return Ok(());
    };
    let reason = local.admission.shed_early(spec.policy.priority, now);
    reason.map_or(Ok(()), |reason| Err(Failure::Shed(reason)))
}

/// The call that a request makes.
fn request<'a>(
    exchange: &'a Exchange,
    (route, action): (&'a RouteRef, &'a CallAction),
    path: PathParams<'a>,
    (metadata, has_key): (&'a MetadataBuf, bool),
    clocks: Clocks,
    form: Option<&'a Form<'a>>,
) -> Result<call::Request<'a>, Failure> {
    let Exchange { head, body, .. } = exchange;
    let mut query = query_pairs(head.query().unwrap_or_default()).map_err(|_| Failure::query_not_utf8())?;
    action.spec.leave_out_ignored(&mut query);
    let mut bound = outside::of(&action.spec.outside, head, exchange.who())?;
    let body = match form {
        None => body.of_call(head),
        Some(form) => {
            form.tell(&action.spec.outside, &mut bound);
            body.of_form(&form.fields)
        }
    };
    let deadline = deadline(head.fields(), clocks, action.spec.timeout)?;
    // A split has a backend of its own, and that a key of its own.
    let key = match &action.traffic {
        None => hash_key(&action.backend, route, &path, head.fields(), exchange.who())?,
        Some(_) => None,
    };
    Ok(call::Request {
        route,
        call: action,
        backend: &action.backend,
        key,
        version: None,
        has_key,
        has_fallback: false,
        path,
        query,
        bound,
        body,
        metadata: metadata.as_metadata(),
        identity: exchange.guards.passed.identified().map(|caller| &*caller.identity),
        times: Times { now: clocks.now, deadline, stream: action.spec.stream.time },
        on_sent: None,
        trail: Some(&exchange.trail),
        on_written: None,
    })
}

/// Whether the reply to a call is its result, and nothing else is to do for it.
#[inline]
fn is_plain(action: &CallAction) -> bool {
    let CallAction { traffic, spec, .. } = action;
    traffic.is_none() && spec.reply.is_none() && spec.mode != CallMode::Notify
}

/// The reply to any call.
async fn answered(exchange: &Exchange, request: call::Request<'_>) -> Result<Reply, Failure> {
    let CallAction { traffic, spec, .. } = request.call;
    match traffic {
        Some(traffic) => traffic::run(exchange, request.route, traffic, request).await,
        None if spec.mode == CallMode::Notify && exchange.told().is_none() => {
            notify::run(exchange, &request).await
        }
        None => {
            let reply = call::run(&exchange.worker, &request).await?;
            match &spec.reply {
                Some(_) if exchange.told().is_some() => Ok(Reply::empty(0)),
                None => Ok(Reply::of_call(spec, reply)),
                Some(_) => Ok(reply::of_call(&request, reply).await),
            }
        }
    }
}
