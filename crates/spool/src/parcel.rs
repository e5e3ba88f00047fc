//! A message as one delivery of one queue, and back.
//!
//! Whom it is for travels as a last header with a name that no request can have.

use rollbook_domain::ProcessorName;
use rollbook_queue::{Delivery, Message};

/// Not a header's name: it has a space.
const TO: &str = "spooled to";

/// No name of a processor has a line's end.
const BETWEEN: char = '\n';

/// The one queue of the file.
pub(crate) fn spool() -> ProcessorName {
    "spool".into()
}

pub(crate) fn wrap(mut message: Message) -> Message {
    let to: Vec<&str> = message.to.iter().map(ProcessorName::as_str).collect();
    let to = to.join(&BETWEEN.to_string());
    message.envelope.headers.push((TO.to_owned(), to));
    message.to = vec![spool()];
    message
}

/// Nothing if it was not wrapped.
pub(crate) fn unwrap(delivery: Delivery) -> Option<Message> {
    let Delivery { mut envelope, redecide, .. } = delivery;
    let (name, to) = envelope.headers.pop()?;
    let to = to.split(BETWEEN).map(Into::into).collect();
    (name == TO).then_some(Message { envelope, to, redecide })
}
