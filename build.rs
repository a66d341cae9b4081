//! Looks whether the host's desk has been built (`web/dist`), so that the relay
//! can carry it. Without it the relay says how to build it. Also chooses the
//! smaller form of relocations where the system can load it.

use std::path::Path;
use std::process::Command;

/// What the page is made of.
const PARTS: [&str; 3] = ["index.html", "desk.js", "desk.css"];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(desk)");
    println!("cargo::rerun-if-changed=build.rs");
    // A path that is not there would have everything built anew each time.
    for folder in ["web/dist", "web", "."] {
        if Path::new(folder).is_dir() {
            if folder != "." {
                println!("cargo::rerun-if-changed={folder}");
            }
            break;
        }
    }
    if PARTS
        .iter()
        .all(|part| Path::new("web/dist").join(part).is_file())
    {
        println!("cargo::rustc-cfg=desk");
    }
    if loads_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Bevy's tables of functions are half a million pointers, which the loader goes
/// through at every start: 12 MB of the program, 0.1 MB where they are packed
/// (`DT_RELR`). That takes glibc 2.36.
fn loads_packed_relocations() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("HOST") != variable("TARGET") || variable("CARGO_CFG_TARGET_ENV") != "gnu" {
        return false;
    }
    // "glibc 2.36"
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let told = told.map_or(Vec::new(), |it| it.stdout);
    let version = String::from_utf8_lossy(&told);
    let minor = version.trim().strip_prefix("glibc 2.");
    variable("CARGO_CFG_TARGET_OS") == "linux"
        && minor
            .and_then(|it| it.parse().ok())
            .is_some_and(|it: u32| it >= 36)
}
