// Included by what asks for programs that may be absent; a module of its own it
// would be several times over in one test program.

/// Whether a test that lacks something may pass without having run; said aloud.
pub fn skip(why: &str) {
    use std::io::Write as _;
    // What `eprintln!` says of a test that passes nobody gets to read.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    assert!(
        std::env::var_os("HYPERFOCUS_NO_SKIP").is_none(),
        "nothing may be skipped: {why}"
    );
}
