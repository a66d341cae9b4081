//! The program `hyperfocus`; everything is in the library.

fn main() {
    hyperfocus::cli::main()
}
