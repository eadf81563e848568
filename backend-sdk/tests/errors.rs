//! `#[derive(Error)]`: what a schema says of a typed error, how it is shown, what `?` makes one of, and that it comes back as its
//! type from another process.

use callgate_protocol::schema::{Attributes, EnumDef, Shape, Type};
use callgate_sdk::service::Dispatch;
use callgate_sdk::{Client, Code, Context, Error, Server, Status, service};
use std::error::Error as _;
use std::sync::Arc;

/// Why an order is not taken.
#[derive(Debug, PartialEq, Error)]
#[serde(rename_all = "snake_case")]
enum OrderError {
    /// Fewer are left.
    #[error("only {left} of {sku:?} are left", code = "aborted")]
    OutOfStock {
        sku: String,
        /// How many.
        #[serde(rename = "remaining", default)]
        left: u32,
    },
    #[error("no such item: {0}", code = "not_found")]
    #[serde(rename = "missing", alias = "no_item")]
    NoSuchItem(String),
    #[error("{1} is not {0}, {{really}}", code = "out_of_range")]
    Mismatch(u8, u16),
    #[error("the shop is closed")]
    #[error(code = "unavailable")]
    Closed,
    #[error(status)]
    Other(Status),
}

#[service]
trait Orders {
    async fn order(&self, cx: &Context, which: String) -> Result<u32, OrderError>;
    async fn aliased(&self) -> alias::Result<()>;
    async fn plain(&self) -> Result<(), Status>;
}

mod alias {
    pub(super) type Result<T> = std::result::Result<T, super::OrderError>;
}

fn error(which: &str) -> OrderError {
    match which {
        "stock" => OrderError::OutOfStock { sku: "tea".to_owned(), left: 3 },
        "item" => OrderError::NoSuchItem("cup".to_owned()),
        "mismatch" => OrderError::Mismatch(1, 512),
        "closed" => OrderError::Closed,
        _ => OrderError::Other(Status::permission_denied("not you").with_retry_after_ms(7)),
    }
}

const ALL: [&str; 5] = ["stock", "item", "mismatch", "closed", "other"];

struct Shop;

impl Orders for Shop {
    async fn order(&self, _cx: &Context, which: String) -> Result<u32, OrderError> {
        match which.as_str() {
            "io" => Ok(std::fs::read_to_string("/no/such/secret")?.len() as u32),
            number => number.parse().map_err(|_| error(number)),
        }
    }

    async fn aliased(&self) -> alias::Result<()> {
        Err(OrderError::Closed)
    }

    /// A typed error of another service is a status where a status is wanted.
    async fn plain(&self) -> Result<(), Status> {
        Err(error("stock"))?
    }
}

fn declared(index: usize) -> Option<EnumDef> {
    let method = &OrdersServer::new(Shop);
    let schema = &method.methods()[index].schema().expect("it can be described").schema;
    schema.error_enum().cloned()
}

#[test]
fn the_schema_has_what_is_declared_with_codes_and_nothing_of_the_status() {
    let def = declared(0).expect("it is declared");
    assert_eq!((&*def.name, &*def.doc), ("OrderError", "Why an order is not taken."));
    let names: Vec<&str> = def.variants.iter().map(|variant| &*variant.name).collect();
    assert_eq!(names, ["out_of_stock", "missing", "mismatch", "closed"]);
    let codes: Vec<Code> = def.variants.iter().map(|variant| variant.error_code()).collect();
    assert_eq!(codes, [Code::Aborted, Code::NotFound, Code::OutOfRange, Code::Unavailable]);
    assert_eq!(def.variants[0].attributes, Attributes::new().with_code(Code::Aborted));
    assert_eq!(
        (&*def.variants[0].doc, &*def.variants[1].aliases),
        ("Fewer are left.", &["no_item".to_owned()][..])
    );
    let Shape::Struct(fields) = &def.variants[0].shape else { panic!("{:?}", def.variants[0].shape) };
    assert_eq!((&*fields[1].name, &*fields[1].doc, &fields[1].ty), ("remaining", "How many.", &Type::U32));
    assert_eq!(fields[1].default.as_deref(), Some(&[0][..]));
    assert_eq!(def.variants[2].shape, Shape::Tuple(vec![Type::U8, Type::U16]));
    assert_eq!(declared(1), Some(def), "by an alias of `Result`");
    assert_eq!(declared(2), None);
}

#[test]
fn it_is_shown_by_its_text_and_has_the_statuss_source() {
    let shown: Vec<String> = ALL.iter().map(|which| error(which).to_string()).collect();
    let expected = [
        "only 3 of \"tea\" are left",
        "no such item: cup",
        "512 is not 1, {really}",
        "the shop is closed",
        "permission_denied: not you",
    ];
    assert_eq!(shown, expected);
    assert!(error("closed").source().is_none());
    let of_io: OrderError = std::io::Error::other("gone").into();
    assert_eq!(of_io.source().map(ToString::to_string).as_deref(), Some("gone"));
}

#[test]
fn as_a_status_it_has_code_and_message() {
    assert_eq!(Status::from(error("item")), Status::not_found("no such item: cup"));
    assert_eq!(Status::from(error("other")), Status::permission_denied("not you").with_retry_after_ms(7));
}

#[test]
fn a_status_that_it_holds_keeps_no_value_of_another_methods_error() {
    let held = OrderError::Other(Status::aborted("no").with_error([1, 2, 3]));
    assert_eq!(held.into_failure(), Status::aborted("no"));
}

mod sources {
    use super::{OrderError, Status};

    #[derive(Debug)]
    pub(super) struct DbError;

    impl From<DbError> for Status {
        fn from(_: DbError) -> Status {
            Status::unavailable("the database is away")
        }
    }

    #[derive(Debug, PartialEq, callgate_sdk::Error)]
    #[error(from(DbError, OrderError, std::fmt::Error))]
    pub(super) enum BillError {
        #[error("paid", code = "already_exists")]
        Paid,
        #[error("{0} is no number", code = "invalid_argument")]
        NoNumber(String),
        #[error(status)]
        Other(Status),
    }

    /// Of an error that is not named.
    impl From<std::num::ParseIntError> for BillError {
        fn from(error: std::num::ParseIntError) -> BillError {
            BillError::NoNumber(error.to_string())
        }
    }

    pub(super) fn of_number() -> Result<u8, BillError> {
        Ok("300".parse()?)
    }

    pub(super) fn of_database() -> Result<(), BillError> {
        Err(DbError)?
    }

    pub(super) fn of_order() -> Result<(), BillError> {
        Err(OrderError::Closed)?
    }
}

#[test]
fn it_is_made_of_what_is_named_and_others_are_the_services_own() {
    use sources::{BillError, of_database, of_number, of_order};
    let too_large = "300".parse::<u8>().map_err(|error| error.to_string()).expect_err("300");
    assert_eq!(of_number(), Err(BillError::NoNumber(too_large)));
    assert_eq!(of_database(), Err(BillError::Other(Status::unavailable("the database is away"))));
    assert_eq!(of_order(), Err(BillError::Other(Status::unavailable("the shop is closed"))));
    assert_eq!(BillError::Paid.to_string(), "paid");
}

async fn serve(service: impl Dispatch) -> Client {
    let bound = Server::new().service(service).listen("127.0.0.1:0").bind().await.expect("it starts");
    let address = bound.addresses()[0].to_string();
    tokio::spawn(bound.serve());
    Client::builder().endpoint(address).build().expect("a good address")
}

#[tokio::test]
async fn a_caller_gets_the_type_back() {
    let client = serve(OrdersServer::new(Shop)).await;
    let (orders, cx) = (OrdersClient::new(client), Context::background());
    assert_eq!(orders.order(&cx, "7".to_owned()).await, Ok(7));
    for which in ALL {
        assert_eq!(orders.order(&cx, which.to_owned()).await, Err(error(which)), "{which}");
    }
    assert_eq!(orders.aliased().await, Err(OrderError::Closed));
    let expected = Status::aborted("only 3 of \"tea\" are left");
    assert_eq!(
        orders.plain().await,
        Err(expected),
        "without the value of a type that the method does not have"
    );
}

#[tokio::test]
async fn what_an_unexpected_error_says_does_not_travel() {
    let client = serve(OrdersServer::new(Shop)).await;
    let failed = OrdersClient::new(client).order(&Context::background(), "io".to_owned()).await;
    let Err(OrderError::Other(status)) = failed else { panic!("{failed:?}") };
    assert_eq!(status.code, Code::Internal);
    let told = format!("{status:?}");
    assert!(!told.contains("secret") && !told.contains("No such file"), "{told}");
}

#[tokio::test]
async fn a_failure_of_the_way_is_a_status() {
    let client = Client::builder().endpoint("127.0.0.1:1").build().expect("a good address");
    let orders = OrdersClient::new(client.with_timeout(std::time::Duration::from_millis(1)));
    let failed = orders.aliased().await;
    let Err(OrderError::Other(status)) = failed else { panic!("{failed:?}") };
    assert_eq!((status.code, status.not_executed), (Code::Unavailable, true));
}

/// The same service later: an error more, others in another order, and one with a field more.
mod later {
    use callgate_sdk::{Context, Status, service};

    #[derive(Debug, PartialEq, callgate_sdk::Error)]
    #[serde(rename_all = "snake_case")]
    pub(super) enum OrderError {
        #[error("come on monday", code = "failed_precondition")]
        Holiday { until: String },
        #[error("no such item: {0}", code = "not_found")]
        NoItem(String),
        #[error("{left} are left", code = "resource_exhausted")]
        OutOfStock {
            #[serde(default)]
            on_the_way: u32,
            #[serde(alias = "remaining")]
            left: u64,
            sku: String,
        },
        #[error(status)]
        Status(Status),
    }

    #[service]
    pub(super) trait Orders {
        async fn order(&self, cx: &Context, which: String) -> Result<u32, OrderError>;
    }

    pub(super) struct Shop;

    impl Orders for Shop {
        async fn order(&self, _cx: &Context, which: String) -> Result<u32, OrderError> {
            Err(match which.as_str() {
                "stock" => OrderError::OutOfStock { on_the_way: 9, left: 3, sku: "tea".to_owned() },
                "item" => OrderError::NoItem("cup".to_owned()),
                "huge" => OrderError::OutOfStock { on_the_way: 9, left: u64::MAX, sku: "tea".to_owned() },
                _ => OrderError::Holiday { until: "monday".to_owned() },
            })
        }
    }
}

#[tokio::test]
async fn between_versions_an_error_is_converted_or_is_a_status() {
    let cx = Context::background();
    let earlier = OrdersClient::new(serve(later::OrdersServer::new(later::Shop)).await);
    for which in ["stock", "item"] {
        assert_eq!(earlier.order(&cx, which.to_owned()).await, Err(error(which)), "{which}");
    }
    for (which, expected) in [
        ("holiday", Status::failed_precondition("come on monday")),
        ("huge", Status::resource_exhausted(format!("{} are left", u64::MAX))),
    ] {
        assert_eq!(earlier.order(&cx, which.to_owned()).await, Err(OrderError::Other(expected)), "{which}");
    }
    use later::{OrderError as Later, Orders as _};
    let later = later::OrdersClient::new(serve(OrdersServer::new(Shop)).await);
    for (which, expected) in [
        ("stock", Later::OutOfStock { on_the_way: 0, left: 3, sku: "tea".to_owned() }),
        ("item", Later::NoItem("cup".to_owned())),
        ("closed", Later::Status(Status::unavailable("the shop is closed"))),
    ] {
        assert_eq!(later.order(&cx, which.to_owned()).await, Err(expected), "{which}");
    }
}

/// The same service with an error that is another thing.
mod misfit {
    use callgate_sdk::{Context, Status, service};

    #[derive(Debug, PartialEq, callgate_sdk::Error)]
    pub(super) enum OrderError {
        #[error("no such item: {0}", code = "not_found")]
        #[serde(rename = "missing")]
        NoSuchItem(u32),
        #[error(status)]
        Other(Status),
    }

    #[service]
    pub(super) trait Orders {
        async fn order(&self, cx: &Context, which: String) -> Result<u32, OrderError>;
    }
}

#[tokio::test]
async fn an_error_that_cannot_be_converted_has_its_code_and_its_message() {
    use misfit::{OrderError, Orders as _};
    let orders = misfit::OrdersClient::new(serve(OrdersServer::new(Shop)).await);
    let failed = orders.order(&Context::background(), "item".to_owned()).await;
    assert_eq!(failed, Err(OrderError::Other(Status::not_found("no such item: cup"))));
}

/// What a broken peer sends: bytes that are no value of the type.
#[tokio::test]
async fn an_error_that_is_none_is_a_status() {
    for encoded in [vec![], vec![9], vec![3, 0], vec![1, 250], vec![1, 1, 0xff]] {
        let client = serve(Broken(encoded.clone())).await;
        let failed = OrdersClient::new(client).aliased().await;
        assert_eq!(failed, Err(OrderError::Other(Status::aborted("an error that is none"))), "{encoded:?}");
    }
}

/// Offers what `Orders` does, and fails with these bytes.
struct Broken(Vec<u8>);

impl Dispatch for Broken {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn version(&self) -> &'static str {
        ""
    }

    fn methods(&self) -> &'static [callgate_sdk::service::Method] {
        static SERVER: std::sync::OnceLock<OrdersServer<Shop>> = std::sync::OnceLock::new();
        SERVER.get_or_init(|| OrdersServer::new(Shop)).methods()
    }

    fn call(
        self: Arc<Self>,
        _method: usize,
        _context: Context,
        _payload: &[u8],
        _: Option<callgate_sdk::service::Items>,
    ) -> Result<callgate_sdk::service::Answer, Status> {
        Err(Status::aborted("an error that is none").with_error(self.0.clone()))
    }
}
