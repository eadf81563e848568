//! `Message` for types of other crates, each behind a feature of that crate's name: those of which serde writes exactly what the
//! protocol has for them, a text. The others are [`wire`](crate::wire)'s.

#[cfg(any(feature = "chrono", feature = "url"))]
macro_rules! texts {
    ($($rust:ty => $logical:ident,)*) => {$(
        impl super::Message for $rust {
            fn describe(_: &mut super::SchemaBuilder) -> super::Type {
                let logical = callgate_protocol::schema::Logical::$logical;
                super::Type::Logical(logical, Box::new(super::Type::String))
            }
        }

        impl super::MapKey for $rust {}
    )*};
}

// A year outside of 0000 to 9999 is none that the gateway lets through.
#[cfg(feature = "chrono")]
texts! {
    chrono::NaiveDate => DATE,
    chrono::NaiveTime => TIME,
}

#[cfg(feature = "url")]
texts! {
    url::Url => URL,
}

#[cfg(feature = "rust_decimal")]
mod decimal {
    use crate::codec;
    use crate::message::{BadSchema, MapKey, Message, SchemaBuilder, Type};
    use callgate_protocol::schema::Logical;
    use rust_decimal::Decimal;

    /// It has up to 28 digits; further ones behind the point are rounded when it is read.
    impl Message for Decimal {
        fn describe(schema: &mut SchemaBuilder) -> Type {
            // What it writes is chosen by features of its crate, and any crate of the program may turn them on.
            if !is_text() {
                let advice =
                    "turn off the feature `serde-float` of rust_decimal, or take `callgate_sdk::Decimal`";
                schema.refuse(BadSchema::Foreign { ty: "rust_decimal::Decimal", advice });
            }
            Type::Logical(Logical::DECIMAL, Box::new(Type::String))
        }
    }

    impl MapKey for Decimal {}

    fn is_text() -> bool {
        let mut written = Vec::new();
        let is_written = codec::write(&Decimal::new(125, 2), &mut written).is_ok();
        let read = codec::read::<Decimal>(b"\x041.25");
        is_written && written == b"\x041.25" && read.is_ok_and(|read| read == Decimal::new(125, 2))
    }
}
