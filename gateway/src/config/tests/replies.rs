//! What routes say of the replies to their calls: what it is read as, and what is said about what will not do.

use super::*;
use callgate_protocol::Code;
use callgate_transcode::{Pick, Response};

const SHOP: &str =
    "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /a/{f.id}/{*rest}'\ncall = 'a.b'\n";

/// The call of the only route of [`SHOP`], with that `response`.
#[track_caller]
fn response(text: &str) -> CallSpec {
    let tables = tables(&format!("{SHOP}response = {{ {text} }}\n")).unwrap();
    call(&tables.routes[0]).clone()
}

#[track_caller]
fn reply(text: &str) -> ReplySpec {
    (*response(text).reply.unwrap()).clone()
}

/// What is wrong with it: titles, labels and helps without the picture.
#[track_caller]
fn wrong(text: &str) -> String {
    let shown = tables(&format!("{SHOP}response = {{ {text} }}\n")).unwrap_err().to_string();
    let told = shown.lines().filter_map(|line| {
        let label = line.split_once("^ ").map(|(_, label)| label).filter(|_| line.starts_with("  |"));
        label.or_else(|| line.strip_prefix("error: ")).or_else(|| line.trim().strip_prefix("= help: "))
    });
    told.collect::<Vec<_>>().join(" | ")
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn field(at: usize) -> Part {
    Part::Value(ValueSource::Field(at))
}

#[test]
fn templates_are_read_with_the_fields_that_they_use_each_once() {
    let call = response(
        "wrap = 'r', status = { field = 'made', true = 201, false = 200 }, \
         headers = { Location = '/v1/{o.id}/{*path.rest}?n={query.n[]}&id={o.id}#{path.f.id}', x-a = 'a{{b}} {o.id}{made}' }",
    );
    assert_eq!(call.response.shape, Response::Wrap("r".to_owned()));
    let values = ["false", "true"].map(str::to_owned).to_vec();
    let picks = [("o.id", Vec::new()), ("made", values)];
    let picks = picks.map(|(field, values)| Pick { field: field.to_owned(), values });
    let mut seen = call.response.picks.clone();
    seen.iter_mut().for_each(|pick| pick.values.sort());
    assert_eq!(seen, picks);
    let reply = call.reply.unwrap();
    let StatusSpec::ByField { field: 1, statuses } = &reply.status else { panic!("{:?}", reply.status) };
    assert_eq!(statuses.iter().map(|(_, status)| *status).sum::<u16>(), 401);
    let [location, x_a] = reply.headers.as_slice() else { panic!("{:?}", reply.headers) };
    assert_eq!((&*location.name, &*x_a.name), ("location", "x-a"));
    let HeaderValue::Uri(uri) = &location.value else { panic!("a location is a URI") };
    assert_eq!(uri.path, [text("/v1/"), field(0), text("/"), Part::Tail(ValueSource::Path(1))]);
    let of_query = Part::Value(ValueSource::Query("n[]".to_owned()));
    let pairs = [
        Pair { parts: vec![text("n="), of_query], optional: true },
        Pair { parts: vec![text("id="), field(0)], optional: false },
    ];
    assert_eq!(
        (uri.query.as_slice(), uri.fragment.as_slice()),
        (&pairs[..], &[Part::Value(ValueSource::Path(0))][..])
    );
    let parts = vec![text("a{b} "), field(0), field(1)];
    assert_eq!(x_a.value, HeaderValue::Text(TextTemplate(parts)));
}

#[test]
fn a_status_a_list_of_metadata_and_links_are_read() {
    assert_eq!(reply("status = 201").status, StatusSpec::Fixed(201));
    assert_eq!(reply("metadata = ['X-Cost', 'x-b']").metadata, ["x-cost", "x-b"]);
    let links =
        reply("links = { next = '/v1?after={next}', 'https://a.example/rel' = 'https://b.example' }").links;
    let seen: Vec<_> = links.iter().map(|link| (&*link.relation, &*link.target.origin)).collect();
    assert_eq!(seen, [("https://a.example/rel", "https://b.example"), ("next", "")]);
    let whole = reply("status = 302, headers = { location = '{url}' }").headers.remove(0).value;
    let HeaderValue::Uri(UriTemplate { whole: Some(ValueSource::Field(0)), .. }) = whole else {
        panic!("{whole:?}")
    };
    assert_eq!(response("field = 'x'").reply, None, "it says nothing beside the body");
}

#[test]
fn what_the_gateway_says_itself_and_what_is_no_header_are_refused() {
    for (header, expected) in [
        ("content-length", "the gateway says it itself"),
        ("Connection", "the gateway says it itself"),
        ("date", "the gateway says it itself"),
        ("content-type", "the gateway says it itself"),
        ("x-request-id", "the gateway says it itself"),
        ("strict-transport-security", "the gateway says it itself"),
        ("etag", "say it by `etag` of the route"),
        ("link", "say it by `links`, as in links = { next = \"/v1/books?after={next}\" }"),
        ("'a b'", "no header is called so"),
        ("''", "no header is called so"),
    ] {
        let name = header.trim_matches('\'');
        let expected = format!("`{name}` cannot be a header of `response` | {expected}");
        assert_eq!(wrong(&format!("headers = {{ {header} = 'x' }}")), expected);
        let listed = wrong(&format!("metadata = ['{name}']"));
        assert!(
            listed.starts_with(&format!("`{name}` of a reply's metadata cannot be a header | ")),
            "{listed}"
        );
    }
    for (headers, expected) in [
        ("headers = { x-a = 'x', X-A = 'y' }", "`x-a` cannot be a header of `response` | it is there twice"),
        (
            "headers = { x-a = 'x' }, metadata = ['X-A']",
            "`x-a` is a header twice | it is among `headers` too",
        ),
        ("metadata = ['x-a', 'X-A']", "the header `x-a` is listed twice | again"),
    ] {
        assert_eq!(wrong(headers), expected);
    }
}

#[test]
fn templates_that_will_not_do_are_refused() {
    for (template, expected) in [
        (
            "x-a = '{id'",
            "a value is written `{name}` | this brace has no other | a brace that is text is written twice",
        ),
        (
            "x-a = 'id}'",
            "a value is written `{name}` | this brace has no other | a brace that is text is written twice",
        ),
        (
            "x-a = '{a b}'",
            "a name in braces is a field of the result | names are letters, digits, `_` and `-`, nested with dots | \
             `{path.name}` and `{query.name}` are parameters of the request",
        ),
        (
            "x-a = '{path.rets}'",
            "`match` has no `{rets}` | no such parameter in `/a/{f.id}/{*rest}` | did you mean `rest`?",
        ),
        ("x-a = '{query.}'", "a query's parameter needs a name | this is none"),
        ("x-a = '{*id}'", "`{*…}` stands in a path | text keeps its slashes anyway"),
        ("x-a = ''", "a header cannot say this | expected a text without spaces at either end"),
        ("x-a = ' x'", "a header cannot say this | expected a text without spaces at either end"),
        ("x-a = \"x\\r\\ny: z\"", "a header's value is visible ASCII | this character is not"),
        ("x-a = 'é'", "a header's value is visible ASCII | this character is not"),
        ("x-a = 1", "`x-a` must be a string | this is an integer"),
        (
            "location = 'v1/{id}'",
            "a path or a host begins where something is | expected `/…`, `https://…` or one field alone, such as `{url}`",
        ),
        (
            "location = '//x/{id}'",
            "a host without its scheme | `//` begins a host's name | write `https://x/{id}`, or a path with one slash",
        ),
        (
            "location = 'https://{host}/'",
            "`{host}` is not a host | the client would choose the host: no parameter may stand here",
        ),
        (
            "location = '/a b'",
            "a URI has no such character here | cannot stand as it is | write it percent-encoded: `%20`",
        ),
        ("location = '/../{id}'", "clients resolve dot segments | leads elsewhere"),
        (
            "location = '{path.rest}'",
            "a parameter cannot be a whole URI | the client would choose where it is led | write `/{path.rest}`",
        ),
        (
            "location = '{a}{b}'",
            "a value alone is a whole URI | something follows it, and nobody knows where it leads | write `/{a}{b}` for a path",
        ),
        ("location = '/v1?a={*id}'", "`{*…}` stands in a path | only a path has slashes to keep"),
    ] {
        let seen = wrong(&format!("headers = {{ {template} }}"));
        assert_eq!(seen, expected, "{template}");
    }
    let many: String = (0..17).map(|at| format!("{{f{at}}}")).collect();
    assert_eq!(
        wrong(&format!("headers = {{ x-a = '{many}' }}")),
        "more than 16 fields of the result | one too many"
    );
    let many: String = (0..33).map(|at| format!("x-{at} = 'x', ")).collect();
    assert_eq!(wrong(&format!("headers = {{ {many} }}")), "more than 32 headers | 33 are too many");
}

#[test]
fn statuses_that_results_do_not_have_are_refused() {
    const EXPECTED: &str = "expected one such as 200, 201, 202, 204 or 303";
    for (status, expected) in [
        (
            "206",
            "a result has no status 206 | {} | a raw answer gives parts by itself, to clients that ask for them",
        ),
        (
            "304",
            "a result has no status 304 | {} | write etag = true, and clients that have the answer are told so",
        ),
        (
            "404",
            "a result has no status 404 | {} | a method that fails says so; errors = { … } gives its errors statuses",
        ),
        ("218", "a result has no status 218 | {}"),
        ("100", "`status` is out of bounds | expected 200 to 599"),
        (
            "303",
            "a reply with status 303 leads elsewhere | but where to? | write headers = { location = \"/v1/…\" } beside it",
        ),
        (
            "'201'",
            "`status` must be a status such as 201, or a table such as { field = \"created\", true = 201 } | this is a string",
        ),
        (
            "{ true = 201 }",
            "which field says the status? | `field` is missing | write status = { field = \"created\", true = 201, false = 200 }",
        ),
        (
            "{ field = 'made' }",
            "`status` has no value of the field | it is always the usual status | write status = { field = \"created\", true = 201, false = 200 }",
        ),
        (
            "{ field = 'a b', true = 201 }",
            "`field` is the name of a field of the result | names are letters, digits, `_` and `-`, nested with dots",
        ),
    ] {
        assert_eq!(wrong(&format!("status = {status}")), expected.replace("{}", EXPECTED), "{status}");
    }
}

#[test]
fn links_that_are_none_are_refused() {
    const HELP: &str = "relations are words such as next, prev, first, last or self";
    for (links, expected) in [
        (
            "Next = '/x'",
            "`Next` is no relation of a link | expected lower case letters, digits, `.` and `-` | {}",
        ),
        ("'a:\"b' = '/x'", "`a:\"b` is no relation of a link | a relation of your own is a URI | {}"),
        ("'' = '/x'", "`` is no relation of a link | expected 1 to 256 bytes | {}"),
        (
            "next = '?after={next}'",
            "a path or a host begins where something is | expected `/…`, `https://…` or one field alone, such as `{url}`",
        ),
    ] {
        assert_eq!(wrong(&format!("links = {{ {links} }}")), expected.replace("{}", HELP), "{links}");
    }
}

#[test]
fn a_mistake_in_a_template_is_shown_where_it_stands() {
    check(
        "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /books'\ncall = 'books.add'\n\
         [routes.response]\nstatus = 201\nheaders.location = '/books/{path.id}'\n",
        "
error: `match` has no `{id}`
 --> t.toml:8:28
  |
8 | headers.location = '/books/{path.id}'
  |                            ^^^^^^^^^ no such parameter in `/books`
",
    );
}

/// The statuses of the only route of [`SHOP`], with those `errors`; or what is wrong with them.
fn errors(text: &str) -> Result<ErrorStatuses, String> {
    let read = tables(&format!("{SHOP}errors = {{ {text} }}\n")).map_err(|wrong| wrong.to_string())?;
    Ok(call(&read.routes[0]).reply.as_ref().unwrap().errors.clone())
}

#[test]
fn errors_have_statuses_by_their_names_or_by_their_codes() {
    let errors =
        errors("out_of_stock = 409, 'orders.gone' = 410, failed_precondition = 412, internal = 502").unwrap();
    for (error, code, expected) in [
        (Some("out_of_stock"), Code::FailedPrecondition, Some(409)),
        (Some("orders.gone"), Code::NotFound, Some(410)),
        (Some("other"), Code::FailedPrecondition, Some(412)),
        (None, Code::FailedPrecondition, Some(412)),
        (Some("other"), Code::NotFound, None),
        (None, Code::Internal, Some(502)),
    ] {
        assert_eq!(errors.of(error, code), expected, "{error:?} {code:?}");
    }
    assert_eq!(errors.names().count(), 4);
}

#[test]
fn statuses_that_errors_do_not_have_are_refused() {
    for (text, expected) in [
        ("gone = 200", "errors have statuses from 400 on"),
        ("gone = 401", "it needs a header that says what else to do"),
        ("gone = 421", "it says something of the request itself"),
        ("gone = 450", "HTTP has no such status"),
        ("gone = 600", "expected 200 to 599"),
        ("gone = '410'", "`gone` must be a whole number"),
        ("unavailable = 502", "the gateway fails calls with it too, whatever the method does"),
        ("deadline_exceeded = 502", "the gateway fails calls with it too, whatever the method does"),
    ] {
        let told = errors(text).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
    for status in [402, 403, 404, 409, 410, 412, 422, 423, 429, 451, 500, 503] {
        assert!(errors(&format!("gone = {status}")).is_ok(), "{status}");
    }
}

#[test]
fn an_entity_tag_is_a_hash_or_a_field() {
    let get = SHOP.replace("POST", "GET");
    let get = get.as_str();
    let etag = |shop: &str, text: &str| {
        let read = tables(&format!("{shop}etag = {text}\n")).map_err(|wrong| wrong.to_string())?;
        let call = call(&read.routes[0]).clone();
        Ok((call.reply.and_then(|reply| reply.etag), call.response.picks.len()))
    };
    assert_eq!(etag(get, "true"), Ok((Some(EtagSpec::Hash), 0)));
    assert_eq!(etag(get, "false"), Ok((None, 0)));
    for shop in [SHOP, get] {
        assert_eq!(etag(shop, "'a.version'"), Ok((Some(EtagSpec::Field(0)), 1)));
    }
    for (shop, text, expected) in [
        (SHOP, "true", "= help: name a field of the result that changes with it, as in etag = \"version\""),
        (get, "'a b'", "names are letters, digits, `_` and `-`, nested with dots"),
        (get, "1", "`etag` must be true, or a field's name such as \"version\""),
    ] {
        let told: String = etag(shop, text).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_raw_answer_has_a_type_and_may_be_a_file() {
    let raw = |text: &str| reply(text).raw.unwrap();
    let fixed = |text: &str| ContentType::Fixed(text.to_owned());
    for text in ["raw = 'content'", "raw = true"] {
        let usual = RawSpec { content_type: fixed("application/octet-stream"), file: None };
        assert_eq!(raw(text), usual, "{text}");
    }
    let call =
        response("raw = 'a.b', content_type = { field = 'kind' }, filename = 'Größe {kind}-{path.rest}.csv'");
    assert_eq!(call.response.shape, Response::Raw(Some("a.b".to_owned())));
    let picks: Vec<&str> = call.response.picks.iter().map(|pick| pick.field.as_str()).collect();
    assert_eq!(picks, ["kind"]);
    let spec = call.reply.unwrap().raw.clone().unwrap();
    assert_eq!(spec.content_type, ContentType::Field(0));
    let name = [text("Größe "), field(0), text("-"), Part::Value(ValueSource::Path(1)), text(".csv")];
    assert_eq!(spec.file, Some(FileSpec { name: TextTemplate(name.to_vec()), inline: false }));
    let spec = raw("raw = true, content_type = 'image/{path.rest}'");
    let kind = TextTemplate(vec![text("image/"), Part::Value(ValueSource::Path(1))]);
    assert_eq!(spec.content_type, ContentType::Template(kind, "image/{path.rest}".to_owned()));
    let spec = raw("raw = 'b', content_type = 'text/csv; charset=utf-8', filename = 'a', inline = true");
    assert_eq!((spec.content_type, spec.file.unwrap().inline), (fixed("text/csv; charset=utf-8"), true));
}

#[test]
fn raw_answers_that_will_not_do_are_refused() {
    const MEDIA_TYPE: &str = "this is no media type | expected a type and a subtype | \
                              write content_type = \"text/csv\", or \"text/csv; charset=utf-8\"";
    const NAMES: &str = "names are letters, digits, `_` and `-`, nested with dots";
    const NO_RAW: &str = "the answer is JSON | add raw = \"content\": the field that is the body";
    for (text, expected) in [
        ("raw = 'a b'", format!("`raw` is a field's name, or true | {NAMES}")),
        ("raw = false", "`raw` must be a field's name, or true for the result itself | this is true or false".to_owned()),
        (
            "raw = 'a', wrap = 'b'",
            "a raw answer is no JSON | `wrap` and `field` have no effect | write raw = \"content\" alone".to_owned(),
        ),
        ("content_type = 'text/csv'", format!("`content_type` has no effect | {NO_RAW}")),
        ("field = 'a', filename = 'x'", format!("`filename` has no effect | {NO_RAW}")),
        ("raw = 'a', content_type = 'csv'", MEDIA_TYPE.to_owned()),
        ("raw = 'a', content_type = 'text/'", MEDIA_TYPE.to_owned()),
        (
            "raw = 'a', content_type = {}",
            "which field says the type? | `field` is missing | write content_type = { field = \"kind\" }".to_owned(),
        ),
        (
            "raw = 'a', content_type = { field = 'a b' }",
            format!("`field` is the name of a field of the result | {NAMES}"),
        ),
        (
            "raw = 'a', inline = true",
            "`inline` has no effect | there is no `filename` | what has no `filename` is shown anyway".to_owned(),
        ),
        (
            "raw = 'a', filename = 'a/b.csv'",
            "a file's name names no folder | this character is in none".to_owned(),
        ),
        (
            "raw = 'a', filename = ' a'",
            "a file cannot be called so | expected a name without spaces at either end".to_owned(),
        ),
        (
            "raw = 'a', headers = { content-disposition = 'inline' }",
            "`content-disposition` cannot be a header of `response` | say it by `filename`, as in filename = \"{name}.csv\""
                .to_owned(),
        ),
    ] {
        assert_eq!(wrong(text), expected, "{text}");
    }
}
