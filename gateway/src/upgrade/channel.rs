//! One conversation between a gateway and its successor: lines, and with some of them a descriptor.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// The longest line, in bytes. The longest that we write names a socket by its path.
const MAX_LINE: usize = 1024;

/// Descriptors are not for the children of this process; where the system can say so at once.
#[cfg(target_os = "linux")]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const RECEIVE: RecvFlags = RecvFlags::empty();

/// One side of a conversation. Waits without a limit: its callers have one.
pub(super) struct Channel {
    stream: UnixStream,
    unread: Vec<u8>,
    received: VecDeque<OwnedFd>,
}

/// A conversation between two runtimes.
pub(super) struct Paused {
    stream: std::os::unix::net::UnixStream,
    unread: Vec<u8>,
}

impl Channel {
    /// With a process of our own user; an error with any other, which could give us any sockets, or take ours.
    pub(super) fn new(stream: UnixStream) -> io::Result<Channel> {
        let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
        if peer != own {
            let text = format!("the other process is of user {peer}, this one of user {own}");
            return Err(io::Error::new(ErrorKind::PermissionDenied, text));
        }
        Ok(Channel { stream, unread: Vec::new(), received: VecDeque::new() })
    }

    /// The other process; 0 where the system does not say.
    pub(super) fn peer(&self) -> u32 {
        let pid = self.stream.peer_cred().ok().and_then(|peer| peer.pid());
        pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default()
    }

    /// Says a line, which holds no line break.
    pub(super) async fn say(&self, line: &str) -> io::Result<()> {
        self.send(line, &[]).await
    }

    /// Says a line and gives a descriptor with it.
    pub(super) async fn give(&self, line: &str, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        self.send(line, &[descriptor]).await
    }

    async fn send(&self, line: &str, mut descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let line = format!("{line}\n");
        let mut left = line.as_bytes();
        while !left.is_empty() {
            let send = || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                if !descriptors.is_empty() {
                    control.push(SendAncillaryMessage::ScmRights(descriptors));
                }
                Ok(sendmsg(&self.stream, &[IoSlice::new(left)], &mut control, SendFlags::empty())?)
            };
            let sent = self.stream.async_io(Interest::WRITABLE, send).await?;
            left = &left[sent..];
            // It goes with the first byte.
            descriptors = &[];
        }
        Ok(())
    }

    /// The next line; none when the other side has ended. May be given up and called again.
    pub(super) async fn hear(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let rest = self.unread.split_off(end + 1);
                let line = std::mem::replace(&mut self.unread, rest);
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            if self.unread.len() > MAX_LINE {
                return Err(io::Error::new(ErrorKind::InvalidData, "a line is too long"));
            }
            if !self.receive().await? {
                return Ok(None);
            }
        }
    }

    /// The first of the descriptors that came with the lines heard so far.
    pub(super) fn take(&mut self) -> Option<OwnedFd> {
        self.received.pop_front()
    }

    /// Reads what there is; `false` at the end. At most one descriptor comes with each read: the system does not join
    /// messages that have some.
    async fn receive(&mut self) -> io::Result<bool> {
        let mut bytes = [0; MAX_LINE];
        let receive = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut buffer = [IoSliceMut::new(&mut bytes)];
            let got = recvmsg(&self.stream, &mut buffer, &mut control, RECEIVE)?;
            if got.flags.contains(ReturnFlags::CTRUNC) {
                return Err(io::Error::other("a descriptor was lost; are there too many open files?"));
            }
            let rights = control.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(rights) => Some(rights),
                _ => None,
            });
            Ok((got.bytes, rights.flatten().collect::<Vec<OwnedFd>>()))
        };
        let (length, descriptors) = match self.stream.async_io(Interest::READABLE, receive).await {
            Ok(received) => received,
            // It ended with something of ours unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error),
        };
        self.unread.extend_from_slice(&bytes[..length]);
        self.received.extend(descriptors);
        Ok(length > 0)
    }

    /// Leaves this runtime.
    pub(super) fn pause(self) -> io::Result<Paused> {
        Ok(Paused { stream: self.stream.into_std()?, unread: self.unread })
    }
}

impl Paused {
    /// Goes on in another.
    pub(super) fn resume(self) -> io::Result<Channel> {
        let stream = UnixStream::from_std(self.stream)?;
        Ok(Channel { stream, unread: self.unread, received: VecDeque::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    #[tokio::test]
    async fn lines_arrive_as_they_were_said_and_descriptors_with_theirs() {
        let (one, two) = UnixStream::pair().unwrap();
        let (one, mut two) = (Channel::new(one).unwrap(), Channel::new(two).unwrap());
        assert_eq!(one.peer(), std::process::id());
        let (mut reader, writer) = std::io::pipe().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        one.say("first").await.unwrap();
        one.give("a pipe", writer.as_fd()).await.unwrap();
        one.give("a listener", listener.as_fd()).await.unwrap();
        one.say("last").await.unwrap();
        drop(one);
        for line in ["first", "a pipe", "a listener", "last"] {
            assert_eq!(two.hear().await.unwrap().as_deref(), Some(line));
        }
        assert_eq!(two.hear().await.unwrap(), None);
        drop(writer);
        let mut taken = std::fs::File::from(two.take().unwrap());
        taken.write_all(b"x").unwrap();
        drop(taken);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
        let taken = TcpListener::from(two.take().unwrap());
        assert_eq!(taken.local_addr().unwrap(), listener.local_addr().unwrap());
        assert!(two.take().is_none());
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_not_kept() {
        let (one, two) = UnixStream::pair().unwrap();
        let mut two = Channel::new(two).unwrap();
        one.try_write(&[b'x'; 8 * MAX_LINE]).unwrap();
        assert_eq!(two.hear().await.unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
