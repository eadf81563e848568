//! What docs/sdk.md says of messages, in one piece: constraints, texts of a form, types that go over the wire as another one, and how
//! enums and structs may look in JSON. `cargo run --example messages` serves it.

#![allow(missing_docs, reason = "it is a page's code, which stays short")]

use callgate_sdk::wire::WireError;
use callgate_sdk::{Date, Decimal, Email, Message, Presence, Server, ServerError, Status, Wire, service};
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use std::time::SystemTime;

/// A room, for some nights.
#[derive(Debug, Serialize, Deserialize, Message)]
pub struct Booking {
    #[message(length(min = 1, max = 64), example = "Ada")]
    pub guest: String,
    #[message(pattern = "^[A-Z]{2}[0-9]{6}$", secret)]
    pub passport: Option<String>,
    #[message(min = 1, max = 30)]
    pub nights: u32,
    #[message(min = "0.01", unit = "EUR")]
    pub price: Decimal,
    #[message(min = "2026-01-01")]
    pub from: Date,
    #[message(items(min = 1, max = 4))]
    pub beds: Vec<NonZero<u8>>,
    #[message(deprecated = "Nobody sends a fax.")]
    pub fax: Option<String>,
    #[serde(with = "callgate_sdk::wire")]
    pub arrives: Option<SystemTime>,
    pub colour: Presence<String>,
}

/// How a booking is paid. In JSON: `{"type": "card", "number": "1234"}`.
#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "snake_case")]
#[message(tag = "type")]
pub enum Payment {
    Cash,
    Card { number: String },
}

/// A booking with a number. In JSON the members of the booking stand beside the number.
#[derive(Debug, Serialize, Deserialize, Message)]
pub struct Booked {
    pub number: u64,
    #[message(flatten)]
    pub booking: Booking,
}

/// `#ff8000`.
#[derive(Debug)]
pub struct Colour(pub u32);

impl Wire for Colour {
    type As = String;

    fn to_wire(&self) -> Result<String, WireError> {
        Ok(format!("#{:06x}", self.0))
    }

    fn from_wire(text: String) -> Result<Colour, WireError> {
        let digits = text.strip_prefix('#').ok_or("a colour begins with `#`")?;
        Ok(Colour(u32::from_str_radix(digits, 16)?))
    }
}

/// A wall of a room.
#[derive(Debug, Serialize, Deserialize, Message)]
pub struct Wall {
    #[serde(with = "callgate_sdk::wire")]
    pub colour: Colour,
}

#[service]
pub trait Hotel {
    async fn book(&self, booking: Booking, payment: Payment, to: Email) -> Result<Booked, Status>;
    async fn paint(&self, room: u32, wall: Wall) -> Result<(), Status>;
}

struct Grand;

impl Hotel for Grand {
    async fn book(&self, booking: Booking, _payment: Payment, _to: Email) -> Result<Booked, Status> {
        Ok(Booked { number: 7, booking })
    }

    async fn paint(&self, _room: u32, _wall: Wall) -> Result<(), Status> {
        Err(Status::unimplemented("nobody paints here"))
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    Server::new().service(HotelServer::new(Grand)).listen("127.0.0.1:7102").run().await
}
