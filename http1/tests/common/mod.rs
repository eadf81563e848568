//! What the tests of this crate and its fuzz targets share: a connection without a socket, and what is sent over it.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod drive;
pub(crate) mod mutate;
pub(crate) mod peer;
pub(crate) mod random;
pub(crate) mod replies;
pub(crate) mod targets;
pub(crate) mod text;
pub(crate) mod websocket;
