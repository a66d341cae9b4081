//! What only the inside can test: the hand-over in a model of memory, and the
//! layout against its document.

mod layout;
mod model;
