//! The `suppressd` program: see the library.
fn main() {}
