//! How a step of a case ends: well, with a promise broken, or because the tested side leaves out what is optional.

/// The sections of `docs/protocol.md` that cases speak of, by their headings.
pub mod section {
    pub const VALUES: &str = "What a reader must refuse";
    pub const FRAME: &str = "Connection and frame";
    pub const HANDSHAKE: &str = "Handshake";
    pub const LET_IN: &str = "Being let in";
    pub const NUMBERS: &str = "Call numbers";
    pub const CALL: &str = "CALL";
    pub const METADATA: &str = "Metadata";
    pub const REPLY: &str = "REPLY";
    pub const FAILURE: &str = "FAILURE";
    pub const CANCEL: &str = "CANCEL";
    pub const LONG: &str = "Long messages";
    pub const SCHEMAS: &str = "Schemas";
    pub const PING: &str = "Is the peer there: PING, PONG";
    pub const READY: &str = "Not ready: READY";
    pub const AWAY: &str = "Going away";
    pub const LIMITS: &str = "Limits";
    pub const LATER: &str = "What may be added later";
    pub const WRONG: &str = "When something is wrong";
    pub const STREAMS: &str = "Streams";
    pub const CREDIT: &str = "Credit";
    pub const STREAM_ENDS: &str = "How a stream ends early";

    /// All of them; a test looks for each on the page.
    pub const ALL: &[&str] = &[
        VALUES,
        FRAME,
        HANDSHAKE,
        LET_IN,
        NUMBERS,
        CALL,
        METADATA,
        REPLY,
        FAILURE,
        CANCEL,
        LONG,
        SCHEMAS,
        PING,
        READY,
        AWAY,
        LIMITS,
        LATER,
        WRONG,
        STREAMS,
        CREDIT,
        STREAM_ENDS,
    ];
}

/// Why a case ends before its last step.
#[derive(Clone, Debug)]
pub enum Stop {
    /// The tested side broke a promise: the section if it is another than the case's, and what was seen.
    Broken(Option<&'static str>, String),
    /// The tested side lacks something that it may lack, and the case needs it.
    LeftOut(String),
}

/// What a step of a case gives.
pub type Step<T = ()> = Result<T, Stop>;

/// The case's promise is broken.
pub fn broken<T>(what: impl Into<String>) -> Step<T> {
    Err(Stop::Broken(None, what.into()))
}

/// A promise of that section is broken, whatever the case is about.
pub fn breaks<T>(section: &'static str, what: impl Into<String>) -> Step<T> {
    Err(Stop::Broken(Some(section), what.into()))
}

/// The case's promise is broken unless this holds.
pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Step {
    if holds { Ok(()) } else { broken(otherwise()) }
}

/// A promise of that section is broken unless this holds.
pub fn rule(holds: bool, section: &'static str, otherwise: impl FnOnce() -> String) -> Step {
    if holds { Ok(()) } else { breaks(section, otherwise()) }
}

/// What is broken in this step is what the case is about, although a rule for every frame has found it.
pub fn in_case<T>(step: Step<T>) -> Step<T> {
    step.map_err(|stop| match stop {
        Stop::Broken(_, what) => Stop::Broken(None, what),
        left_out @ Stop::LeftOut(_) => left_out,
    })
}
