//! Set-up, build, run, test, image and bench of Holdfast.
fn main() {}
