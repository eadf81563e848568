//! What cannot be bridged: such an instance gets no calls, and if no other is there the caller is told the field.

use crate::support::{Instance, client, soon};
use callgate_sdk::{Code, Server, Status};

mod earlier {
    use callgate_sdk::{Message, Status, service};
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
    pub(crate) struct Item {
        pub(crate) sku: String,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
    pub(crate) enum State {
        Open,
    }

    #[service]
    pub(crate) trait Orders {
        async fn required(&self, items: Vec<Item>) -> Result<usize, Status>;
        async fn changed(&self, amount: String) -> Result<String, Status>;
        async fn result(&self) -> Result<u32, Status>;
        async fn no_longer_optional(&self, note: Option<String>) -> Result<String, Status>;
        async fn state(&self, of: u8) -> Result<Vec<State>, Status>;
    }

    pub(crate) struct Shop;

    impl Orders for Shop {
        async fn required(&self, items: Vec<Item>) -> Result<usize, Status> {
            Ok(items.len())
        }

        async fn changed(&self, amount: String) -> Result<String, Status> {
            Ok(amount)
        }

        async fn result(&self) -> Result<u32, Status> {
            Ok(7)
        }

        async fn no_longer_optional(&self, note: Option<String>) -> Result<String, Status> {
            Ok(note.unwrap_or_default())
        }

        async fn state(&self, _of: u8) -> Result<Vec<State>, Status> {
            Ok(vec![State::Open])
        }
    }
}

mod later {
    use callgate_sdk::{Message, Status, service};
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
    pub(crate) struct Item {
        pub(crate) sku: String,
        pub(crate) price: f64,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
    pub(crate) enum State {
        Open,
        Closed,
    }

    #[service]
    pub(crate) trait Orders {
        async fn required(&self, items: Vec<Item>) -> Result<usize, Status>;
        async fn changed(&self, amount: f64) -> Result<String, Status>;
        async fn result(&self) -> Result<String, Status>;
        async fn no_longer_optional(&self, note: String) -> Result<String, Status>;
        async fn state(&self, of: u8) -> Result<Vec<State>, Status>;
    }

    pub(crate) struct Shop;

    impl Orders for Shop {
        async fn required(&self, items: Vec<Item>) -> Result<usize, Status> {
            Ok(items.len())
        }

        async fn changed(&self, amount: f64) -> Result<String, Status> {
            Ok(amount.to_string())
        }

        async fn result(&self) -> Result<String, Status> {
            Ok("seven".to_owned())
        }

        async fn no_longer_optional(&self, note: String) -> Result<String, Status> {
            Ok(note)
        }

        async fn state(&self, of: u8) -> Result<Vec<State>, Status> {
            Ok(match of {
                0 => vec![State::Open],
                _ => vec![State::Open, State::Closed],
            })
        }
    }
}

use earlier::{Item, Orders as _, OrdersClient, State};

async fn later_alone() -> (Instance, OrdersClient) {
    let instance = Instance::run(Server::new().service(later::OrdersServer::new(later::Shop))).await;
    let orders = OrdersClient::new(client([&instance]));
    (instance, orders)
}

fn items() -> Vec<Item> {
    vec![Item { sku: "1001".to_owned() }]
}

fn told<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, bool, String) {
    let status = outcome.expect_err("it cannot be");
    (status.code, status.not_executed, status.message)
}

#[tokio::test]
async fn what_no_instance_can_take_fails_before_it_is_sent_and_names_the_field() {
    let (_instance, orders) = later_alone().await;
    let rows = [
        (
            told(soon(orders.required(items())).await),
            "orders.required",
            "the arguments do not fit: `/items/*/price`: the field is not written; f64 is wanted, and it has no default",
        ),
        (
            told(soon(orders.changed("1.5".to_owned())).await),
            "orders.changed",
            "the arguments do not fit: `/amount`: string is written, and f64 is wanted",
        ),
        (
            told(soon(orders.result()).await),
            "orders.result",
            "the result does not fit: string is written, and u32 is wanted",
        ),
    ];
    for ((code, not_executed, message), method, why) in rows {
        assert_eq!((code, not_executed), (Code::FailedPrecondition, true), "{message}");
        assert!(message.contains(method) && message.ends_with(why), "{message}");
    }
}

#[tokio::test]
async fn instances_that_fit_get_the_calls_that_others_cannot_take() {
    let earlier = Instance::run(Server::new().service(earlier::OrdersServer::new(earlier::Shop))).await;
    let later = Instance::run(Server::new().service(later::OrdersServer::new(later::Shop))).await;
    let orders = OrdersClient::new(client([&later, &earlier]));
    for _ in 0..50 {
        assert_eq!(soon(orders.required(items())).await, Ok(1));
        assert_eq!(soon(orders.result()).await, Ok(7));
    }
}

#[tokio::test]
async fn what_one_message_makes_impossible_names_its_value() {
    let (_instance, orders) = later_alone().await;
    assert_eq!(soon(orders.no_longer_optional(Some("x".to_owned()))).await, Ok("x".to_owned()));
    let (code, not_executed, message) = told(soon(orders.no_longer_optional(None)).await);
    assert_eq!((code, not_executed), (Code::FailedPrecondition, true), "{message}");
    assert!(message.ends_with("`/note`: there is no value, and one is wanted"), "{message}");
    assert_eq!(soon(orders.state(0)).await, Ok(vec![State::Open]));
    let (code, not_executed, message) = told(soon(orders.state(1)).await);
    // The method has run.
    assert_eq!((code, not_executed), (Code::Internal, false), "{message}");
    assert!(message.ends_with("`/1`: the variant `Closed` is not one of those that are wanted"), "{message}");
}

mod one {
    #[callgate_sdk::service(name = "one")]
    pub(crate) trait Same {
        #[call(id = 7)]
        async fn name(&self) -> Result<String, callgate_sdk::Status>;
    }
}

mod two {
    #[callgate_sdk::service(name = "two")]
    pub(crate) trait Same {
        #[call(id = 7)]
        async fn name(&self) -> Result<String, callgate_sdk::Status>;
    }
}

struct Named(&'static str);

impl one::Same for Named {
    async fn name(&self) -> Result<String, Status> {
        Ok(self.0.to_owned())
    }
}

impl two::Same for Named {
    async fn name(&self) -> Result<String, Status> {
        Ok(self.0.to_owned())
    }
}

#[tokio::test]
async fn two_services_that_pin_the_same_number_are_two() {
    let instances = [
        Instance::run(Server::new().service(one::SameServer::new(Named("one")))).await,
        Instance::run(Server::new().service(two::SameServer::new(Named("two")))).await,
    ];
    let client = client(&instances);
    let (one, two) = (one::SameClient::new(client.clone()), two::SameClient::new(client));
    for _ in 0..20 {
        assert_eq!(soon(one::Same::name(&one)).await, Ok("one".to_owned()));
        assert_eq!(soon(two::Same::name(&two)).await, Ok("two".to_owned()));
    }
}

mod moved {
    #[callgate_sdk::service(name = "one")]
    pub(crate) trait Same {
        #[call(id = 8)]
        async fn name(&self) -> Result<String, callgate_sdk::Status>;
    }
}

#[tokio::test]
async fn a_method_is_called_by_the_number_that_its_instance_has_for_it() {
    let instance = Instance::run(Server::new().service(one::SameServer::new(Named("one")))).await;
    let moved = moved::SameClient::new(client([&instance]));
    assert_eq!(soon(moved::Same::name(&moved)).await, Ok("one".to_owned()));
}
