//! What a crate with the SDK under another name generates is a service like any other.

macro_rules! calls {
    ($test:ident, $module:ident) => {
        #[tokio::test]
        async fn $test() {
            use callgate_renamed::$module::{
                DynStore, Item, Packing, Shelf, Store, StoreClient, StoreError, StoreServer,
            };
            use gate::{Code, Context, Decimal, Presence, Server, testing};
            use std::sync::Arc;

            let store: Arc<dyn DynStore> = Arc::new(Shelf);
            let client = StoreClient::new(testing::client(Server::new().service(StoreServer::new(store))));
            let item = |width| Item {
                sku: "tea".to_owned(),
                price: "4.50".parse::<Decimal>().expect("a decimal"),
                label: Presence::Null,
                packing: Packing::Box { width },
            };
            let cx = Context::background();
            assert_eq!(client.put(&cx, vec![item(1)], String::new(), 7).await, Ok(1));
            let full = client.put(&cx, vec![item(1), item(2)], String::new(), 7).await;
            assert_eq!(full, Err(StoreError::Full { room: 7 }));
            let refused = client.put(&cx, vec![item(201)], String::new(), 7).await;
            let Err(StoreError::Other(status)) = refused else { panic!("{refused:?}") };
            assert_eq!(status.code, Code::InvalidArgument);
        }
    };
}

calls!(the_sdk_may_have_another_name, renamed);
calls!(the_sdk_may_come_by_another_crate, out_of_another_crate);
