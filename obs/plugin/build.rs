//! OBS unloads its plugins when it ends. Ours may have a thread then that waits
//! for an engine to start or to end; the code that it runs has to stay.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
