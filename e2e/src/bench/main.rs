//! `e2e-bench assist`: what a person feels, in numbers.

fn main() {}
