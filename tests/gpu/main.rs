//! What is drawn.

mod captions;
