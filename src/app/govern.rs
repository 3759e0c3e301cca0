//! The use-cases of what must stay and what may go: matters, holds, labels, events, freezes.

mod event;
mod freeze;
mod hold;
mod label;
mod matter;
mod words;

pub use event::{EventLine, NewEvent};
pub use freeze::FreezeLine;
pub use hold::{HoldExtent, HoldLine, HoldStanding, HoldTarget, NewHold, Placed};
pub use label::{LabelLine, LabelOn};
pub use matter::MatterLine;
