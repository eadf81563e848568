//! The same service twice: with the SDK under another name, and with the SDK out of another crate. What the macros generate says nothing
//! of `::callgate_sdk` then, or this crate does not compile.

/// A service, with whatever the macros have forms for, out of the SDK that lies there.
macro_rules! service {
    ($name:ident, $($sdk:ident)::+, $path:literal) => {
        #[doc = concat!("The SDK is `", $path, "`.")]
        pub mod $name {
            use $($sdk)::+ as sdk;
            use sdk::{Context, Decimal, Message, Presence, Status, service};
            use serde::{Deserialize, Serialize};

            /// A message.
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
            #[message(crate = $path)]
            pub struct Item {
                /// The article's number.
                #[message(pattern = "^[a-z]+$", length(min = 1, max = 20), example = "tea")]
                pub sku: String,
                /// What one costs.
                #[message(min = "0", unit = "EUR")]
                pub price: Decimal,
                /// What is written on it.
                #[serde(default)]
                pub label: Presence<String>,
                /// How it is packed.
                pub packing: Packing,
            }

            /// An enum with a form of its own in JSON.
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
            #[message(crate = $path, tag = "type")]
            pub enum Packing {
                /// Nothing around it.
                None,
                /// A box.
                Box {
                    /// How wide.
                    #[message(max = 200)]
                    width: u32,
                },
            }

            /// A typed error.
            #[derive(Debug, PartialEq, sdk::Error)]
            #[error(crate = $path)]
            pub enum StoreError {
                /// It is full.
                #[error("only {room} fit", code = "resource_exhausted")]
                Full {
                    /// So many.
                    room: u32,
                },
                /// Anything else.
                #[error(status)]
                Other(Status),
            }

            /// A service.
            #[service(crate = $path)]
            pub trait Store {
                /// Puts items in.
                #[idempotent]
                async fn put(
                    &self,
                    cx: &Context,
                    #[message(items(min = 1, max = 3))] items: Vec<Item>,
                    #[default] note: String,
                    #[default(7)]
                    #[message(rename = "shelf-number")]
                    shelf: u8,
                ) -> Result<u32, StoreError>;
            }

            /// Implements it.
            #[derive(Debug)]
            pub struct Shelf;

            impl Store for Shelf {
                async fn put(
                    &self,
                    _cx: &Context,
                    items: Vec<Item>,
                    _note: String,
                    shelf: u8,
                ) -> Result<u32, StoreError> {
                    // The usual errors become the type by `?`.
                    let wanted = u32::try_from(items.len())?;
                    if wanted > 1 {
                        return Err(StoreError::Full { room: u32::from(shelf) });
                    }
                    Ok(wanted)
                }
            }
        }
    };
}

service!(renamed, gate, "gate");
service!(out_of_another_crate, callgate_renamed_prelude::rpc, "callgate_renamed_prelude::rpc");
