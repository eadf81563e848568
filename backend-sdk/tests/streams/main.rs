//! Services and callers that stream, through real stubs in one process.

mod ends;
mod feed;
mod layers;
mod pace;
mod versions;
mod ways;
