//! Pictures and sound for what the stage decides.

pub mod caption;
>>>>>>> video
