//! Streams between a caller and a server of different versions.

use crate::feed::{all, soon};
use callgate_sdk::{Server, Status, Stream, Streaming, testing};
use futures_util::{StreamExt, stream};

/// Why nothing is sold.
#[derive(Debug, PartialEq, callgate_sdk::Error)]
enum Refusal {
    #[error("{left} are left", code = "not_found")]
    Sold { left: u32 },
    #[error(status)]
    Other(Status),
}

/// What a shelf has in this version and the one before.
macro_rules! shelf {
    ($version:ident { $($field:ident: $type:ty),* }) => {
        #[allow(dead_code)]
        mod $version {
            use super::Refusal;
            use callgate_sdk::{Message, Stream, Streaming, service};
            use serde::{Deserialize, Serialize};

            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
            pub(super) struct Item {
                $(pub(super) $field: $type,)*
            }

            #[service(name = "shelf")]
            pub(super) trait Shelf {
                /// Gives back what it is given, until it is sold.
                async fn browse(
                    &self,
                    items: Streaming<Item>,
                ) -> Result<impl Stream<Item = Result<Item, Refusal>>, Refusal>;
            }
        }
    };
}

shelf!(before { name: String, left: u32 });
shelf!(after { left: u32, note: Option<String>, name: String });

struct Shelf;

impl after::Shelf for Shelf {
    async fn browse(
        &self,
        items: Streaming<after::Item>,
    ) -> Result<impl Stream<Item = Result<after::Item, Refusal>>, Refusal> {
        Ok(items.map(|item| match item? {
            after::Item { left: 0, .. } => Err(Refusal::Sold { left: 0 }),
            item => Ok(item),
        }))
    }
}

#[tokio::test]
async fn items_are_converted_between_versions_and_a_typed_error_ends_a_stream() {
    let client = testing::client(Server::new().service(after::ShelfServer::new(Shelf)));
    let shelf = before::ShelfClient::new(client);
    let item = |left| before::Item { name: "tea".into(), left };
    let items = Streaming::of(stream::iter([item(3), item(2), item(0), item(1)]));
    let seen = all(soon(before::Shelf::browse(&shelf, items)).await.expect("it streams")).await;
    assert_eq!(seen, [Ok(item(3)), Ok(item(2)), Err(Refusal::Sold { left: 0 })]);
}
