//! Makes and checks the files that are committed but not written by hand.
fn main() {}
