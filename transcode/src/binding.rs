//! How a route binds HTTP to a method's fields: what the tables say, before any schema is known.

/// Which part of the request is the HTTP body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Body {
    /// `"*"`: an object whose members are the request's fields, besides those from path and query.
    #[default]
    Whole,
    /// The body's document is the value of this field (nested with dots).
    Field(String),
    /// No body: all fields come from path and query.
    None,
    /// The body's bytes, as they are, are the value of this field (nested with dots), which is bytes or a text.
    Raw(String),
    /// The body's bytes, as they are, are the items that the method's caller streams: each is as many of them as have come together, and
    /// is bytes or a text. All fields come from path and query.
    RawItems,
}

/// What becomes of members (and query parameters) that name no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum UnknownFields {
    /// An error that names all of them.
    #[default]
    Reject,
    /// They are skipped.
    Ignore,
}

/// How 64-bit integers are written. They are read in both forms always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Int64 {
    /// As JSON numbers, exactly.
    #[default]
    Number,
    /// As strings, for readers that keep numbers in doubles.
    String,
}

/// How decimals are written. They are read in both forms always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Decimal {
    /// As strings, which every reader takes as they are.
    #[default]
    String,
    /// As JSON numbers, with all their digits.
    Number,
}

/// What of the method's result is the HTTP body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Response {
    /// The result itself.
    #[default]
    Whole,
    /// An object with one member of this name, the result.
    Wrap(String),
    /// Only this field of the result (nested with dots).
    Field(String),
    /// Bytes or a text as they are, and no JSON: those of this field of the result (nested with dots), or the result itself. What is
    /// absent has none.
    Raw(Option<String>),
}

/// Where the value of a field is from that a route binds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldSource {
    /// The query's parameter of this name, decoded; where it comes several times, it gives the items of a list.
    Query(String),
    /// The request's header of this name.
    Header(String),
    /// The cookie of this name.
    Cookie(String),
    /// The field of this name of a form; where it comes several times, it gives the items of a list.
    Form(String),
    /// The name of the file that is the part of this name in a form; without a part, of the file that is the body.
    Filename(Option<String>),
    /// The media type of the part of this name in a form.
    PartType(String),
    /// The client's address.
    Client,
    /// The request's method.
    Method,
    /// The path that the request asks for.
    Path,
    /// The claim of this name of a caller who is known.
    Claim(String),
    /// The route itself: this, whatever the request is.
    Value(String),
}

/// A field that is filled from where its route says, and from nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BoundField {
    /// The field (nested with dots).
    pub field: String,
    /// Where its value is from.
    pub source: FieldSource,
    /// What stands between the items of a list that is written as one text.
    pub split: Option<char>,
    /// The value where the request gives none.
    pub default: Option<String>,
}

/// The request's half of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct RequestBinding {
    /// The fields (nested with dots) that the path's parameters fill, in the order in which the path names them.
    pub path: Vec<String>,
    /// The fields that are filled from elsewhere than their names say.
    pub bound: Vec<BoundField>,
    /// What the body is.
    pub body: Body,
    /// What becomes of members and query parameters that name no field.
    pub unknown_fields: UnknownFields,
}

/// The answer's half of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ResponseBinding {
    /// What of the result is the body.
    pub shape: Response,
    /// How 64-bit integers are written.
    pub int64: Int64,
    /// How decimals are written.
    pub decimal: Decimal,
    /// The fields of which the route wants to know the texts, beside the body.
    pub picks: Vec<Pick>,
}

/// A field of the result that is wanted as a text: a scalar, or an enum's variant without content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Pick {
    /// Its name, nested with dots.
    pub field: String,
    /// Values that it must be able to have. If there are none, any field of one text will do.
    pub values: Vec<String>,
}
