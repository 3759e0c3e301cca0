//! The use-cases of what must stay and what may go: matters, holds, labels, events, freezes.

mod advance;
mod certify;
mod dispose;
mod event;
mod freeze;
mod hold;
mod label;
mod lock;
mod matter;
mod policy;
mod release;
mod request;
mod simulate;
mod time;
pub(super) mod words;

pub use advance::{ClaimLine, ClockStanding};
pub use dispose::{BatchLine, Planned, Review};
pub use event::{EventLine, NewEvent};
pub use freeze::FreezeLine;
pub use hold::{HoldExtent, HoldLine, HoldStanding, HoldTarget, NewHold, Placed};
pub use label::{LabelLine, LabelOn};
pub use matter::MatterLine;
pub use policy::{NewPolicy, PolicyChanged, PolicyLine};
pub use release::{Consequences, Released};
pub use request::{
    NewRequest, RequestAct, RequestCounts, RequestDecision, RequestItem, RequestLine,
};
pub use simulate::{Simulated, Why};
