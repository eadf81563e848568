//! `[access_log]`: which requests have a line of their own, and what it says.

use crate::config::complaint::Complaint;
use crate::config::reader::{Item, Reader, Section, set};
use crate::config::shadow::{SHARE, Share, read_share};
use crate::config::shape::{Entry, Shape, words};
use crate::config::suggest::names_help;
use crate::fields::FieldName;

pub(super) const KEYS: &[Entry] = &[
    Entry::new(
        "failures",
        Shape::Boolean,
        "whether answers have a line in the access log that are no success",
    ),
    Entry::new("successes", SHARE, "which of the others have a line"),
    Entry::new("format", Shape::Words(&words(&AccessLogFormat::ALL)), "how lines are written"),
    Entry::new("fields", Shape::List(&Shape::Words(&FIELDS), 0..=usize::MAX), "what lines say"),
    Entry::new("headers", Shape::texts(MAX_HEADERS), "headers of requests that lines have"),
];
const FIELDS: [&str; AccessField::ALL.len()] = {
    let mut names = [""; AccessField::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = AccessField::ALL[at].name();
        at += 1;
    }
    names
};

/// Headers that a line may have, at most.
const MAX_HEADERS: usize = 32;

/// Headers whose values let their bearer in.
const CREDENTIALS: [&str; 5] = ["authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key"];

/// `[access_log]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessLogSettings {
    /// Whether answers have lines that are no success.
    pub failures: bool,
    /// Which of the others have.
    pub successes: Share,
    /// How lines are written.
    pub format: AccessLogFormat,
    /// What lines say.
    pub fields: AccessFields,
    /// Headers of requests that lines have, by their names in small letters.
    pub headers: Vec<FieldName>,
}

impl Default for AccessLogSettings {
    fn default() -> AccessLogSettings {
        AccessLogSettings {
            failures: true,
            successes: Share::NONE,
            format: AccessLogFormat::Json,
            fields: AccessFields::default(),
            headers: Vec::new(),
        }
    }
}

/// How lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AccessLogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// `key=value`, with blanks between.
    Logfmt,
}

impl AccessLogFormat {
    /// All of them, by their names.
    pub const ALL: [(&'static str, AccessLogFormat); 2] =
        [("json", AccessLogFormat::Json), ("logfmt", AccessLogFormat::Logfmt)];
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a line may say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AccessField {
            $($(#[$doc])* $variant,)*
        }

        impl AccessField {
            /// All of them.
            pub const ALL: &'static [AccessField] = &[$(AccessField::$variant,)*];

            /// Its name, in lines and in the settings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(AccessField::$variant => $name,)*
                }
            }

            /// Whether lines have it unless the settings say otherwise.
            pub const fn is_default(self) -> bool {
                // Both may hold what is private.
                !matches!(self, AccessField::Path | AccessField::Query)
            }
        }
    };
}

fields! {
    /// When the request's head was there.
    Time = "time";
    /// The id that the client has been told.
    RequestId = "request_id";
    /// The id of its trace, if it has spans.
    TraceId = "trace_id";
    /// The client's address.
    Client = "client";
    /// The method.
    Method = "method";
    /// What the route is called: its path, as the table has it.
    Route = "route";
    /// The path as it was sent.
    Path = "path";
    /// The query as it was sent.
    Query = "query";
    /// The status of the answer.
    Status = "status";
    /// Why it is no success.
    Reason = "reason";
    /// What more is known of that.
    Why = "why";
    /// The bytes of the request's body.
    BytesIn = "bytes_in";
    /// The bytes of the answer's body.
    BytesOut = "bytes_out";
    /// From the request's head to the end of its answer, in milliseconds.
    DurationMs = "duration_ms";
    /// From the request's head to that of its answer.
    HeadMs = "head_ms";
    /// From the request's head until its call was first sent.
    WaitMs = "wait_ms";
    /// What the call has waited for before it was sent, or was given up.
    WaitedFor = "waited_for";
    /// What the rate limits said that have counted the request.
    Limits = "limits";
    /// The limits that only count, and would have refused it.
    WouldLimit = "would_limit";
    /// The version of HTTP.
    Protocol = "protocol";
    /// Whether it came by TLS.
    Tls = "tls";
    /// The authenticator that knows the caller.
    Auth = "auth";
    /// The caller's name.
    Identity = "identity";
    /// The method that was called.
    Call = "call";
    /// The target of the route's split that took the call, or its fallback.
    Target = "target";
    /// Why it was that one.
    TargetBy = "target_by";
    /// The backend that was called last.
    Backend = "backend";
    /// The version of the service of the instance that was called last.
    Version = "version";
    /// Each attempt: where it went, when, how long it took, and what came of it.
    Tries = "tries";
}

/// Some of the fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccessFields(u32);

impl Default for AccessFields {
    fn default() -> AccessFields {
        AccessFields::of(AccessField::ALL.iter().copied().filter(|field| field.is_default()))
    }
}

impl AccessFields {
    /// All but that one.
    pub const fn all_but(field: AccessField) -> AccessFields {
        AccessFields(!(1 << field as u32))
    }

    /// These and those.
    pub const fn and(self, other: AccessFields) -> AccessFields {
        AccessFields(self.0 | other.0)
    }

    /// These.
    fn of(fields: impl Iterator<Item = AccessField>) -> AccessFields {
        AccessFields(fields.fold(0, |all, field| all | 1 << field as u32))
    }

    /// Whether it is one of them.
    #[inline]
    pub fn has(self, field: AccessField) -> bool {
        self.0 & 1 << field as u32 != 0
    }

    /// The names of all of them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        AccessField::ALL.iter().filter(move |field| self.has(**field)).map(|field| field.name())
    }
}

impl AccessLogSettings {
    /// The same, where somebody says otherwise while the gateway runs: which failures and successes have lines.
    ///
    /// # Errors
    /// For people: there is no such setting, or it cannot be that.
    pub fn with(mut self, name: &str, value: &str) -> Result<AccessLogSettings, String> {
        match name {
            "failures" => {
                let value = value.parse().map_err(|_| format!("`failures` is true or false, not `{value}`"));
                self.failures = value?;
            }
            "successes" => {
                let share = Share::parse(value);
                self.successes =
                    share.map_err(|_| format!("`successes` is a share such as 1%, not `{value}`"))?;
            }
            _ => {
                let help = names_help(name, ["failures", "successes"]).unwrap_or_default();
                return Err(format!("the access log has no `{name}` that can be changed: {help}"));
            }
        }
        Ok(self)
    }

    /// Replaces the defaults by what the section says.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>) {
        set(&mut self.failures, section.get("failures").and_then(|item| reader.boolean(&item)));
        set(&mut self.successes, section.get("successes").and_then(|item| read_share(reader, &item)));
        set(
            &mut self.format,
            section.get("format").and_then(|item| reader.choice(&item, &AccessLogFormat::ALL)),
        );
        if let Some(item) = section.get("fields") {
            set(&mut self.fields, read_fields(reader, &item));
        }
        if let Some(item) = section.get("headers") {
            set(&mut self.headers, read_headers(reader, &item));
        }
    }
}

fn read_fields(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<AccessFields> {
    let names = || AccessField::ALL.iter().map(|field| field.name());
    let fields = reader.texts(item, "[\"time\", \"status\"]", |text| {
        let found = AccessField::ALL.iter().copied().find(|field| field.name() == text);
        found.ok_or_else(|| {
            let complaint = Complaint::new(format!("the access log has no field `{text}`"), "unknown");
            complaint.help(names_help(text, names()).unwrap_or_default())
        })
    })?;
    Some(AccessFields::of(fields.into_iter().map(|(field, _)| field)))
}

fn read_headers(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<FieldName>> {
    let headers = reader.texts(item, "[\"user-agent\"]", header)?;
    reader.twice("the header", headers.iter().map(|(name, span)| (name, span)));
    if headers.len() > MAX_HEADERS {
        let complaint = Complaint::new("too many headers", format!("expected at most {MAX_HEADERS}"));
        return reader.complain(item, complaint);
    }
    Some(headers.into_iter().map(|(name, _)| FieldName::from(&*name)).collect())
}

fn header(text: &str) -> Result<String, Complaint> {
    let name = text.to_ascii_lowercase();
    if CREDENTIALS.contains(&name.as_str()) {
        let complaint =
            Complaint::new(format!("`{name}` is a credential"), "it would let in whoever reads the log");
        return Err(complaint.help("remove it; `identity` says who has called"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    match !name.is_empty() && name.bytes().all(fits) {
        true => Ok(name),
        false => Err(Complaint::new(
            format!("`{text}` is no header's name"),
            "expected a name such as \"user-agent\"",
        )),
    }
}
