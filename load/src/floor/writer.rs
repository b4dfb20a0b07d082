//! The one actor of the floor: takes what waits in its mailbox, writes it as one group with one `fdatasync`, and answers all of it.

use std::io;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::file::FloorFile;

/// Frames that may wait; further ones are refused.
const FRAMES_WAITING_MAX: usize = 1_024;

/// One frame, and where its number goes once it is durable.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Frame {
    pub bytes: Bytes,
    pub durable: oneshot::Sender<u64>,
}

/// Sent to itself with the first frame of a group: the mailbox is empty by the time it is handled.
#[derive(Message)]
#[rtype(result = "()")]
struct Commit;

pub struct FloorWriter {
    file: FloorFile,
    group: Vec<u8>,
    waiting: Vec<oneshot::Sender<u64>>,
    frames: u64,
}

impl FloorWriter {
    pub fn new(file: FloorFile) -> Self {
        Self { file, group: Vec::new(), waiting: Vec::new(), frames: 0 }
    }

    fn commit(&mut self) -> io::Result<()> {
        self.file.commit(&self.group)?;
        self.group.clear();
        for durable in self.waiting.drain(..) {
            self.frames += 1;
            // The caller may be gone.
            let _ = durable.send(self.frames);
        }
        Ok(())
    }
}

impl Actor for FloorWriter {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(FRAMES_WAITING_MAX);
    }
}

impl Handler<Frame> for FloorWriter {
    type Result = ();

    fn handle(&mut self, frame: Frame, context: &mut Self::Context) {
        if self.waiting.is_empty() {
            context.notify(Commit);
        }
        self.group.extend_from_slice(&frame.bytes);
        self.waiting.push(frame.durable);
    }
}

impl Handler<Commit> for FloorWriter {
    type Result = ();

    fn handle(&mut self, _: Commit, _: &mut Self::Context) {
        if let Err(error) = self.commit() {
            eprintln!("the floor's file cannot be written: {error}");
            // Waiting callers see it from their closed channels.
            self.waiting.clear();
        }
    }
}
