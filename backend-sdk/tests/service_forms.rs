//! Where and how a service may stand: visibility, functions, modules, `cfg`, awkward names, aliases of `Result`.
#![allow(dead_code, reason = "that it compiles is what is tested")]

use callgate_protocol::CallId;
use callgate_sdk::service::Dispatch;
use callgate_sdk::{Client, Context, Status, service};

mod apart {
    use callgate_sdk::{Status, service};

    /// As its neighbours.
    #[service]
    pub trait Shop {
        /// Opens.
        async fn open(&self) -> Result<(), Status>;
    }
}

mod also_apart {
    use callgate_sdk::{Status, service};

    #[service(name = "other_shop")]
    pub(crate) trait Shop {
        async fn open(&self) -> Result<(), Status>;
    }

    pub(crate) mod deeper {
        use callgate_sdk::{Status, service};

        #[service]
        pub(in crate::also_apart) trait Inner {
            async fn open(&self) -> Result<(), Status>;
        }

        pub(crate) fn name() -> &'static str {
            callgate_sdk::service::Dispatch::name(&InnerServer::new(Nobody))
        }

        struct Nobody;

        impl Inner for Nobody {
            async fn open(&self) -> Result<(), Status> {
                Ok(())
            }
        }
    }
}

struct Nobody;

impl apart::Shop for Nobody {
    async fn open(&self) -> Result<(), Status> {
        Ok(())
    }
}

impl also_apart::Shop for Nobody {
    async fn open(&self) -> Result<(), Status> {
        Ok(())
    }
}

#[test]
fn two_traits_of_one_name_are_two_services() {
    assert_eq!(apart::ShopServer::new(Nobody).name(), "shop");
    assert_eq!(also_apart::ShopServer::new(Nobody).name(), "other_shop");
    assert_eq!(also_apart::deeper::name(), "inner");
}

#[test]
fn a_service_may_stand_in_a_function() {
    #[service]
    trait Local {
        async fn twice(&self, n: u32) -> Result<u64, Status>;
    }
    impl Local for Nobody {
        async fn twice(&self, n: u32) -> Result<u64, Status> {
            Ok(u64::from(n) * 2)
        }
    }
    assert_eq!(LocalServer::new(Nobody).methods()[0].call_id, CallId::of("local", "twice"));
}

#[service]
#[cfg(not(unix))]
trait Absent {
    async fn never(&self, it: NoSuchType) -> Result<(), Status>;
}

#[cfg(not(unix))]
#[service]
trait AlsoAbsent {
    async fn never(&self, it: NoSuchType) -> Result<(), Status>;
}

#[service]
#[cfg(unix)]
trait Present {
    async fn always(&self) -> Result<(), Status>;
}

#[service]
trait Service {
    #[allow(clippy::too_many_arguments)]
    async fn awkward(
        &self,
        cx: &Context,
        self_: u8,
        payload: u16,
        context: u32,
        client: u64,
        method: i8,
        answer: i16,
        service: i32,
        schema: i64,
        arguments: f32,
        result: bool,
        r#type: char,
        r#async: String,
    ) -> Result<String, Status>;
    async fn __context(
        &self,
        cx: &Context,
        __context: u8,
        __method: u8,
        __payload: u8,
        __schema: u8,
    ) -> Result<u8, Status>;
    async fn new(&self) -> Result<(), Status>;
    async fn call(&self) -> Result<(), Status>;
    async fn name(&self, name: String) -> Result<String, Status>;
    async fn clone(&self) -> Result<(), Status>;
    async fn from(&self) -> Result<(), Status>;
}

impl Service for Nobody {
    async fn awkward(
        &self,
        cx: &Context,
        self_: u8,
        payload: u16,
        context: u32,
        client: u64,
        method: i8,
        answer: i16,
        service: i32,
        schema: i64,
        arguments: f32,
        result: bool,
        r#type: char,
        r#async: String,
    ) -> Result<String, Status> {
        let known = cx.metadata("caller").is_some();
        Ok(format!(
            "{known} {self_} {payload} {context} {client} {method} {answer} {service} {schema} {arguments} {result} {} {}",
            r#type, r#async
        ))
    }
    async fn __context(&self, cx: &Context, a: u8, b: u8, c: u8, d: u8) -> Result<u8, Status> {
        assert!(!cx.is_cancelled());
        Ok(a + b * 2 + c * 4 + d * 8)
    }
    async fn new(&self) -> Result<(), Status> {
        Ok(())
    }
    async fn call(&self) -> Result<(), Status> {
        Ok(())
    }
    async fn name(&self, name: String) -> Result<String, Status> {
        Ok(name)
    }
    async fn clone(&self) -> Result<(), Status> {
        Ok(())
    }
    async fn from(&self) -> Result<(), Status> {
        Ok(())
    }
}

type Outcome<T> = std::result::Result<T, Status>;

mod aliased {
    use callgate_sdk::{Status, service};

    type Result<T> = std::result::Result<T, Status>;

    #[service]
    pub(crate) trait Aliased {
        async fn one(&self, n: u8) -> Result<u8>;
        async fn unit(&self) -> Result<()>;
    }

    impl Aliased for super::Nobody {
        async fn one(&self, n: u8) -> Result<u8> {
            Ok(n)
        }
        async fn unit(&self) -> Result<()> {
            Ok(())
        }
    }
}

#[tokio::test]
async fn nobodys_names_are_in_the_way_of_generated_ones() {
    let listening = callgate_sdk::Server::new()
        .service(ServiceServer::new(Nobody))
        .service(aliased::AliasedServer::new(Nobody))
        .service(PresentServer::new(PresentClient::new(
            Client::builder().endpoint("127.0.0.1:1").build().expect("a good address"),
        )))
        .listen("127.0.0.1:0")
        .bind()
        .await
        .expect("starts");
    let address = listening.addresses()[0].to_string();
    let server = tokio::spawn(listening.serve());
    let client = Client::builder().endpoint(address).build().expect("a good address");
    let stub = ServiceClient::new(client.clone());
    let cx = Context::background();
    let said = stub.awkward(&cx, 1, 2, 3, 4, 5, 6, 7, 8, 9.5, true, 'c', "s".into()).await;
    assert_eq!(said.as_deref(), Ok("false 1 2 3 4 5 6 7 8 9.5 true c s"));
    assert_eq!(stub.__context(&cx, 1, 2, 3, 4).await, Ok(49));
    assert_eq!(Service::name(&stub, "n".into()).await.as_deref(), Ok("n"));
    assert_eq!(Service::call(&stub).await, Ok(()));
    assert_eq!(Service::clone(&stub).await, Ok(()));
    use aliased::Aliased;
    let aliased = aliased::AliasedClient::new(client);
    assert_eq!(aliased.one(7).await, Ok(7));
    assert_eq!(aliased.unit().await, Ok(()));
    server.abort();
}
