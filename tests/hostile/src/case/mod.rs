//! The cases: what is sent, and what a server must answer. They are data, in `cases/`; its README.md says how they are written.

mod frames;
mod read;
mod verdict;

pub use verdict::{Reply, Verdict};

/// The files, in the order of the RFC.
const FILES: &[(&str, &str)] = &[
    ("preface", include_str!("../../cases/preface.txt")),
    ("frames", include_str!("../../cases/frames.txt")),
    ("streams", include_str!("../../cases/streams.txt")),
    ("settings", include_str!("../../cases/settings.txt")),
    ("windows", include_str!("../../cases/windows.txt")),
    ("hpack", include_str!("../../cases/hpack.txt")),
    ("requests", include_str!("../../cases/requests.txt")),
    ("fields", include_str!("../../cases/fields.txt")),
    ("bodies", include_str!("../../cases/bodies.txt")),
];

/// One of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file, what is special, and what stands for `\@`.
    pub name: String,
    /// The section that decides.
    pub rule: String,
    /// Whether the client has said nothing before the first step; otherwise both sides have exchanged settings.
    pub from_scratch: bool,
    /// What the client does.
    pub steps: Vec<Step>,
    /// What the gateway answers.
    pub gets: Verdict,
    /// What the section asks for, in its words, where the gateway answers something else; and why it does.
    pub differs: Option<(String, String)>,
}

/// What the client does next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits for the head of the reply on a stream.
    Head(u32),
    /// Waits for so many bytes of the body on a stream.
    Body(u32, usize),
    /// Waits until nothing more comes on a stream.
    Over(u32),
    /// Waits until the server has acknowledged so many SETTINGS since the case began.
    Acked(usize),
    /// Says that it sends nothing more.
    Finish,
}

/// All cases of all files; the error says what is wrong with one of them.
pub fn all() -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for (file, text) in FILES {
        cases.extend(read::file(file, text)?);
    }
    Ok(cases)
}
