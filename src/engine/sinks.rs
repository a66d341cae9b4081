//! The outputs that a plan asks for, opened.
